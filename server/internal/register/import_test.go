package register_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// counts compares what became of one source's entries.
func counts(t *testing.T, got register.SourceOutcome, parties, assignments register.Counts) {
	t.Helper()
	if diff := cmp.Diff([]register.Counts{parties, assignments}, []register.Counts{got.Parties, got.Assignments}); diff != "" {
		t.Errorf("parties and assignments of %s:\n%s", got.Source, diff)
	}
}

// sample is a small register: a company with a sub-unit, a director, an accountant.
func sample() file {
	return file{"test": {
		hold("org:910042963", "DAGL", "party:3"), // before the parties it names
		subUnit(2, "910042971", "org:910042963"),
		org(1, "910042963", "AS"),
		person(3, "07124912037", 20001337),
		org(4, "910000004", "AS"),
		hold("party:1", "urn:altinn:rolecode:regn", "party:4"),
		keyed("ola"),
		hold("org:910000004", "lede", "key:ola"),
	}}
}

var sampleTuples = []string{
	"party:1#dagl@user:20001337", "party:1#regn_org@party:4", "party:2#main_unit@party:1",
	"party:3#priv@user:20001337", "party:3#self@user:20001337", "party:4#lede@user:1000000000",
}

func TestImportIsIdempotent(t *testing.T) {
	w := newWorld(t)
	outcome := w.whole(sample())
	counts(t, outcome.Sources[0], register.Counts{Added: 5}, register.Counts{Added: 3})
	w.wantTuples(sampleTuples...)
	if outcome.Revision == "" {
		t.Error("no revision")
	}
	before := w.state()
	outcome = w.whole(sample())
	counts(t, outcome.Sources[0], register.Counts{Unchanged: 5}, register.Counts{Unchanged: 3})
	if after := w.state(); after != before || outcome.Revision != "" {
		t.Errorf("the second run wrote something (revision %q):\n%s", outcome.Revision, cmp.Diff(before, after))
	}
	ola := w.parties()[1_000_000_000]
	if ola.Kind != party.Person || ola.UserID != 1_000_000_000 || ola.Login || len(ola.UUID) != 36 {
		t.Errorf("the derived person is %+v", ola)
	}
}

func TestImportRemovesWhatTheFileLacks(t *testing.T) {
	w := newWorld(t)
	w.whole(sample())
	less := sample()
	less["test"] = append(less["test"][2:6], less["test"][6:]...) // neither the director's role nor the sub-unit
	outcome := w.whole(less)
	counts(t, outcome.Sources[0], register.Counts{Unchanged: 4, Removed: 1}, register.Counts{Unchanged: 2, Removed: 1})
	w.wantTuples("party:1#regn_org@party:4", "party:3#priv@user:20001337", "party:3#self@user:20001337", "party:4#lede@user:1000000000")
	if _, ok := w.parties()[2]; ok {
		t.Error("the sub-unit is still there")
	}
	outcome = w.whole(file{"test": nil})
	counts(t, outcome.Sources[0], register.Counts{Removed: 4}, register.Counts{Removed: 2})
	w.wantTuples()
	if left := w.parties(); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
	w.whole(sample())
	if _, ok := w.parties()[1_000_000_001]; !ok {
		t.Error("a number was given twice")
	}
}

func TestImportChanges(t *testing.T) {
	w := newWorld(t)
	w.whole(sample())
	changed := sample()
	changed["test"][2] = entry(register.PartyRecord{ID: 1, Kind: party.Organisation, Name: "NEW NAME", OrgNumber: "910042963", UnitType: "ESEK", DeletedOn: "2026-01-01"})
	changed["test"][5] = holdUntil("party:1", "REGN", "party:4", today.AddDate(1, 0, 0))
	outcome := w.whole(changed)
	counts(t, outcome.Sources[0], register.Counts{Unchanged: 4, Changed: 1}, register.Counts{Unchanged: 2, Changed: 1})
	w.wantTuples("party:1#dagl@user:20001337", "party:1#regn_org@party:4 until 2027-11-21", "party:1#unit_esek@user:*", "party:2#main_unit@party:1",
		"party:3#priv@user:20001337", "party:3#self@user:20001337", "party:4#lede@user:1000000000")
	if got := w.parties()[1]; got.Name != "NEW NAME" || got.DeletedOn != "2026-01-01" {
		t.Errorf("the party is %+v", got)
	}
}

