package engine

import (
	"context"
	"errors"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
)

// together is a datastore whose transactions others can be part of.
type together interface {
	// Together runs f in one transaction: what the datastore is asked to write with the
	// context that f is given is part of it. f may be run again, when all that it wrote was
	// undone.
	Together(ctx context.Context, f func(context.Context) error) error
}

// joined is an open transaction of one of SpiceDB's own engines, which know none but those of
// one call.
type joined struct {
	tx datastore.ReadWriteTransaction
	// head is the revision from before it. Its own is not known before it is committed, and
	// those who are part of it are told something.
	head datastore.Revision
}

// joinedKey is where a context has the transaction of a datastore that it is part of.
type joinedKey struct{ store datastore.Datastore }

// Together runs f in one transaction.
func (s *postgresStore) Together(ctx context.Context, f func(context.Context) error) error {
	return runTogether(ctx, s, f)
}

// Together runs f in one transaction.
func (w *oneWriter) Together(ctx context.Context, f func(context.Context) error) error {
	return runTogether(ctx, w, f)
}

// runTogether is Together for a datastore whose ReadWriteTx lets those join who are in joinedTo.
func runTogether(ctx context.Context, store datastore.Datastore, f func(context.Context) error) error {
	head, err := store.HeadRevision(ctx)
	if err != nil {
		return err
	}
	_, err = store.ReadWriteTx(ctx, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		return f(context.WithValue(ctx, joinedKey{store}, &joined{tx, head.Revision}))
	})
	return err
}

// joinedTo returns the open transaction of a datastore that ctx is part of.
func joinedTo(ctx context.Context, store datastore.Datastore) (*joined, bool) {
	j, ok := ctx.Value(joinedKey{store}).(*joined)
	return j, ok
}

// run is ReadWriteTx within the transaction.
func (j *joined) run(ctx context.Context, f datastore.TxUserFunc, opts ...options.RWTOptionsOption) (datastore.Revision, error) {
	if wanted := options.NewRWTOptionsWithOptions(opts...).SchemaHashPrecondition; wanted != "" {
		live, err := j.tx.ReadStoredSchema(ctx)
		if err != nil && !errors.Is(err, datastore.ErrSchemaNotFound) {
			return datastore.NoRevision, err
		}
		if err != nil || live.Get().GetV1().GetSchemaHash() != wanted {
			return datastore.NoRevision, datastore.ErrSchemaHashPreconditionFailed
		}
	}
	return j.head, f(ctx, j.tx)
}
