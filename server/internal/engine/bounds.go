package engine

import (
	"context"
	"fmt"
	"strconv"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/middleware/consistency"
	"github.com/authzed/spicedb/pkg/spiceerrors"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

// expansions is a kind of question beside those that walks know.
const expansions = questions

// bounds keeps from SpiceDB what it has no end of, and ends what takes too much.
type bounds struct {
	walk         func(ctx context.Context) Walk
	reads        int64 // see readsOfQuestion
	loops, spent [expansions + 1]prometheus.Counter
}

// newBounds returns bounds, and registers their metric.
func newBounds(over func(context.Context) Walk, registry *prometheus.Registry) (*bounds, error) {
	b := &bounds{walk: over, reads: readsOfQuestion}
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "behalf_questions_refused_total",
		Help: "Questions about relations that got no answer, by kind and by why: what is asked rests on itself (loop), or SpiceDB read too much for it (work).",
	}, []string{"question", "why"})
	if err := registry.Register(counter); err != nil {
		return nil, fmt.Errorf("register the metric of refused questions: %w", err)
	}
	for i, name := range [expansions + 1]string{"check", "resources", "subjects", "expand"} {
		b.loops[i] = counter.WithLabelValues(name, "loop")
		b.spent[i] = counter.WithLabelValues(name, "work")
	}
	return b, nil
}

// budget returns a context in which SpiceDB may read some times for a question.
func (b *bounds) budget(ctx context.Context, question int, reads int64) context.Context {
	return withBudget(ctx, reads, b.spent[question].Inc)
}

// refuse counts a question that has loops, and returns what SpiceDB would give up with: the
// error for its limit of depth.
func (b *bounds) refuse(ctx context.Context, question int) error {
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	b.loops[question].Inc()
	return spiceerrors.WithCodeAndDetailsAsError(
		fmt.Errorf("the question has exceeded the maximum depth of %d: an object or a permission that the answer rests on is reached from itself", walk.MaxDepth),
		codes.ResourceExhausted,
		spiceerrors.ForReason(v1.ErrorReason_ERROR_REASON_MAXIMUM_DEPTH_EXCEEDED, map[string]string{"maximum_depth_allowed": strconv.Itoa(walk.MaxDepth)}))
}

// check answers a check that has loops, without SpiceDB: it is decided in spite of them, or
// refused. ask is true for one that has none, and for one that SpiceDB refuses for its names.
func (b *bounds) check(ctx context.Context, q relation.Question) (allowed, ask bool, err error) {
	w := b.walk(ctx)
	if !w.ok || !w.view.Loops(ctx, q.Object, q.Permission, false, w.now) {
		return false, true, nil
	}
	verdict, why := w.view.Check(ctx, q, w.now)
	switch {
	case why == walk.UnknownName:
		return false, true, nil
	case verdict == walk.Undecided:
		return false, false, b.refuse(ctx, checks)
	}
	return verdict == walk.Allowed, false, nil
}

// above reports whether what an object's permission rests on has loops; arrows says that sets
// are not looked into.
func (b *bounds) above(ctx context.Context, o *v1.ObjectReference, permission string, arrows bool) bool {
	w := b.walk(ctx)
	return w.ok && w.view.Loops(ctx, objectOf(o), permission, arrows, w.now)
}

// below reports whether there are loops on the way from a subject to the objects of a list.
func (b *bounds) below(ctx context.Context, r *v1.LookupResourcesRequest) bool {
	w := b.walk(ctx)
	return w.ok && w.view.LoopsToward(ctx, r.GetResourceObjectType(), r.GetPermission(), subjectOf(r.GetSubject()), w.now)
}

func objectOf(o *v1.ObjectReference) relation.Object {
	return relation.Object{Type: o.GetObjectType(), ID: o.GetObjectId()}
}

func subjectOf(s *v1.SubjectReference) relation.Subject {
	return relation.Subject{Object: objectOf(s.GetObject()), Relation: s.GetOptionalRelation()}
}

// checkedAt returns the token of the revision that was chosen for a call.
func checkedAt(ctx context.Context) (*v1.ZedToken, error) {
	_, _, token, err := consistency.RevisionFromContext(ctx)
	return token, err
}
