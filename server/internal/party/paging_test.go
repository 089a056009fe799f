package party_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

const (
	mainUnits = 6 // stable parties, each with one stable sub-unit
	visitors  = 6 // parties that come and go, every other one a sub-unit of a stable one
)

// While others come and go and names change, every party that is there throughout is on
// exactly one page, and no party is on two.
func TestPagesWhilePartiesComeAndGo(t *testing.T) {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(7, 11))
	name := func() string {
		return fmt.Sprintf("%c%c %d", 'A'+rune(random.IntN(26)), 'A'+rune(random.IntN(26)), random.IntN(5))
	}
	var stable []party.Party
	for i := range mainUnits {
		id := party.ID(1 + 2*i)
		stable = append(stable,
			party.Party{ID: id, Name: name(), OrgNumber: fmt.Sprint(910_000_000 + random.IntN(1e6))},
			party.Party{ID: id + 1, Name: name(), OrgNumber: fmt.Sprint(920_000_000 + random.IntN(1e6)), MainUnit: id})
	}
	w.put(stable...)
	for _, p := range stable {
		w.user("regn", 100, int64(p.ID))
	}
	var guests []party.Party
	for i := range visitors {
		p := party.Party{ID: party.ID(1000 + i), Name: name(), OrgNumber: fmt.Sprint(915_000_000 + random.IntN(1e6))}
		if i%2 == 0 {
			p.MainUnit = stable[2*random.IntN(mainUnits)].ID
		}
		guests = append(guests, p)
	}

	turns := make(chan struct{}, 1)
	var writer sync.WaitGroup
	writer.Go(func() { comeAndGo(w, stable, guests, turns) })
	for _, q := range []party.Query{
		{Order: party.ByName}, {Order: party.ByNumber}, {Order: party.ByID},
		{Group: true}, {Group: true, Order: party.ByNumber}, {Role: "regn", ExcludeDeleted: true},
	} {
		q.User = 100
		for _, q.PageSize = range []int{1, 5} {
			seen := allPages(w, q, turns)
			for _, p := range stable {
				if seen[p.ID] != 1 {
					t.Errorf("%+v: party %d, there throughout, is on %d pages", q, p.ID, seen[p.ID])
				}
			}
			for _, p := range guests {
				if seen[p.ID] > 1 {
					t.Errorf("%+v: party %d is on %d pages", q, p.ID, seen[p.ID])
				}
			}
		}
	}
	close(turns)
	writer.Wait()
}

// comeAndGo makes a few changes at each turn: a guest gets or loses role or record, a
// stable party another name, which brings it elsewhere.
func comeAndGo(w *world, stable, guests []party.Party, turns <-chan struct{}) {
	random := rand.New(rand.NewPCG(3, 5))
	for range turns {
		for range 3 {
			p := guests[random.IntN(len(guests))]
			role := relation.Relationship{Resource: relation.Party(int64(p.ID)), Relation: "regn", Subject: relation.User(100)}
			op := relation.Touch
			if random.IntN(2) == 0 {
				op = relation.Delete
				w.directory.Apply(nil, []party.ID{p.ID})
			} else {
				w.directory.Apply([]party.Party{p}, nil)
			}
			if _, err := w.engine.Write(w.t.Context(), []relation.Update{{Op: op, Relationship: role}}); err != nil {
				w.t.Error(err)
			}
			renamed := stable[random.IntN(len(stable))]
			renamed.Name = stable[random.IntN(len(stable))].Name
			w.directory.Apply([]party.Party{renamed}, nil)
		}
	}
}

// allPages counts on how many pages each party is.
func allPages(w *world, q party.Query, turns chan<- struct{}) map[party.ID]int {
	seen := map[party.ID]int{}
	for {
		list := w.list(q)
		if len(list.Entries) > q.PageSize {
			w.t.Errorf("a page has %d entries, %d were asked for", len(list.Entries), q.PageSize)
		}
		for _, e := range list.Entries {
			seen[e.ID]++
			for _, unit := range e.SubUnits {
				seen[unit.ID]++
			}
		}
		if q.PageToken = list.Next; q.PageToken == "" {
			return seen
		}
		select {
		case turns <- struct{}{}:
		default: // it is still at the last one
		}
	}
}
