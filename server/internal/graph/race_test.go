package graph_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// TestReaders lets readers of all kinds go on while one writer writes, drops and publishes,
// under the race detector in CI. Every snapshot must agree with itself: its checksum is
// that of the tuples that it yields, and a watcher's copy has the head's.
func TestReaders(t *testing.T) {
	g := newGraph(t, graph.Config{Recent: 60, Changes: 2000})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for i := range uint64(3) {
		readers.Go(func() { readOn(t, g, &universe{rand.New(rand.NewPCG(i, 8)), 300}, stop) })
	}
	readers.Go(func() { watchOn(t, g, stop) })
	u := &universe{rand.New(rand.NewPCG(1, 8)), 300}
	rev := uint64(0)
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); {
		for range 1 + u.IntN(3) {
			tx := g.Begin()
			for range u.IntN(30) {
				var err error
				if u.IntN(3) == 0 {
					_, err = tx.Delete(u.tuple())
				} else {
					_, err = tx.Touch(u.tuple())
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if u.IntN(4) == 0 {
				tx.Drop()
				continue
			}
			rev++
			if _, err := tx.Seal(rev, epoch.Add(time.Duration(rev)*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		if u.IntN(5) == 0 || g.Head().Revision() == rev {
			g.Drop()
			rev = g.Head().Revision()
		} else if err := g.Publish(rev); err != nil {
			t.Fatal(err)
		}
	}
	tx := g.Begin() // so that a waiting watcher wakes
	if _, err := tx.Seal(rev+1, epoch.Add(time.Duration(rev+1)*time.Second)); err != nil {
		t.Fatal(err)
	}
	close(stop)
	if err := g.Publish(rev + 1); err != nil {
		t.Fatal(err)
	}
	readers.Wait()
	t.Logf("%d revisions", rev)
}

func readOn(t *testing.T, g *graph.Graph, u *universe, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		s := g.Head()
		if back := uint64(u.IntN(40)); back < s.Revision() && u.IntN(2) == 0 {
			var err error
			if s, err = g.At(s.Revision() - back); errors.Is(err, graph.ErrTooOld) {
				continue
			} else if err != nil {
				t.Error(err)
				return
			}
		}
		all := slices.Collect(s.Query(graph.Query{Order: graph.Order(u.IntN(3))}))
		m := make(model, len(all))
		for _, tu := range all {
			m[tu.String()] = tu
		}
		if len(all) != s.Tuples() || m.sum() != s.Sum() {
			t.Errorf("revision %d yields %d tuples with sum %x, and says %d, %x", s.Revision(), len(all), m.sum(), s.Tuples(), s.Sum())
			return
		}
		compareQuery(t, s, m, u.query())
		for range 50 {
			tu := u.tuple()
			res, ok1 := s.Node(tu.Resource.Type, tu.Resource.ID)
			sub, ok2 := s.Node(tu.Subject.Type, tu.Subject.ID)
			rel, ok3 := s.Rel(tu.Resource.Type, tu.Relation)
			kind, ok4 := s.Rel(tu.Subject.Type, tu.Subject.Relation)
			_, there := m[tu.String()]
			found := false
			if ok1 && ok2 && ok3 && ok4 {
				_, found = s.HasEdge(res, rel, sub, kind)
			}
			if found != there {
				t.Errorf("revision %d: HasEdge(%s) = %v", s.Revision(), tu, found)
			}
		}
	}
}

// watchOn keeps a copy by the log, and begins again from the head when it fell behind.
func watchOn(t *testing.T, g *graph.Graph, stop chan struct{}) {
	s := g.Head()
	for {
		sum, rev := s.Sum(), s.Revision()
		m := make(model)
		for tu := range s.Query(graph.Query{}) {
			m[tu.String()] = tu
		}
		for {
			changed := g.Changed()
			commits, err := g.Log(rev)
			if errors.Is(err, graph.ErrTooOld) {
				break
			} else if err != nil {
				t.Error(err)
				return
			}
			for _, c := range commits {
				for u := range c.Updates() {
					if have, ok := m[u.Tuple.String()]; ok {
						sum -= graph.Sum(&have)
					}
					if m.apply(u); u.Op == relation.Touch {
						sum += graph.Sum(&u.Tuple)
					}
				}
				if sum != c.Sum() {
					t.Errorf("the log up to revision %d leads to %x, want %x", c.Revision(), sum, c.Sum())
					return
				}
				rev = c.Revision()
			}
			select {
			case <-stop:
				return
			case <-changed:
			}
		}
		s = g.Head()
	}
}
