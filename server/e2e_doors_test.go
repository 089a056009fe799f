package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/server"
)

// file writes a file of the test's own and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMiaFile serves Mia's own file, and answers its gateways as Mia's service does.
func TestMiaFile(t *testing.T) {
	auth := file(t, "auth.json", `{
		"/": {"GET": {"authorization": {"expression": "true", "public": true}}},
		"/me": {"ALL": {"authorization": {"expression": "true", "public": false}}},
		"/app": {"GET": {"authorization": {"expression": "clientType == \"app\"", "public": true}}},
		"/desk": {"GET": {"authorization": {"expression": "false", "public": false}, "backofficeAuthorization": {"expression": "isBackoffice", "public": false}}}
	}`)
	routes := file(t, "routes.yaml", "mia: {strict: false, user_properties: [level, partyId], routes: "+auth+"}")
	for _, strict := range []bool{true, false} {
		named := map[bool]string{true: auth, false: routes}[strict]
		s := startAltinnServerWith(t, server.Config{DataDir: t.TempDir(), Enforcement: server.EnforcementConfig{
			RoutesFile: named, TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		}})
		s.loadSmallRegister()
		kari := "Authorization: Bearer " + s.token(t, server.UserClaims(20000490, 50002598, 3))
		legacy := "Authentication: " + strings.TrimPrefix(kari, "Authorization: Bearer ")
		for _, row := range []struct {
			request, headers     string
			want                 int // strictly; leniently it is 200
			allowed, user, props string
		}{
			{"GET /", "", 200, "1", "", ""},
			{"GET /index.html?x=1", kari, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /", kari + "x", 200, "1", "", ""}, // a token that is none, where everybody may pass
			{"POST /", kari, 401, "0", "", ""},
			{"GET /me", "", 401, "0", "", ""},
			{"GET /me", kari + "x", 401, "0", "", ""},
			{"PATCH /me/x", kari, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /me", legacy, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /meadow", kari, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /app", kari, 403, "0", "", ""},
			{"GET /app", "Client-Type: app", 200, "1", "", ""},
			{"GET /desk", kari, 403, "0", "", ""},
			{"GET /desk", "isbackoffice: 1\n" + kari, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /desk", "isbackoffice: 1", 401, "0", "", ""},
			{"GET //me", kari, 403, "0", "", ""},
			{"GET /x/%2e%2e/me", kari, 403, "0", "", ""},
		} {
			method, uri, _ := strings.Cut(row.request, " ")
			headers := []string{"Original-Request-Method: " + method, "Original-Request-Uri: " + uri}
			if row.headers != "" {
				headers = append(headers, strings.Split(row.headers, "\n")...)
			}
			for _, path := range []string{"/auth", "/auth/public"} {
				a := s.do(t, http.MethodGet, path, nil, headers...)
				want, props := row.want, row.props
				if !strict {
					want = 200
				} else if props != "" {
					props = "{}" // as nothing is named
				}
				got := fmt.Sprint(a.status, a.header.Get("mia-allowed"), a.header.Get("mia-userid"), a.header.Get("mia-userproperties"))
				if got != fmt.Sprint(want, row.allowed, row.user, props) {
					t.Errorf("%s with %.30q, strictly %t: %s %v", row.request, row.headers, strict, got, a.header)
				}
			}
		}
		s.stop()
	}
	bad := file(t, "auth.json", `{"/": {"GET": {"authorization": {"expression": "roles.admin", "public": true}}}}`)
	err := server.Config{Enforcement: server.EnforcementConfig{RoutesFile: bad}}.Validate()
	if err == nil || !strings.Contains(err.Error(), `"roles" is not known`) {
		t.Errorf("an unknown name: %v", err)
	}
}

// TestGatewaysByKey knows gateways of no trusted network by their own key.
func TestGatewaysByKey(t *testing.T) {
	s := startEnforcing(t)
	known, other := s.apiKey(t, "envoy", "behalf:enforce"), s.apiKey(t, "other", "behalf:check")
	for _, adapter := range adapters {
		if adapter.name == "envoy" {
			continue
		}
		for key, want := range map[string]int{known: 200, other: 403, "nonsense": 403, "": 403} {
			if got, a := s.ask(t, adapter.tell("GET", "a.example.com", "/open/a"), "Behalf-Gateway-Key: "+key); got != want {
				t.Errorf("%s with a key of %d bytes: %d %s", adapter.name, len(key), got, a.header.Get("Behalf-Reason"))
			}
		}
		if got, _ := s.ask(t, adapter.tell("GET", "a.example.com", "/me"), "Behalf-Gateway-Key: "+known); got != 401 {
			t.Errorf("%s: its key is the client's: %d", adapter.name, got)
		}
	}
	conn, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for key, want := range map[string]int32{known: 0, other: 7, "nonsense": 7} {
		if got := envoyCode(t, conn, key); got != want {
			t.Errorf("Envoy with a key of %d bytes: %d", len(key), got)
		}
	}
}

// envoyCode asks about a public page and returns the code of the answer.
func envoyCode(t *testing.T, conn grpc.ClientConnInterface, key string) int32 {
	t.Helper()
	ctx := t.Context()
	if key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
	}
	got, err := authv3.NewAuthorizationClient(conn).Check(ctx, &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{Method: "GET", Scheme: "https", Host: "a.example.com", Path: "/open/a"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetStatus().GetCode()
}
