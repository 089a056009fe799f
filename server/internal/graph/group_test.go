package graph_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

func viewer(doc, user string) graph.Tuple {
	return graph.Tuple{Relationship: relation.Relationship{
		Resource: relation.Object{Type: "doc", ID: doc}, Relation: "viewer",
		Subject: relation.Subject{Object: relation.Object{Type: "user", ID: user}},
	}}
}

func has(s *graph.Snapshot, t graph.Tuple) bool {
	return s.Exists(graph.Query{
		ResourceType: t.Resource.Type, ResourceIDs: []string{t.Resource.ID}, Relation: t.Relation,
		Subjects: []graph.Subjects{{Type: t.Subject.Type, IDs: []string{t.Subject.ID}, Plain: true}},
	})
}

// write seals a transaction with some tuples.
func write(t *testing.T, g *graph.Graph, rev uint64, tuples ...graph.Tuple) *graph.Snapshot {
	t.Helper()
	tx := g.Begin()
	for _, tu := range tuples {
		if err := tx.Create(tu); err != nil {
			t.Fatal(err)
		}
	}
	s, err := tx.Seal(rev, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestGroup: the members of a group see each other's writes before any reader does, and one
// that fails leaves no trace in those after it.
func TestGroup(t *testing.T) {
	g := newGraph(t, graph.Config{})
	write(t, g, 1, viewer("0", "z"))
	if err := g.Publish(1); err != nil {
		t.Fatal(err)
	}
	a, b, c := viewer("1", "a"), viewer("1", "b"), viewer("2", "c")
	write(t, g, 2, a)
	failed := g.Begin()
	if err := failed.Create(b); err != nil {
		t.Fatal(err)
	}
	if _, err := failed.Touch(viewer("new", "newer")); err != nil {
		t.Fatal(err)
	}
	if err := failed.Create(a); err == nil {
		t.Fatal("a member does not see what its predecessor wrote")
	}
	failed.Drop()
	third := g.Begin()
	if has(third.View(), b) || !has(third.View(), a) {
		t.Fatal("the third member sees the failed one, or not the first")
	}
	if err := third.Create(c); err != nil {
		t.Fatal(err)
	}
	if _, err := third.Seal(2, epoch); err == nil {
		t.Fatal("a revision was given twice")
	}
	if _, err := third.Seal(5, epoch); err != nil {
		t.Fatal(err)
	}
	if has(g.Head(), a) || g.Head().Tuples() != 1 {
		t.Fatal("a reader sees what was not published")
	}
	if _, ok := g.Head().Node("doc", "1"); ok {
		t.Fatal("a reader sees the name of what was not published")
	}
	if err := g.Publish(4); err == nil {
		t.Fatal("a revision was published that none was sealed with")
	}
	changed := g.Changed()
	if err := g.Publish(5); err != nil {
		t.Fatal(err)
	}
	<-changed
	head := g.Head()
	if !has(head, a) || has(head, b) || !has(head, c) || head.Revision() != 5 {
		t.Fatal("the head is not what the group wrote")
	}
	if _, ok := head.Node("doc", "new"); ok {
		t.Fatal("a dropped transaction left a name")
	}
	first, err := g.At(2)
	if err != nil || !has(first, a) || has(first, c) {
		t.Fatalf("revision 1 is not what the first member wrote: %v", err)
	}
	commits, err := g.Log(1)
	if err != nil || len(commits) != 2 || commits[0].Revision() != 2 || commits[1].Revision() != 5 {
		t.Fatalf("the log has %d commits, %v", len(commits), err)
	}
}

// TestGroupDropped: when the commit of a group fails, every member goes without a trace,
// names included, and the same names then serve others.
func TestGroupDropped(t *testing.T) {
	g := newGraph(t, graph.Config{})
	write(t, g, 1, viewer("1", "a"))
	if err := g.Publish(1); err != nil {
		t.Fatal(err)
	}
	before := g.Stats()
	for round := range uint64(5) {
		for i := range uint64(40) {
			write(t, g, 2+i, viewer("x"+string(rune('a'+i)), "y"+string(rune('a'+i))))
		}
		if round%2 == 0 {
			g.Begin().Drop()
		}
		g.Drop()
		if err := g.Publish(2); err == nil {
			t.Fatal("a dropped revision was published")
		}
		if after := g.Stats(); after.Names != before.Names || after.Tuples != before.Tuples || after.Commits != before.Commits {
			t.Fatalf("round %d: %+v, before it %+v", round, after, before)
		}
	}
	write(t, g, 2, viewer("z", "a"), viewer("ya", "xa"))
	if err := g.Publish(2); err != nil {
		t.Fatal(err)
	}
	got := slices.Collect(g.Head().Query(graph.Query{Order: graph.ByResource}))
	if want := []graph.Tuple{viewer("1", "a"), viewer("ya", "xa"), viewer("z", "a")}; !slices.Equal(got, want) {
		t.Fatalf("after the drops: %v, want %v", got, want)
	}
}

// TestGroupModel runs groups with failures in the middle and failed commits beside a model.
func TestGroupModel(t *testing.T) {
	u := &universe{rand.New(rand.NewPCG(4, 4)), 100}
	g := newGraph(t, graph.Config{Recent: 50})
	m := make(model)
	rev := uint64(0)
	for range 2 * *rounds {
		pending := maps.Clone(m)
		var revs []uint64
		var models []model
		for range u.IntN(6) {
			tx := g.Begin()
			next := maps.Clone(pending)
			change(t, u, tx, next, u.IntN(25))
			if u.IntN(3) == 0 {
				tx.Drop()
				tx.Drop() // as deferred
				if _, err := tx.Touch(u.tuple()); !errors.Is(err, graph.ErrEnded) {
					t.Fatalf("a dropped transaction was written: %v", err)
				}
				continue
			}
			rev++
			if _, err := tx.Seal(rev, epoch); err != nil {
				t.Fatal(err)
			}
			revs, models, pending = append(revs, rev), append(models, next), next
		}
		compareQuery(t, g.Head(), m, u.query())
		if len(revs) == 0 {
			continue
		}
		done := u.IntN(len(revs) + 1) // of these the commit succeeds
		if done > 0 {
			if err := g.Publish(revs[done-1]); err != nil {
				t.Fatal(err)
			}
			m = models[done-1]
		}
		if done < len(revs) {
			g.Drop()
			rev = g.Head().Revision()
		}
		compareState(t, g.Head(), m)
		for i := range done {
			s, err := g.At(revs[i])
			if err != nil {
				t.Fatal(err)
			}
			compareState(t, s, models[i])
		}
	}
}
