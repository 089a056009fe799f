package engine

import (
	"context"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

// SpiceDB returns SpiceDB's own permissions service, which has no bounds but a budget that a
// test gives it.
func (e *Engine) SpiceDB() v1.PermissionsServiceServer {
	return e.services.Permissions.(bounded).PermissionsServiceServer
}

// WithBudget returns a context in which SpiceDB may read some times.
func WithBudget(ctx context.Context, reads int64) context.Context {
	return withBudget(ctx, reads, func() {})
}

// LimitReads has SpiceDB read less for one question.
func (e *Engine) LimitReads(n int64) { e.bounds.reads = n }

// WhyCheck returns what a walk says to a check.
func (e *Engine) WhyCheck(ctx context.Context, q relation.Question) (walk.Verdict, walk.Reason) {
	w := e.Walk(ctx)
	return w.view.Check(ctx, q, w.now)
}

// WhyResources returns why a walk does not list what a subject has a permission on.
func (e *Engine) WhyResources(ctx context.Context, typ, permission string, s relation.Subject) walk.Reason {
	w := e.Walk(ctx)
	_, why := w.view.Resources(ctx, nil, nil, typ, permission, s, w.now)
	return why
}

// WhySubjects is WhyResources for who has a permission.
func (e *Engine) WhySubjects(ctx context.Context, o relation.Object, permission, typ string) walk.Reason {
	w := e.Walk(ctx)
	_, _, why := w.view.Subjects(ctx, nil, o, permission, typ, "", w.now)
	return why
}

// KeepAllLists keeps short lists, too, so that small worlds show whether kept ones are right.
func (e *Engine) KeepAllLists() { e.walks.lists.least = 0 }

// ListsGivenAgain returns how many questions were answered with a list that was kept.
func (e *Engine) ListsGivenAgain(t testing.TB) int {
	t.Helper()
	n := 0
	for _, c := range []prometheus.Counter{e.walks.again[resourceLists], e.walks.again[subjectLists]} {
		registry := prometheus.NewRegistry()
		registry.MustRegister(c)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		n += int(families[0].GetMetric()[0].GetCounter().GetValue())
	}
	return n
}
