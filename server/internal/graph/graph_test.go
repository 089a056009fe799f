package graph_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// rounds is how long the random tests go on: more finds more.
var rounds = flag.Int("rounds", 60, "rounds of the random tests")

func newGraph(t testing.TB, c graph.Config) *graph.Graph {
	t.Helper()
	g, err := graph.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// compareChanges compares what a transaction says that it did with the models before and
// after it.
func compareChanges(t testing.TB, tx *graph.Tx, before, after model) {
	t.Helper()
	got := maps.Clone(before)
	seen := make(map[string]bool)
	for u, was := range tx.Changes() {
		text := u.Tuple.String()
		have, existed := before[text]
		if seen[text] || was != existed || u.Op == relation.Delete && u.Tuple != have {
			t.Fatalf("change %+v, was there: %v; repeated: %v; before: %+v", u, was, seen[text], have)
		}
		seen[text] = true
		got.apply(u)
	}
	if !maps.Equal(got, after) || tx.Changed() != (len(seen) > 0) {
		t.Fatalf("the transaction's %d changes do not lead from before it to after it", len(seen))
	}
}

// change makes random changes in a transaction and in a model.
func change(t testing.TB, u *universe, tx *graph.Tx, m model, n int) {
	t.Helper()
	for range n {
		tu := u.tuple()
		have, exists := m[tu.String()]
		switch op := u.IntN(10); {
		case op < 3:
			if deleted, err := tx.Delete(tu); err != nil || deleted != exists {
				t.Fatalf("Delete(%s) = %v, %v; it existed: %v", tu, deleted, err, exists)
			}
			delete(m, tu.String())
		case op < 5:
			err := tx.Create(tu)
			existing, conflict := errors.AsType[*graph.ExistsError](err)
			if conflict != exists || conflict && existing.Existing != have || !conflict && err != nil {
				t.Fatalf("Create(%s) = %v; it existed: %v", tu, err, exists)
			}
			if !exists {
				m[tu.String()] = tu
			}
		default:
			changed, err := tx.Touch(tu)
			if err != nil || changed != (!exists || have != tu) {
				t.Fatalf("Touch(%+v) = %v, %v; it was %+v", tu, changed, err, have)
			}
			m[tu.String()] = tu
		}
	}
}

// TestModel runs random transactions beside the model and compares both, at the head, in
// views of open transactions, in snapshots held, and in snapshots made again.
func TestModel(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			u := &universe{rand.New(rand.NewPCG(seed, 1)), []int{20, 200, 2000}[seed%3]}
			g := newGraph(t, graph.Config{Recent: 60, Changes: 1 << 20})
			m := make(model)
			type held struct {
				s *graph.Snapshot
				m model
			}
			var all []held
			all = append(all, held{g.Head(), maps.Clone(m)})
			rev := uint64(0)
			for round := range *rounds {
				tx := g.Begin()
				next := maps.Clone(m)
				change(t, u, tx, next, u.IntN(40))
				view := tx.View()
				viewed := maps.Clone(next)
				change(t, u, tx, next, u.IntN(10))
				compareQuery(t, view, viewed, u.query())
				compareQuery(t, tx.View(), next, u.query())
				if u.IntN(2) == 0 {
					compareChanges(t, tx, m, next)
					change(t, u, tx, next, u.IntN(10))
					compareChanges(t, tx, m, next)
				}
				if u.IntN(4) == 0 {
					tx.Drop()
					compareQuery(t, g.Head(), m, u.query())
					continue
				}
				rev += uint64(1 + u.IntN(3))
				if _, err := tx.Seal(rev, epoch); err != nil {
					t.Fatal(err)
				}
				compareQuery(t, g.Head(), m, u.query()) // not yet
				if err := g.Publish(rev); err != nil {
					t.Fatal(err)
				}
				compareWatch(t, g, m, next)
				m = next
				all = append(all, held{g.Head(), maps.Clone(m)})
				for range 10 {
					compareQuery(t, g.Head(), m, u.query())
				}
				if round%10 == 0 {
					compareState(t, g.Head(), m)
				}
				old := all[u.IntN(len(all))]
				compareQuery(t, old.s, old.m, u.query())
				again, err := g.At(old.s.Revision())
				if err != nil {
					t.Fatal(err)
				}
				compareQuery(t, again, old.m, u.query())
			}
			for _, h := range all {
				compareState(t, h.s, h.m)
				again, err := g.At(h.s.Revision())
				if err != nil || again.Revision() != h.s.Revision() {
					t.Fatalf("At(%d) = %v", h.s.Revision(), err)
				}
				compareState(t, again, h.m)
			}
		})
	}
}