func TestTwoSources(t *testing.T) {
	w := newWorld(t)
	w.whole(file{"units": {org(1, "910042963", "AS"), person(3, "07124912037", 20001337)}})
	role := func(source string, until int) file {
		return file{source: {holdUntil("org:910042963", "DAGL", "nin:07124912037", today.AddDate(until, 0, 0))}}
	}
	self := []string{"party:3#priv@user:20001337", "party:3#self@user:20001337"}
	w.whole(role("a", 1))
	w.whole(role("b", 2))
	w.wantTuples(append(self, "party:1#dagl@user:20001337 until 2028-11-21")...)
	w.whole(file{"b": {}})
	w.wantTuples(append(self, "party:1#dagl@user:20001337 until 2027-11-21")...)
	w.whole(file{"b": {hold("org:910042963", "DAGL", "nin:07124912037")}})
	w.wantTuples(append(self, "party:1#dagl@user:20001337")...)

	// The units' source drops the company, which stays for those who name it, and its link.
	w.whole(file{"units": {person(3, "07124912037", 20001337)}})
	w.whole(file{"a": {}})
	w.wantTuples(append(self, "party:1#dagl@user:20001337")...)
	if len(w.parties()) != 2 {
		t.Error("the company that b names is gone")
	}
	w.whole(file{"b": {}})
	w.wantTuples(self...)
	if len(w.parties()) != 1 {
		t.Error("the company that nobody names is still there")
	}
}

func TestSourcesSpeakOfOneParty(t *testing.T) {
	w := newWorld(t)
	w.whole(file{"a": {entry(register.PartyRecord{ID: 1, Kind: party.Organisation, Name: "A", OrgNumber: "910042963", UnitType: "AS"})}})
	w.whole(file{"b": {entry(register.PartyRecord{Kind: party.Organisation, Name: "B", OrgNumber: "910042963", DeletedOn: "2026-01-02"})}})
	want := party.Party{ID: 1, Kind: party.Organisation, Name: "B", OrgNumber: "910042963", UnitType: "AS", DeletedOn: "2026-01-02"}
	ignore := cmpopts.IgnoreFields(party.Party{}, "UUID")
	if diff := cmp.Diff(want, w.parties()[1], ignore); diff != "" {
		t.Error(diff)
	}
	outcome := w.whole(file{"a": {entry(register.PartyRecord{ID: 1, Kind: party.Organisation, Name: "A", OrgNumber: "910042963", UnitType: "AS"})}})
	counts(t, outcome.Sources[0], register.Counts{Unchanged: 1}, register.Counts{})
	w.whole(file{"b": {}})
	want.Name, want.DeletedOn = "A", ""
	if diff := cmp.Diff(want, w.parties()[1], ignore); diff != "" {
		t.Error(diff)
	}
}

func TestRemovalLimit(t *testing.T) {
	w := newWorld(t)
	var many []register.Entry
	for i := range 40 {
		many = append(many, org(party.ID(i+1), fmt.Sprintf("9100%05d", i), "AS"))
	}
	w.whole(file{"many": many, "one": {org(900, "999999999", "AS")}})
	before := w.state()
	_, err := w.run(register.Header{}, file{"many": many[3:]})
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Precondition || e.Reason != register.ReasonRemovalsExceedLimit {
		t.Fatalf("err = %v, want %s", err, register.ReasonRemovalsExceedLimit)
	}
	if diff := cmp.Diff(map[string]string{"source": "many", "removed": "3", "recorded": "40"}, e.Meta); diff != "" {
		t.Error(diff)
	}
	if after := w.state(); after != before {
		t.Error("a stopped import wrote something")
	}
	// The dry run says what would happen; 2 of 40 are 5 %, and 1 of 1 is not a little.
	outcome, err := w.run(register.Header{DryRun: true}, file{"many": many[3:]})
	if err != nil {
		t.Fatal(err)
	}
	counts(t, outcome.Sources[0], register.Counts{Unchanged: 37, Removed: 3}, register.Counts{})
	if _, err := w.run(register.Header{}, file{"many": many[2:]}); err != nil {
		t.Error(err)
	}
	if _, err := w.run(register.Header{}, file{"one": nil}); reasonOf(err) != register.ReasonRemovalsExceedLimit {
		t.Errorf("removing all of a source = %v", err)
	}
	if _, err := w.run(register.Header{AllowRemovals: true}, file{"one": nil}); err != nil {
		t.Error(err)
	}
}

