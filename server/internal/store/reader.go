package store

import (
	"context"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/tuples"
)

// SnapshotReader returns a reader of one revision, or of a moment for which Past has made the
// state ready. When it cannot be read, every method of the reader says why.
func (s *Store) SnapshotReader(r datastore.Revision) datastore.Reader {
	if err := s.running(); err != nil {
		return &reader{err: err}
	}
	return s.reader(r)
}

func (s *Store) reader(r datastore.Revision) *reader {
	if m, ok := r.(moment); ok {
		state, ok := s.past.find(uint64(m.revision))
		if !ok {
			return &reader{err: datastore.NewInvalidRevisionErr(r, datastore.RevisionStale)}
		}
		return &reader{snapshot: state.snapshot, catalog: state.catalog, instant: m.Instant()}
	}
	snapshot, err := s.snapshot(r)
	if err != nil {
		return &reader{err: err}
	}
	c, ok := s.definitions(snapshot.Revision())
	if !ok {
		return &reader{err: datastore.NewInvalidRevisionErr(r, datastore.RevisionStale)}
	}
	return &reader{snapshot: snapshot, catalog: c}
}

// reader answers from one state.
type reader struct {
	snapshot *graph.Snapshot
	catalog  *catalog
	instant  time.Time // of a question about the past; zero for the request's own
	err      error
}

// QueryRelationships yields what a filter selects.
func (r *reader) QueryRelationships(ctx context.Context, filter datastore.RelationshipsFilter, opts ...options.QueryOptionsOption) (datastore.RelationshipIterator, error) {
	if r.err != nil {
		return nil, r.err
	}
	return r.tuples().QueryRelationships(ctx, filter, opts...)
}

// ReverseQueryRelationships yields what the subjects that a filter selects are subjects of.
func (r *reader) ReverseQueryRelationships(ctx context.Context, filter datastore.SubjectsFilter, opts ...options.ReverseQueryOptionsOption) (datastore.RelationshipIterator, error) {
	if r.err != nil {
		return nil, r.err
	}
	return r.tuples().ReverseQueryRelationships(ctx, filter, opts...)
}

func (r *reader) tuples() tuples.Snapshot { return tuples.Snapshot{Of: r.snapshot, Instant: r.instant} }

// ReadStoredSchema returns the schema.
func (r *reader) ReadStoredSchema(context.Context) (*datastore.ReadOnlyStoredSchema, error) {
	if r.err != nil {
		return nil, r.err
	}
	e, ok := r.catalog.find(kindSchema, "")
	if !ok {
		return nil, datastore.ErrSchemaNotFound
	}
	return e.schema, nil
}

// CountRelationships counts what a counter selects, at the reader's revision.
func (r *reader) CountRelationships(ctx context.Context, name string) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	e, ok := r.catalog.find(kindCounter, name)
	if !ok {
		return 0, datastore.NewCounterNotRegisteredErr(name)
	}
	filter, err := datastore.RelationshipsFilterFromCoreFilter(e.counter.filter)
	if err != nil {
		return 0, err
	}
	found, err := r.QueryRelationships(ctx, filter)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, err := range found {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// LookupCounters returns all counters, by name.
func (r *reader) LookupCounters(context.Context) ([]datastore.RelationshipCounter, error) {
	if r.err != nil {
		return nil, r.err
	}
	var all []datastore.RelationshipCounter
	for _, e := range r.catalog.of(kindCounter) {
		c := datastore.RelationshipCounter{
			Name: e.name, Filter: e.counter.filter.CloneVT(), Count: e.counter.count, ComputedAtRevision: datastore.NoRevision,
		}
		if e.counter.at != 0 {
			c.ComputedAtRevision = revision(e.counter.at)
		}
		all = append(all, c)
	}
	return all, nil
}
