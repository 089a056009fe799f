package walk_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

// ladders is nodes that have several parents each.
func ladders() *walk.Schema {
	computed := func(name string) *walk.Expr { return &walk.Expr{Op: walk.Computed, Relation: name} }
	parents := func(op walk.Op, target string) *walk.Expr {
		return &walk.Expr{Op: op, Relation: "parent", Target: target}
	}
	of := func(op walk.Op, kids ...*walk.Expr) *walk.Expr { return &walk.Expr{Op: op, Kids: kids} }
	users := []walk.SubjectType{{Type: "user"}}
	return walk.Compile([]walk.Definition{
		{Name: "user"},
		{Name: "node", Relations: []walk.Relation{
			{Name: "parent", Subjects: []walk.SubjectType{{Type: "node"}}},
			{Name: "viewer", Subjects: users},
			{Name: "banned", Subjects: users},
			{Name: "all", Expr: of(walk.Union, computed("viewer"), parents(walk.All, "all"))},
			{Name: "both", Expr: of(walk.Union, computed("viewer"), of(walk.Intersection, parents(walk.Arrow, "both"), parents(walk.Arrow, "any")))},
			{Name: "any", Expr: of(walk.Union, computed("viewer"), parents(walk.Arrow, "any"))},
			{Name: "except", Expr: of(walk.Exclusion, of(walk.Union, computed("viewer"), parents(walk.Arrow, "except")), computed("banned"))},
		}},
	})
}

// ladder is nodes of which each has the two of the next step as parents, so that there are twice as
// many ways up with each step; the last are viewed by user 1.
func ladder(rungs int) (tuples []string) {
	for i := range rungs {
		for _, from := range "ab" {
			for _, to := range "ab" {
				tuples = append(tuples, fmt.Sprintf("node:%d%c#parent@node:%d%c", i, from, i+1, to))
			}
		}
	}
	return append(tuples, fmt.Sprintf("node:%da#viewer@user:1", rungs), fmt.Sprintf("node:%db#viewer@user:1", rungs))
}

// Every way up a ladder leads to the same nodes, so that there is not much to be looked at, whatever
// the terms on the way.
func TestLadders(t *testing.T) {
	const long, short = 40, 15 // a list goes up and checks from there
	view, lower := ladders().Over(head(t, ladder(long)...)), ladders().Over(head(t, ladder(short)...))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, permission := range []string{"all", "both", "any", "except"} {
		for user, want := range map[string]walk.Verdict{"user:1": walk.Allowed, "user:2": walk.Denied} {
			var q relation.Question
			q.Object, q.Permission, q.Subject = parse("node:0a#" + permission + "@" + user)
			if got, why := view.Check(ctx, q, now); got != want {
				t.Errorf("%s of %s: %v (%s), want %v", permission, user, got, why, want)
			}
		}
		subjects, _, why := view.Subjects(ctx, nil, relation.Object{Type: "node", ID: "0a"}, permission, "user", "", now)
		if why != walk.Answered || len(subjects) != 1 {
			t.Errorf("who has %s: %d (%s), want one", permission, len(subjects), why)
		}
		var proof walk.Proof
		resources, why := lower.Resources(ctx, nil, &proof, "node", permission, relation.Subject{Object: relation.Object{Type: "user", ID: "1"}}, now)
		if why != walk.Answered || len(resources) != 2*(short+1) {
			t.Errorf("%s: %d nodes (%s), want %d", permission, len(resources), why, 2*(short+1))
		}
		if n := proof.Size(); n > 100*short {
			t.Errorf("%s: the answer rests on %d objects", permission, n)
		}
	}
}

