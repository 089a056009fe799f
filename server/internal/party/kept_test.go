package party_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// newFileWorld is newWorld over a database file, where lists are walked and long ones kept.
func newFileWorld(t *testing.T) *world {
	t.Helper()
	data, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "behalf.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	e, err := engine.New(engine.Config{Logger: slog.New(slog.DiscardHandler), Datastore: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if err := e.EnsureSchema(t.Context(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, engine: e, directory: party.NewDirectory()}
	w.Service = w.again()
	return w
}

// again returns a service over the same world that has kept nothing.
func (w *world) again() *party.Service {
	w.t.Helper()
	s, err := party.New(party.Config{Relations: w.engine, Directory: w.directory, Policies: openers{}})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// openers is a policy that names two roles, whatever is asked about.
type openers struct{}

func (openers) Openers(context.Context, relation.At, string, string) (roles, packages []string, err error) {
	return []string{"regn", "lede"}, nil, nil
}

// right writes or removes a right of user 100 to a resource, which a party has delegated.
func (w *world) right(op relation.Op, of int64, resource string) {
	w.t.Helper()
	right, err := relation.Right(of, resource, "read", "", "")
	if err == nil {
		_, err = w.engine.Write(w.t.Context(), []relation.Update{{Op: op, Relationship: relation.Relationship{
			Resource: right, Relation: "user", Subject: relation.User(100),
		}}})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// keptParties are so many that their list is kept.
const keptParties = 700

// drawn is a party with a name and a number that were drawn.
func drawn(random *rand.Rand, id int) party.Party {
	p := party.Party{
		ID: party.ID(id), Kind: party.Organisation,
		Name:      fmt.Sprintf("%c%c %d", 'A'+rune(random.IntN(26)), 'A'+rune(random.IntN(26)), random.IntN(5)),
		OrgNumber: fmt.Sprint(910_000_000 + random.IntN(1e6)),
	}
	if random.IntN(8) == 0 {
		p.DeletedOn = "2024-01-31"
	}
	if random.IntN(4) == 0 {
		p.MainUnit = party.ID(1 + random.IntN(2*keptParties))
	}
	return p
}

// What is kept of lists is given out only where a service that has kept nothing says the same,
// whatever changed: rights, records, or time.
func TestKeptListsAreFresh(t *testing.T) {
	w := newFileWorld(t)
	random := rand.New(rand.NewPCG(5, 8))
	ids := make([]int64, keptParties)
	var all []party.Party
	for i := range ids {
		ids[i] = int64(i + 1)
		all = append(all, drawn(random, i+1))
	}
	w.directory.Apply(all, nil)
	w.user("regn", 100, ids...)
	queries := []party.Query{
		{Order: party.ByName}, {Order: party.ByNumber, ExcludeDeleted: true}, {Order: party.ByID, Role: "regn"},
		{Group: true}, {Group: true, Order: party.ByNumber, ExcludeDeleted: true},
		{Search: "a"}, {Search: "b 1", Group: true}, {Search: "9100", Order: party.ByNumber},
		{Resource: "loan", Order: party.ByID}, {Resource: "account", Group: true},
	}
	tokens := make([]string, len(queries))
	for round := range 60 {
		w.changeKept(random, round)
		for i, q := range queries {
			q.User, q.PageSize = 100, []int{0, 1, 40}[random.IntN(3)]
			if random.IntN(2) == 0 {
				q.PageToken = tokens[i]
			}
			want, err := w.again().List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got := w.list(q)
			want.Next, tokens[i] = got.Next, got.Next // the moment in it may be another one, with the same places
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("round %d: %+v (-want +got):\n%s", round, q, diff)
			}
			direct, _, err := w.engine.Subjects(t.Context(), relation.At{}, relation.Party(1), "represent", "user")
			if err != nil || len(direct) == 0 {
				t.Fatal(direct, err)
			}
		}
	}
}

// changeKept changes something that the lists rest on, something else, or nothing.
func (w *world) changeKept(random *rand.Rand, round int) {
	id := 2 + random.IntN(2*keptParties)
	switch random.IntN(10) {
	case 0:
		w.directory.Apply([]party.Party{drawn(random, id)}, nil)
	case 1:
		w.directory.Apply(nil, []party.ID{party.ID(id)})
	case 2:
		w.write(relation.Delete, "regn", relation.User(100), []int64{int64(id)})
	case 3:
		w.user("regn", 100, int64(id))
	case 4:
		w.user("dagl", int64(1000+round), int64(id)) // somebody else
	case 5:
		w.directory.Apply([]party.Party{drawn(random, 100_000+round)}, nil)
	case 6:
		w.right(relation.Touch, int64(id), "loan")
	case 7:
		w.right(relation.Delete, int64(id), "loan")
	case 8:
		w.user("lede", 100, int64(id)) // too few to be kept by themselves
	}
}

// A right that ends while its list is kept ends there, too.
func TestKeptListsForgetExpired(t *testing.T) {
	w := newFileWorld(t)
	ids := make([]int64, keptParties)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	w.user("regn", 100, ids...)
	end := time.Now().Add(time.Hour)
	_, err := w.engine.Write(t.Context(), []relation.Update{{Op: relation.Touch, Relationship: relation.Relationship{
		Resource: relation.Party(5000), Relation: "regn", Subject: relation.User(100), Expires: end,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{-time.Minute, keptParties + 1}, {-time.Second, keptParties + 1}, {0, keptParties}, {time.Minute, keptParties}, {-time.Minute, keptParties + 1}} {
		pinned, _, err := w.engine.Pin(relation.WithInstant(t.Context(), end.Add(c.at)), relation.At{})
		if err != nil {
			t.Fatal(err)
		}
		list, err := w.List(pinned, party.Query{User: 100, PageSize: 1})
		if err != nil || list.Total != c.want {
			t.Errorf("at %v: %d parties, want %d; %v", c.at, list.Total, c.want, err)
		}
	}
}

// Readers share what is kept while others write, and each sees what was written before he asked.
func TestKeptListsWhileWriting(t *testing.T) {
	w := newFileWorld(t)
	random := rand.New(rand.NewPCG(21, 34))
	ids := make([]int64, keptParties)
	var all []party.Party
	for i := range ids {
		ids[i] = int64(i + 1)
		all = append(all, drawn(random, i+1))
	}
	w.directory.Apply(all, nil)
	w.user("regn", 100, ids...)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for i := range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				q := party.Query{User: 100, PageSize: 50, Group: i%2 == 0, Order: party.Order(i % 3)}
				for range 3 {
					list, err := w.List(t.Context(), q)
					if err != nil {
						t.Error(err)
						return
					}
					q.PageToken = list.Next
				}
			}
		})
	}
	for round := range 40 {
		w.changeKept(random, round)
		guest := int64(10_000 + round)
		w.user("regn", 100, guest)
		if list := w.list(party.Query{User: 100, Order: party.ByID}); list.Entries[len(list.Entries)-1].ID != party.ID(guest) {
			t.Errorf("round %d: the last party is %d, want %d", round, list.Entries[len(list.Entries)-1].ID, guest)
		}
		w.write(relation.Delete, "regn", relation.User(100), []int64{guest})
		if list := w.list(party.Query{User: 100, Order: party.ByID}); list.Entries[len(list.Entries)-1].ID >= 10_000 {
			t.Errorf("round %d: party %d is still there", round, list.Entries[len(list.Entries)-1].ID)
		}
	}
	close(done)
	readers.Wait()
}
