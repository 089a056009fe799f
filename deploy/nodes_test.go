package deploy_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	behalf "github.com/behalf-authz/behalf/clients/go"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// node is one of several servers, which can be started again where it was.
type node struct {
	cfg  server.Config
	stop func(t *testing.T)
}

// start runs the node until it is stopped, and returns when it serves.
func (n *node) start(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.New(t.Context(), n.cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	once := sync.Once{}
	n.stop = func(t *testing.T) {
		t.Helper()
		once.Do(func() {
			stop() // as main does at SIGTERM
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	t.Cleanup(func() { n.stop(t) })
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRollingRestart restarts two servers that share a Postgres in turn, while clients ask
// through nginx over HTTP and gRPC. No check fails.
func TestRollingRestart(t *testing.T) {
	path := tool(t, "nginx")
	uri := pg.Database(t)
	s := newSetup(t)
	var nodes [2]*node
	for i := range nodes {
		nodes[i] = &node{cfg: server.Config{
			DataDir: t.TempDir(), Datastore: uri, Migrate: true,
			GRPCAddr: fmt.Sprintf("127.0.0.1:%d", oidc.Port(t)), HTTPAddr: fmt.Sprintf("127.0.0.1:%d", oidc.Port(t)), TLS: s.tls(),
		}}
		started := nodes[i].start(t)
		if i == 0 {
			w := &world{register: behalfv1.NewRegisterServiceClient(started.Conn()), admin: adminOf(t, nodes[0])}
			w.load(t)
		}
	}
	g := s.startNodesNginx(t, path, nodes[0].cfg, nodes[1].cfg)
	l := startLoad(t, g, checkingKey(t, g, nodes[0]))
	for _, n := range []*node{nodes[0], nodes[1], nodes[0]} {
		l.goOn(t, "with both")
		n.stop(t)
		l.goOn(t, "with one")
		n.start(t)
	}
	l.goOn(t, "at the end")
	l.end()
	for _, fault := range l.faults {
		t.Error(fault)
	}
	t.Logf("%d checks over HTTP, %d over gRPC", l.answers[0].Load(), l.answers[1].Load())
}

func adminOf(t *testing.T, n *node) context.Context {
	t.Helper()
	key, err := server.ReadAdminKey(n.cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+key)
}

// checkingKey returns a key that may check, at each node.
func checkingKey(t *testing.T, g *gateway, n *node) string {
	t.Helper()
	admin, err := server.ReadAdminKey(n.cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url()+"/v1/apikeys",
		strings.NewReader(`{"name":"checker","scopes":["behalf:check"]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+admin)
	r.Header.Set("Content-Type", "application/json")
	got, err := g.client(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	var key struct{ Secret string }
	if err := json.NewDecoder(got.Body).Decode(&key); err != nil || key.Secret == "" {
		t.Fatalf("%s: %v", got.Status, err)
	}
	return key.Secret
}

// tls is how a server proves itself to the gateway.
func (s setup) tls() server.TLSConfig {
	return server.TLSConfig{CertFile: s.identity.cert, KeyFile: s.identity.key}
}

// client returns a client of the gateway.
func (g *gateway) client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: g.trust}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// startNodesNginx runs nginx with the example for several servers.
func (s setup) startNodesNginx(t *testing.T, path string, a, b server.Config) *gateway {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "nodes.conf", example(t, "nginx/nodes.conf", nil))
	upstreams := strings.NewReplacer("10.0.0.1:7480", a.HTTPAddr, "10.0.0.2:7480", b.HTTPAddr, "10.0.0.1:7400", a.GRPCAddr, "10.0.0.2:7400", b.GRPCAddr)
	write(t, dir, "behalf/nodes-upstreams.conf", upstreams.Replace(example(t, filepath.Join("nginx", "behalf", "nodes-upstreams.conf"), nil)))
	write(t, dir, "behalf/nodes-tls.conf",
		strings.ReplaceAll(example(t, filepath.Join("nginx", "behalf", "nodes-tls.conf"), nil), "/etc/ssl/certs/behalf-ca.pem", s.identity.cert))
	write(t, dir, "behalf/nodes-listen.conf", fmt.Sprintf("listen 127.0.0.1:%d ssl http2;\nserver_name behalf.example.com;\nssl_certificate %s;\nssl_certificate_key %s;\n",
		s.port, s.identity.cert, s.identity.key))
	main := write(t, dir, "nginx.conf", `daemon off; master_process off; pid nginx.pid; error_log stderr notice;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include nodes.conf;
}
`)
	return run(t, s, exec.Command(path, "-p", dir, "-c", main, "-e", "stderr"))
}

// load is clients that check without a pause.
type load struct {
	answers [2]atomic.Int64 // over HTTP and gRPC
	stop    context.CancelFunc
	workers sync.WaitGroup

	mu     sync.Mutex
	faults []error
}

func startLoad(t *testing.T, g *gateway, key string) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	t.Cleanup(l.end)
	overHTTP := g.client(t)
	client, err := behalf.Dial(g.address, behalf.WithTLS(&tls.Config{RootCAs: g.trust}), behalf.WithToken(key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	for range 2 {
		l.work(ctx, 0, func(ctx context.Context) error {
			return checkHTTP(ctx, overHTTP, g.url(), key)
		})
		l.work(ctx, 1, func(ctx context.Context) error { return checkGRPC(ctx, client) })
	}
	return l
}

// work checks until the end, and keeps what fails. A check that has begun is let end.
func (l *load) work(ctx context.Context, door int, check func(context.Context) error) {
	l.workers.Go(func() {
		for ctx.Err() == nil {
			if err := check(context.WithoutCancel(ctx)); err != nil {
				l.mu.Lock()
				l.faults = append(l.faults, err)
				l.mu.Unlock()
			}
			l.answers[door].Add(1)
		}
	})
}

func (l *load) end() {
	l.stop()
	l.workers.Wait()
}

// goOn waits until each door has answered some more.
func (l *load) goOn(t *testing.T, when string) {
	t.Helper()
	const some = 50
	for door := range l.answers {
		began := time.Now()
		for from := l.answers[door].Load(); l.answers[door].Load() < from+some; time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("%s: door %d does not answer", when, door)
			}
		}
	}
}

func checkHTTP(ctx context.Context, client *http.Client, url, key string) error {
	question := fmt.Sprintf(`{"question":{"object":{"type":"party","id":"%d"},"permission":"represent","subject":{"type":"user","id":"%d"}}}`, fjellheim, kari)
	return askHTTP(ctx, client, url, key, question, `"allowed":true`)
}

// askHTTP asks whether something is allowed, and wants an answer.
func askHTTP(ctx context.Context, client *http.Client, url, key, question, want string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/check", strings.NewReader(question))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	got, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("over HTTP: %w", err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		return fmt.Errorf("over HTTP: %w", err)
	}
	if got.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(want)) {
		return fmt.Errorf("over HTTP: %s %s", got.Status, body)
	}
	return nil
}

// checkGRPC checks as teams do, with the client for Go.
func checkGRPC(ctx context.Context, client *behalf.Client) error {
	allowed, err := client.Check(ctx, behalf.Question{
		Object: behalf.PartyID(fjellheim).Object(), Permission: "represent", Subject: behalf.UserID(kari).Subject(),
	})
	if err != nil {
		return fmt.Errorf("over gRPC: %w", err)
	}
	if !allowed {
		return errors.New("over gRPC: not allowed")
	}
	return nil
}
