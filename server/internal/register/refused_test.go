package register_test

import (
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// aPerson and aUnit are right; each test spoils one.
func aPerson(change func(*register.PartyRecord)) register.Entry {
	r := register.PartyRecord{ID: 50, Kind: party.Person, Name: "Ny", NationalID: "01010112345"}
	change(&r)
	return entry(r)
}

func aUnit(change func(*register.PartyRecord)) register.Entry {
	r := register.PartyRecord{ID: 51, Kind: party.SubUnit, Name: "Ny", OrgNumber: "910000051", UnitType: "BEDR", MainUnit: "party:1"}
	change(&r)
	return entry(r)
}

func TestRefusedByField(t *testing.T) {
	type record = register.PartyRecord
	w := newWorld(t)
	w.whole(sample())
	before := w.state()
	for _, test := range []struct {
		name    string
		entry   register.Entry
		field   string
		message string // a part of it: what would be right
		reason  fault.Reason
	}{
		{"name", aPerson(func(r *record) { r.Name = " " }), "name", "required", ""},
		{"long name", aPerson(func(r *record) { r.Name = strings.Repeat("å", 1025) }), "name", "1024", ""},
		{"kind", aPerson(func(r *record) { r.Kind = 0 }), "kind", "one of the kinds", ""},
		{"id", aPerson(func(r *record) { r.ID = 1 << 31 }), "party_id", "2147483647", ""},
		{"uuid", aPerson(func(r *record) { r.UUID = "x" }), "party_uuid", "35042029-", ""},
		{"national id", aPerson(func(r *record) { r.NationalID = "123" }), "national_id", "eleven digits", ""},
		{"birth date", aPerson(func(r *record) { r.BirthDate = "2025-13-01" }), "birth_date", "YYYY-MM-DD", ""},
		{"day of death", aPerson(func(r *record) { r.DiedOn = "2025-02-29" }), "died_on", "day that exists", ""},
		{"a person's number", aPerson(func(r *record) { r.OrgNumber = "910042963" }), "org_number", "organisation", ""},
		{"a person's main unit", aPerson(func(r *record) { r.MainUnit = "party:1" }), "main_unit", "sub-unit", ""},
		{"a person's unit type", aPerson(func(r *record) { r.UnitType = "AS" }), "unit_type", "organisation", ""},
		{"a deleted person", aPerson(func(r *record) { r.DeletedOn = "2025-01-01" }), "deleted_on", "died_on", ""},
		{"no identifier", aPerson(func(r *record) { r.ID, r.NationalID = 0, "" }), "source_key", "required", ""},
		{"a login by name", aPerson(func(r *record) { r.ID, r.NationalID, r.Key, r.Login = 0, "", "k", true }), "login", "national_id", ""},
		{"a login without user", aPerson(func(r *record) { r.NationalID, r.Login = "", true }), "login", "user_id", ""},
		{"a self-identified user's national id", aPerson(func(r *record) { r.Kind = party.SelfIdentified }), "national_id", "a person has", ""},
		{"number", aUnit(func(r *record) { r.OrgNumber = "91004296" }), "org_number", "nine digits", ""},
		{"no number", aUnit(func(r *record) { r.OrgNumber = "" }), "org_number", "nine digits", ""},
		{"a unit's national id", aUnit(func(r *record) { r.NationalID = "07124912037" }), "national_id", "a person has", ""},
		{"a unit's login", aUnit(func(r *record) { r.Login = true }), "login", "a person does", ""},
		{"a unit's user", aUnit(func(r *record) { r.UserID = 5 }), "user_id", "a person has", ""},
		{"a unit's birth", aUnit(func(r *record) { r.BirthDate = "2020-01-01" }), "birth_date", "a person has", ""},
		{"a unit's death", aUnit(func(r *record) { r.DiedOn = "2020-01-01" }), "died_on", "deleted_on", ""},
		{"unit type", aUnit(func(r *record) { r.UnitType = "as" }), "unit_type", "capital letters", ""},
		{"a sub-unit's type", aUnit(func(r *record) { r.UnitType = "ORGL" }), "unit_type", "BEDR or AAFY", ""},
		{"no main unit", aUnit(func(r *record) { r.MainUnit = "" }), "main_unit", "org:910042963", ""},
		{"reference", aUnit(func(r *record) { r.MainUnit = "910042963" }), "main_unit", "org:<nine digits>", ""},
		{"unknown main unit", aUnit(func(r *record) { r.MainUnit = "org:999999999" }), "main_unit", "org:999999999", fault.ReasonPartyNotFound},
		{"a sub-unit's sub-unit", aUnit(func(r *record) { r.MainUnit = "party:2" }), "main_unit", "itself a sub-unit", ""},
		{"a person's sub-unit", aUnit(func(r *record) { r.MainUnit = "party:3" }), "main_unit", "an organisation", ""},
		{"its own main unit", aUnit(func(r *record) { r.MainUnit = "org:910000051" }), "main_unit", "itself a sub-unit", ""},
		{"an organisation's main unit", aUnit(func(r *record) { r.Kind = party.Organisation }), "main_unit", "a sub-unit has", ""},
		{"a main unit made a sub-unit", aUnit(func(r *record) { r.ID, r.OrgNumber, r.MainUnit = 1, "910042963", "party:4" }), "kind", "has sub-units", register.ReasonPartyHasSubUnits},
		{"two parties by id and number", aUnit(func(r *record) { r.ID = 4; r.OrgNumber = "910042971" }), "org_number", "party 2, but party_id names party 4", register.ReasonPartyConflict},
		{"two parties by number and user", aPerson(func(r *record) { r.ID, r.NationalID, r.UserID = 0, "07124912037", 1_000_000_000 }), "user_id", "names party 1000000000", register.ReasonPartyConflict},
		{"another id", aUnit(func(r *record) { r.OrgNumber = "910042971" }), "party_id", "is 2 for this party", register.ReasonPartyConflict},
		{"another user", aPerson(func(r *record) { r.ID, r.NationalID, r.UserID = 3, "", 77 }), "user_id", "is 20001337", register.ReasonPartyConflict},
		{"another national id", aPerson(func(r *record) { r.ID, r.UserID = 0, 20001337 }), "national_id", "party_id or party_uuid", register.ReasonPartyConflict},
		{"a person become an organisation", aUnit(func(r *record) { r.ID, r.Kind, r.MainUnit = 3, party.Organisation, "" }), "kind", "is a person", register.ReasonPartyConflict},
		{"an organisation become a person", aPerson(func(r *record) { r.ID = 1 }), "kind", "is an organisation", register.ReasonPartyConflict},

		{"unknown role", hold("party:1", "DAGLIG", "party:3"), "role", "DAGLIG", fault.ReasonUnknownRole},
		{"malformed from", hold("1", "DAGL", "party:3"), "from", "party:<partyId>", ""},
		{"malformed to", hold("party:1", "DAGL", "nin:123"), "to", "nin:<eleven digits>", ""},
		{"unknown from", hold("party:99", "DAGL", "party:3"), "from", "party:99", fault.ReasonPartyNotFound},
		{"unknown to", hold("party:1", "DAGL", "key:nobody"), "to", "key:nobody", fault.ReasonPartyNotFound},
		{"an organisation's private role", hold("party:1", "PRIV", "party:4"), "to", "held by a person", register.ReasonHolderNotAllowed},
		{"a person's link", hold("party:2", "BEDR", "party:3"), "role", "links units", register.ReasonHolderNotAllowed},
		{"another main unit", hold("party:2", "BEDR", "party:4"), "to", "main_unit", register.ReasonHolderNotAllowed},
		{"a link that expires", holdUntil("party:2", "BEDR", "party:1", today), "expires_at", "does not expire", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			// The file is otherwise as it was, so that nothing but the entry is refused.
			outcome, err := w.run(register.Header{AddOnly: true, DryRun: true}, file{"test": {test.entry}})
			if err != nil {
				t.Fatal(err)
			}
			if len(outcome.Refusals) != 1 || outcome.Refusals[0].Field != test.field || !strings.Contains(outcome.Refusals[0].Message, test.message) {
				t.Errorf("import: refusals = %+v, want one of %s with %q", outcome.Refusals, test.field, test.message)
			}
			if refused := outcome.Sources[0].Parties.Refused + outcome.Sources[0].Assignments.Refused; refused != 1 {
				t.Errorf("import: %d refused, want 1", refused)
			}
			reason := test.reason
			if reason == "" {
				reason = fault.ReasonInvalidArgument
			}
			if p := test.entry.Party; p != nil {
				_, _, err = w.PutParty(t.Context(), "test", *p)
			} else {
				_, err = w.PutAssignment(t.Context(), "test", *test.entry.Assignment)
			}
			if reasonOf(err) != reason || !strings.Contains(err.Error(), test.field+": ") {
				t.Errorf("alone: %v, want %s of %s", err, reason, test.field)
			}
		})
	}
	if w.state() != before {
		t.Error("a refused entry changed something")
	}
}

