package walk

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// What is said in brief is what the walk says, wherever anything is said: over groups in groups
// and folders in folders, with cycles, expired tuples, long lists and ways that are too long.
func TestBrief(t *testing.T) {
	const worlds, questions = 60, 400
	now := time.Unix(1_000_000, 0)
	definitions := []Definition{
		{Name: "user"},
		{Name: "group", Relations: []Relation{{Name: "member", Subjects: []SubjectType{{Type: "user"}, {Type: "group", Relation: "member"}}}}},
		{Name: "folder", Relations: []Relation{
			{Name: "parent", Subjects: []SubjectType{{Type: "folder"}}},
			{Name: "reader", Subjects: []SubjectType{{Type: "user"}, {Type: "group", Relation: "member"}}},
			{Name: "public", Subjects: []SubjectType{{Type: "user", Wildcard: true}}},
			{Name: "view", Expr: &Expr{Op: Union, Kids: []*Expr{{Op: Computed, Relation: "reader"}, {Op: Arrow, Relation: "parent", Target: "view"}}}},
			{Name: "see", Expr: &Expr{Op: Union, Kids: []*Expr{{Op: Computed, Relation: "view"}, {Op: Computed, Relation: "public"}}}},
		}},
	}
	said := map[truth]int{}
	for seed := range uint64(worlds) {
		rng := rand.New(rand.NewPCG(seed, 1))
		view := Compile(definitions).Over(tangle(t, rng, 8+int(seed)*4, now))
		for range questions {
			q := relation.Question{Object: something(rng, "folder"), Permission: []string{"view", "see", "reader"}[rng.IntN(3)], Subject: relation.Subject{Object: something(rng, "user")}}
			if rng.IntN(4) == 0 {
				q.Object, q.Permission = something(rng, "group"), "member"
			}
			if rng.IntN(6) == 0 {
				q.Subject = relation.Subject{Object: something(rng, "group"), Relation: "member"}
			}
			c, why := view.Checker(q.Object.Type, q.Permission, q.Subject.Type, q.Subject.Relation)
			if why != Answered {
				t.Fatalf("%v: %s", q, why)
			}
			object, _ := view.node(q.Object, unknownObject)
			subject, _ := view.node(q.Subject.Object, unknownSubject)
			w := c.walker(t.Context(), now, c.asker, subject)
			verdict, _ := w.verdict(w.root(c.program, c.plan, object, 1))
			w.release()
			in := c.brief(object, subject)
			if in == yes && verdict != Allowed || in == no && verdict != Denied {
				t.Fatalf("seed %d: %v: in brief %d, the walk says %d", seed, q, in, verdict)
			}
			said[in]++
		}
	}
	for _, in := range []truth{no, open, yes} {
		if said[in] < worlds*questions/20 {
			t.Errorf("of %d questions, %v: that shows nothing", worlds*questions, said)
		}
	}
}

// something names an object, at times one that no tuple has.
func something(rng *rand.Rand, typ string) relation.Object {
	return relation.Object{Type: typ, ID: fmt.Sprint(rng.IntN(13))}
}

// tangle returns a graph of random tuples.
func tangle(t *testing.T, rng *rand.Rand, tuples int, now time.Time) *graph.Snapshot {
	t.Helper()
	g, err := graph.New(graph.Config{})
	if err != nil {
		t.Fatal(err)
	}
	tx := g.Begin()
	touch := func(tuple graph.Tuple) {
		if _, err := tx.Touch(tuple); err != nil {
			t.Fatal(err)
		}
	}
	for range tuples {
		var tuple graph.Tuple
		switch rng.IntN(8) {
		case 0, 1:
			tuple.Resource, tuple.Relation, tuple.Subject.Object = something(rng, "folder"), "parent", something(rng, "folder")
		case 2, 3:
			tuple.Resource, tuple.Relation, tuple.Subject.Object = something(rng, "folder"), "reader", something(rng, "user")
		case 4:
			tuple.Resource, tuple.Relation, tuple.Subject = something(rng, "folder"), "reader", relation.Subject{Object: something(rng, "group"), Relation: "member"}
		case 5:
			tuple.Resource, tuple.Relation, tuple.Subject = something(rng, "group"), "member", relation.Subject{Object: something(rng, "group"), Relation: "member"}
		default:
			tuple.Resource, tuple.Relation, tuple.Subject.Object = something(rng, "group"), "member", something(rng, "user")
		}
		if rng.IntN(6) == 0 {
			tuple.Expires = now.Add(time.Duration(rng.IntN(3)-1) * time.Hour)
		}
		touch(tuple)
	}
	for i := range rng.IntN(2) * 100 { // beyond what a page holds
		touch(graph.Tuple{Relationship: relation.Relationship{Resource: relation.Object{Type: "group", ID: "1"}, Relation: "member",
			Subject: relation.Subject{Object: relation.Object{Type: "user", ID: fmt.Sprint("m", i)}}}})
	}
	if rng.IntN(3) == 0 {
		touch(graph.Tuple{Relationship: relation.Relationship{Resource: something(rng, "folder"), Relation: "public",
			Subject: relation.Subject{Object: relation.Object{Type: "user", ID: everybody}}}})
	}
	if _, err := tx.Seal(1, now); err != nil {
		t.Fatal(err)
	}
	if err := g.Publish(1); err != nil {
		t.Fatal(err)
	}
	return g.Head()
}
