package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/replica"
	"github.com/behalf-authz/behalf/server/internal/tuples"
)

// ReplicaConfig is what a server keeps in memory of the relations in a Postgres database.
type ReplicaConfig struct {
	// MaxStaleness is how old the answer to a question may be that brings no revision. The
	// zero value asks the database each time.
	MaxStaleness time.Duration
	// Patience is how long a reader waits for the replica to be proved fresh. Default 150 ms.
	Patience time.Duration
	// Loading is told how many relationships of about how many were loaded. May be nil.
	Loading func(loaded, total int)
	// Logger takes what operators should know. Default: discard.
	Logger *slog.Logger
	// Registry takes the metrics. Default: none.
	Registry *prometheus.Registry
}

// OpenReplicated opens SpiceDB's own engine over the Postgres database, as OpenPostgres does,
// and loads all relations into memory. SpiceDB answers when they cannot be proved fresh.
func OpenReplicated(ctx context.Context, uri string, c ReplicaConfig) (datastore.Datastore, error) {
	store, err := openShared(ctx, uri)
	if err != nil {
		return nil, err
	}
	of := replica.Config{
		URI: uri, Datastore: store.Datastore, Staleness: c.MaxStaleness, Patience: c.Patience, Loading: c.Loading, Logger: c.Logger,
	}
	if c.Registry != nil {
		of.Registerer = c.Registry
	}
	made, err := replica.New(of)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if err := made.Load(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("load the relations into memory: %w", err), made.Close(), store.Close())
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

// Together runs f in one transaction.
func (s *replicatedStore) Together(ctx context.Context, f func(context.Context) error) error {
	defer s.replica.Written() // the writes that are part of it said so before it was committed
	return s.postgresStore.Together(ctx, f)
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

// CheckRevision reports whether a revision can be read.
func (s *replicatedStore) CheckRevision(ctx context.Context, r datastore.Revision) error {
	if _, ok := s.replica.At(r); ok {
		return nil
	}
	return s.postgresStore.CheckRevision(ctx, r)
}

// SnapshotReader returns what reads at a revision: from memory, when that has it.
func (s *replicatedStore) SnapshotReader(r datastore.Revision) datastore.Reader {
	from := s.postgresStore.SnapshotReader(r)
	state, ok := s.replica.At(r)
	if !ok || state.Schema == nil {
		return from
	}
	return replicatedReader{from, tuples.Snapshot{Of: state.Snapshot}, state.Schema}
}

// replicatedReader reads relationships and schema from memory, and from the database what is
// not there: counters, and by name schemas of old.
type replicatedReader struct {
	datastore.Reader
	tuples tuples.Snapshot
	schema *datastore.ReadOnlyStoredSchema
}

// QueryRelationships reads relationships by their resources.
func (r replicatedReader) QueryRelationships(ctx context.Context, filter datastore.RelationshipsFilter, opts ...options.QueryOptionsOption) (datastore.RelationshipIterator, error) {
	return r.tuples.QueryRelationships(ctx, filter, opts...)
}

// ReverseQueryRelationships reads relationships by their subjects.
func (r replicatedReader) ReverseQueryRelationships(ctx context.Context, filter datastore.SubjectsFilter, opts ...options.ReverseQueryOptionsOption) (datastore.RelationshipIterator, error) {
	return r.tuples.ReverseQueryRelationships(ctx, filter, opts...)
}

// ReadStoredSchema reads the schema.
func (r replicatedReader) ReadStoredSchema(context.Context) (*datastore.ReadOnlyStoredSchema, error) {
	return r.schema, nil
}

// Close ends the replica and closes the connections.
func (s *replicatedStore) Close() error {
	s.cancel()
	return errors.Join(<-s.ended, s.replica.Close(), s.postgresStore.Close())
}
