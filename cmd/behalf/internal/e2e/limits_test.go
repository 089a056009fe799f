package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// TestLimitsAtEveryDoor has a caller call once more than he may at every door: he is told when
// to come again, no gateway lets his request pass, and another is served.
func TestLimitsAtEveryDoor(t *testing.T) {
	routes := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(routes, []byte("routes:\n  - {name: open, methods: [GET], path: \"/**\", rule: {public: true}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	i := startServer(t, server.Config{
		DataDir: dir, Datastore: datastoreOf(t, dir), Limits: server.LimitsConfig{Rate: 1e-6, Burst: 1},
		Enforcement: server.EnforcementConfig{RoutesFile: routes, TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	})
	first, second := i.userToken(t, 20010001, 50010001), i.userToken(t, 20010002, 50010002)
	if got := i.call(t, http.MethodGet, "/v1/caller", first, ""); got.status != http.StatusOK {
		t.Fatalf("the first call: %d %s", got.status, got.body)
	}
	refused, again := i.call(t, http.MethodGet, "/v1/caller", first, ""), i.call(t, http.MethodGet, "/v1/caller", first, "")
	if diff := cmp.Diff(withoutRequestID(t, refused.body), withoutRequestID(t, again.body)); diff != "" {
		t.Errorf("whom the server knows to be over his rate is told otherwise (-first +then):\n%s", diff)
	}
	for _, row := range []struct{ method, path, body string }{
		{http.MethodGet, "/v1/caller", ""},
		{http.MethodPost, "/v1/check", `{"question":{"object":{"type":"party","id":"1"},"permission":"represent"}}`},
		{http.MethodGet, "/authorization/api/v1/parties?userId=20010001", ""},
		{http.MethodPost, "/authorization/api/v1/authorize", `{"Request":{}}`},
		{http.MethodPost, "/access/v1/evaluation", `{"subject":{"type":"user","id":"20010001"},"resource":{"type":"app","id":"skd_x"},"action":{"name":"read"}}`},
	} {
		got := i.call(t, row.method, row.path, first, row.body)
		if seconds, err := strconv.Atoi(got.header.Get("Retry-After")); got.status != http.StatusTooManyRequests || err != nil || seconds < 1 {
			t.Errorf("%s %s: %d, Retry-After %q: %s", row.method, row.path, got.status, got.header.Get("Retry-After"), got.body)
		}
	}
	_, err := behalfv1.NewCallerServiceClient(i.conn).GetCaller(as(t.Context(), first), &behalfv1.GetCallerRequest{})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("over gRPC: %v", err)
	}
	if got := i.call(t, http.MethodGet, "/v1/caller", second, ""); got.status != http.StatusOK {
		t.Errorf("the other: %d %s", got.status, got.body)
	}
	for range 3 { // probes are never refused
		if _, err := grpc_health_v1.NewHealthClient(i.conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
			t.Error(err)
		}
		if got := i.call(t, http.MethodGet, "/readyz", "", ""); got.status != http.StatusOK {
			t.Errorf("/readyz: %d", got.status)
		}
	}
	doors := map[string]func(client string) (int, http.Header){
		"nginx":   i.askedBy(t, "/authz/nginx", "X-Original-Uri", "X-Original-Method"),
		"forward": i.askedBy(t, "/authz/forward", "X-Forwarded-Uri", "X-Forwarded-Method"),
		"mia":     i.askedBy(t, "/auth", "Original-Request-Uri", "Original-Request-Method"),
		"envoy":   i.askedByEnvoy(t),
		"login":   i.askedBy(t, "/login", "X-Unread-Uri", "X-Unread-Method"), // of browsers behind a proxy
	}
	for n, name := range []string{"nginx", "forward", "mia", "envoy", "login"} {
		ask, client := doors[name], "192.0.2."+strconv.Itoa(n)
		if code, header := ask(client); code != http.StatusOK {
			t.Errorf("%s: the first request: %d %v", name, code, header)
		}
		code, header := ask(client)
		want := http.StatusTooManyRequests
		if name == "nginx" { // which takes it for a fault of its own, and is told by a header
			want = http.StatusForbidden
			if header.Get("Behalf-Status") != "429" {
				t.Errorf("nginx: %v", header)
			}
		} else if header.Get("Retry-After") == "" {
			t.Errorf("%s does not say when to come again: %v", name, header)
		}
		if code != want || header.Get("Mia-Allowed") == "1" {
			t.Errorf("%s: the second request: %d %v", name, code, header)
		}
		if code, _ := ask("198.51.100." + strconv.Itoa(n)); code != http.StatusOK {
			t.Errorf("%s: another client: %d", name, code)
		}
	}
}

func withoutRequestID(t *testing.T, problem []byte) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(problem, &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "request_id")
	return fields
}

