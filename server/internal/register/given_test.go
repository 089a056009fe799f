package register_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
)

const program = "47caea5b-a80b-4343-b1d3-31eb523a4e28"

func give(r register.DelegationRecord) register.Entry { return register.Entry{Delegation: &r} }

// giving is a file in which a shop (1) delegates to a person (4), an organisation (2) and a
// program, and its accountant (2) to an agent (5).
func giving() []register.Entry {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return []register.Entry{
		give(register.DelegationRecord{From: "party:1", To: "party:4", Resource: "skd/skatt", Action: "read", GivenAt: day, GivenBy: 103}),
		give(register.DelegationRecord{From: "party:1", To: "party:2", Resource: "app_skd_skatt", Action: "read", GivenAt: day}),
		give(register.DelegationRecord{From: "party:1", To: "systemuser:" + program, Package: "urn:altinn:accesspackage:jordbruk", GivenAt: day, GivenWith: "portal"}),
		give(register.DelegationRecord{From: "party:1", Via: "party:2", To: "party:5", Package: "regnskapsforer-lonn", GivenAt: day, Expires: today.AddDate(1, 0, 0)}),
		give(register.DelegationRecord{From: "party:1", Via: "party:2", To: "systemuser:" + program, Package: "regnskapsforer-lonn", GivenAt: day}),
		give(register.DelegationRecord{From: "party:1", To: "party:4", Package: "fiske", GivenAt: day, Expires: today.AddDate(0, 0, -1)}),
		org(1, "910042963", "AS"), org(2, "910042964", "AS"),
		person(3, "07124912037", 103), person(4, "07124912038", 104), person(5, "07124912039", 105),
		hold("party:1", "DAGL", "party:3"), hold("party:1", "REGN", "party:2"), hold("party:2", "agent", "party:5"),
	}
}

var givingTuples = []string{
	"client_delegation:1/2#client@party:1", "client_delegation:1/2#provider@party:2",
	"client_delegation:1/2#pkg_regnskapsforer_lonn@user:105 until 2027-11-21",
	"client_delegation:1/2#pkg_regnskapsforer_lonn@systemuser:" + program,
	"party:1#client_delegation@client_delegation:1/2", "party:2#agent_system@systemuser:" + program,
	"party:1#pkg_jordbruk@systemuser:" + program,
	"party:1#right@right:1/app_skd_skatt/read", "right:1/app_skd_skatt/read#org@party:2", "right:1/app_skd_skatt/read#user@user:104",
}

var givingRoles = []string{
	"party:1#dagl@user:103", "party:1#regn_org@party:2", "party:2#agent@user:105",
	"party:3#priv@user:103", "party:3#self@user:103", "party:4#priv@user:104", "party:4#self@user:104", "party:5#priv@user:105", "party:5#self@user:105",
}

