package evaluation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// maxLooked is how many candidates one part of a list looks at. The part then ends before it
// is full, and the next one goes on.
const maxLooked = 20_000

// search is a search for one kind of thing.
type search struct {
	kind       string
	question   Question
	required   []required
	candidates func(context.Context, *call, *Question) ([]string, error)
	with       func(Question, string) Question // the question whether a candidate is a result
	found      func(id string) Found
}

// required is a field that a search needs.
type required struct{ field, text string }

// SearchSubjects lists the subjects of a type who may do an action on a resource.
func (s *Service) SearchSubjects(ctx context.Context, at relation.At, from decision.Origin, q Question, p Page) (List, error) {
	q.Subject.ID = ""
	typ := q.Subject.Type
	return s.search(ctx, at, from, p, search{
		kind: "subject", question: q,
		required: []required{
			{"subject.type", typ}, {"action.name", q.Action.Name}, {"resource.type", q.Resource.Type}, {"resource.id", q.Resource.ID},
		},
		candidates: subjects,
		with:       func(q Question, id string) Question { q.Subject.ID = id; return q },
		found:      func(id string) Found { return Found{Type: typ, ID: id} },
	})
}

// SearchResources lists the resources of a type on which a subject may do an action.
func (s *Service) SearchResources(ctx context.Context, at relation.At, from decision.Origin, q Question, p Page) (List, error) {
	q.Resource.ID = ""
	typ := q.Resource.Type
	return s.search(ctx, at, from, p, search{
		kind: "resource", question: q,
		required: []required{
			{"subject.type", q.Subject.Type}, {"subject.id", q.Subject.ID}, {"action.name", q.Action.Name}, {"resource.type", typ},
		},
		candidates: resources,
		with:       func(q Question, id string) Question { q.Resource.ID = id; return q },
		found:      func(id string) Found { return Found{Type: typ, ID: id} },
	})
}

// SearchActions lists what a subject may do on a resource.
func (s *Service) SearchActions(ctx context.Context, at relation.At, from decision.Origin, q Question, p Page) (List, error) {
	q.Action.Name = ""
	return s.search(ctx, at, from, p, search{
		kind: "action", question: q,
		required: []required{
			{"subject.type", q.Subject.Type}, {"subject.id", q.Subject.ID}, {"resource.type", q.Resource.Type}, {"resource.id", q.Resource.ID},
		},
		candidates: actions,
		with:       func(q Question, name string) Question { q.Action.Name = name; return q },
		found:      func(name string) Found { return Found{ID: name} },
	})
}

// search finds candidates and confirms them, all at one revision.
func (s *Service) search(ctx context.Context, at relation.At, from decision.Origin, p Page, what search) (List, error) {
	if what.question.Fault != nil {
		return List{}, what.question.Fault
	}
	for _, r := range what.required {
		if r.text == "" {
			return List{}, fault.Field(r.field, "is required")
		}
	}
	t, err := p.open(what.kind, &what.question)
	if err != nil {
		return List{}, err
	}
	ctx, revision, err := s.pin(ctx, at, t)
	if err != nil {
		return List{}, fmt.Errorf("fix the revision of a search: %w", err)
	}
	c := &call{service: s, origin: from, revision: revision, listing: true}
	ids, err := what.candidates(ctx, c, &what.question)
	if err != nil {
		return List{}, fmt.Errorf("find what a search for a %s may hold: %w", what.kind, err)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	first, already := slices.BinarySearch(ids, t.After)
	if already {
		first++
	}
	t.Revision = revision
	return c.confirm(ctx, what, t, ids[first:])
}

// confirm looks which candidates are results, until the part of the list is full and it is
// known whether there are more.
func (c *call) confirm(ctx context.Context, what search, t token, ids []string) (List, error) {
	list := List{Revision: c.revision}
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return List{}, fmt.Errorf("search: %w", err)
		}
		if i == maxLooked {
			list.Next = t.String()
			return list, nil
		}
		q := what.with(what.question, id)
		a := c.answer(ctx, &q)
		if err := spoils(a.Err); err != nil {
			return List{}, err
		}
		if a.Permitted {
			if len(list.Results) == t.limit() {
				list.Next = t.String()
				return list, nil
			}
			found := what.found(id)
			found.Obligations = a.Obligations
			list.Results = append(list.Results, found)
		}
		t.After = id
	}
	return list, nil
}

// spoils returns the error of an answer that is about more than its question.
func spoils(err error) error {
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.Precondition || kind == fault.NotFound {
		return nil
	}
	return err
}

// errorOf reports whether the graph did not answer for what was asked, not for a fault of
// its own, and then whether that is because it does not know a name.
func errorOf(err error) (asked, unknown bool) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return false, false
	}
	unknown = f.Reason == fault.ReasonUnknownRelation
	return unknown || f.Kind == fault.Invalid || f.Kind == fault.Precondition, unknown
}
