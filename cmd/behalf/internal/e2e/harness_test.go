package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/cli"
	"github.com/behalf-authz/behalf/cmd/behalf/internal/demo"
	"github.com/behalf-authz/behalf/server"
)

// instance is a running server and what is needed to ask it.
type instance struct {
	dataDir string
	address string // of the gRPC port
	url     string // of the HTTP port
	conn    *grpc.ClientConn
	inproc  grpc.ClientConnInterface
	admin   string // the admin key
	stop    func() // ends it before the test's end
}

// start runs a server on free ports until the test ends, and returns when it is ready.
func start(t testing.TB) *instance {
	t.Helper()
	return startLogging(t, nil)
}

// startLogging is start with a log.
func startLogging(t testing.TB, logger *slog.Logger) *instance {
	t.Helper()
	return startIn(t, t.TempDir(), logger)
}

// startIn is startLogging in a data directory.
func startIn(t testing.TB, dir string, logger *slog.Logger) *instance {
	t.Helper()
	return startOn(t, datastoreOf(t, dir), dir, logger)
}

// startOn is startIn on a datastore.
func startOn(t testing.TB, datastore, dir string, logger *slog.Logger) *instance {
	t.Helper()
	return startServer(t, server.Config{DataDir: dir, Datastore: datastore, Logger: logger})
}

// startServer is start with a configuration, on free ports.
func startServer(t testing.TB, cfg server.Config) *instance {
	t.Helper()
	dir := cfg.DataDir
	cfg.Migrate, cfg.GRPCAddr, cfg.HTTPAddr = true, "127.0.0.1:0", "127.0.0.1:0"
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	end := sync.OnceFunc(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	t.Cleanup(end)
	patience, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Ready(patience); err != nil {
		t.Fatalf("not ready: %v", err)
	}
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	admin, err := server.ReadAdminKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &instance{
		dataDir: dir, address: s.GRPCAddr(), url: "http://" + s.HTTPAddr(), conn: conn, inproc: s.Conn(), admin: admin, stop: end,
	}
}

// run runs a command of the CLI and returns what it printed. It must succeed.
func run(t testing.TB, args ...string) string {
	t.Helper()
	code, out, diagnostics := behalf(t, args...)
	if code != 0 {
		t.Fatalf("behalf %q: exit code %d\n%s%s", args, code, out, diagnostics)
	}
	return out
}

// behalf runs a command of the CLI as main does.
func behalf(t testing.TB, args ...string) (code int, out, diagnostics string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), args, cli.Terminal{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

// run runs a command of the CLI that speaks to the instance.
func (i *instance) run(t testing.TB, args ...string) string {
	t.Helper()
	return run(t, i.reach(args)...)
}

func (i *instance) reach(args []string) []string {
	return append(args, "--address", i.address, "--data-dir", i.dataDir)
}

// loadDemo imports the demonstration's register.
func loadDemo(t testing.TB, i *instance) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "demo.jsonl")
	if err := os.WriteFile(file, demo.Register, 0o600); err != nil {
		t.Fatal(err)
	}
	i.run(t, "import", file)
}

// userToken returns a token of a user, as `behalf token` makes it.
func (i *instance) userToken(t testing.TB, userID, partyID int64) string {
	t.Helper()
	token, err := server.SignToken(i.dataDir, server.UserClaims(userID, partyID, 3), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// as returns a context whose gRPC calls carry the bearer token.
func as(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// answer is an HTTP answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call makes an HTTP request with a bearer token, if there is one.
func (i *instance) call(t testing.TB, method, path, token, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, i.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, text}
}

// decode reads a JSON answer.
func (a answer) decode(t testing.TB, into any) {
	t.Helper()
	if err := json.NewDecoder(bytes.NewReader(a.body)).Decode(into); err != nil {
		t.Fatalf("decode %q: %v", a.body, err)
	}
}

// readFile returns a file's content.
func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
