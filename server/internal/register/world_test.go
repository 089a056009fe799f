package register_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// world is a register over the real engine, real records and the real directory.
type world struct {
	*register.Service
	t         *testing.T
	records   *records.Store
	graph     *graph
	directory *party.Directory
	estates   *decision.Estates
	log       *bytes.Buffer
}

// graph is the real engine, which can be told to fail.
type graph struct {
	*engine.Engine
	mu     sync.Mutex
	writes int  // how many writes were asked for
	failAt int  // the write that fails, 0 for none
	late   bool // fail after the tuples are written
}

var errGraph = fault.New(fault.Unavailable, fault.ReasonUnavailable, "the graph is told to fail")

// Write passes the write on, unless it is the one to fail.
func (g *graph) Write(ctx context.Context, updates []relation.Update) (relation.Revision, error) {
	g.mu.Lock()
	g.writes++
	fails := g.writes == g.failAt
	g.mu.Unlock()
	if fails && !g.late {
		return "", errGraph
	}
	revision, err := g.Engine.Write(ctx, updates)
	if fails && err == nil {
		return "", errGraph
	}
	return revision, err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	log := &bytes.Buffer{}
	logger := slog.New(slog.NewJSONHandler(log, nil))
	store, err := records.Open(t.Context(), records.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, records: store, graph: &graph{Engine: shared}, directory: party.NewDirectory(), log: log}
	w.estates, err = decision.NewEstates(w.graph)
	if err != nil {
		t.Fatal(err)
	}
	w.Service, err = register.New(register.Config{
		Estates: w.estates, Records: store, Relations: w.graph, Directory: w.directory, Catalogue: catalogue(t), Logger: logger,
		Now: func() time.Time { return today },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.empty()
	return w
}

// shared is the engine of all tests, which run one after the other: writing the schema is
// what takes time.
var shared *engine.Engine

func TestMain(m *testing.M) { os.Exit(withEngine(m)) }

func withEngine(m *testing.M) (code int) {
	var err error
	if shared, err = engine.New(engine.Config{}); err == nil {
		if err = shared.EnsureSchema(context.Background(), relations.Schema); err == nil {
			code = m.Run()
		}
		err = errors.Join(err, shared.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		return 1
	}
	return code
}

// empty takes away what an earlier test has left in the graph.
func (w *world) empty() {
	w.t.Helper()
	all, _, err := shared.Read(w.t.Context(), relation.At{}, ofParties()...)
	if err != nil {
		w.t.Fatal(err)
	}
	updates := make([]relation.Update, len(all))
	for i, r := range all {
		updates[i] = relation.Update{Op: relation.Delete, Relationship: r}
	}
	if _, err := shared.Write(w.t.Context(), updates); err != nil && len(updates) > 0 {
		w.t.Fatal(err)
	}
}

// ofParties selects the tuples that follow from what is recorded of parties.
func ofParties() []relation.Filter {
	return []relation.Filter{{ResourceType: relation.TypeParty}, {ResourceType: relation.TypeRight}, {ResourceType: relation.TypeClientDelegation}, {ResourceType: relation.TypeEstateRole}}
}

// tuples shows every tuple of a party and of what it delegates.
func (w *world) tuples() []string {
	w.t.Helper()
	all, _, err := w.graph.Read(w.t.Context(), relation.At{}, ofParties()...)
	if err != nil {
		w.t.Fatal(err)
	}
	return texts(all)
}

// wantTuples compares the whole graph.
func (w *world) wantTuples(want ...string) {
	w.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(append([]string{}, want...), w.tuples()); diff != "" {
		w.t.Errorf("tuples, - wanted, + got:\n%s", diff)
	}
}

// parties returns the records, and checks that the directory has the same.
func (w *world) parties() map[party.ID]party.Party {
	w.t.Helper()
	found := make(map[party.ID]party.Party)
	err := w.records.Parties(w.t.Context(), func(p party.Party) error {
		found[p.ID] = p
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for id, p := range found {
		if got, ok := w.directory.Get(id); !ok || got != p {
			w.t.Errorf("the directory has %v, %v; the records %v", got, ok, p)
		}
	}
	if w.directory.Len() != len(found) {
		w.t.Errorf("the directory has %d parties, the records %d", w.directory.Len(), len(found))
	}
	return found
}

// state is all that can be seen of a register, to show that nothing has changed.
func (w *world) state() string {
	w.t.Helper()
	head, err := w.graph.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var rows string
	err = w.records.Read(w.t.Context(), func(tx *records.Tx) error {
		err := tx.Assertions(w.t.Context(), func(a records.Assertion) error {
			rows += fmt.Sprintf("%+v\n", a)
			return nil
		})
		return errors.Join(err, tx.NamesOthers(w.t.Context(), nil, func(from, to party.ID) error {
			rows += fmt.Sprintln(from, to)
			return nil
		}))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprint(head, "\n", w.tuples(), "\n", rows, w.parties())
}

// file is what a source says.
type file map[string][]register.Entry

// run imports files.
func (w *world) run(h register.Header, f file) (register.Outcome, error) {
	w.t.Helper()
	for source := range f {
		h.Sources = append(h.Sources, source)
	}
	slices.Sort(h.Sources)
	i, err := w.Begin(h)
	if err != nil {
		return register.Outcome{}, err
	}
	defer i.Close()
	for _, source := range h.Sources {
		for n, e := range f[source] {
			e.File, e.Line = source, int64(n+1)
			if _, err := i.Add(source, []register.Entry{e}); err != nil {
				return register.Outcome{}, err
			}
		}
	}
	return i.Commit(w.t.Context(), func(register.Progress) {})
}

// whole imports files that must all be right.
func (w *world) whole(f file) register.Outcome {
	w.t.Helper()
	outcome, err := w.run(register.Header{AllowRemovals: true}, f)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(outcome.Refusals) > 0 {
		w.t.Fatalf("refused: %v", outcome.Refusals)
	}
	return outcome
}

func entry(r register.PartyRecord) register.Entry { return register.Entry{Party: &r} }

func hold(from, role, to string) register.Entry {
	return register.Entry{Assignment: &register.AssignmentRecord{From: from, Role: role, To: to}}
}

func holdUntil(from, role, to string, expires time.Time) register.Entry {
	e := hold(from, role, to)
	e.Assignment.Expires = expires
	return e
}

func org(id party.ID, number, unitType string) register.Entry {
	return entry(register.PartyRecord{ID: id, Kind: party.Organisation, Name: "ORG " + number, OrgNumber: number, UnitType: unitType})
}

func subUnit(id party.ID, number, main string) register.Entry {
	return entry(register.PartyRecord{ID: id, Kind: party.SubUnit, Name: "SUB " + number, OrgNumber: number, UnitType: "BEDR", MainUnit: main})
}

// person can log in.
func person(id party.ID, nationalID string, user party.UserID) register.Entry {
	return entry(register.PartyRecord{ID: id, Kind: party.Person, Name: "P " + nationalID, NationalID: nationalID, UserID: user, Login: true})
}

// keyed is a person of whom only a name is known.
func keyed(key string) register.Entry {
	return entry(register.PartyRecord{Kind: party.Person, Name: "K " + key, Key: key})
}

// reasonOf returns the reason of a fault.
func reasonOf(err error) fault.Reason {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.Reason
	}
	return ""
}
