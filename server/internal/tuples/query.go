package tuples

import (
	"context"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Snapshot answers SpiceDB's queries about relationships from a snapshot of the graph.
type Snapshot struct {
	Of      *graph.Snapshot
	Instant time.Time // at which expiry is judged; zero for the request's own
}

// QueryRelationships yields what a filter selects.
func (s Snapshot) QueryRelationships(ctx context.Context, filter datastore.RelationshipsFilter, opts ...options.QueryOptionsOption) (datastore.RelationshipIterator, error) {
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
		q.Subjects = append(q.Subjects, Subjects(selector.OptionalSubjectType, selector.OptionalSubjectIds, selector.RelationFilter))
	}
	return s.query(ctx, q, paging{
		limit: o.Limit, sort: o.Sort, after: o.After, through: o.BeforeOrEqual,
		skipCaveats: o.SkipCaveats,
	})
}

// ReverseQueryRelationships yields what the subjects that a filter selects are subjects of.
func (s Snapshot) ReverseQueryRelationships(ctx context.Context, filter datastore.SubjectsFilter, opts ...options.ReverseQueryOptionsOption) (datastore.RelationshipIterator, error) {
	o := options.NewReverseQueryOptionsWithOptions(opts...)
	q := graph.Query{Subjects: []graph.Subjects{Subjects(filter.SubjectType, filter.OptionalSubjectIds, filter.RelationFilter)}}
	if o.ResRelation != nil {
		q.ResourceType, q.Relation = o.ResRelation.Namespace, o.ResRelation.Relation
	}
	return s.query(ctx, q, paging{
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

func (s Snapshot) query(ctx context.Context, q graph.Query, p paging) (datastore.RelationshipIterator, error) {
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
	if q.Now = s.Instant; q.Now.IsZero() {
		q.Now = instant(ctx)
	}
	return iterate(s.Of, q), nil
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
			if !yield(FromGraph(&t)) {
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

// Subjects returns what a selector of subjects selects.
func Subjects(typ string, ids []string, f datastore.SubjectRelationFilter) graph.Subjects {
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
