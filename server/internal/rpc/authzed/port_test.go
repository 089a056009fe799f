package authzed_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/rpc/authzed"
	"github.com/behalf-authz/behalf/server/internal/rpc/rpcstatus"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// own stands for Behalf's own definitions.
const own = `use expiration

definition user {}

definition party {
	relation dagl: user | user with expiration
	relation main_unit: party
	permission represent = dagl + main_unit->represent
}`

// others is what people added.
const others = `

caveat in_hours(hour int) {
	hour > 8 && hour < 16
}

definition folder {
	relation owner: party | party#represent
	relation reader: user | user:* | user with in_hours
	relation banned: user
	permission read = reader + owner->represent - banned
}`

// startEngine starts an engine that keeps nothing.
func startEngine(t *testing.T) *engine.Engine {
	t.Helper()
	return startOn(t, engine.Config{})
}

// startFileEngine starts an engine over a new file.
func startFileEngine(t *testing.T, registry *prometheus.Registry) *engine.Engine {
	t.Helper()
	data, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "behalf.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	return startOn(t, engine.Config{Datastore: data, Registry: registry})
}

// walks returns how many questions of a kind had an outcome.
func walks(t testing.TB, registry *prometheus.Registry, question, outcome string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "behalf_walks_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["question"] == question && labels["outcome"] == outcome {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("the metric of walks lacks %s, %s", question, outcome)
	return 0
}

func startOn(t *testing.T, c engine.Config) *engine.Engine {
	t.Helper()
	c.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	e, err := engine.New(c)
	if err != nil {
		t.Fatalf("engine.New: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if err := e.EnsureSchema(t.Context(), own); err != nil {
		t.Fatalf("EnsureSchema: %v", err)
	}
	return e
}

// serve serves the engine's API on a loopback port to one caller and returns its address.
func serve(t *testing.T, e *engine.Engine, definitions []string, who caller.Caller) string {
	t.Helper()
	s, err := authzed.New(e, definitions, own)
	if err != nil {
		t.Fatalf("authzed.New: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// What Behalf's chain does around this API that matters to it: caller and status.
	unary, stream := s.UnaryInterceptor(), s.StreamInterceptor()
	server := grpc.NewServer(
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
			response, err := unary(caller.With(ctx, who), req, info, h)
			return response, rpcstatus.Error(err)
		}),
		grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, h grpc.StreamHandler) error {
			return rpcstatus.Error(stream(srv, &as{ss, who}, info, h))
		}),
	)
	s.Register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // before it began
			t.Errorf("Serve: %v", err)
		}
	})
	return listener.Addr().String()
}

// as is a stream of a caller.
type as struct {
	grpc.ServerStream
	who caller.Caller
}

func (s *as) Context() context.Context { return caller.With(s.ServerStream.Context(), s.who) }

func admin() caller.Caller {
	return caller.Caller{Kind: caller.Service, Name: "test", Scopes: []caller.Scope{caller.Admin}}
}

// writer may write relations and schema, and is no administrator.
func writer() caller.Caller {
	return caller.Caller{Kind: caller.Service, Name: "test",
		Scopes: []caller.Scope{caller.RelationsRead, caller.RelationsWrite, caller.SchemaWrite}}
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
