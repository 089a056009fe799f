package store

import (
	"context"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
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
	o := options.NewQueryOptionsWithOptions(opts...)
	q := graph.Query{
		ResourceType:   filter.OptionalResourceType,
		ResourceIDs:    filter.OptionalResourceIds,
		ResourcePrefix: filter.OptionalResourceIDPrefix,
		Relation:       filter.OptionalResourceRelation,
		Expiry:         expiryPresence(filter.OptionalExpirationOption),
	}
	switch filter.OptionalCaveatNameFilter.Option {
	case datastore.CaveatFilterOptionHasMatchingCaveat:
		q.Caveat, q.CaveatName = graph.Present, filter.OptionalCaveatNameFilter.CaveatName
	case datastore.CaveatFilterOptionNoCaveat:
		q.Caveat = graph.Absent
	case datastore.CaveatFilterOptionNone:
	}
	for _, selector := range filter.OptionalSubjectsSelectors {
		q.Subjects = append(q.Subjects, subjects(selector.OptionalSubjectType, selector.OptionalSubjectIds, selector.RelationFilter))
	}
	return r.query(ctx, q, paging{
		limit: o.Limit, sort: o.Sort, after: o.After, through: o.BeforeOrEqual,
		skipCaveats: o.SkipCaveats,
	})
}

// ReverseQueryRelationships yields what the subjects that a filter selects are subjects of.
func (r *reader) ReverseQueryRelationships(ctx context.Context, filter datastore.SubjectsFilter, opts ...options.ReverseQueryOptionsOption) (datastore.RelationshipIterator, error) {
	o := options.NewReverseQueryOptionsWithOptions(opts...)
	q := graph.Query{Subjects: []graph.Subjects{subjects(filter.SubjectType, filter.OptionalSubjectIds, filter.RelationFilter)}}
	if o.ResRelation != nil {
		q.ResourceType, q.Relation = o.ResRelation.Namespace, o.ResRelation.Relation
	}
	return r.query(ctx, q, paging{
		limit: o.LimitForReverse, sort: o.SortForReverse, after: o.AfterForReverse,
		skipCaveats: o.SkipCaveatsForReverse,
	})
}

// paging is what both kinds of query have in common.
type paging struct {
	limit          *uint64
	sort           options.SortOrder
	after, through options.Cursor
	skipCaveats    bool
}

func (r *reader) query(ctx context.Context, q graph.Query, p paging) (datastore.RelationshipIterator, error) {
	if r.err != nil {
		return nil, r.err
	}
	if p.after != nil && p.sort == options.Unsorted {
		return nil, datastore.ErrCursorsWithoutSorting
	}
	if p.limit != nil {
		if q.Limit = *p.limit; q.Limit == 0 {
			return func(func(tuple.Relationship, error) bool) {}, nil
		}
	}
	switch p.sort {
	case options.Unsorted:
	case options.ByResource, options.ChooseEfficient:
		q.Order = graph.ByResource
	case options.BySubject:
		q.Order = graph.BySubject
	}
	q.After, q.Through = cursor(p.after), cursor(p.through)
	if p.skipCaveats {
		q.Caveat = graph.Absent
	}
	// SpiceDB says when a relation allows no expiry, to spare a database the look. It errs
	// for a relation that allows one beside sets of the same type, and a tuple that expired
	// before the schema forbade it would come back: here the look costs nothing.
	if q.Now = r.instant; q.Now.IsZero() {
		q.Now = instant(ctx)
	}
	return iterate(r.snapshot, q), nil
}

// instant returns the one at which a request is answered.
func instant(ctx context.Context) time.Time {
	if at, ok := relation.Instant(ctx); ok {
		return at
	}
	return time.Now()
}

func iterate(snapshot *graph.Snapshot, q graph.Query) datastore.RelationshipIterator {
	return func(yield func(tuple.Relationship, error) bool) {
		for t := range snapshot.Query(q) {
			if !yield(fromGraph(&t)) {
				return
			}
		}
	}
}

func cursor(c options.Cursor) *graph.Tuple {
	if c == nil {
		return nil
	}
	return &graph.Tuple{Relationship: relation.Relationship{
		Resource: relation.Object{Type: c.Resource.ObjectType, ID: c.Resource.ObjectID},
		Relation: c.Resource.Relation,
		Subject: relation.Subject{
			Object:   relation.Object{Type: c.Subject.ObjectType, ID: c.Subject.ObjectID},
			Relation: plainRelation(c.Subject.Relation),
		},
	}}
}

func subjects(typ string, ids []string, f datastore.SubjectRelationFilter) graph.Subjects {
	s := graph.Subjects{Type: typ, IDs: ids, Sets: f.OnlyNonEllipsisRelations}
	if !s.Sets {
		s.Plain = f.IncludeEllipsisRelation || f.NonEllipsisRelation == tuple.Ellipsis
		s.Relation = plainRelation(f.NonEllipsisRelation)
	}
	return s
}

func expiryPresence(o datastore.ExpirationFilterOption) graph.Presence {
	switch o {
	case datastore.ExpirationFilterOptionHasExpiration:
		return graph.Present
	case datastore.ExpirationFilterOptionNoExpiration:
		return graph.Absent
	case datastore.ExpirationFilterOptionNone:
	}
	return graph.Either
}

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
