//go:build unix

package authzed_test

import (
	"context"
	"log/slog"
	"syscall"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/engine/migration"
	"github.com/behalf-authz/behalf/server/internal/rpc/authzed"
)

// openPostgres opens SpiceDB's datastore on a new database.
func openPostgres(b *testing.B) (data datastore.Datastore, uri string) {
	b.Helper()
	uri = pg.Clone(b, "spicedb", migration.Postgres)
	data, err := engine.OpenPostgres(b.Context(), uri)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = data.Close() })
	return data, uri
}

// vacuum does at once what Postgres would do by and by after a load.
func vacuum(b *testing.B, uri string) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), uri)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(b.Context()) }()
	if _, err := conn.Exec(b.Context(), "VACUUM ANALYZE"); err != nil {
		b.Fatal(err)
	}
}

// measured is an engine with what it counts.
type measured struct {
	*engine.Engine
	registry *prometheus.Registry
}

// engineOver starts an engine that has Behalf's own schema.
func engineOver(b *testing.B, data datastore.Datastore) measured {
	b.Helper()
	registry := prometheus.NewRegistry()
	e, err := engine.New(engine.Config{Logger: slog.New(slog.DiscardHandler), Datastore: data, Registry: registry})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close() })
	if err := e.EnsureSchema(b.Context(), relations.Schema); err != nil {
		b.Fatal(err)
	}
	return measured{e, registry}
}

// direct asks an engine through this API, without a connection.
type direct struct {
	of          measured
	permissions v1.PermissionsServiceServer
	interceptor grpc.UnaryServerInterceptor
}

// RegisterService keeps the service that is asked.
func (d *direct) RegisterService(_ *grpc.ServiceDesc, implementation any) {
	if s, ok := implementation.(v1.PermissionsServiceServer); ok {
		d.permissions = s
	}
}

func directly(b *testing.B, e measured) *direct {
	b.Helper()
	s, err := authzed.New(e.Engine, relations.Definitions, relations.Schema)
	if err != nil {
		b.Fatal(err)
	}
	d := &direct{of: e, interceptor: s.UnaryInterceptor()}
	s.Register(d)
	return d
}

func (d *direct) check(ctx context.Context, r *v1.CheckPermissionRequest) (*v1.CheckPermissionResponse, error) {
	info := &grpc.UnaryServerInfo{Server: d.permissions, FullMethod: v1.PermissionsService_CheckPermission_FullMethodName}
	response, err := d.interceptor(caller.With(ctx, admin()), r, info, func(ctx context.Context, req any) (any, error) {
		return d.permissions.CheckPermission(ctx, req.(*v1.CheckPermissionRequest))
	})
	if err != nil {
		return nil, err
	}
	return response.(*v1.CheckPermissionResponse), nil
}

// walks returns how many checks walks have answered.
func (d *direct) walks(b *testing.B) float64 { return walks(b, d.of.registry, "check", "answered") }

// ownCPU returns the processor time that this process has taken.
func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// databaseCPU returns the processor time that Postgres has taken, if it is asked.
func databaseCPU(b *testing.B, by string) time.Duration {
	b.Helper()
	if by != "postgres" {
		return 0
	}
	return pg.CPU(b)
}