// TestLongHeaders has requests with headers of more than anybody needs end before anything reads
// them, at both ports.
func TestLongHeaders(t *testing.T) {
	i := start(t)
	long := strings.Repeat("a", 80<<10)
	_, err := behalfv1.NewCallerServiceClient(i.conn).GetCaller(as(t.Context(), long), &behalfv1.GetCallerRequest{})
	if err == nil || !strings.Contains(err.Error(), "header list size") {
		t.Errorf("over gRPC: %v", err)
	}
	if got := i.call(t, http.MethodGet, "/v1/caller", long, ""); got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("over HTTP: %d %s", got.status, got.body)
	}
}

// TestAltinnRequestsAreOneCall lets a caller make as many requests at Altinn's paths as he may make
// calls, whatever the services are asked for each.
func TestAltinnRequestsAreOneCall(t *testing.T) {
	dir := t.TempDir()
	i := startServer(t, server.Config{DataDir: dir, Datastore: datastoreOf(t, dir), Limits: server.LimitsConfig{Rate: 1e-6, Burst: 2}})
	app := `[{"id":"urn:altinn:org","value":"skd"},{"id":"urn:altinn:app","value":"a"}]`
	for n, row := range []struct{ method, path, body string }{
		{http.MethodGet, "/authorization/api/v1/parties?userId=%d", ""},
		{http.MethodGet, "/authorization/api/v1/parties/50010001/validate?userId=%d", ""},
		{http.MethodGet, "/authorization/api/v1/roles?coveredByUserId=%d&offeredByPartyId=50010001", ""},
		{http.MethodGet, "/accessmanagement/api/v1/authorizedparties?x=%d", ""},
		{http.MethodPost, "/authorization/api/v1/authorize?x=%d", `{"Request":{}}`},
		{http.MethodPost, "/authorization/api/v1/policies/GetPolicies?x=%d", "[" + app + "," + app + "," + app + "]"},
	} {
		user := int64(20010001 + n)
		token, path := i.userToken(t, user, 50010001+int64(n)), fmt.Sprintf(row.path, user)
		if strings.Contains(path, "GetPolicies") {
			token = "" // it is open, and counted by the address
		}
		for request := range 3 {
			got := i.call(t, row.method, path, token, row.body)
			if limited := got.status == http.StatusTooManyRequests; limited != (request == 2) || got.status == http.StatusUnauthorized {
				t.Errorf("%s, request %d: %d %s", row.path, request+1, got.status, got.body)
			}
		}
	}
}

// TestStrangersAtEnvoysDoor counts keys that nobody knows by the addresses that give them: they keep
// nobody out whom an Envoy asks about without telling of its client.
func TestStrangersAtEnvoysDoor(t *testing.T) {
	routes := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(routes, []byte("routes:\n  - {name: open, methods: [GET], path: \"/**\", rule: {public: true}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	i := startServer(t, server.Config{
		DataDir: dir, Datastore: datastoreOf(t, dir), Limits: server.LimitsConfig{Rate: 1e-6, Burst: 1},
		Enforcement: server.EnforcementConfig{RoutesFile: routes, TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
	})
	stranger := i.from(t, "127.0.0.2")
	for request, want := range []codes.Code{codes.PermissionDenied, codes.ResourceExhausted} {
		answer, err := authv3.NewAuthorizationClient(stranger).Check(as(t.Context(), "behalf_nobody"), &authv3.CheckRequest{})
		if err != nil || answer.GetStatus().GetCode() != int32(want) {
			t.Errorf("request %d of a stranger: %v, %v; want %s", request+1, answer, err, want)
		}
	}
	ask := i.askedByEnvoy(t)
	if code, header := ask(""); code != http.StatusOK {
		t.Errorf("without a client: %d %v", code, header)
	}
	if code, header := ask(""); code != http.StatusTooManyRequests || header.Get("Behalf-Reason") != "RATE_LIMITED" {
		t.Errorf("without a client, again: %d %v", code, header)
	}
}

// from returns a connection from another address of this machine.
func (i *instance) from(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	conn, err := grpc.NewClient(i.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, to string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", to) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// askedBy returns how a gateway asks about a request of a client.
func (i *instance) askedBy(t *testing.T, path, uri, method string) func(client string) (int, http.Header) {
	t.Helper()
	return func(client string) (int, http.Header) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{
			uri: {"/x"}, method: {http.MethodGet}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"a.example"}, "X-Forwarded-For": {client},
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode, res.Header
	}
}

// askedByEnvoy is askedBy of Envoy's gRPC.
func (i *instance) askedByEnvoy(t *testing.T) func(client string) (int, http.Header) {
	t.Helper()
	return func(client string) (int, http.Header) {
		answer, err := authv3.NewAuthorizationClient(i.conn).Check(t.Context(), &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
			Source: &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{Address: client}}}},
			Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
				Method: http.MethodGet, Scheme: "https", Host: "a.example", Path: "/x",
			}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if answer.GetStatus().GetCode() == int32(codes.OK) {
			return http.StatusOK, nil
		}
		header := http.Header{}
		for _, h := range answer.GetDeniedResponse().GetHeaders() {
			header.Set(h.GetHeader().GetKey(), h.GetHeader().GetValue())
		}
		return int(answer.GetDeniedResponse().GetStatus().GetCode()), header
	}
}
