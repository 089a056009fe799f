package party_test

import (
	"fmt"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// The pages of a list are pages of one list, even if a part of it is found anew for each, and
// nothing is kept beside it that nobody can ask for again.
func TestUnionsServeAllPages(t *testing.T) {
	w := newFileWorld(t)
	ids := make([]int64, keptParties)
	for i := range ids {
		ids[i] = int64(i + 1)
		w.directory.Apply([]party.Party{{ID: party.ID(ids[i]), Kind: party.Organisation, Name: fmt.Sprint("NAME ", i)}}, nil)
	}
	w.user("regn", 100, ids...)
	w.user("lede", 100, 5001, 5002) // too few to be kept
	w.write(relation.Touch, "main_unit", relation.Subject{Object: relation.Party(8001)}, []int64{8002})
	w.right(relation.Touch, 6001, "loan")   // found anew for each page
	w.right(relation.Touch, 6002, "loan")   // likewise
	w.right(relation.Touch, 7001, "others") // of another resource
	want := func(what string, total, views, unions int) {
		t.Helper()
		q := party.Query{User: 100, Resource: "loan", PageSize: 200, Order: party.ByID}
		seen := make(map[party.ID]bool)
		for {
			list := w.list(q)
			for _, e := range list.Entries {
				seen[e.ID] = true
			}
			if list.Total != total {
				t.Errorf("%s: %d parties in all, want %d", what, list.Total, total)
			}
			if q.PageToken = list.Next; q.PageToken == "" {
				break
			}
		}
		gotViews, gotUnions := w.Kept()
		if len(seen) != total || gotViews != views || gotUnions != unions {
			t.Errorf("%s: %d parties, %d views and %d unions are kept; want %d, %d, %d", what, len(seen), gotViews, gotUnions, total, views, unions)
		}
	}
	want("at first", keptParties+4, 1, 1)
	want("again", keptParties+4, 1, 1)
	// What a right extends to may change without a change of what rests on the user.
	unit := relation.Subject{Object: relation.Party(6001)}
	w.write(relation.Touch, "main_unit", unit, []int64{6003})
	want("with a sub-unit more", keptParties+5, 2, 2)
	w.write(relation.Delete, "main_unit", unit, []int64{6003})
	want("without it", keptParties+4, 2, 2) // made anew, and known again
	w.right(relation.Delete, 6002, "loan")
	want("with a right less", keptParties+3, 3, 3)
	w.write(relation.Delete, "lede", relation.User(100), []int64{5001})
	want("with a role less", keptParties+2, 4, 4)
}

// A list that SpiceDB finds, anew for each page, is one list for as long as it is the same.
func TestUnionsOfListsFoundAnew(t *testing.T) {
	w := newWorld(t) // whose relations are not walked
	ids := make([]int64, 300)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	w.user("regn", 100, ids...)
	pages := func() (n int) {
		q := party.Query{User: 100, Role: "regn", PageSize: 200, Order: party.ByID}
		for {
			list := w.list(q)
			n += len(list.Entries)
			if q.PageToken = list.Next; q.PageToken == "" {
				return n
			}
		}
	}
	for range 2 {
		if n := pages(); n != 300 {
			t.Errorf("%d parties, want 300", n)
		}
	}
	if views, unions := w.Kept(); views != 1 || unions != 1 {
		t.Errorf("%d views and %d unions are kept, want one of each", views, unions)
	}
	w.write(relation.Delete, "regn", relation.User(100), []int64{300})
	if n := pages(); n != 299 {
		t.Errorf("%d parties with one less, want 299", n)
	}
	w.user("regn", 200, 1, 2, 3)
	if list := w.list(party.Query{User: 200, Role: "regn"}); list.Total != 3 {
		t.Errorf("%d parties of another user, want 3", list.Total)
	}
	if views, unions := w.Kept(); views != 2 || unions != 2 {
		t.Errorf("%d views and %d unions are kept, want two of each", views, unions)
	}
}