func TestDryRunAndAddOnly(t *testing.T) {
	w := newWorld(t)
	before := w.state()
	outcome, err := w.run(register.Header{DryRun: true}, sample())
	if err != nil {
		t.Fatal(err)
	}
	counts(t, outcome.Sources[0], register.Counts{Added: 5}, register.Counts{Added: 3})
	if !outcome.DryRun || outcome.Revision != "" || w.state() != before {
		t.Errorf("a dry run wrote something: %+v", outcome)
	}
	w.whole(sample())
	more := file{"test": {org(7, "910000007", "AS"), hold("party:7", "DAGL", "nin:07124912037")}}
	outcome, err = w.run(register.Header{AddOnly: true}, more)
	if err != nil {
		t.Fatal(err)
	}
	counts(t, outcome.Sources[0], register.Counts{Added: 1}, register.Counts{Added: 1})
	w.wantTuples(append([]string{"party:7#dagl@user:20001337"}, sampleTuples...)...)
}

func TestUnreadableAndRefusedEntriesKeepWhatWasSaid(t *testing.T) {
	w := newWorld(t)
	w.whole(sample())
	f := file{"test": {
		{Unreadable: &register.Unreadable{Reference: "org:910042963", Field: "roller[0]", Message: "is not an object"}},
		{Unreadable: &register.Unreadable{Field: "line", Message: "is not JSON"}},
		entry(register.PartyRecord{Kind: party.SubUnit, Name: "x", OrgNumber: "910042971", MainUnit: "org:910042963", DeletedOn: "2026-02-30"}),
		person(3, "07124912037", 20001337),
		keyed("ola"),
	}}
	outcome, err := w.run(register.Header{AllowRemovals: true}, f)
	if err != nil {
		t.Fatal(err)
	}
	// Company 4 is gone with the role in it; company 1 and its accountant's role stay, and
	// the accountant for being named.
	counts(t, outcome.Sources[0], register.Counts{Unchanged: 2, Removed: 1, Refused: 1}, register.Counts{Removed: 1})
	if outcome.Sources[0].Unreadable != 2 {
		t.Errorf("unreadable = %d, want 2", outcome.Sources[0].Unreadable)
	}
	want := []register.Refusal{
		{File: "test", Line: 1, Field: "roller[0]", Message: "is not an object"},
		{File: "test", Line: 2, Field: "line", Message: "is not JSON"},
		{File: "test", Line: 3, Field: "deleted_on", Message: "must be a day that exists, as YYYY-MM-DD"},
	}
	if diff := cmp.Diff(want, outcome.Refusals); diff != "" {
		t.Error(diff)
	}
	w.wantTuples("party:1#dagl@user:20001337", "party:1#regn_org@party:4", "party:2#main_unit@party:1",
		"party:3#priv@user:20001337", "party:3#self@user:20001337")
}

func TestOneImportAtATime(t *testing.T) {
	w := newWorld(t)
	first, err := w.Begin(register.Header{Sources: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Begin(register.Header{Sources: []string{"b"}}); reasonOf(err) != register.ReasonImportRunning {
		t.Errorf("a second import = %v", err)
	}
	if _, err := first.Add("c", nil); reasonOf(err) != fault.ReasonInvalidArgument {
		t.Errorf("a batch of another source = %v", err)
	}
	first.Close()
	first.Close()
	second, err := w.Begin(register.Header{Sources: []string{"b"}})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if _, err := second.Add("b", []register.Entry{org(1, "910042963", "AS")}); err != nil {
		t.Fatal(err)
	}
	before := w.state()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := second.Commit(ctx, func(register.Progress) {}); fault.KindOf(err) != fault.Canceled {
		t.Errorf("a cancelled import = %v", err)
	}
	if w.state() != before {
		t.Error("a cancelled import wrote something")
	}
	for _, h := range []register.Header{{}, {Sources: []string{"a", "a"}}} {
		if _, err := w.Begin(h); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Begin(%v) = %v", h, err)
		}
	}
}