// A schema can name a permission twice in each of the next one's terms. It is bound at once, and
// what would take for ever is given up.
func TestDoubledTerms(t *testing.T) {
	computed := func(name string) *walk.Expr { return &walk.Expr{Op: walk.Computed, Relation: name} }
	of := func(op walk.Op, kids ...*walk.Expr) *walk.Expr { return &walk.Expr{Op: op, Kids: kids} }
	users := []walk.SubjectType{{Type: "user"}}
	d := walk.Definition{Name: "doc", Relations: []walk.Relation{
		{Name: "r", Subjects: users}, {Name: "x", Subjects: users}, {Name: "y", Subjects: users}, {Name: "p0", Expr: of(walk.Intersection, computed("r"), computed("r"))},
	}}
	const depth = 23
	for i := range depth {
		below := computed(fmt.Sprintf("p%d", i))
		d.Relations = append(d.Relations, walk.Relation{Name: fmt.Sprintf("p%d", i+1), Expr: of(walk.Intersection, of(walk.Union, below, computed("x")), of(walk.Union, below, computed("y")))})
	}
	view := walk.Compile([]walk.Definition{{Name: "user"}, d}).Over(head(t, "doc:1#r@user:1"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, c := range []struct {
		user string
		want walk.Reason
	}{{"2", walk.Answered}, {"1", walk.TooMuch}} {
		var q relation.Question
		q.Object, q.Permission, q.Subject = parse(fmt.Sprintf("doc:1#p%d@user:%s", depth, c.user))
		if got, why := view.Check(ctx, q, now); why != c.want || got == walk.Allowed {
			t.Errorf("user %s: %v (%s), want %s", c.user, got, why, c.want)
		}
		if view.Loops(ctx, q.Object, q.Permission, false, now) {
			t.Errorf("p%d is reached from itself", depth)
		}
		if _, why := view.Resources(ctx, nil, nil, "doc", q.Permission, q.Subject, now); why != c.want {
			t.Errorf("what user %s has: %s, want %s", c.user, why, c.want)
		}
	}
	if _, _, why := view.Subjects(ctx, nil, relation.Object{Type: "doc", ID: "1"}, fmt.Sprintf("p%d", depth), "user", "", now); why != walk.TooMuch {
		t.Errorf("who has it: %s, want %s", why, walk.TooMuch)
	}
}

// looked counts how often a walk looks at its context, which is once in some thousand edges.
type looked struct {
	context.Context //nolint:containedctx // it is one
	times           int
}

func (l *looked) Err() error {
	l.times++
	return nil
}

// Who is no member of a large group is not looked for among all of its members, of whom few are sets.
func TestFewSetsInALargeGroup(t *testing.T) {
	g, err := graph.New(graph.Config{})
	if err != nil {
		t.Fatal(err)
	}
	load, err := g.NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	add := func(text string) {
		var tuple graph.Tuple
		tuple.Resource, tuple.Relation, tuple.Subject = parse(text)
		if err := load.Add(&tuple); err != nil {
			t.Fatal(err)
		}
	}
	const many = 100_000
	for i := range many {
		add(fmt.Sprintf("group:all#member@user:%d", i))
	}
	add("group:all#member@group:some#member")
	add("group:some#member@user:known")
	add("folder:a#viewer@group:all#member")
	snap, err := load.Finish(1, now)
	if err != nil {
		t.Fatal(err)
	}
	view := schema().Over(snap)
	for user, want := range map[string]walk.Verdict{"user:known": walk.Allowed, "user:unknown": walk.Denied, "user:7": walk.Allowed} {
		ctx := &looked{Context: t.Context()}
		for range 10 {
			var q relation.Question
			q.Object, q.Permission, q.Subject = parse("folder:a#view@" + user)
			if got, why := view.Check(ctx, q, now); got != want {
				t.Errorf("%s: %v (%s), want %v", user, got, why, want)
			}
			if view.Loops(ctx, q.Object, q.Permission, false, now) {
				t.Error("a group is reached from itself")
			}
		}
		if ctx.times > 10 {
			t.Errorf("%s: the walk went over some %d thousand edges", user, 4*ctx.times)
		}
	}
}

// A list takes no wildcard for a set of its type, where a check does: such lists are SpiceDB's,
// whichever term the wildcard is in.
func TestWildcardsOfSets(t *testing.T) {
	sets := []walk.SubjectType{{Type: "group", Relation: "member"}}
	computed := func(name string) *walk.Expr { return &walk.Expr{Op: walk.Computed, Relation: name} }
	schema := walk.Compile([]walk.Definition{
		{Name: "user"},
		{Name: "group", Relations: []walk.Relation{{Name: "member", Subjects: []walk.SubjectType{{Type: "user"}}}}},
		{Name: "doc", Relations: []walk.Relation{
			{Name: "all", Subjects: []walk.SubjectType{{Type: "group", Wildcard: true}}},
			{Name: "some", Subjects: sets},
			{Name: "both", Expr: &walk.Expr{Op: walk.Intersection, Kids: []*walk.Expr{computed("all"), computed("some")}}},
			{Name: "plain", Expr: computed("some")},
		}},
	})
	view := schema.Over(head(t, "doc:1#all@group:*", "doc:1#some@group:g#member", "group:g#member@user:1"))
	set := relation.Subject{Object: relation.Object{Type: "group", ID: "g"}, Relation: "member"}
	for permission, want := range map[string]walk.Reason{"both": walk.WithWildcard, "plain": walk.Answered} {
		if _, why := view.Resources(t.Context(), nil, nil, "doc", permission, set, now); why != want {
			t.Errorf("%s of a set: %s, want %s", permission, why, want)
		}
	}
	if _, why := view.Resources(t.Context(), nil, nil, "doc", "both", relation.Subject{Object: relation.Object{Type: "user", ID: "1"}}, now); why != walk.Answered {
		t.Errorf("both of a user: %s", why)
	}
}
