package graph_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// hub draws tuples that nearly all have one of two objects at one of their ends.
func (u *universe) hub() graph.Tuple {
	t := u.tuple()
	if u.IntN(100) == 0 { // large at both ends
		t.Resource = relation.Object{Type: "doc", ID: "hub"}
		t.Subject = relation.Subject{Object: relation.Object{Type: "user", ID: "hub"}, Relation: pick(u, "", "alias")}
		return t
	}
	if u.IntN(2) == 0 {
		t.Resource = relation.Object{Type: "doc", ID: "hub"}
		t.Subject = relation.Subject{Object: relation.Object{Type: pick(u, "user", "user", "group"), ID: fmt.Sprint("s", u.IntN(u.users))}}
		if t.Subject.Type == "group" {
			t.Subject.Relation = "member"
		}
		return t
	}
	t.Resource = relation.Object{Type: pick(u, "doc", "doc", "group"), ID: fmt.Sprint("r", u.IntN(u.users))}
	t.Subject = relation.Subject{Object: relation.Object{Type: "user", ID: "hub"}, Relation: pick(u, "", "", "", "alias")}
	return t
}

// hubQuery draws queries about them.
func (u *universe) hubQuery(m model) graph.Query {
	q := graph.Query{Order: pick(u, graph.ByResource, graph.BySubject, graph.BySubject, graph.Unsorted)}
	some := func(n int) bool { return u.IntN(n) == 0 }
	forward := some(2)
	if forward {
		q.ResourceIDs = []string{"hub"}
		if some(2) {
			q.ResourceType = "doc"
		}
	} else {
		s := graph.Subjects{Type: "user", IDs: []string{"hub"}, Plain: some(2)}
		q.Subjects = []graph.Subjects{s}
		if some(3) {
			q.Subjects[0].IDs = append(q.Subjects[0].IDs, "u0", "s1")
		}
	}
	if some(2) {
		q.Relation = pick(u, "viewer", "member")
	}
	if some(3) { // a few on the far side, which must be sought, some by two selections
		for range 6 {
			if forward {
				q.Subjects = append(q.Subjects, graph.Subjects{IDs: []string{fmt.Sprint("s", u.IntN(u.users)), "s1", "s2", "s3", "s4"}})
			} else {
				q.ResourceIDs = append(q.ResourceIDs, fmt.Sprint("r", u.IntN(u.users)))
			}
		}
	}
	if some(6) {
		q.ResourceIDs = []string{"hub"}
		q.Subjects = []graph.Subjects{{IDs: []string{"hub", "s1"}}, {Type: "user", IDs: []string{"hub"}}}[:1+u.IntN(2)]
	}
	if some(3) {
		q.Now = epoch.Add(2)
	}
	if q.Order != graph.Unsorted && some(2) {
		after := u.hub()
		for _, after = range m {
			break // any tuple that is there
		}
		q.After = &after
	}
	if some(2) {
		q.Limit = uint64(1 + u.IntN(100))
	}
	return q
}

// TestLarge grows lists to thousands of edges and shrinks them again, several times, so
// that they become trees and return, and compares reads all the while.
func TestLarge(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			u := &universe{rand.New(rand.NewPCG(seed, 5)), 200 + 3000*int(seed)}
			g := newGraph(t, graph.Config{Recent: 2000})
			m := make(model)
			snapshots, models := []*graph.Snapshot{g.Head()}, []model{maps.Clone(m)}
			for round := range 24 {
				tx := g.Begin()
				for range 1200 {
					if round%8 < 5 {
						tu := u.hub()
						if _, err := tx.Touch(tu); err != nil {
							t.Fatal(err)
						}
						m[tu.String()] = tu
						continue
					}
					for text, tu := range m {
						if round%8 == 7 && len(m) < 60 {
							break
						}
						if deleted, err := tx.Delete(tu); err != nil || !deleted {
							t.Fatalf("Delete(%s) = %v, %v", tu, deleted, err)
						}
						delete(m, text)
						break
					}
				}
				rev := uint64(round + 1)
				if _, err := tx.Seal(rev, epoch); err != nil {
					t.Fatal(err)
				}
				if err := g.Publish(rev); err != nil {
					t.Fatal(err)
				}
				for range *rounds / 6 {
					compareQuery(t, g.Head(), m, u.hubQuery(m))
				}
				snapshots, models = append(snapshots, g.Head()), append(models, maps.Clone(m))
			}
			for i, s := range snapshots {
				compareState(t, s, models[i])
				again, err := g.At(s.Revision())
				if err != nil {
					t.Fatal(err)
				}
				compareState(t, again, models[i])
			}
		})
	}
}

// TestPages goes through a large object in pages, in both directions, and gets everything
// once and in order.
func TestPages(t *testing.T) {
	u := &universe{rand.New(rand.NewPCG(1, 6)), 5000}
	g := newGraph(t, graph.Config{})
	tx := g.Begin()
	m := make(model)
	for range 12_000 {
		tu := u.hub()
		if _, err := tx.Touch(tu); err != nil {
			t.Fatal(err)
		}
		m[tu.String()] = tu
	}
	s := tx.View()
	defer tx.Drop()
	hub := []graph.Subjects{{Type: "user", IDs: []string{"hub"}}}
	for _, q := range []graph.Query{
		{Order: graph.ByResource, ResourceType: "doc", ResourceIDs: []string{"hub"}},
		{Order: graph.BySubject, ResourceType: "doc", ResourceIDs: []string{"hub"}},
		{Order: graph.BySubject, ResourceType: "doc", ResourceIDs: []string{"hub"}, Relation: "viewer"},
		{Order: graph.BySubject, Subjects: hub},
		{Order: graph.ByResource, Subjects: hub},
		{Order: graph.ByResource, Subjects: []graph.Subjects{{Type: "user", IDs: []string{"hub"}, Plain: true}}},
		{Order: graph.BySubject, Subjects: hub, ResourceType: "doc", Relation: "viewer"},
		{Order: graph.ByResource}, {Order: graph.BySubject},
	} {
		want := m.query(q)
		var got []graph.Tuple
		for q.Limit = 97; ; {
			page := slices.Collect(s.Query(q))
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			q.After = &page[len(page)-1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %+v: %d tuples, want %d", q, len(got), len(want))
		}
	}
}
