package altinn_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/altinn"
	"github.com/behalf-authz/behalf/gateway/internal/standin"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// TestWhoMayAskForDecisions says by what a client may ask without credentials of his own,
// and that nothing else than POST decision is opened by it.
func TestWhoMayAskForDecisions(t *testing.T) {
	const peer = "10.1.2.3:4711"
	network := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	certificate := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{}}}}
	for _, row := range []struct {
		name, path string
		who        altinn.Decisions
		from       string
		tls        *tls.ConnectionState
		token      string
		status     int
		as         string // authorization of the call
	}{
		{"nobody", "decision", altinn.Decisions{}, peer, certificate, "", 401, ""},
		{"his own token", "decision", altinn.Decisions{}, peer, nil, "Bearer user-7", 200, "Bearer user-7"},
		{"a peer", "decision", altinn.Decisions{Peers: network}, peer, nil, "", 200, "Bearer service"},
		{"a peer over IPv6", "decision", altinn.Decisions{Peers: network}, "[::ffff:10.1.2.3]:4711", nil, "", 200, "Bearer service"},
		{"a peer whose token is stale", "decision", altinn.Decisions{Peers: network}, peer, nil, "Bearer stale", 200, "Bearer service"},
		{"another peer", "decision", altinn.Decisions{Peers: network}, "10.2.2.3:4711", nil, "", 401, ""},
		{"a peer without address", "decision", altinn.Decisions{Peers: network}, "@", nil, "", 401, ""},
		{"a certificate", "decision", altinn.Decisions{Certificates: true}, peer, certificate, "", 200, "Bearer service"},
		{"a certificate nobody verified", "decision", altinn.Decisions{Certificates: true}, peer, &tls.ConnectionState{}, "", 401, ""},
		{"no TLS", "decision", altinn.Decisions{Certificates: true}, peer, nil, "", 401, ""},
		{"open", "Decision/", altinn.Decisions{Open: true}, "10.2.2.3:4711", nil, "", 200, "Bearer service"},
		{"authorize is not opened", "authorize", altinn.Decisions{Open: true, Peers: network, Certificates: true}, peer, certificate, "", 401, ""},
		{"authorize by token", "authorize", altinn.Decisions{}, peer, nil, "Bearer service", 200, "Bearer service"},
	} {
		services, conn := standin.New(t)
		services.Answer = func(string, proto.Message) (proto.Message, error) {
			return &behalfv1.DecideXACMLResponse{Body: []byte("{}"), ContentType: "application/json; charset=utf-8"}, nil
		}
		row.who.MaxBody, row.who.Identity = 100, "Bearer service"
		r := httptest.NewRequest(http.MethodPost, "/authorization/api/v1/"+row.path, strings.NewReader("body"))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr, r.TLS = row.from, row.tls
		if row.token != "" {
			r = r.WithContext(metadata.AppendToOutgoingContext(r.Context(), "authorization", row.token))
		}
		w := httptest.NewRecorder()
		altinn.New(conn, row.who).ServeHTTP(w, r)
		if w.Code != row.status {
			t.Errorf("%s: status %d, want %d: %s", row.name, w.Code, row.status, w.Body)
			continue
		}
		calls := services.Calls()
		if row.status != 200 {
			if len(calls) != 0 {
				t.Errorf("%s: was let through to the service", row.name)
			}
			continue
		}
		if len(calls) != 1 || calls[0].Metadata.Get("authorization")[0] != row.as {
			t.Errorf("%s: calls %v, want one as %q", row.name, calls, row.as)
			continue
		}
		asked, _ := calls[0].Request.(*behalfv1.DecideXACMLRequest)
		want := behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_DECISION
		if row.path == "authorize" {
			want = behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_AUTHORIZE
		}
		if asked.GetDoor() != want || string(asked.GetBody()) != "body" || asked.GetContentType() != "application/json" {
			t.Errorf("%s: asked %v", row.name, asked)
		}
	}
}

// TestDecisionBodies says what becomes of answers and bodies that are none.
func TestDecisionBodies(t *testing.T) {
	services, conn := standin.New(t)
	api := altinn.New(conn, altinn.Decisions{Open: true, Identity: "Bearer service", MaxBody: 100})
	services.Answer = func(string, proto.Message) (proto.Message, error) { return &behalfv1.DecideXACMLResponse{}, nil }
	for _, row := range []struct {
		method string
		body   []byte
		status int
	}{
		{http.MethodPost, []byte("x"), 500}, // the zero answer is no decision
		{http.MethodPost, bytes.Repeat([]byte("x"), 101), 413},
		{http.MethodGet, nil, 405},
	} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest(row.method, "/authorization/api/v1/decision", bytes.NewReader(row.body)))
		if w.Code != row.status || strings.Contains(w.Body.String(), "Permit") {
			t.Errorf("%s with %d bytes: %d %s", row.method, len(row.body), w.Code, w.Body)
		}
	}
}
