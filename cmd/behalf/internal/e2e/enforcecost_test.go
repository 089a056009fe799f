package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/behalf-authz/behalf/server"
)

// costRoutes has a route whose relation is asked about.
const costRoutes = `routes:
  - {name: books, methods: [GET], path: "/books/{partyId}/**", rule: {relation: "party:{path.partyId}#represent"}}
`

// TestEnforcementCost measures what a question of an API gateway costs in processor time, by
// forward auth and by ext_authz, as a ratio to bare handlers that answer the same without
// looking, on servers of their own in the same process, which is none of the test's.
func TestEnforcementCost(t *testing.T) {
	if os.Getenv(measured) != "" {
		serveDoors(t)
		return
	}
	if *datastoreFlag != server.DatastoreSQLite {
		t.Skip("what a question costs is measured on the embedded store")
	}
	data, user, party := costWorld(t)
	q := costQuestion(t, data, user, party)
	server := startMeasured(t, fmt.Sprintf("%d %d", user, party), data)
	t.Run("forward auth", func(t *testing.T) {
		compare(t, server, q.asForward(server.url), q.asForward(server.other[1]))
	})
	t.Run("ext_authz", func(t *testing.T) {
		compare(t, server, q.asEnvoy(t, server.other[0]), q.asEnvoy(t, server.other[2]))
	})
}

// doorQuestion is what gateways ask: whether this user's request may pass.
type doorQuestion struct{ path, token string }

func costQuestion(t *testing.T, data string, user, party int64) doorQuestion {
	t.Helper()
	return doorQuestion{
		path:  fmt.Sprintf("/books/%d/2026", party),
		token: strings.TrimSpace(run(t, "token", "--data-dir", data, "--user", strconv.FormatInt(user, 10))),
	}
}

// compare reports what door and floor cost the process, one question at a time and sixteen.
func compare(t *testing.T, p process, door, floor func() error) {
	t.Helper()
	for _, at := range []int{1, 16} {
		for range 3 {
			bare, bareRate := p.load(t, at, floor)
			cost, rate := p.load(t, at, door)
			t.Logf("%2d at once: processor time per question %s, bare %s, ratio %.2f; questions a second %.0f, bare %.0f, ratio %.2f",
				at, cost, bare, float64(cost)/float64(bare), rate, bareRate, rate/bareRate)
		}
	}
}

// load asks as often as the flag says, some at once, and returns the processor time that
// each cost the process, and how many there were in a second.
func (p process) load(t *testing.T, atOnce int, ask func() error) (each time.Duration, rate float64) {
	t.Helper()
	calls := max(*costCalls, atOnce)
	before, began := p.cpu(t), time.Now()
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for range calls / atOnce {
				if err := ask(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	asked := calls / atOnce * atOnce
	return (p.cpu(t) - before) / time.Duration(asked), float64(asked) / took.Seconds()
}

// forward asks as Traefik and Caddy do.
func (q doorQuestion) forward(client *http.Client, base string) (http.Header, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, base+"/authz/forward", nil)
	if err != nil {
		return nil, err
	}
	req.Header = http.Header{
		"X-Forwarded-Method": {http.MethodGet}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"books.example.com"},
		"X-Forwarded-Uri": {q.path}, "Authorization": {"Bearer " + q.token},
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	if user := resp.Header.Get("Behalf-User"); resp.StatusCode != http.StatusOK || user == "" {
		return nil, fmt.Errorf("forward auth answers %d for user %q", resp.StatusCode, user)
	}
	return resp.Header, nil
}

func (q doorQuestion) asForward(base string) func() error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	return func() error {
		_, err := q.forward(client, base)
		return err
	}
}

// envoy asks as Envoy does.
func (q doorQuestion) envoy(client authv3.AuthorizationClient) (*authv3.CheckResponse, error) {
	answer, err := client.Check(context.Background(), &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{
		Http: &authv3.AttributeContext_HttpRequest{
			Method: http.MethodGet, Scheme: "https", Host: "books.example.com", Path: q.path,
			Headers: map[string]string{"authorization": "Bearer " + q.token, ":method": http.MethodGet, ":path": q.path, ":authority": "books.example.com"},
		},
	}}})
	if err != nil {
		return nil, err
	}
	if answer.GetStatus().GetCode() != int32(codes.OK) || answer.GetOkResponse() == nil {
		return nil, fmt.Errorf("ext_authz answers %s", answer.GetStatus())
	}
	return answer, nil
}

func (q doorQuestion) asEnvoy(t *testing.T, address string) func() error {
	t.Helper()
	client := newEnvoy(t, address)
	return func() error {
		_, err := q.envoy(client)
		return err
	}
}

func newEnvoy(t *testing.T, address string) authv3.AuthorizationClient {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return authv3.NewAuthorizationClient(conn)
}

// ready answers Envoy without looking.
type ready struct {
	authv3.UnimplementedAuthorizationServer

	answer *authv3.CheckResponse
}

// Check returns the answer.
func (r ready) Check(context.Context, *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	return r.answer, nil
}

// serveDoors serves the doors of gateways, and beside them what answers as they do without
// looking.
func serveDoors(t *testing.T) {
	var user, party int64
	if _, err := fmt.Sscan(os.Getenv(measured), &user, &party); err != nil {
		t.Fatal(err)
	}
	routes := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(routes, []byte(costRoutes), 0o600); err != nil {
		t.Fatal(err)
	}
	q := costQuestion(t, os.Getenv("BEHALF_E2E_DATA"), user, party)
	serveUntilTold(t, "serve --trusted-peers 127.0.0.1/32 --routes "+routes, func(url, grpc string) {
		web, envoy := q.serveAnswers(t, url, grpc)
		fmt.Println("serving", url, grpc, web, envoy)
	})
}

// serveAnswers serves the answers of both doors ready, and returns where.
func (q doorQuestion) serveAnswers(t *testing.T, url, address string) (web, envoy string) {
	t.Helper()
	header, err := q.forward(http.DefaultClient, url)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := q.envoy(newEnvoy(t, address))
	if err != nil {
		t.Fatal(err)
	}
	byHTTP, byGRPC := listen(t), listen(t)
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
	})}
	t.Cleanup(func() { _ = srv.Close() })
	go func() { _ = srv.Serve(byHTTP) }()
	bare := grpc.NewServer()
	t.Cleanup(bare.Stop)
	authv3.RegisterAuthorizationServer(bare, ready{answer: answer})
	go func() { _ = bare.Serve(byGRPC) }()
	return "http://" + byHTTP.Addr().String(), byGRPC.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own
	if err != nil {
		t.Fatal(err)
	}
	return l
}
