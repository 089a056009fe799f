package store

import (
	"context"
	"errors"
	"log/slog"
	"os"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// Copier makes a copy of the database, which is gone when it is closed.
type Copier interface {
	Backup(ctx context.Context, progress func(done, total int64)) (*os.File, error)
}

// Exporter gives what sources say.
type Exporter interface {
	Export(ctx context.Context, to register.Taker) error
}

// Config is what a Server needs. All of it is required.
type Config struct {
	Copier   Copier
	Exporter Exporter
	Schemas  Schemas
	// Logger keeps who took a copy, beside the events of the calls.
	Logger *slog.Logger
}

// Server is the StoreService.
type Server struct {
	behalfv1.UnimplementedStoreServiceServer
	copier   Copier
	exporter Exporter
	schemas  Schemas
	logger   *slog.Logger
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Copier == nil || c.Exporter == nil || c.Schemas == nil || c.Logger == nil {
		return nil, errors.New("rpc/store: a copier, an exporter, a schema and a logger are required")
	}
	return &Server{copier: c.Copier, exporter: c.Exporter, schemas: c.Schemas, logger: c.Logger}, nil
}
