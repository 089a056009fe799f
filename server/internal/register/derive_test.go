package register_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// today is the day of these tests.
var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func catalogue(t testing.TB) *roles.Catalogue {
	t.Helper()
	c, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// texts shows tuples as resource#relation@subject, with the day on which they expire.
func texts(all []relation.Relationship) []string {
	shown := make([]string, 0, len(all))
	for _, r := range all {
		text := fmt.Sprintf("%s#%s@%s", r.Resource, r.Relation, r.Subject)
		if !r.Expires.IsZero() {
			text += " until " + r.Expires.UTC().Format(time.DateOnly)
		}
		shown = append(shown, text)
	}
	slices.Sort(shown)
	return shown
}

func TestDerive(t *testing.T) {
	var (
		kari     = party.Party{ID: 1, Kind: party.Person, Name: "Kari", UserID: 101, Login: true}
		derived  = party.Party{ID: 2, Kind: party.Person, Name: "Ola", UserID: 102}
		company  = party.Party{ID: 4, Kind: party.Organisation, Name: "Skrova AS", UnitType: "AS"}
		council  = party.Party{ID: 5, Kind: party.Organisation, Name: "Renovasjon IKS", UnitType: "IKS"}
		sub      = party.Party{ID: 6, Kind: party.SubUnit, Name: "Avdeling", UnitType: "BEDR", MainUnit: 4}
		self     = party.Party{ID: 7, Kind: party.SelfIdentified, Name: "epost", UserID: 107, Login: true}
		trader   = party.Party{ID: 8, Kind: party.Organisation, Name: "Kari Handel", UnitType: "ENK"}
		shut     = party.Party{ID: 9, Kind: party.Organisation, Name: "Kari Før", UnitType: "ENK", DeletedOn: "2025-02-28"}
		longShut = party.Party{ID: 10, Kind: party.Organisation, Name: "Kari Lenge før", UnitType: "ENK", DeletedOn: "2024-11-21"}
		dead     = party.Party{ID: 11, Kind: party.Person, Name: "Nils", UserID: 111, DiedOn: "2026-01-01"}
		level    = party.Party{ID: 12, Kind: party.Organisation, Name: "Etat", UnitType: "ORGL"}
		owners   = party.Party{ID: 13, Kind: party.Organisation, Name: "Sameiet", UnitType: "ESEK"}
	)
	soon, late := today.AddDate(0, 1, 0), today.AddDate(1, 0, 0)
	for _, test := range []struct {
		name  string
		facts register.Facts
		want  []string
	}{
		{"nobody", register.Facts{Held: []register.Held{{Role: "dagl", Holder: 1, User: 101}}}, nil},
		{"a person who logs in", register.Facts{Party: kari}, []string{"party:1#priv@user:101", "party:1#self@user:101"}},
		{"a derived person", register.Facts{Party: derived}, nil},
		{"a self-identified user", register.Facts{Party: self}, []string{"party:7#self@user:107", "party:7#seln@user:107"}},
		{"an organisation alone", register.Facts{Party: company}, nil},
		{"a person's and an organisation's role", register.Facts{Party: company, Held: []register.Held{
			{Role: "dagl", Holder: 1, User: 101}, {Role: "regn", Holder: 3}, {Role: "lede", Holder: 2, User: 102},
		}}, []string{"party:4#dagl@user:101", "party:4#lede@user:102", "party:4#regn_org@party:3"}},
		{"a sub-unit", register.Facts{Party: sub, Held: []register.Held{{Role: "dagl", Holder: 1, User: 101}, {Role: "bedr", Holder: 4}}},
			[]string{"party:6#dagl@user:101", "party:6#main_unit@party:4"}},
		{"a link that the record does not give", register.Facts{Party: company, Held: []register.Held{{Role: "bedr", Holder: 3}}}, nil},
		{"a level of a public body", register.Facts{Party: level, Held: []register.Held{{Role: "orgl", Holder: 5}}},
			[]string{"party:12#org_level@party:5"}},
		{"DTPR in an IKS", register.Facts{Party: council, Held: []register.Held{{Role: "dtpr", Holder: 1, User: 101}, {Role: "dtpr", Holder: 4}}},
			[]string{"party:5#dtpr_nokey@user:101", "party:5#dtpr_nokey_org@party:4"}},
		{"DTPR elsewhere", register.Facts{Party: company, Held: []register.Held{{Role: "dtpr", Holder: 1, User: 101}}}, []string{"party:4#dtpr@user:101"}},
		{"expiry", register.Facts{Party: company, Held: []register.Held{
			{Role: "prok", Holder: 1, User: 101, Expires: soon}, {Role: "sihv", Holder: 1, User: 101, Expires: today}, {Role: "sife", Holder: 1, User: 101, Expires: today.AddDate(0, 0, -1)},
		}}, []string{"party:4#prok@user:101 until 2026-12-21"}},
		{"the latest expiry stands", register.Facts{Party: company, Held: []register.Held{
			{Role: "prok", Holder: 1, User: 101, Expires: soon}, {Role: "prok", Holder: 1, User: 101, Expires: late}, {Role: "sihv", Holder: 1, User: 101}, {Role: "sihv", Holder: 1, User: 101, Expires: late},
		}}, []string{"party:4#prok@user:101 until 2027-11-21", "party:4#sihv@user:101"}},
		{"a private role that a source gives too", register.Facts{Party: kari, Held: []register.Held{{Role: "priv", Holder: 1, User: 101, Expires: soon}}},
			[]string{"party:1#priv@user:101", "party:1#self@user:101"}},
		{"a sole trader", register.Facts{Party: derived, Businesses: []register.Business{{Party: trader}, {Party: company}}},
			[]string{"party:2#enk@party:8"}},
		{"a sole trader's own end", register.Facts{Party: derived, Businesses: []register.Business{{Party: trader, Expires: soon}, {Party: shut, Expires: soon}}},
			[]string{"party:2#enk@party:8 until 2026-12-21", "party:2#enk@party:9 until 2026-12-21"}},
		{"a sole trader's deleted business", register.Facts{Party: derived, Businesses: []register.Business{{Party: shut}, {Party: longShut}}},
			[]string{"party:2#enk@party:9 until 2027-02-28"}},
		{"a dead sole trader", register.Facts{Party: dead, Businesses: []register.Business{{Party: trader}}}, nil},
		{"the business itself", register.Facts{Party: trader, Held: []register.Held{{Role: "innh", Holder: 2, User: 102}}}, []string{"party:8#innh@user:102"}},
		{"a unit type that packages depend on", register.Facts{Party: owners}, []string{"party:13#unit_esek@user:*"}},
		{"a role that the catalogue lost", register.Facts{Party: company, Held: []register.Held{{Role: "gone", Holder: 1, User: 101}}}, nil},
		{"an organisation where a person belongs", register.Facts{Party: kari, Held: []register.Held{{Role: "priv", Holder: 3}}},
			[]string{"party:1#priv@user:101", "party:1#self@user:101"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := texts(register.Derive(catalogue(t), test.facts, today))
			if diff := cmp.Diff(append([]string{}, test.want...), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
