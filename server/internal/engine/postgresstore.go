package engine

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// postgresStore is SpiceDB's engine over Postgres, with what it lacks: the lock of the
// schema that servers on one database share, writes of more rows than one statement takes,
// and a word for a database that cannot be reached.
type postgresStore struct {
	datastore.Datastore
	locks *sql.DB
}

// HoldSchema waits until no other server replaces the schema, or until ctx is done.
func (s *postgresStore) HoldSchema(ctx context.Context) (release func(), err error) {
	return postgres.Hold(ctx, s.locks, postgres.LockSchema)
}

// HeadRevision returns the newest revision.
func (s *postgresStore) HeadRevision(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	head, err := s.Datastore.HeadRevision(ctx)
	return head, reached(err)
}

// OptimizedRevision returns the newest revision: no other is cheaper to read. SpiceDB's own
// lets readers share the answer to a question that began before they came.
func (s *postgresStore) OptimizedRevision(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	return s.HeadRevision(ctx)
}

// ReadWriteTx runs f in a transaction, behind the guard of the operation that it is, or in
// the one that ctx is part of.
func (s *postgresStore) ReadWriteTx(ctx context.Context, f datastore.TxUserFunc, opts ...options.RWTOptionsOption) (datastore.Revision, error) {
	if j, ok := joinedTo(ctx, s); ok {
		return j.run(ctx, f, opts...)
	}
	operation, _ := relation.OperationOf(ctx)
	revision, err := s.Datastore.ReadWriteTx(ctx, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		// SpiceDB has written the transaction's own row by now, so that what the transaction
		// sees is fixed.
		if operation.Guard != nil {
			if err := operation.Guard(ctx); err != nil {
				return &unreached{err}
			}
		}
		return f(ctx, statements{tx})
	}, opts...)
	return revision, reached(err)
}

// Close closes the connections.
func (s *postgresStore) Close() error {
	return errors.Join(s.Datastore.Close(), s.locks.Close())
}

// Unwrap returns SpiceDB's engine.
func (s *postgresStore) Unwrap() datastore.Datastore { return s.Datastore }

// maxRows is how many relationships one statement writes. Postgres takes 65,535 values in
// one, and SpiceDB gives nine for each relationship.
const maxRows = 5_000

// statements is a transaction that writes as many relationships as it is given.
type statements struct{ datastore.ReadWriteTransaction }

// WriteRelationships writes them, in as many statements as it takes.
func (s statements) WriteRelationships(ctx context.Context, mutations []tuple.RelationshipUpdate) error {
	for part := range slices.Chunk(mutations, maxRows) {
		if err := s.ReadWriteTransaction.WriteRelationships(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// reached gives an error that says that the database could not be reached the status that
// says so too. SpiceDB would take it for a fault of its own.
func reached(err error) error {
	if err == nil || !postgres.Unreachable(err) {
		return err
	}
	return &unreached{err}
}

type unreached struct{ cause error }

// Error returns the cause's text.
func (u *unreached) Error() string { return u.cause.Error() }

// Unwrap returns the cause.
func (u *unreached) Unwrap() error { return u.cause }

// GRPCStatus returns the status that callers see.
func (u *unreached) GRPCStatus() *status.Status {
	return status.New(codes.Unavailable, "the database cannot be reached")
}
