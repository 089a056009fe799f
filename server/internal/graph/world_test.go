package graph_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// world is a register in the shape of the real one: 45 % of the parties are sub-units of
// another, the others have a manager, a board, an accountant and now and then an auditor.
// The accountants' clients follow a power law, and one user has a tenth of all parties.
type world struct {
	parties, users int
	rng            *rand.Rand
}

func newWorld(parties int) *world {
	return &world{parties: parties, users: parties * 6 / 10, rng: rand.New(rand.NewPCG(1, uint64(parties)))}
}

func partyID(i int) string { return strconv.Itoa(50_000_000 + i) }
func userID(i int) string  { return strconv.Itoa(200_000_000 + i) }

// firm draws an accounting firm: the first few have a great many clients.
func (w *world) firm() int {
	firms := float64(max(w.parties/500, 2))
	return int(math.Pow(firms, w.rng.Float64())) - 1
}

// each calls yield for every tuple, resource by resource.
func (w *world) each(yield func(*graph.Tuple)) {
	var t graph.Tuple
	put := func(party int, rel, subjectType, subjectID string) {
		t.Resource = relation.Object{Type: "party", ID: partyID(party)}
		t.Relation = rel
		t.Subject = relation.Subject{Object: relation.Object{Type: subjectType, ID: subjectID}}
		yield(&t)
	}
	user := func() int { return w.rng.IntN(w.users-1) + 1 }
	for i := range w.parties {
		if w.rng.IntN(100) < 45 {
			put(i, "main_unit", "party", partyID(w.rng.IntN(w.parties)))
			continue
		}
		dagl := user()
		if w.rng.IntN(10) == 0 {
			dagl = 0 // the user with many parties
		}
		put(i, "dagl", "user", userID(dagl))
		put(i, "regn_org", "party", partyID(w.firm()))
		if w.rng.IntN(4) == 0 {
			put(i, "revi_org", "party", partyID(w.firm()))
		}
		put(i, "lede", "user", userID(user()))
		board := user()
		for m := range w.rng.IntN(4) {
			put(i, "medl", "user", userID((board+m)%w.users))
		}
	}
}

func (w *world) load(tb testing.TB) (*graph.Graph, *graph.Snapshot) {
	tb.Helper()
	g, err := graph.New(graph.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	l, err := g.NewLoader()
	if err != nil {
		tb.Fatal(err)
	}
	w.each(func(t *graph.Tuple) {
		if err := l.Add(t); err != nil {
			tb.Fatal(err)
		}
	})
	s, err := l.Finish(1, time.Unix(0, 0))
	if err != nil {
		tb.Fatal(err)
	}
	return g, s
}
