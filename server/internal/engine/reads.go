package engine

import (
	"context"
	"sync/atomic"

	"github.com/authzed/spicedb/pkg/datalayer"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// How many times SpiceDB may read relationships or the schema for one question. What it has found
// out it forgets at once, as nothing of it is kept: a question that comes by the same objects over
// several ways can take work, and memory with it, that doubles with each step. The schema is read
// at every step; where permissions name one another round and round, nothing else is.
const (
	readsOfQuestion = 100_000
	readsOfOneMore  = 1_000     // for each further question of one call, which share much
	readsOfList     = 5_000_000 // of objects, which takes one for each hundred of them on the way
)

// errTooMuch ends a question that reads too much.
var errTooMuch = status.Error(codes.ResourceExhausted, "the question takes too much work: too many relationships lie on the way, or too many ways lead to the same ones")

// budget is what a question has left.
type budget struct {
	reads atomic.Int64
	spent func() // is called once, when nothing is left
}

type budgetKey struct{}

// withBudget returns a context in which one can read some times. A question that is
// part of another one has that one's budget.
func withBudget(ctx context.Context, reads int64, spent func()) context.Context {
	if _, ok := ctx.Value(budgetKey{}).(*budget); ok {
		return ctx
	}
	b := &budget{spent: spent}
	b.reads.Store(reads)
	return context.WithValue(ctx, budgetKey{}, b)
}

// spend takes one reading from the budget. It fails when none is left, and when nobody waits for
// the answer any more: SpiceDB itself looks at neither.
func spend(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, ok := ctx.Value(budgetKey{}).(*budget)
	if !ok {
		return nil
	}
	left := b.reads.Add(-1)
	if left == -1 {
		b.spent()
	}
	if left < 0 {
		return errTooMuch
	}
	return nil
}

// boundedLayer is SpiceDB's data layer whose readers keep to the budget of a question.
type boundedLayer struct{ datalayer.DataLayer }

// SnapshotReader returns what reads at a revision.
func (l boundedLayer) SnapshotReader(r datastore.Revision, schema datalayer.SchemaHash) datalayer.RevisionedReader {
	return boundedReader{l.DataLayer.SnapshotReader(r, schema)}
}

type boundedReader struct{ datalayer.RevisionedReader }

// QueryRelationships reads relationships by their resources.
func (r boundedReader) QueryRelationships(ctx context.Context, filter datastore.RelationshipsFilter, opts ...options.QueryOptionsOption) (datastore.RelationshipIterator, error) {
	if err := spend(ctx); err != nil {
		return nil, err
	}
	return r.RevisionedReader.QueryRelationships(ctx, filter, opts...)
}

// ReverseQueryRelationships reads relationships by their subjects.
func (r boundedReader) ReverseQueryRelationships(ctx context.Context, filter datastore.SubjectsFilter, opts ...options.ReverseQueryOptionsOption) (datastore.RelationshipIterator, error) {
	if err := spend(ctx); err != nil {
		return nil, err
	}
	return r.RevisionedReader.ReverseQueryRelationships(ctx, filter, opts...)
}

// ReadSchema reads the schema.
func (r boundedReader) ReadSchema(ctx context.Context) (datalayer.SchemaReader, error) {
	if err := spend(ctx); err != nil {
		return nil, err
	}
	return r.RevisionedReader.ReadSchema(ctx)
}
