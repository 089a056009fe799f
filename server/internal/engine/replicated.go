package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/replica"
)

// ReplicaConfig is what a server keeps in memory of the relations in a Postgres database.
type ReplicaConfig struct {
	// MaxStaleness is how old the answer to a question may be that brings no revision. The
	// zero value asks the database each time.
	MaxStaleness time.Duration
	// Loading is told how many relationships of about how many were loaded. May be nil.
	Loading func(loaded, total int)
	// Logger takes what operators should know. Default: discard.
	Logger *slog.Logger
	// Registry takes the metrics. Default: none.
	Registry *prometheus.Registry
}

// OpenReplicated opens SpiceDB's own engine over the Postgres database, as OpenPostgres does,
// and begins to load all relations into memory. SpiceDB answers until they are loaded, and
// whenever they cannot be proved fresh.
func OpenReplicated(ctx context.Context, uri string, c ReplicaConfig) (datastore.Datastore, error) {
	store, err := openShared(ctx, uri)
	if err != nil {
		return nil, err
	}
	of := replica.Config{URI: uri, Datastore: store.Datastore, Staleness: c.MaxStaleness, Loading: c.Loading, Logger: c.Logger}
	if c.Registry != nil {
		of.Registerer = c.Registry
	}
	made, err := replica.New(of)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &replicatedStore{store, made, cancel, make(chan error, 1)}
	go func() { s.ended <- made.Run(ctx) }()
	return s, nil
}

// replicatedStore is SpiceDB's engine over Postgres with a graph of this process that follows
// it. Its revisions are those of the database that the graph is proved to equal.
type replicatedStore struct {
	*postgresStore
	replica *replica.Replica
	cancel  context.CancelFunc
	ended   chan error
}

// HeadRevision returns a revision that sees every write acknowledged before.
func (s *replicatedStore) HeadRevision(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	return s.head(ctx, true)
}

// OptimizedRevision is HeadRevision, or as much older as an operator allows.
func (s *replicatedStore) OptimizedRevision(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	return s.head(ctx, false)
}

// Recent is OptimizedRevision, for reads that bring no revision.
func (s *replicatedStore) Recent(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	return s.head(ctx, false)
}

func (s *replicatedStore) head(ctx context.Context, exact bool) (datastore.RevisionWithSchemaHash, error) {
	if state, err := s.replica.Fresh(ctx, exact); err == nil {
		return state.Head, nil
	}
	return s.postgresStore.HeadRevision(ctx)
}

// ReadWriteTx runs f in a transaction.
func (s *replicatedStore) ReadWriteTx(ctx context.Context, f datastore.TxUserFunc, opts ...options.RWTOptionsOption) (datastore.Revision, error) {
	defer s.replica.Written() // it may have been, even with an error
	return s.postgresStore.ReadWriteTx(ctx, f, opts...)
}

// Walkable returns the snapshot of a revision and its schema. ok is false for a revision that
// is none of the replica's, or no longer.
func (s *replicatedStore) Walkable(r datastore.Revision) (snapshot *graph.Snapshot, schema *datastore.ReadOnlyStoredSchema, ok bool) {
	state, ok := s.replica.At(r)
	if !ok || state.Schema == nil {
		return nil, nil, false
	}
	return state.Snapshot, state.Schema, true
}

// ReadyState reports whether the tables are those of this release, and whether the relations
// have been loaded since the start.
func (s *replicatedStore) ReadyState(ctx context.Context) (datastore.ReadyState, error) {
	state, err := s.postgresStore.ReadyState(ctx)
	if err != nil || !state.IsReady || s.replica.Loaded() {
		return state, reached(err)
	}
	return datastore.ReadyState{Message: "the relations are being loaded into memory"}, nil
}

// Close ends the replica and closes the connections.
func (s *replicatedStore) Close() error {
	s.cancel()
	return errors.Join(<-s.ended, s.replica.Close(), s.postgresStore.Close())
}
