package engine

import (
	"context"

	"github.com/authzed/spicedb/pkg/datalayer"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
)

// freshLayer is SpiceDB's data layer with a head revision that is asked for anew by every
// call. SpiceDB lets concurrent calls share one answer, so that a call which starts after
// a write was acknowledged can be given a head from before it.
type freshLayer struct {
	datalayer.DataLayer
	head headFunc
}

// headFunc returns a head revision.
type headFunc func(context.Context) (datastore.RevisionWithSchemaHash, error)

// HeadRevision returns the head revision and the hash of its schema.
func (l *freshLayer) HeadRevision(ctx context.Context) (datastore.Revision, datalayer.SchemaHash, error) {
	head, err := l.head(ctx)
	if err != nil {
		return datastore.NoRevision, datalayer.NoSchemaHashInLegacyMode, err
	}
	if head.SchemaHash == "" { // no schema was written yet
		return head.Revision, datalayer.NoSchemaHashInLegacyMode, nil
	}
	return head.Revision, datalayer.SchemaHash(head.SchemaHash), nil
}

// oneWriter lets one transaction at a time into SpiceDB's memory engine. That engine
// numbers a transaction before it waits for its turn: with several writers revisions are
// published out of order, watchers lose events and readers may find an older snapshot
// than the one they name.
type oneWriter struct {
	datastore.Datastore
	turn chan struct{}
}

func newOneWriter(store datastore.Datastore) *oneWriter {
	return &oneWriter{Datastore: store, turn: make(chan struct{}, 1)}
}

// ReadWriteTx waits for its turn, or until ctx is done. Who is part of a transaction has it.
func (w *oneWriter) ReadWriteTx(ctx context.Context, f datastore.TxUserFunc, opts ...options.RWTOptionsOption) (datastore.Revision, error) {
	if j, ok := joinedTo(ctx, w); ok {
		return j.run(ctx, f, opts...)
	}
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return datastore.NoRevision, ctx.Err()
	}
	defer func() { <-w.turn }()
	return w.Datastore.ReadWriteTx(ctx, f, opts...)
}

// Unwrap returns the memory engine.
func (w *oneWriter) Unwrap() datastore.Datastore { return w.Datastore }
