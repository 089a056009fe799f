package register

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// What a draft has taken is what it gives back.
func TestDraftKeepsRecords(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	text := func(most int) string {
		return strings.Repeat([]string{"a", "ø", "\x00", "9"}[random.IntN(4)], random.IntN(most+1))
	}
	d := &draft{files: make(map[string]int64)}
	type taken struct {
		At     place
		Record PartyRecord
	}
	var want []taken
	for i := range 3000 {
		r := PartyRecord{
			ID: party.ID(random.Int64N(maxID + 1)), Kind: party.Kind(random.IntN(6)), Name: text(maxName), OrgNumber: text(9), NationalID: text(11),
			UnitType: text(10), DeletedOn: text(10), MainUnit: text(40), BirthDate: text(10), DiedOn: text(10),
			UserID: party.UserID(random.Int64N(maxID + 1)), Login: random.IntN(2) == 0, Key: text(maxKey),
		}
		if random.IntN(3) > 0 {
			r.UUID = newUUID()
		}
		at := place{source: random.IntN(MaxSources), file: fmt.Sprint("file ", i%7), line: random.Int64() - random.Int64()}
		want = append(want, taken{at, r})
		d.entry.entry = d.entry.entry[:0]
		d.entry.record(&r)
		d.place(at)
		d.claims.add(claim{at: d.records.add(d.entry.entry)})
	}
	if len(d.records.blocks) < 5 {
		t.Errorf("only %d blocks: the test says nothing of how they join", len(d.records.blocks))
	}
	for n, c := range d.claims.each() {
		at, r := d.record(c)
		if diff := cmp.Diff(want[n-1], taken{at, r}, cmp.AllowUnexported(place{})); diff != "" {
			t.Fatal(diff)
		}
		if d.kind(c) != r.Kind {
			t.Fatalf("kind %d of %+v", d.kind(c), r)
		}
	}
}

func TestPackedParts(t *testing.T) {
	far := time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	times := []time.Time{{}, time.UnixMicro(0).UTC(), time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), far}
	references := []Reference{
		{}, PartyID(1), PartyID(maxID), {ByUUID, "00000000-0000-0000-0000-000000000000"}, {ByOrgNumber, "000000000"}, {ByNationalID, "01010112345"}, {ByKey, "a:b"},
	}
	var p packer
	for i := range max(len(times), len(references)) {
		p.time(times[i%len(times)])
		p.reference(references[i%len(references)])
	}
	u := &unpacker{p.entry}
	for i := range max(len(times), len(references)) {
		if got, want := u.time(), times[i%len(times)]; got != want {
			t.Errorf("time %v, want %v", got, want)
		}
		if got, want := u.reference(), references[i%len(references)]; got != want {
			t.Errorf("reference %v, want %v", got, want)
		}
	}
	if len(u.rest) != 0 {
		t.Errorf("%d bytes are left", len(u.rest))
	}
	for _, want := range times {
		if got := instant(microseconds(want)); got != want {
			t.Errorf("instant %v, want %v", got, want)
		}
	}
}

func TestUUIDBytes(t *testing.T) {
	for range 100 {
		text := newUUID()
		if !uuidForm.MatchString(text) {
			t.Errorf("%s is no UUID", text)
		}
		if b, ok := uuidBytes(text); !ok || uuidText(b) != text {
			t.Errorf("%s comes back as %s, %v", text, uuidText(b), ok)
		}
	}
	for _, text := range []string{"", "u", strings.Repeat("x", 36), strings.Repeat("0", 32)} {
		if _, ok := uuidBytes(text); ok {
			t.Errorf("%q is taken for a UUID", text)
		}
	}
}
