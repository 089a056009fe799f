package register_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn/link"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// put writes parties and assignments one by one.
func (w *world) put(source string, entries ...register.Entry) {
	w.t.Helper()
	for _, e := range entries {
		var err error
		if e.Party != nil {
			_, _, err = w.PutParty(w.t.Context(), source, *e.Party)
		} else {
			_, err = w.PutAssignment(w.t.Context(), source, *e.Assignment)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestWritesAloneAndImportsAgree(t *testing.T) {
	one, other := newWorld(t), newWorld(t)
	other.whole(sample())
	entries := sample()["test"]
	one.put("test", entries[2], entries[1], entries[3], entries[4], entries[6], entries[0], entries[5], entries[7])
	one.wantTuples(other.tuples()...)
	before := one.state()
	one.put("test", entries[2], entries[0])
	outcome := one.whole(sample())
	if outcome.Sources[0].Parties.Unchanged != 5 || outcome.Sources[0].Assignments.Unchanged != 3 || one.state() != before {
		t.Errorf("an import after the same writes did something: %+v", outcome.Sources[0])
	}
}

func TestPutPartyAnswersWithWhatItMade(t *testing.T) {
	w := newWorld(t)
	p, revision, err := w.PutParty(t.Context(), "test", register.PartyRecord{Kind: party.Person, Name: "Ny", NationalID: "07124912037", Login: true})
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != 1_000_000_000 || p.UserID != 1_000_000_000 || p.UUID == "" || revision == "" {
		t.Errorf("PutParty = %+v, %q", p, revision)
	}
	w.put("test", person(1_000_000_001, "07124912038", 1_000_000_001))
	p, _, err = w.PutParty(t.Context(), "test", register.PartyRecord{Kind: party.SelfIdentified, Name: "meg", Key: "meg"})
	if err != nil || p.ID != 1_000_000_002 || p.UserID != 1_000_000_002 {
		t.Errorf("PutParty = %+v, %v; want the next number that is free", p, err)
	}
	again, _, err := w.PutParty(t.Context(), "test", register.PartyRecord{ID: p.ID, UserID: 9, Kind: party.SelfIdentified, Name: "meg", Key: "meg", Login: true})
	if err != nil || again.UserID != 9 || again.UUID != p.UUID {
		t.Errorf("PutParty = %+v, %v; want the number replaced by the user's own", again, err)
	}
	if got := w.parties()[p.ID]; got != again {
		t.Errorf("recorded is %+v", got)
	}
}

func TestUserIDChangesWhereTheRolesAre(t *testing.T) {
	w := newWorld(t)
	w.put("test", org(1, "910042963", "AS"), entry(register.PartyRecord{ID: 3, Kind: party.Person, Name: "P", NationalID: "07124912037"}), hold("party:1", "DAGL", "party:3"))
	w.wantTuples("party:1#dagl@user:1000000000")
	w.put("test", person(3, "07124912037", 20001337))
	w.wantTuples("party:1#dagl@user:20001337", "party:3#priv@user:20001337", "party:3#self@user:20001337")
}

func TestSoleTrader(t *testing.T) {
	w := newWorld(t)
	owner := register.PartyRecord{ID: 3, Kind: party.Person, Name: "P", NationalID: "07124912037", UserID: 7}
	business := register.PartyRecord{ID: 1, Kind: party.Organisation, Name: "P Handel", OrgNumber: "910042963", UnitType: "ENK"}
	w.put("test", entry(business), entry(owner))
	w.wantTuples()
	w.put("test", hold("party:1", "INNH", "party:3"))
	w.wantTuples("party:1#innh@user:7", "party:3#enk@party:1")
	business.DeletedOn = "2026-01-31"
	w.put("test", entry(business))
	w.wantTuples("party:1#innh@user:7", "party:3#enk@party:1 until 2028-01-31")
	business.DeletedOn, business.UnitType = "", "AS"
	w.put("test", entry(business))
	w.wantTuples("party:1#innh@user:7")
	business.UnitType = "ENK"
	w.put("test", entry(business))
	w.wantTuples("party:1#innh@user:7", "party:3#enk@party:1")
	owner.DiedOn = "2026-10-01"
	w.put("test", entry(owner))
	w.wantTuples("party:1#innh@user:7")
	owner.DiedOn = ""
	w.put("test", entry(owner))
	w.wantTuples("party:1#innh@user:7", "party:3#enk@party:1")
	if _, err := w.DeleteParty(t.Context(), register.PartyID(1)); err != nil {
		t.Fatal(err)
	}
	w.wantTuples()
	// In a file, whatever comes first.
	w.whole(file{"file": {hold("party:1", "INNH", "party:3"), entry(owner), entry(business)}})
	w.wantTuples("party:1#innh@user:7", "party:3#enk@party:1")
}

func TestUnitTypeChangesRoles(t *testing.T) {
	w := newWorld(t)
	w.put("test", org(1, "910042963", "DA"), person(3, "07124912037", 7), hold("party:1", "DTPR", "party:3"))
	self := []string{"party:3#priv@user:7", "party:3#self@user:7"}
	w.wantTuples(append(self, "party:1#dtpr@user:7")...)
	w.put("test", org(1, "910042963", "IKS"))
	w.wantTuples(append(self, "party:1#dtpr_nokey@user:7")...)
}

func TestDelete(t *testing.T) {
	w := newWorld(t)
	w.whole(sample())
	w.put("other", hold("party:1", "DAGL", "party:3"))
	dagl := register.AssignmentRecord{From: "org:910042963", Role: "dagl", To: "nin:07124912037", Expires: time.Now()}
	if _, err := w.DeleteAssignment(t.Context(), "test", dagl); err != nil {
		t.Fatal(err)
	}
	w.wantTuples(sampleTuples...)
	if _, err := w.DeleteAssignment(t.Context(), "test", dagl); reasonOf(err) != register.ReasonAssignmentNotFound {
		t.Errorf("deleting it again = %v", err)
	}
	if _, err := w.DeleteAssignment(t.Context(), "other", dagl); err != nil {
		t.Fatal(err)
	}
	w.wantTuples(sampleTuples[1:]...)

	if _, err := w.DeleteParty(t.Context(), register.PartyID(1)); reasonOf(err) != register.ReasonPartyHasSubUnits {
		t.Errorf("deleting a main unit = %v", err)
	}
	if _, err := w.DeleteParty(t.Context(), register.PartyID(77)); reasonOf(err) != fault.ReasonPartyNotFound {
		t.Errorf("deleting nobody = %v", err)
	}
	name, _ := register.ParseReference("org:910000004")
	if _, err := w.DeleteParty(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	w.wantTuples("party:2#main_unit@party:1", "party:3#priv@user:20001337", "party:3#self@user:20001337")
	if len(w.parties()) != 4 {
		t.Errorf("left are %v", w.parties())
	}
}

// What is said of estates goes with the estate and with the holder, and stays his who is
// joined to another.
func TestEstatesOfPartiesThatGo(t *testing.T) {
	w := newWorld(t)
	w.put("test", person(3, "07124912037", 103), person(4, "07124912038", 104), person(5, "07124912039", 105), keyed("ola"))
	estate := func(of party.ID, role string, user party.UserID) {
		t.Helper()
		w.relate(t, decision.HeldInEstate{Of: of, Role: role, Holder: user}, of)
	}
	own := []string{
		"party:3#priv@user:103", "party:3#self@user:103", "party:4#priv@user:104", "party:4#self@user:104",
		"party:5#priv@user:105", "party:5#self@user:105",
	}
	estate(3, "urn:a:formuesfullmakt", 104)
	estate(4, "skifteattest", 103)
	estate(5, "skifteattest", 104)
	estate(5, "skifteattest", 1_000_000_000)
	estate(1_000_000_000, "skifteattest", 105)
	writes := w.graph.writes
	if _, err := w.JoinPersons(t.Context(), register.PartyID(1_000_000_000), register.PartyID(3)); err != nil {
		t.Fatal(err)
	}
	w.wantTuples(append(own[:6:6], "estate_role:3/urn=3Aa=3Aformuesfullmakt#holder@user:104", "estate_role:4/skifteattest#holder@user:103",
		"estate_role:5/skifteattest#holder@user:104", "estate_role:5/skifteattest#holder@user:103", "estate_role:3/skifteattest#holder@user:105")...)
	if _, err := w.DeleteParty(t.Context(), register.PartyID(3)); err != nil {
		t.Fatal(err)
	}
	left := append(own[2:6:6], "estate_role:5/skifteattest#holder@user:104")
	w.wantTuples(left...)
	late, err := decision.HeldInEstate{Of: 3, Role: "skifteattest", Holder: 104}.Relationship()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Relate(t.Context(), late, []party.ID{3}); reasonOf(err) != fault.ReasonPartyNotFound {
		t.Errorf("a role in the estate of who has gone = %v", err)
	}
	w.wantTuples(left...)
	if got := w.graph.writes - writes; got != 2 {
		t.Errorf("%d writes for two calls", got)
	}
	// What cannot be written takes nothing away.
	w.graph.failAt, w.graph.late = w.graph.writes+1, true
	if _, err := w.DeleteParty(t.Context(), register.PartyID(5)); err == nil {
		t.Error("deleted in spite of the fault")
	}
	w.wantTuples(left...)
}

func (w *world) relate(t *testing.T, h decision.HeldInEstate, parties ...party.ID) {
	t.Helper()
	r, err := h.Relationship()
	if err == nil {
		_, err = w.Relate(t.Context(), r, parties)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestRelatingWhileAPartyGoes leaves nothing behind of a party that goes, whoever names it at
// the same time.
func TestRelatingWhileAPartyGoes(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		w.put("test", person(3, "07124912037", 103), person(4, "07124912038", 104))
		r, err := decision.HeldInEstate{Of: 3, Role: "skifteattest", Holder: 104}.Relationship()
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := w.Relate(context.Background(), r, []party.ID{3, 4}); err != nil && reasonOf(err) != fault.ReasonPartyNotFound {
				t.Error(err)
			}
		})
		if _, err := w.DeleteParty(t.Context(), register.PartyID(3)); err != nil {
			t.Error(err)
		}
		group.Wait()
		w.wantTuples("party:4#priv@user:104", "party:4#self@user:104")
	}
}

func TestDeletingTheLastNameOfAnOrphan(t *testing.T) {
	w := newWorld(t)
	w.whole(sample())
	w.put("other", hold("party:4", "DAGL", "party:3"), hold("party:1", "REVI", "party:4"))
	w.whole(file{"test": sample()["test"][1:4]})
	for _, a := range []register.AssignmentRecord{{From: "party:4", Role: "DAGL", To: "party:3"}, {From: "party:1", Role: "REVI", To: "party:4"}} {
		if _, ok := w.parties()[4]; !ok {
			t.Fatalf("the party is gone that another source names by %v", a)
		}
		if _, err := w.DeleteAssignment(t.Context(), "other", a); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := w.parties()[4]; ok {
		t.Error("a party that nobody names is still there")
	}
	w.wantTuples("party:2#main_unit@party:1", "party:3#priv@user:20001337", "party:3#self@user:20001337")
}

func TestJoinPersons(t *testing.T) {
	w := newWorld(t)
	roles := file{"roles": {
		keyed("910042963/OLA"), hold("org:910042963", "DAGL", "key:910042963/OLA"), hold("org:910042963", "LEDE", "key:910042963/OLA"),
		keyed("910000004/OLA"), hold("org:910000004", "INNH", "key:910000004/OLA"),
	}}
	w.whole(file{"units": {org(1, "910042963", "AS"), org(4, "910000004", "ENK"), person(3, "07124912037", 20001337)}})
	w.whole(roles)
	w.put("other", holdUntil("party:1", "DAGL", "party:3", today.AddDate(1, 0, 0)))
	ctx := caller.With(t.Context(), caller.Caller{Kind: caller.Service, Name: "clerk"})
	into := register.PartyID(3)
	for _, from := range []party.ID{1_000_000_000, 1_000_000_001} {
		if _, err := w.JoinPersons(ctx, register.PartyID(from), into); err != nil {
			t.Fatal(err)
		}
	}
	joined := []string{
		"party:1#dagl@user:20001337", "party:1#lede@user:20001337", "party:4#innh@user:20001337", "party:3#enk@party:4",
		"party:3#priv@user:20001337", "party:3#self@user:20001337",
	}
	w.wantTuples(joined...)
	if got := w.parties(); len(got) != 3 || got[3].Name != "P 07124912037" {
		t.Errorf("left are %v", got)
	}
	// The register does not know, and speaks of two persons by their keys as before.
	before := w.state()
	outcome := w.whole(roles)
	if diff := cmp.Diff([]int64{2, 3}, []int64{outcome.Sources[0].Parties.Unchanged, outcome.Sources[0].Assignments.Unchanged}); diff != "" || w.state() != before {
		t.Errorf("the next import: %+v", outcome.Sources[0])
	}
	w.wantTuples(joined...)

	var event map[string]any
	line, _, _ := bytes.Cut(w.log.Bytes(), []byte("\n"))
	if err := json.Unmarshal(line, &event); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"time", "revision"} {
		delete(event, key)
	}
	if diff := cmp.Diff(map[string]any{
		"level": "WARN", "msg": "persons joined", "assignments": 2.0, "delegations": 0.0, "logins": 0.0, "caller": map[string]any{"service": "clerk", "user_id": 0.0},
		"from": map[string]any{"party_id": 1e9, "user_id": 1e9}, "into": map[string]any{"party_id": 3.0, "user_id": 20001337.0},
	}, event); diff != "" {
		t.Error(diff)
	}
}

// TestJoinPersonsKeepsLogins joins a person whom logins are, also of the issuer at which the
// other has one: that excludes nothing.
func TestJoinPersonsKeepsLogins(t *testing.T) {
	w := newWorld(t)
	w.whole(sample())
	w.put("test", person(8, "07124912038", 8))
	put := func(issuer, subject string, user int64) {
		t.Helper()
		if there, err := w.records.PutIdentity(t.Context(), issuer, subject, user); !there || err != nil {
			t.Fatal(there, err)
		}
	}
	put("idp", "ola", 1_000_000_000)
	put("other", "ola", 1_000_000_000)
	put("idp", "ola.n", 20001337)
	put("idp", "kari", 8)
	wantLogins := func(want map[string]int64) {
		t.Helper()
		got, err := w.records.Identities(t.Context(), link.Query{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		have := make(map[string]int64)
		for _, l := range got {
			have[l.Issuer+"/"+l.Subject] = l.User
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Error(diff)
		}
	}
	// A join that fails, after the rows are written, leaves them where they were.
	w.graph.failAt = w.graph.writes + 1
	if _, err := w.JoinPersons(t.Context(), register.PartyID(1_000_000_000), register.PartyID(3)); !errors.Is(err, errGraph) {
		t.Fatal(err)
	}
	wantLogins(map[string]int64{"idp/ola": 1_000_000_000, "other/ola": 1_000_000_000, "idp/ola.n": 20001337, "idp/kari": 8})
	if _, err := w.JoinPersons(t.Context(), register.PartyID(1_000_000_000), register.PartyID(3)); err != nil {
		t.Fatal(err)
	}
	wantLogins(map[string]int64{"idp/ola": 20001337, "other/ola": 20001337, "idp/ola.n": 20001337, "idp/kari": 8})
	// Who is deleted is nobody any more, and takes his logins along.
	if _, err := w.DeleteParty(t.Context(), register.PartyID(3)); err != nil {
		t.Fatal(err)
	}
	wantLogins(map[string]int64{"idp/kari": 8})
}

func TestJoinPersonsRefuses(t *testing.T) {
	w := newWorld(t)
	w.whole(sample())
	w.put("test", person(8, "07124912038", 8))
	before := w.state()
	for _, test := range []struct {
		from, into party.ID
		want       fault.Reason
	}{
		{1_000_000_000, 1_000_000_000, fault.ReasonInvalidArgument},
		{1, 3, fault.ReasonInvalidArgument},
		{1_000_000_000, 1, fault.ReasonInvalidArgument},
		{3, 8, register.ReasonPersonNotDerived},
		{99, 3, fault.ReasonPartyNotFound},
		{1_000_000_000, 99, fault.ReasonPartyNotFound},
	} {
		if _, err := w.JoinPersons(t.Context(), register.PartyID(test.from), register.PartyID(test.into)); reasonOf(err) != test.want {
			t.Errorf("joining %d into %d = %v, want %s", test.from, test.into, err, test.want)
		}
	}
	if w.state() != before {
		t.Error("a refused join changed something")
	}
}

func TestANationalIDJoinsADerivedPerson(t *testing.T) {
	w := newWorld(t)
	roles := func(nationalID string) file {
		return file{"roles": {
			entry(register.PartyRecord{Kind: party.Person, Name: "Ola", NationalID: nationalID, Key: "ola"}), hold("org:910042963", "DAGL", "key:ola"),
		}}
	}
	w.whole(file{"units": {org(1, "910042963", "AS"), person(3, "07124912037", 7)}})
	w.whole(roles(""))
	w.wantTuples("party:1#dagl@user:1000000000", "party:3#priv@user:7", "party:3#self@user:7")
	// A part of the truth takes nothing from the derived person, and so cannot join him.
	outcome, err := w.run(register.Header{AddOnly: true}, roles("07124912037"))
	if err != nil || len(outcome.Refusals) != 1 || outcome.Refusals[0].Field != "source_key" {
		t.Fatalf("added: %+v, %v", outcome, err)
	}
	w.whole(roles("07124912037"))
	w.wantTuples("party:1#dagl@user:7", "party:3#priv@user:7", "party:3#self@user:7")
	if len(w.parties()) != 2 {
		t.Errorf("left are %v", w.parties())
	}
}

func TestGraphFailureUndoesAWriteAlone(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("late=%v", late), func(t *testing.T) {
			w := newWorld(t)
			w.whole(sample())
			tuples, parties := w.tuples(), w.parties()
			fail := func(name string, write func() error) {
				w.graph.failAt, w.graph.late = w.graph.writes+1, late
				if err := write(); !errors.Is(err, errGraph) {
					t.Errorf("%s = %v, want the graph's error", name, err)
				}
				w.wantTuples(tuples...)
				if diff := cmp.Diff(parties, w.parties()); diff != "" {
					t.Errorf("%s:\n%s", name, diff)
				}
			}
			fail("PutParty", func() error {
				_, _, err := w.PutParty(t.Context(), "test", *person(9, "07124912039", 9).Party)
				return err
			})
			fail("PutAssignment", func() error {
				_, err := w.PutAssignment(t.Context(), "test", *hold("party:4", "DAGL", "party:3").Assignment)
				return err
			})
			fail("DeleteAssignment", func() error {
				_, err := w.DeleteAssignment(t.Context(), "test", *hold("party:1", "DAGL", "party:3").Assignment)
				return err
			})
			fail("DeleteParty", func() error { _, err := w.DeleteParty(t.Context(), register.PartyID(3)); return err })
			fail("JoinPersons", func() error {
				_, err := w.JoinPersons(t.Context(), register.PartyID(1_000_000_000), register.PartyID(3))
				return err
			})
			if strings.Contains(w.log.String(), "persons joined") {
				t.Error("a join that failed is in the log")
			}
			if outcome := w.whole(sample()); outcome.Revision != "" {
				t.Errorf("the records changed: %+v", outcome)
			}
		})
	}
}