// compareWatch applies the newest commit to the model before it.
func compareWatch(t *testing.T, g *graph.Graph, before, after model) {
	t.Helper()
	commits, err := g.Log(g.Oldest())
	if err != nil || len(commits) == 0 {
		t.Fatalf("Log: %d commits, %v", len(commits), err)
	}
	c := commits[len(commits)-1]
	got := maps.Clone(before)
	n := 0
	for u := range c.Updates() {
		n++
		got.apply(u)
	}
	if n != c.Len() || !maps.Equal(got, after) || c.Sum() != after.sum() {
		t.Fatalf("the log of revision %d does not lead from its predecessor to it", c.Revision())
	}
}

// TestLoad loads what a transaction wrote, sorted and not, and compares.
func TestLoad(t *testing.T) {
	for seed := range uint64(4) {
		u := &universe{rand.New(rand.NewPCG(seed, 2)), []int{30, 3000}[seed%2]}
		m := make(model)
		for range 3000 {
			tu := u.tuple()
			m[tu.String()] = tu
		}
		g := newGraph(t, graph.Config{Recent: 20})
		l, err := g.NewLoader()
		if err != nil {
			t.Fatal(err)
		}
		tuples := m.query(graph.Query{Order: graph.ByResource})
		if seed >= 2 {
			u.Shuffle(len(tuples), func(i, j int) { tuples[i], tuples[j] = tuples[j], tuples[i] })
		}
		for i := range tuples {
			if err := l.Add(&tuples[i]); err != nil {
				t.Fatal(err)
			}
		}
		s, err := l.Finish(7, epoch)
		if err != nil || s != g.Head() || s.Revision() != 7 || !s.At().Equal(epoch) {
			t.Fatalf("Finish = %v, %v", s, err)
		}
		compareState(t, s, m)
		for range 2 * *rounds {
			compareQuery(t, s, m, u.query())
		}
		tx := g.Begin() // a loaded graph is written like any other
		next := maps.Clone(m)
		change(t, u, tx, next, 2000)
		if _, err := tx.Seal(8, epoch); err != nil {
			t.Fatal(err)
		}
		if err := g.Publish(8); err != nil {
			t.Fatal(err)
		}
		compareState(t, g.Head(), next)
		compareState(t, s, m)
		compareWatch(t, g, m, next)
	}
}

// TestLoadRefuses: a repeated tuple is named and leaves an empty graph, and a graph with
// revisions is not loaded.
func TestLoadRefuses(t *testing.T) {
	u := &universe{rand.New(rand.NewPCG(1, 1)), 100}
	g := newGraph(t, graph.Config{})
	l, err := g.NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	twice := u.tuple()
	for _, tu := range []graph.Tuple{twice, u.tuple(), u.tuple(), twice} {
		if err := l.Add(&tu); err != nil {
			t.Fatal(err)
		}
	}
	_, err = l.Finish(1, epoch)
	if e, ok := errors.AsType[*graph.ExistsError](err); !ok || e.Existing != twice {
		t.Fatalf("Finish = %v, want that %s exists", err, twice)
	}
	if st := g.Stats(); st.Tuples != 0 || st.Names != 0 || g.Head().Revision() != 0 {
		t.Fatalf("after a failed load: %+v", st)
	}
	if l, err = g.NewLoader(); err != nil {
		t.Fatal(err)
	}
	if err := l.Add(&twice); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Finish(1, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.NewLoader(); !errors.Is(err, graph.ErrNotEmpty) {
		t.Fatalf("NewLoader = %v, want ErrNotEmpty", err)
	}
}