func (w *world) rows() (all []records.Delegation) {
	w.t.Helper()
	err := w.records.Read(w.t.Context(), func(tx *records.Tx) (err error) {
		all, err = tx.Delegations(w.t.Context(), records.DelegationQuery{Limit: 1000})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestImportDelegations(t *testing.T) {
	w := newWorld(t)
	outcome := w.whole(file{"test": giving()})
	if got := outcome.Sources[0].Delegations; got != (register.Counts{Added: 6}) {
		t.Errorf("the first time: %+v", got)
	}
	w.wantTuples(append(givingRoles, givingTuples...)...)
	before := w.state()
	if got := w.whole(file{"test": giving()}).Sources[0].Delegations; got != (register.Counts{Unchanged: 6}) || w.state() != before {
		t.Errorf("again: %+v", got)
	}
	// What a file no longer says goes; what another source says stays.
	w.whole(file{"other": giving()[:1]})
	less := giving()[6:]
	if got := w.whole(file{"test": less}).Sources[0].Delegations; got != (register.Counts{Removed: 6}) {
		t.Errorf("without delegations: %+v", got)
	}
	w.wantTuples(append(givingRoles, "party:1#right@right:1/app_skd_skatt/read", "right:1/app_skd_skatt/read#user@user:104")...)
	w.whole(file{"other": nil})
	w.wantTuples(givingRoles...)
	if rows := w.rows(); len(rows) != 0 {
		t.Errorf("rows left: %v", rows)
	}
}

// TestGivenCutShort has a delegation name parties that are written after it, and lets the import
// fail at each of its writes: no tuple is of a party that is not on record yet.
func TestGivenCutShort(t *testing.T) {
	for n := 1; ; n++ {
		w := newWorld(t)
		w.SetChunk(1)
		w.graph.failAt = w.graph.writes + n
		_, err := w.run(register.Header{}, file{"test": giving()})
		w.whollyWritten(fmt.Sprintf("failure at write %d", n))
		for _, tuple := range w.tuples() {
			if strings.HasPrefix(tuple, "party:0#") {
				t.Errorf("failure at write %d leaves %s", n, tuple)
			}
		}
		if err == nil {
			if n < 5 {
				t.Errorf("the import had only %d writes", n-1)
			}
			w.wantTuples(append(givingRoles, givingTuples...)...)
			return
		}
		if !errors.Is(err, errGraph) {
			t.Fatal(err)
		}
		w.whole(file{"test": giving()})
		w.wantTuples(append(givingRoles, givingTuples...)...)
	}
}

func TestImportRefusesDelegations(t *testing.T) {
	w := newWorld(t)
	base := giving()[6:]
	for name, c := range map[string]struct {
		record register.DelegationRecord
		field  string
	}{
		"no package":          {register.DelegationRecord{From: "party:1", To: "party:4", Package: "gardsbruk"}, "package"},
		"nobody":              {register.DelegationRecord{From: "party:1", To: "party:44", Package: "jordbruk"}, "to"},
		"from nobody":         {register.DelegationRecord{From: "party:11", To: "party:4", Package: "jordbruk"}, "from"},
		"to itself":           {register.DelegationRecord{From: "party:1", To: "party:1", Package: "jordbruk"}, "to"},
		"no system user":      {register.DelegationRecord{From: "party:1", To: "systemuser:1", Package: "jordbruk"}, "to"},
		"no reference":        {register.DelegationRecord{From: "x", To: "party:4", Package: "jordbruk"}, "from"},
		"nothing":             {register.DelegationRecord{From: "party:1", To: "party:4"}, "resource"},
		"no action":           {register.DelegationRecord{From: "party:1", To: "party:4", Resource: "a"}, "action"},
		"both":                {register.DelegationRecord{From: "party:1", To: "party:4", Package: "jordbruk", Action: "read"}, "package"},
		"a client's right":    {register.DelegationRecord{From: "party:1", Via: "party:2", To: "party:5", Resource: "a", Action: "b"}, "via"},
		"a client's package":  {register.DelegationRecord{From: "party:1", Via: "party:2", To: "party:5", Package: "jordbruk"}, "package"},
		"by a person":         {register.DelegationRecord{From: "party:1", Via: "party:3", To: "party:5", Package: "regnskapsforer-lonn"}, "via"},
		"to an organisation":  {register.DelegationRecord{From: "party:1", Via: "party:2", To: "party:2", Package: "regnskapsforer-lonn"}, "to"},
		"a resource too long": {register.DelegationRecord{From: "party:1", To: "party:4", Resource: string(make([]byte, 300)), Action: "b"}, "resource"},
	} {
		outcome, err := w.run(register.Header{AllowRemovals: true}, file{"test": append(base[:len(base):len(base)], give(c.record))})
		if err != nil || len(outcome.Refusals) == 0 || outcome.Refusals[0].Field != c.field || outcome.Sources[0].Delegations.Refused != 1 {
			t.Errorf("%s: %+v, %v; want %s refused", name, outcome, err, c.field)
		}
		w.wantTuples(givingRoles...)
	}
}

// A slip in a file takes nobody's rights.
func TestARefusedDelegationKeepsWhatWas(t *testing.T) {
	w := newWorld(t)
	w.whole(file{"test": giving()})
	wrong := giving()
	wrong[2].Delegation.Package = "gardsbruk"
	outcome, err := w.run(register.Header{AllowRemovals: true}, file{"test": wrong})
	if err != nil || outcome.Sources[0].Delegations != (register.Counts{Unchanged: 5, Refused: 1}) {
		t.Errorf("%+v, %v", outcome, err)
	}
	w.wantTuples(append(givingRoles, givingTuples...)...)
}

func TestDeletingAPartyTakesWhatItGaveAndHas(t *testing.T) {
	w := newWorld(t)
	w.whole(file{"test": giving()})
	for _, step := range []struct {
		gone party.ID
		left int
	}{{4, 4}, {5, 3}, {2, 1}, {1, 0}} {
		if _, err := w.DeleteParty(t.Context(), register.PartyID(step.gone)); err != nil {
			t.Fatal(err)
		}
		if rows := w.rows(); len(rows) != step.left {
			t.Errorf("without party %d: %d delegations are left, want %d: %+v", step.gone, len(rows), step.left, rows)
		}
		w.whollyWritten("without a party")
	}
	w.wantTuples("party:3#priv@user:103", "party:3#self@user:103")
}

func TestUserIDChangesWhereTheDelegationsAre(t *testing.T) {
	w := newWorld(t)
	all := giving()
	logins := all[8:11]
	all[0].Delegation.GivenBy = 1_000_000_000 // who will be 103
	numbered := append([]register.Entry(nil), all...)
	for i, e := range logins {
		unknown := *e.Party
		unknown.UserID, unknown.Login = 0, false
		numbered[8+i].Party = &unknown
	}
	w.whole(file{"test": numbered})
	w.whole(file{"people": logins})
	w.wantTuples(append(givingRoles, givingTuples...)...)
	for _, r := range w.rows() {
		if r.GivenBy > 1000 || r.ToUser > 1000 {
			t.Errorf("old user id in %+v", r)
		}
	}
	w.whollyWritten("other user ids")
}

func TestJoiningPersonsMovesDelegations(t *testing.T) {
	w := newWorld(t)
	w.whole(file{"test": giving()})
	w.put("derived", keyed("k"))
	from := party.ID(1_000_000_000)
	w.whole(file{"more": {
		give(register.DelegationRecord{From: "party:1", To: register.PartyID(from).String(), Package: "jakt-og-viltstell"}),
		give(register.DelegationRecord{From: "party:1", To: register.PartyID(from).String(), Resource: "app_skd_skatt", Action: "read"}),
		give(register.DelegationRecord{From: register.PartyID(from).String(), To: "party:4", Resource: "app_skd_skatt", Action: "read"}),
	}})
	if _, err := w.JoinPersons(t.Context(), register.PartyID(from), register.PartyID(4)); err != nil {
		t.Fatal(err)
	}
	w.wantTuples(append(append(givingRoles, givingTuples...), "party:1#pkg_jakt_og_viltstell@user:104")...)
	w.whollyWritten("joined")
}

// A party that only a delegation names stays while it does.
func TestAPartyThatADelegationNamesStays(t *testing.T) {
	w := newWorld(t)
	w.whole(file{"test": giving()[6:], "people": {person(9, "07124912040", 109)}})
	w.whole(file{"given": {give(register.DelegationRecord{From: "party:1", To: "party:9", Package: "fiske"})}})
	w.whole(file{"people": nil})
	if _, ok := w.parties()[9]; !ok {
		t.Error("the receiver is gone")
	}
	w.whole(file{"given": nil})
	if _, ok := w.parties()[9]; ok {
		t.Error("the receiver is left")
	}
}

func TestDelegateRefusesInItsTurn(t *testing.T) {
	w := newWorld(t)
	w.whole(file{"test": giving()})
	before := w.state()
	no := fault.New(fault.Denied, "NO", "no")
	if _, err := w.Delegate(t.Context(), func(context.Context) error { return no }, nil); reasonOf(err) != "NO" || w.state() != before {
		t.Errorf("Delegate = %v", err)
	}
}
