package party

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNorwegianOrder(t *testing.T) {
	want := []string{
		"10 AS", "A B", "A-B", "AB", "Bad", "BÅRD", "BAARD", "EGIL", "ÉGIL", "EGILSEN", "Über", "YR", "Zå",
		"ÆRLIG", "Øst", "ØSTBY", "Å", "Ås", "ÅSEN",
	}
	d := NewDirectory()
	for i, name := range want {
		d.Apply([]Party{{ID: ID(len(want) - i), Name: name}}, nil)
	}
	list, _ := d.listings(slices.Collect(maps.Keys(d.byID)), 0)
	sorted, _ := newOrdered(list, ByName.position).page(position{}, 0)
	var got []string
	for _, l := range sorted {
		got = append(got, l.of.record.party().Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order by name (-want +got):\n%s", diff)
	}
}

func TestOrders(t *testing.T) {
	d := NewDirectory()
	d.Apply([]Party{
		{ID: 5, Name: "b", OrgNumber: "910000001"},
		{ID: 4, Name: "B", OrgNumber: "910000003"},
		{ID: 3, Name: "a", NationalID: "01010112345"},
		{ID: 2, Name: "c"},
		{ID: 1, Name: "", OrgNumber: "910000002"},
	}, nil)
	for order, want := range map[Order][]ID{
		ByName:   {3, 4, 5, 2, 1, 6, 7}, // equal but for case: by id; nameless: last, by id
		ByNumber: {3, 5, 1, 4, 2, 6, 7},
		ByID:     {1, 2, 3, 4, 5, 6, 7},
	} {
		list, _ := d.listings([]ID{7, 6, 5, 4, 3, 2, 1}, 0)
		sorted, _ := newOrdered(list, order.position).page(position{}, 0)
		var got []ID
		for _, l := range sorted {
			got = append(got, l.of.id)
		}
		if !slices.Equal(got, want) {
			t.Errorf("order %d: %v, want %v", order, got, want)
		}
	}
}

func TestKeysAreShort(t *testing.T) {
	c := newCollation()
	for _, name := range []string{"SKROVA OG STANGHELLE", "TÅRNÅSEN OG VARTDAL"} {
		if n := len(c.key(name)); n > 3*len(name) {
			t.Errorf("the key of %q has %d bytes", name, n)
		}
	}
	if n := len(c.key(strings.Repeat("æ", 5000))); n != maxKey {
		t.Errorf("the key of a long name has %d bytes, want %d", n, maxKey)
	}
	if token := pageToken(fingerprint{}, cursor{after: position{id: 1<<63 - 1, key: strings.Repeat("k", maxKey)}}); len(token) > 4096 {
		t.Errorf("a token has %d bytes, requests take 4096", len(token))
	}
}
