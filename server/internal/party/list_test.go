package party_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

func TestList(t *testing.T) {
	w := newWorld(t)
	w.put(
		party.Party{ID: 1, Kind: party.Organisation, Name: "ØYER BYGG AS", OrgNumber: "910000005", UnitType: "AS"},
		party.Party{ID: 2, Kind: party.SubUnit, Name: "ØYER BYGG AVD LOM", OrgNumber: "910000003", MainUnit: 1},
		party.Party{ID: 3, Kind: party.SubUnit, Name: "AVD SKJÅK", OrgNumber: "910000004", MainUnit: 1, DeletedOn: "2020-01-31"},
		party.Party{ID: 4, Kind: party.Organisation, Name: "ZEBRA ASA", OrgNumber: "910000001", DeletedOn: "2021-05-01"},
		party.Party{ID: 5, Kind: party.SubUnit, Name: "ZEBRA AVD ÅL", OrgNumber: "910000002", MainUnit: 4},
		party.Party{ID: 6, Kind: party.Person, Name: "KASPER BØRSTAD", NationalID: "07124912037", UserID: 100, Login: true},
		party.Party{ID: 7, Kind: party.Organisation, Name: "MORENE AS", OrgNumber: "920000001"},
		party.Party{ID: 8, Kind: party.SubUnit, Name: "MORENE LOM", OrgNumber: "920000002", MainUnit: 7},
		party.Party{ID: 9, Kind: party.SubUnit, Name: "MORENE VÅGÅ", OrgNumber: "920000003", MainUnit: 7},
		party.Party{ID: 10, Kind: party.Organisation, Name: "SOMEBODY ELSE"},
	)
	w.user("self", 100, 6)
	w.user("priv", 100, 6)
	w.user("dagl", 100, 1, 4)
	w.user("regn", 100, 8, 9, 77) // not the main unit 7, and a party without a record

	for _, c := range []struct {
		name  string
		query party.Query
		want  string
		total int
	}{
		{"by name", party.Query{}, " 3 6 8 9 4 5 1 2 77", 9},
		{"by number", party.Query{Order: party.ByNumber}, " 6 4 5 2 3 1 8 9 77", 9},
		{"by id", party.Query{Order: party.ByID}, " 1 2 3 4 5 6 8 9 77", 9},
		{"role", party.Query{Role: "dagl"}, " 3 4 5 1 2", 5},
		{"implied role", party.Query{Role: "utinn", Order: party.ByID}, " 1 2 3 4 5 6", 6},
		{"search", party.Query{Search: "lom"}, " 8 2", 2},
		{"search number", party.Query{Search: "92 00"}, " 8 9", 2},
		{"search nobody", party.Query{Search: "somebody"}, "", 0},
		{"standing only", party.Query{ExcludeDeleted: true, Order: party.ByID}, " 1 2 5 6 8 9 77", 7},
		{"grouped", party.Query{Group: true}, " 6 7*[8 9] 4[5] 1[3 2] 77", 5},
		{"grouped by number", party.Query{Group: true, Order: party.ByNumber}, " 6 4[5] 1[2 3] 7*[8 9] 77", 5},
		{"grouped by id", party.Query{Group: true, Order: party.ByID}, " 1[2 3] 4[5] 6 7*[8 9] 77", 5},
		{"grouped, standing only", party.Query{Group: true, ExcludeDeleted: true}, " 6 7*[8 9] 4*[5] 1[2] 77", 5},
		{"grouped, role", party.Query{Group: true, Role: "regn"}, " 7*[8 9] 77", 2},
		{"grouped, search finds units", party.Query{Group: true, Search: "lom"}, " 7*[8] 1[2]", 2},
		{"grouped, search finds main units", party.Query{Group: true, Search: "øyer"}, " 1[3 2]", 1},
		{"grouped, search finds a carrier", party.Query{Group: true, Search: "morene as"}, " 7*[8 9]", 1},
		{"first page", party.Query{PageSize: 2}, " 3 6", 9},
		{"first group", party.Query{PageSize: 2, Group: true}, " 6 7*[8 9]", 5},
	} {
		c.query.User = 100
		list := w.list(c.query)
		if got := outline(list.Entries); got != c.want || list.Total != c.total {
			t.Errorf("%s: %s of %d, want %s of %d", c.name, got, list.Total, c.want, c.total)
		}
		if more := c.query.PageSize != 0; (list.Next != "") != more {
			t.Errorf("%s: next page %q", c.name, list.Next)
		}
	}
	if list := w.list(party.Query{User: 999}); len(list.Entries) != 0 || list.Total != 0 || list.Next != "" {
		t.Errorf("an unknown user represents %+v", list)
	}
	_, err := w.List(t.Context(), party.Query{User: 100, At: relation.At{AtLeast: "x"}})
	wantFault(t, "bad revision", err, fault.Invalid, fault.ReasonInvalidRevision)
	_, err = w.List(t.Context(), party.Query{User: 100, PageToken: "x"})
	wantFault(t, "bad token", err, fault.Invalid, fault.ReasonInvalidPageToken)
	t.Run("sub-unit of a party without a record", w.groupsUnderMissingRecord)
	t.Run("expired", w.forgetsExpired)
}

// A sub-unit whose main unit has no record is nested under its id.
func (w *world) groupsUnderMissingRecord(t *testing.T) {
	w.put(party.Party{ID: 502, Kind: party.SubUnit, Name: "AVD LOM", MainUnit: 501})
	w.user("regn", 500, 502)
	list := w.list(party.Query{User: 500, Group: true})
	want := []party.Entry{{
		Party: party.Party{ID: 501}, HierarchyOnly: true,
		SubUnits: []party.Entry{{Party: party.Party{ID: 502, Kind: party.SubUnit, Name: "AVD LOM", MainUnit: 501}}},
	}}
	if diff := cmp.Diff(want, list.Entries); diff != "" {
		t.Errorf("grouped (-want +got):\n%s", diff)
	}
}

// A right that ends takes its party off the list when it does.
func (w *world) forgetsExpired(t *testing.T) {
	_, err := w.engine.Write(t.Context(), []relation.Update{{Op: relation.Touch, Relationship: relation.Relationship{
		Resource: relation.Party(601), Relation: "regn", Subject: relation.User(600), Expires: time.Now().Add(-time.Minute),
	}}, {Op: relation.Touch, Relationship: relation.Relationship{
		Resource: relation.Party(602), Relation: "regn", Subject: relation.User(600), Expires: time.Now().Add(time.Hour),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := outline(w.list(party.Query{User: 600}).Entries); got != " 602" {
		t.Errorf("listed:%s, want 602", got)
	}
}
