package enforce

import (
	"context"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// rule says whether a request may pass. An error is not a denial: it says that it could not
// be found out, and keeps the request out whatever other rules say.
type rule interface {
	judge(ctx context.Context, q *question) (judgement, error)
}

// opener is a rule that lets in requests of which nobody has to be known who makes them.
type opener interface {
	open(q *question) bool
}

// public lets everybody in. It stands alone.
type public struct{}

func (public) open(*question) bool { return true }

func (public) judge(context.Context, *question) (judgement, error) { return allowed(), nil }

// authenticated lets in whoever is known.
type authenticated struct{}

func (authenticated) judge(_ context.Context, q *question) (judgement, error) {
	if q.who.Kind == caller.Nobody {
		return unauthenticated(), nil
	}
	return allowed(), nil
}

// minimumLevel lets in people who have authenticated themselves well enough.
type minimumLevel int

func (m minimumLevel) judge(_ context.Context, q *question) (judgement, error) {
	switch {
	case q.who.Kind == caller.Nobody:
		return unauthenticated(), nil
	case q.who.Kind != caller.User:
		return denied("the route is for people"), nil
	case q.who.Level < int(m):
		return stepUp(int(m)), nil
	}
	return allowed(), nil
}

// anyGroup lets in whoever is in one of the groups.
type anyGroup []string

func (g anyGroup) judge(_ context.Context, q *question) (judgement, error) {
	return oneOf(q, g, q.who.Groups, "the caller is in none of the route's groups"), nil
}

// anyPermission lets in whoever has one of the permissions, by what his issuer says.
type anyPermission []string

func (p anyPermission) judge(_ context.Context, q *question) (judgement, error) {
	return oneOf(q, p, q.who.Permissions, "the caller has none of the route's permissions"), nil
}

func oneOf(q *question, wanted, have []string, otherwise string) judgement {
	switch {
	case q.who.Kind == caller.Nobody:
		return unauthenticated()
	case slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(have, w) }):
		return allowed()
	}
	return denied(otherwise)
}

// related lets in the user who has the relation or permission to an object.
type related struct {
	objectType string
	id         template
	permission string
}

func (r related) judge(ctx context.Context, q *question) (judgement, error) {
	if q.who.Kind == caller.Nobody {
		return unauthenticated(), nil
	}
	id, ok := r.id.fill(q)
	if !ok || strings.ContainsRune(id, '.') || q.who.Kind != caller.User || q.who.UserID <= 0 {
		return denied("the request does not say whom the route is about"), nil
	}
	object := relation.Object{Type: r.objectType, ID: id}
	holds, err := q.related(ctx, object, r.permission)
	if err != nil {
		return judgement{}, err
	}
	if !holds {
		return denied("the caller has not the relation that the route asks for"), nil
	}
	return allowed(), nil
}

// all lets in whom every rule lets in.
type all []rule

func (a all) judge(ctx context.Context, q *question) (judgement, error) {
	if len(a) == 0 {
		return judgement{}, nil
	}
	for _, r := range a {
		if j, err := r.judge(ctx, q); err != nil || j.outcome != Allowed {
			return j, err
		}
	}
	return allowed(), nil
}

// either lets in whom one of the rules lets in. Where none does, what would help most is told.
type either []rule

func (e either) judge(ctx context.Context, q *question) (judgement, error) {
	var best judgement
	for _, r := range e {
		j, err := r.judge(ctx, q)
		if err != nil || j.outcome == Allowed {
			return j, err
		}
		if rank(j) > rank(best) || rank(j) == rank(best) && j.outcome == StepUp && j.level < best.level {
			best = j
		}
	}
	return best, nil
}

func rank(j judgement) int {
	switch j.outcome {
	case StepUp:
		return 3
	case Unauthenticated:
		return 2
	case Denied, Malformed, Allowed:
	}
	if j.reason != "" {
		return 1
	}
	return 0
}
