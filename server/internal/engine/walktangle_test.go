package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

const (
	// tangleReads is how much SpiceDB may read for a question, where things are reached from
	// themselves: enough to give up, and not enough to take the machine.
	tangleReads = 3000
	// tanglePatience is how long it may take. Two questions of its own may wait for one another.
	tanglePatience = time.Second
	// endless is after how long the engine is said to have no end.
	endless = time.Minute
	// reasonDepth is what a question is refused with that rests on itself.
	reasonDepth fault.Reason = "MAXIMUM_DEPTH_EXCEEDED"
)

// tangled asks some questions where things are reached from themselves. The engine must answer
// every one as the walk does, or refuse it if that says that it rests on itself; and wherever
// SpiceDB comes to an answer, it is the walk's, and the question does not rest on itself.
func (p *proof) tangled(t *testing.T, ctx context.Context, e *engine.Engine, w *walkWorld) {
	t.Helper()
	asked := w.subjectsAsked()
	for i := range 60 {
		typ, permission, _ := strings.Cut(pick(w.rnd, w.all), "#")
		o, s := relation.Object{Type: typ, ID: pick(w.rnd, w.objects[typ])}, pick(w.rnd, asked)
		switch {
		case p.over() || t.Failed():
			return
		case i%6 == 0:
			p.tangledResources(t, ctx, e, typ, permission, s)
		case i%6 == 1:
			p.tangledSubjects(t, ctx, e, o, permission, pick(w.rnd, append(w.kinds, "user")))
		default:
			p.tangledCheck(t, ctx, e, relation.Question{Object: o, Permission: permission, Subject: s})
		}
	}
}

// bounded runs a question to the engine, which must come to an end.
func bounded(t *testing.T, ctx context.Context, what string, ask func(context.Context) error) error {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, endless)
	defer cancel()
	err := ask(limited)
	if limited.Err() != nil {
		t.Fatalf("%s: no end within %s", what, endless)
	}
	return err
}

// judge compares what the engine and SpiceDB made of a question with the reason of the walk, and
// reports whether both have an answer.
func (p *proof) judge(t *testing.T, what string, why walk.Reason, ours error, limited context.Context, theirs error) bool {
	t.Helper()
	kind, _, _ := strings.Cut(what, " ")
	f, refused := errors.AsType[*fault.Error](ours)
	switch {
	case why == walk.Answered && ours != nil:
		t.Errorf("%s: the walk answers, the engine says %v", what, ours)
	case why == walk.Cyclic && (!refused || f.Reason != reasonDepth):
		t.Errorf("%s: the walk says that it rests on itself, the engine %v", what, ours)
	}
	switch {
	case limited.Err() != nil:
		p.slow(t, what, limited, theirs)
		return false
	case why == walk.Cyclic:
		p.outcomes[kind+" that rest on themselves"]++
		if theirs == nil {
			t.Errorf("%s: the walk says that it rests on itself, SpiceDB has an answer", what)
		}
		return false
	case why != walk.Answered:
		p.left(kind)
		return false
	}
	return p.outcome(t, what, theirs)
}

func (p *proof) tangledCheck(t *testing.T, ctx context.Context, e *engine.Engine, q relation.Question) {
	t.Helper()
	what := fmt.Sprintf("check %v#%s@%v", q.Object, q.Permission, q.Subject)
	verdict, why := e.WhyCheck(ctx, q)
	allowed := false
	ours := bounded(t, ctx, what, func(ctx context.Context) error {
		answers, _, err := e.Check(ctx, relation.At{}, q)
		if err != nil {
			return err
		}
		allowed = answers[0].Allowed
		return answers[0].Err
	})
	limited, cancel := context.WithTimeout(engine.WithBudget(ctx, tangleReads), tanglePatience)
	defer cancel()
	// A traced question shares no work, so that none waits for another.
	response, err := e.SpiceDB().CheckPermission(limited, &v1.CheckPermissionRequest{
		Resource:   &v1.ObjectReference{ObjectType: q.Object.Type, ObjectId: q.Object.ID},
		Permission: q.Permission, Subject: v1Subject(q.Subject), WithTracing: true,
	})
	if !p.judge(t, what, why, ours, limited, err) {
		return
	}
	want := response.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
	if allowed != want || allowed != (verdict == walk.Allowed) {
		t.Errorf("%s: the engine says %v, SpiceDB %s", what, allowed, response.GetPermissionship())
	}
}

func (p *proof) tangledResources(t *testing.T, ctx context.Context, e *engine.Engine, typ, permission string, s relation.Subject) {
	t.Helper()
	what := fmt.Sprintf("resources %s#%s@%v", typ, permission, s)
	why := e.WhyResources(ctx, typ, permission, s)
	if why != walk.Answered && why != walk.Cyclic {
		p.left("resources") // SpiceDB's lists panic in tests where an object itself is part of what is no union
		return
	}
	var got, want []string
	ours := bounded(t, ctx, what, func(ctx context.Context) (err error) {
		got, _, err = e.Resources(ctx, relation.At{}, typ, permission, s)
		return err
	})
	limited, cancel := context.WithTimeout(engine.WithBudget(ctx, tangleReads), tanglePatience)
	defer cancel()
	err := e.SpiceDB().LookupResources(
		&v1.LookupResourcesRequest{ResourceObjectType: typ, Permission: permission, Subject: v1Subject(s)},
		&collected[v1.LookupResourcesResponse]{ctx: limited, each: func(r *v1.LookupResourcesResponse) { want = append(want, r.GetResourceObjectId()) }})
	if p.judge(t, what, why, ours, limited, err) {
		p.same(t, what, got, want, false)
	}
}

func (p *proof) tangledSubjects(t *testing.T, ctx context.Context, e *engine.Engine, o relation.Object, permission, typ string) {
	t.Helper()
	what := fmt.Sprintf("subjects %v#%s@%s", o, permission, typ)
	var got, want []string
	ours := bounded(t, ctx, what, func(ctx context.Context) (err error) {
		got, _, err = e.Subjects(ctx, relation.At{}, o, permission, typ)
		return err
	})
	limited, cancel := context.WithTimeout(engine.WithBudget(ctx, tangleReads), tanglePatience)
	defer cancel()
	err := e.SpiceDB().LookupSubjects(
		&v1.LookupSubjectsRequest{Resource: &v1.ObjectReference{ObjectType: o.Type, ObjectId: o.ID}, Permission: permission, SubjectObjectType: typ},
		&collected[v1.LookupSubjectsResponse]{ctx: limited, each: func(r *v1.LookupSubjectsResponse) {
			want = append(want, r.GetSubject().GetSubjectObjectId())
		}})
	if p.judge(t, what, e.WhySubjects(ctx, o, permission, typ), ours, limited, err) {
		want = slices.DeleteFunc(want, func(id string) bool { return id == "*" }) // the engine's list names nobody by it
		p.same(t, what, got, want, false)
	}
}
