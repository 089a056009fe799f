package party

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func TestRecordKeepsParty(t *testing.T) {
	long := strings.Repeat("x", maxText)
	for _, want := range []Party{
		{},
		{ID: 1, UUID: "u", Kind: SubUnit, Name: "Ås", OrgNumber: "910042971", UnitType: "BEDR", MainUnit: 2, DeletedOn: "2024-02-29"},
		{ID: 1 << 40, Kind: Person, Name: "Åse", NationalID: "07124912037", BirthDate: "1949-12-07", DiedOn: "2020-01-01", UserID: 1 << 41, Login: true},
		{UUID: long, Name: long, OrgNumber: long, NationalID: long, UnitType: long, DeletedOn: long, BirthDate: long, DiedOn: long},
	} {
		r := newRecord(want, "key"+long[3:], " folded"+long+long)
		if diff := cmp.Diff(want, r.party()); diff != "" {
			t.Error(diff)
		}
		if r.text(keyText) != "key"+long[3:] || r.text(wordsText) != " folded"+long+long {
			t.Errorf("key %.10q, words %.10q", r.text(keyText), r.text(wordsText))
		}
	}
	if got := newRecord(Party{Name: long + "y", OrgNumber: "1"}, "", "").party(); got.Name != long || got.OrgNumber != "1" {
		t.Errorf("a name that is too long comes back as %.10q of %d bytes", got.Name, len(got.Name))
	}
	if size := unsafe.Sizeof(record{}); size > 64 {
		t.Errorf("a record has %d bytes besides its texts", size)
	}
}
