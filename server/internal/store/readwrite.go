package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/tuples"
)

const touch = relation.Touch

// readWrite is SpiceDB's view of an open transaction. Its reads see its own writes.
type readWrite struct{ tx *Tx }

// reader reads the transaction as it is now.
func (w *readWrite) reader() *reader {
	if w.tx.ended {
		return &reader{err: errEnded}
	}
	return &reader{snapshot: w.tx.graph.View(), catalog: w.tx.catalog}
}

// definitions returns the catalog as the transaction's own.
func (w *readWrite) definitions() (*catalog, error) {
	if w.tx.ended {
		return nil, errEnded
	}
	if w.tx.catalog == w.tx.start.catalog {
		w.tx.catalog = w.tx.catalog.clone()
	}
	return w.tx.catalog, nil
}

// WriteRelationships carries out updates in their order.
func (w *readWrite) WriteRelationships(_ context.Context, updates []tuple.RelationshipUpdate) error {
	if w.tx.ended {
		return errEnded
	}
	for i := range updates {
		if err := w.update(&updates[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *readWrite) update(u *tuple.RelationshipUpdate) error {
	t, err := tuples.ToGraph(&u.Relationship)
	if err != nil {
		return err
	}
	switch u.Operation {
	case tuple.UpdateOperationTouch:
		_, err = w.tx.graph.Touch(t)
	case tuple.UpdateOperationDelete:
		_, err = w.tx.graph.Delete(t)
	case tuple.UpdateOperationCreate:
		err = exists(w.tx.graph.Create(t))
	default:
		err = fmt.Errorf("operation %d of relationship %s is unknown", u.Operation, t)
	}
	return err
}

// exists turns the graph's refusal to create a tuple into SpiceDB's.
func exists(err error) error {
	e, ok := errors.AsType[*graph.ExistsError](err)
	if !ok {
		return err
	}
	r, failed := tuples.FromGraph(&e.Existing)
	if failed != nil {
		return failed
	}
	return datastore.NewCreateRelationshipExistsError(&r)
}

// DeleteRelationships deletes what a filter selects, expired or not, up to a limit. It
// returns how many it deleted and whether it reached the limit.
func (w *readWrite) DeleteRelationships(_ context.Context, filter *v1.RelationshipFilter, opts ...options.DeleteOptionsOption) (uint64, bool, error) {
	if w.tx.ended {
		return 0, false, errEnded
	}
	o := options.NewDeleteOptionsWithOptionsAndDefaults(opts...)
	f, err := datastore.RelationshipsFilterFromPublicFilter(filter)
	if err != nil {
		return 0, false, err
	}
	q := graph.Query{
		ResourceType: f.OptionalResourceType, ResourceIDs: f.OptionalResourceIds,
		ResourcePrefix: f.OptionalResourceIDPrefix, Relation: f.OptionalResourceRelation,
	}
	for _, s := range f.OptionalSubjectsSelectors {
		q.Subjects = append(q.Subjects, tuples.Subjects(s.OptionalSubjectType, s.OptionalSubjectIds, s.RelationFilter))
	}
	if o.DeleteLimit != nil {
		q.Limit = *o.DeleteLimit
	}
	var n uint64
	for t := range w.tx.graph.View().Query(q) { // a view does not change under the deletes
		if _, err := w.tx.graph.Delete(t); err != nil {
			return n, false, err
		}
		n++
	}
	return n, q.Limit > 0 && n == q.Limit, nil
}

// BulkLoad creates relationships. It refuses one that exists.
func (w *readWrite) BulkLoad(ctx context.Context, source datastore.BulkWriteRelationshipSource) (uint64, error) {
	if w.tx.ended {
		return 0, errEnded
	}
	var n uint64
	for {
		r, err := source.Next(ctx)
		if err != nil || r == nil {
			return n, err
		}
		t, err := tuples.ToGraph(r)
		if err != nil {
			return n, err
		}
		if err := w.tx.graph.Create(t); err != nil {
			return n, exists(err)
		}
		n++
	}
}

// WriteStoredSchema replaces the schema.
func (w *readWrite) WriteStoredSchema(_ context.Context, schema *core.StoredSchema) error {
	c, err := w.definitions()
	if err != nil {
		return err
	}
	own := schema.CloneVT()
	c.put(entry{kind: kindSchema, written: w.tx.revision, schema: datastore.NewReadOnlyStoredSchemaWithSize(own, own.SizeVT())})
	return nil
}

// RegisterCounter adds a counter.
func (w *readWrite) RegisterCounter(_ context.Context, name string, filter *core.RelationshipFilter) error {
	c, err := w.definitions()
	if err != nil {
		return err
	}
	if _, ok := c.find(kindCounter, name); ok {
		return datastore.NewCounterAlreadyRegisteredErr(name, filter)
	}
	c.put(entry{kind: kindCounter, name: name, written: w.tx.revision, counter: &counter{filter: filter.CloneVT()}})
	return nil
}

// UnregisterCounter removes a counter.
func (w *readWrite) UnregisterCounter(_ context.Context, name string) error {
	c, err := w.definitions()
	if err != nil {
		return err
	}
	if !c.remove(kindCounter, name) {
		return datastore.NewCounterNotRegisteredErr(name)
	}
	return nil
}

// StoreCounterValue keeps what was counted at a revision.
func (w *readWrite) StoreCounterValue(_ context.Context, name string, value int, at datastore.Revision) error {
	c, err := w.definitions()
	if err != nil {
		return err
	}
	e, ok := c.find(kindCounter, name)
	if !ok {
		return datastore.NewCounterNotRegisteredErr(name)
	}
	counted, ok := at.(revision)
	if !ok {
		return datastore.NewInvalidRevisionErr(at, datastore.CouldNotDetermineRevision)
	}
	e.counter = &counter{filter: e.counter.filter, count: value, at: uint64(counted)}
	e.written = w.tx.revision
	c.put(e)
	return nil
}

// distinct returns names sorted and each once.
func distinct(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}