func TestDuplicatesInOneFile(t *testing.T) {
	w := newWorld(t)
	outcome, err := w.run(register.Header{}, file{"test": {
		org(1, "910042963", "AS"),
		person(3, "07124912037", 20001337),
		entry(register.PartyRecord{Kind: party.Organisation, Name: "again", OrgNumber: "910042963"}),
		entry(register.PartyRecord{Kind: party.Person, Name: "again", NationalID: "07124912037", Key: "k"}),
		hold("party:1", "DAGL", "party:3"),
		hold("org:910042963", "daglig-leder", "nin:07124912037"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []register.Refusal{
		{File: "test", Line: 3, Field: "org_number", Message: "line 1 of this source is about the same party; give each party once"},
		{File: "test", Line: 4, Field: "national_id", Message: "line 2 of this source is about the same party; give each party once"},
		{File: "test", Line: 6, Field: "to", Message: "line 5 says so already; give each assignment once"},
	}
	if len(outcome.Refusals) != 3 || outcome.Refusals[0] != want[0] || outcome.Refusals[1] != want[1] || outcome.Refusals[2] != want[2] {
		t.Errorf("refusals = %+v", outcome.Refusals)
	}
	w.wantTuples("party:1#dagl@user:20001337", "party:3#priv@user:20001337", "party:3#self@user:20001337")
}

func TestReferences(t *testing.T) {
	for text, want := range map[string]string{
		"party:50076451": "party:50076451", "uuid:35042029-F290-473C-9770-2E256BB50D3B": "uuid:35042029-f290-473c-9770-2e256bb50d3b",
		"org:910042963": "org:910042963", "nin:07124912037": "nin:07124912037", "key:a:b": "key:a:b", "party:007": "party:7",
	} {
		if r, ok := register.ParseReference(text); !ok || r.String() != want {
			t.Errorf("ParseReference(%q) = %v, %v; want %s", text, r, ok, want)
		}
	}
	for _, text := range []string{
		"", "party", "party:", "party:0", "party:-1", "party:2147483648", "party:1x", "org:91004296", "org:91004296x", "nin:", "key:", "uuid:x",
		"key:" + strings.Repeat("k", 513), "Party:1", "name:x",
	} {
		if r, ok := register.ParseReference(text); ok {
			t.Errorf("ParseReference(%q) = %v, want none", text, r)
		}
	}
}

func TestExpiryIsKeptToTheMicrosecond(t *testing.T) {
	w := newWorld(t)
	until := time.Date(2030, 1, 2, 3, 4, 5, 678901234, time.FixedZone("CET", 3600))
	f := file{"test": {org(1, "910042963", "AS"), person(3, "07124912037", 20001337), holdUntil("party:1", "PROK", "party:3", until)}}
	w.whole(f)
	if outcome := w.whole(f); outcome.Sources[0].Assignments.Unchanged != 1 {
		t.Errorf("the second run counted %+v", outcome.Sources[0].Assignments)
	}
}
