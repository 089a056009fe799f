package deploy_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	behalf "github.com/behalf-authz/behalf/clients/go"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// TestNodesTakeWhatIsLong imports a register through nginx that has more bytes than it lets a body
// have by itself, and asks in one call as much as a server takes.
func TestNodesTakeWhatIsLong(t *testing.T) {
	path := tool(t, "nginx")
	s := newSetup(t)
	n := &node{cfg: server.Config{
		DataDir: filepath.Join(t.TempDir(), "data"), TLS: s.tls(),
		GRPCAddr: fmt.Sprintf("127.0.0.1:%d", oidc.Port(t)), HTTPAddr: fmt.Sprintf("127.0.0.1:%d", oidc.Port(t)),
	}}
	n.start(t)
	g := s.startNodesNginx(t, path, n.cfg, n.cfg)
	key, err := server.ReadAdminKey(n.cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	client, err := behalf.Dial(g.address, behalf.WithTLS(&tls.Config{RootCAs: g.trust}), behalf.WithToken(key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if seen := importParties(t, behalfv1.NewRegisterServiceClient(client.Conn()), 40, 1000); seen != 40_000 {
		t.Errorf("%d parties were compared", seen)
	}
	body := fmt.Sprintf(`{"question":{"object":{"type":"party","id":"1"},"permission":"represent","subject":{"type":"user","id":"1"}}%s}`,
		strings.Repeat(" ", 3<<20))
	if err := askHTTP(t.Context(), g.client(t), g.url(), key, body, `"allowed":false`); err != nil {
		t.Error(err)
	}
}

// importParties tries how an import of batches of parties would go, and returns how many entries
// the server has compared.
func importParties(t *testing.T, service behalfv1.RegisterServiceClient, batches, size int) int64 {
	t.Helper()
	stream, err := service.Import(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	requests := []*behalfv1.ImportRequest{{Message: &behalfv1.ImportRequest_Header{Header: &behalfv1.ImportHeader{Sources: []string{"test"}, DryRun: true}}}}
	for b := range batches {
		batch := &behalfv1.ImportBatch{Source: "test"}
		for i := range size {
			id := int64(60_000_000 + b*size + i)
			batch.Entries = append(batch.Entries, &behalfv1.ImportEntry{File: "test", Line: id, Entry: &behalfv1.ImportEntry_Party{Party: &behalfv1.PartyRecord{
				PartyId: id, Kind: behalfv1.PartyKind_PARTY_KIND_SELF_IDENTIFIED, Name: strings.Repeat("LANG ", 20), UserId: id,
			}}})
		}
		requests = append(requests, &behalfv1.ImportRequest{Message: &behalfv1.ImportRequest_Batch{Batch: batch}})
	}
	for _, r := range requests {
		if err := stream.Send(r); err != nil {
			break // the answer says why
		}
	}
	_ = stream.CloseSend()
	seen := int64(0)
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return seen
		}
		if err != nil {
			t.Fatal(err)
		}
		if p := answer.GetProgress(); p.GetPhase() == behalfv1.ImportPhase_IMPORT_PHASE_COMPARING {
			seen = max(seen, p.GetTotal())
		}
	}
}

// TestNodesAreSentWritesOnce has a server take requests and break the connection: nginx asks another
// one what may be asked again, and sends no write there.
func TestNodesAreSentWritesOnce(t *testing.T) {
	path := tool(t, "nginx")
	s := newSetup(t)
	pair, err := tls.LoadX509KeyPair(s.identity.cert, s.identity.key)
	if err != nil {
		t.Fatal(err)
	}
	var taken, answered atomic.Int64
	serve := func(handler http.HandlerFunc) server.Config {
		ts := httptest.NewUnstartedServer(handler)
		ts.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
		ts.StartTLS()
		t.Cleanup(ts.Close)
		address := strings.TrimPrefix(ts.URL, "https://")
		return server.Config{HTTPAddr: address, GRPCAddr: address}
	}
	breaks := serve(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		taken.Add(1)
		panic(http.ErrAbortHandler)
	})
	answers := serve(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answered.Add(1)
	})
	g := s.startNodesNginx(t, path, breaks, answers)
	client := g.client(t)
	const times = 10
	for _, c := range []struct {
		method, path string
		again        bool
	}{
		{http.MethodPut, "/v1/policies/app_skd_cost", false},
		{http.MethodDelete, "/v1/delegations/x", false},
		{http.MethodPost, "/v1/delegations", false},
		{http.MethodPost, "/v1/check", true},
		{http.MethodGet, "/v1/parties", true},
	} {
		taken.Store(0)
		answered.Store(0)
		good := int64(0)
		for range times {
			r, err := http.NewRequestWithContext(t.Context(), c.method, g.url()+c.path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = got.Body.Close()
			if got.StatusCode == http.StatusOK {
				good++
			}
		}
		if sent := taken.Load() + answered.Load(); taken.Load() == 0 || good != answered.Load() || c.again != (good == times) || !c.again && sent != times {
			t.Errorf("%s %s: %d times taken and %d times answered of %d, %d good", c.method, c.path, taken.Load(), answered.Load(), times, good)
		}
	}
}
