package register_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
)

func TestALoginGoesWithItsSource(t *testing.T) {
	w := newWorld(t)
	w.whole(file{"units": {org(1, "910042963", "AS")}})
	w.whole(file{"people": {person(3, "07124912037", 7)}})
	w.whole(file{"roles": {hold("party:1", "DAGL", "party:3")}})
	w.whole(file{"people": {}})
	w.wantTuples("party:1#dagl@user:7")
	if p := w.parties()[3]; p.Login || p.NationalID == "" || p.Name == "" {
		t.Errorf("the person that a role names is %+v", p)
	}
	w.whole(file{"people": {person(3, "07124912037", 7)}})
	w.wantTuples("party:1#dagl@user:7", "party:3#priv@user:7", "party:3#self@user:7")
}

func TestASubUnitOfAnotherSourceKeepsItsMainUnit(t *testing.T) {
	w := newWorld(t)
	w.whole(file{"main": {org(1, "910042963", "AS")}})
	w.whole(file{"sub": {subUnit(2, "910042971", "party:1")}})
	w.whole(file{"main": {}})
	w.wantTuples("party:2#main_unit@party:1")
	if _, ok := w.parties()[1]; !ok {
		t.Error("the main unit of a sub-unit is gone")
	}
	w.whole(file{"sub": {}})
	w.wantTuples()
	if left := w.parties(); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

func TestASourceThatIdentifiesThePartyOutranksOneThatDoesNot(t *testing.T) {
	w := newWorld(t)
	byName := func(name string) file {
		return file{"roles": {entry(register.PartyRecord{Kind: party.Person, Name: name, Key: "k"})}}
	}
	w.whole(byName("OLA N"))
	w.put("people", entry(register.PartyRecord{ID: 3, Kind: party.Person, Name: "Ola Nordmann", NationalID: "07124912037"}))
	if _, err := w.JoinPersons(t.Context(), register.PartyID(1_000_000_000), register.PartyID(3)); err != nil {
		t.Fatal(err)
	}
	w.whole(byName("NORDMANN OLA"))
	if got := w.parties(); len(got) != 1 || got[3].Name != "Ola Nordmann" {
		t.Errorf("the person is %v", got)
	}
}

func TestJoiningTwoDerivedPersons(t *testing.T) {
	w := newWorld(t)
	w.put("test", org(1, "910042963", "AS"), keyed("into"))
	w.put("test", keyed("from"))
	w.put("test",
		holdUntil("party:1", "DAGL", "key:into", today.AddDate(1, 0, 0)), holdUntil("party:1", "DAGL", "key:from", today.AddDate(2, 0, 0)),
		holdUntil("party:1", "LEDE", "key:into", today.AddDate(2, 0, 0)), holdUntil("party:1", "LEDE", "key:from", today.AddDate(1, 0, 0)),
		hold("key:from", "PRIV", "key:from"))
	if _, err := w.JoinPersons(t.Context(), register.PartyID(1_000_000_001), register.PartyID(1_000_000_000)); err != nil {
		t.Fatal(err)
	}
	w.wantTuples("party:1#dagl@user:1000000000 until 2028-11-21", "party:1#lede@user:1000000000 until 2028-11-21", "party:1000000000#priv@user:1000000000")
	if got := w.parties(); len(got) != 2 || got[1_000_000_000].Name != "K into" {
		t.Errorf("left are %v", got)
	}
	// Both keys mean him from now on.
	w.put("test", hold("party:1", "MEDL", "key:from"), hold("party:1", "VARA", "key:into"))
	w.whollyWritten("in the end")
	if got := len(w.tuples()); got != 5 {
		t.Errorf("%d tuples, want 5", got)
	}
}
