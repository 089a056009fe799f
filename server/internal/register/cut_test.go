package register_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// unnamed is a person without login.
func unnamed(id party.ID, user party.UserID) register.Entry {
	return entry(register.PartyRecord{ID: id, Kind: party.Person, Name: fmt.Sprint("P", id), UserID: user})
}

// then and now are two states of a register that differ in every way: parties and roles
// that come, change and go, holders that are new or gone, owners and their businesses,
// sub-units that move, users that get another id, parties that name each other.
func then() file {
	return file{"test": {
		org(1, "910000001", "AS"), org(2, "910000002", "ENK"), org(3, "910000003", "AS"), org(4, "910000004", "IKS"), org(9, "910000009", "AS"),
		subUnit(5, "910000005", "party:1"), unnamed(11, 111), unnamed(12, 112), unnamed(13, 113), person(14, "07124912037", 114),
		entry(register.PartyRecord{ID: 15, Kind: party.Person, Name: "numbered", NationalID: "07124912038"}),
		hold("party:1", "DAGL", "party:11"), hold("party:1", "REGN", "party:3"), hold("party:2", "INNH", "party:12"), hold("party:3", "LEDE", "party:13"),
		hold("party:4", "DTPR", "party:14"), hold("party:9", "DAGL", "party:13"), hold("party:3", "REVI", "party:9"), hold("party:9", "REVI", "party:3"),
		hold("party:3", "MEDL", "party:15"), hold("party:14", "PRIV", "party:14"),
	}}
}

func now() file {
	return file{"test": {
		org(1, "910000001", "ESEK"), org(3, "910000003", "AS"), org(4, "910000004", "DA"), org(6, "910000006", "ENK"), org(7, "910000007", "AS"),
		org(8, "910000008", "AS"), subUnit(5, "910000005", "party:7"), unnamed(12, 112), person(14, "07124912037", 114), unnamed(16, 116),
		entry(register.PartyRecord{ID: 15, Kind: party.Person, Name: "numbered", NationalID: "07124912038", UserID: 115, Login: true}),
		hold("party:1", "DAGL", "party:16"), hold("party:1", "REGN", "party:7"), hold("party:6", "INNH", "party:12"), hold("party:3", "LEDE", "party:12"),
		hold("party:4", "DTPR", "party:14"), hold("party:7", "REVI", "party:8"), hold("party:8", "REVI", "party:7"), hold("party:3", "MEDL", "party:15"),
		hold("party:16", "PRIV", "party:14"), hold("party:14", "PRIV", "party:16"),
	}}
}

// TestCutShort lets an import fail at each of its writes in turn. Whatever it has written
// by then is whole, and whichever file comes next finds its way from there.
func TestCutShort(t *testing.T) {
	reached := func(f file) []string {
		w := newWorld(t)
		w.whole(f)
		return w.tuples()
	}
	atThen, atNow := reached(then()), reached(now())
	// Person 15 keeps a user id that he was given, whether or not the next file has it.
	numbered := func(all []string) []string {
		kept := make([]string, len(all))
		for i, tuple := range all {
			kept[i], _, _ = strings.Cut(tuple, "#medl@user:")
		}
		return kept
	}
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t)
			w.SetChunk(1)
			w.whole(then())
			w.graph.failAt, w.graph.late = w.graph.writes+n, late
			_, err := w.run(register.Header{AllowRemovals: true}, now())
			if err == nil {
				if n < 12 {
					t.Errorf("the import had only %d writes", n-1)
				}
				break
			}
			if !errors.Is(err, errGraph) {
				t.Fatal(err)
			}
			w.whollyWritten(fmt.Sprintf("late=%v, failure at write %d", late, n))
			next, want := now, atNow
			if n%2 == 0 {
				next, want = then, atThen
			}
			w.whole(next())
			w.whollyWritten(fmt.Sprintf("late=%v, after failure at write %d", late, n))
			if diff := cmp.Diff(numbered(want), numbered(w.tuples())); diff != "" {
				t.Errorf("late=%v, after failure at write %d:\n%s", late, n, diff)
			}
			if outcome := w.whole(next()); outcome.Revision != "" {
				t.Errorf("late=%v, after failure at write %d, the next import but one still found %+v", late, n, outcome)
			}
		}
	}
}

// whollyWritten checks that graph and directory have just what follows from the records.
func (w *world) whollyWritten(when string) {
	w.t.Helper()
	derived, err := w.Derived(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(texts(derived), w.tuples()); diff != "" {
		w.t.Errorf("%s: - records, + graph:\n%s", when, diff)
	}
	w.parties()
}
