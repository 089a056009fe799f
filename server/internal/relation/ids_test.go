package relation_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// objectID is what SpiceDB accepts as an object's id.
var objectID = regexp.MustCompile(`^[a-zA-Z0-9/_|\-=+]{1,1000}[a-zA-Z0-9/_|\-=+]{0,24}$`)

func FuzzIDRoundTrip(f *testing.F) {
	f.Add("50076451", "app_skd_taxreport", "read")
	f.Add("a/b", "=2F", "æøå ")
	f.Add("\x00", "\xff", "%")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		parts := []string{a, b, c}
		id, err := relation.JoinID(parts...)
		if err != nil {
			if !slices.Contains(parts, "") && 3*(len(a)+len(b)+len(c))+2 <= 1024 {
				t.Fatalf("JoinID(%q): %v", parts, err)
			}
			return
		}
		if !objectID.MatchString(id) {
			t.Fatalf("JoinID(%q) = %q is no object id", parts, id)
		}
		back, err := relation.SplitID(id)
		if err != nil || !slices.Equal(back, parts) {
			t.Fatalf("SplitID(%q) = %q, %v; want %q", id, back, err, parts)
		}
	})
}

func FuzzSplitID(f *testing.F) {
	f.Add("a/b=20c")
	f.Add("=")
	f.Fuzz(func(t *testing.T, id string) {
		parts, err := relation.SplitID(id)
		if err != nil {
			return
		}
		if back, err := relation.JoinID(parts...); err != nil || back != id {
			t.Fatalf("JoinID(SplitID(%q)) = %q, %v: an id must have one spelling", id, back, err)
		}
	})
}

func TestJoinIDRefuses(t *testing.T) {
	for _, parts := range [][]string{nil, {""}, {"a", ""}, {strings.Repeat("a", 1025)}, {strings.Repeat("é", 200)}} {
		if id, err := relation.JoinID(parts...); err == nil {
			t.Errorf("JoinID(%.20q) = %.20q, want an error", parts, id)
		}
	}
}

func TestObjectNumber(t *testing.T) {
	for id, want := range map[string]int64{"50076451": 50076451, "007": 0, "-1": 0, "0": 0, "x": 0, "": 0, "99999999999999999999": 0} {
		got, ok := relation.Object{Type: "party", ID: id}.Number()
		if got != want || ok != (want != 0) {
			t.Errorf("Number(%q) = %d, %v; want %d", id, got, ok, want)
		}
	}
}
