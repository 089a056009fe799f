package interceptor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// checks serves CheckService by a function.
type checks struct {
	behalfv1.UnimplementedCheckServiceServer
	check func(context.Context) (*behalfv1.CheckResponse, error)
}

func (s *checks) Check(ctx context.Context, _ *behalfv1.CheckRequest) (*behalfv1.CheckResponse, error) {
	return s.check(ctx)
}

// imports serves the one stream of behalf.v1 by a function.
type imports struct {
	behalfv1.UnimplementedRegisterServiceServer
	serve func(grpc.BidiStreamingServer[behalfv1.ImportRequest, behalfv1.ImportResponse]) error
}

func (s *imports) Import(stream grpc.BidiStreamingServer[behalfv1.ImportRequest, behalfv1.ImportResponse]) error {
	return s.serve(stream)
}

// fixture is a chain around two services, reached over a loopback connection and in process.
type fixture struct {
	chain    *interceptor.Chain
	checks   *checks
	imports  *imports
	issuer   *authn.Issuer
	registry *prometheus.Registry
	log      *safeBuffer
	options  []grpc.ServerOption
	conns    map[string]grpc.ClientConnInterface
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// take returns the events so far, each decoded, and forgets them.
func (b *safeBuffer) take(t *testing.T) []map[string]any {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var events []map[string]any
	for d := json.NewDecoder(&b.b); ; {
		var e map[string]any
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			b.b.Reset()
			return events
		} else if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
}

func newFixture(t *testing.T, change func(*interceptor.Config)) *fixture {
	t.Helper()
	f := &fixture{checks: new(checks), imports: new(imports), registry: prometheus.NewRegistry(), log: new(safeBuffer)}
	f.checks.check = func(context.Context) (*behalfv1.CheckResponse, error) {
		return &behalfv1.CheckResponse{Allowed: true}, nil
	}
	var err error
	if f.issuer, err = authn.OpenIssuer(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	verifier, err := f.issuer.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	authenticator, err := authn.New(authn.Config{Verifiers: []authn.Verifier{verifier}})
	if err != nil {
		t.Fatal(err)
	}
	access, err := interceptor.Merge(interceptor.BehalfAccess(), interceptor.PublicAccess())
	if err != nil {
		t.Fatal(err)
	}
	config := interceptor.Config{
		Logger:        slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Registerer:    f.registry,
		Authenticator: authenticator,
		Access:        access,
	}
	if change != nil {
		change(&config)
	}
	chain, err := interceptor.New(config)
	if err != nil {
		t.Fatal(err)
	}
	f.options = []grpc.ServerOption{
		grpc.InTapHandle(chain.Tap),
		grpc.UnaryInterceptor(chain.Unary()), grpc.StreamInterceptor(chain.Stream()),
		grpc.UnknownServiceHandler(interceptor.UnknownMethod),
	}
	f.chain = chain
	server := grpc.NewServer(f.options...)
	channel := new(inprocgrpc.Channel).
		WithServerUnaryInterceptor(chain.Unary()).WithServerStreamInterceptor(chain.Stream())
	for _, r := range []grpc.ServiceRegistrar{server, channel} {
		behalfv1.RegisterCheckServiceServer(r, f.checks)
		behalfv1.RegisterRegisterServiceServer(r, f.imports)
	}
	f.conns = map[string]grpc.ClientConnInterface{"network": serve(t, server), "in process": channel}
	return f
}

func serve(t *testing.T, server *grpc.Server) grpc.ClientConnInterface {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) { // before it began
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		server.Stop()
		wg.Wait()
	})
	return conn
}

// each runs the test over the network and in process.
func (f *fixture) each(t *testing.T, test func(*testing.T, grpc.ClientConnInterface)) {
	t.Helper()
	for name, conn := range f.conns {
		t.Run(name, func(t *testing.T) { test(t, conn) })
	}
}

// as returns a context with a token of the claims.
func (f *fixture) as(t *testing.T, claims map[string]any) context.Context {
	t.Helper()
	token, err := f.issuer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
}

func (f *fixture) asUser(t *testing.T) context.Context {
	t.Helper()
	return f.as(t, authn.UserClaims(authn.TokenUser{UserID: 20001337, Level: 3}))
}

func (f *fixture) asService(t *testing.T, scope string) context.Context {
	t.Helper()
	return f.as(t, map[string]any{"sub": "billing", "scope": scope})
}

// question is a valid question.
func question() *behalfv1.CheckRequest {
	return &behalfv1.CheckRequest{Question: &behalfv1.CheckQuestion{
		Object:     &behalfv1.ObjectReference{Type: "party", Id: "50076451"},
		Permission: "represent",
	}}
}

// wantStatus fails unless err has the code and the reason.
func wantStatus(t *testing.T, err error, code codes.Code, reason string) *status.Status {
	t.Helper()
	s := status.Convert(err)
	got := ""
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			got = info.GetReason()
		}
	}
	if s.Code() != code || got != reason {
		t.Fatalf("got %s %q %q, want %s %q", s.Code(), got, s.Message(), code, reason)
	}
	return s
}
