package altinn

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzQuery reads any query, and finds what it sets in the next page's query again.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "userid=1", "userid=1&userId=2", "a=%zz&b", "&&=&", "limit=1;cursor=x", "cursor=a%2Bb&Cursor=c", "x=%E2%98%83"} {
		f.Add(seed, "a+b/c=")
	}
	f.Fuzz(func(t *testing.T, raw, cursor string) {
		p := readQuery(raw)
		p.int("userid")
		p.bool("includeDeleted", true)
		next := p.with("cursor", cursor)
		if strings.ContainsAny(next, "<> \r\n\"") {
			t.Errorf("the query %q cannot stand in a Link header", next)
		}
		if _, err := url.ParseQuery(next); err != nil {
			t.Errorf("the query %q: %v", next, err)
		}
		again := readQuery(next)
		if got, _ := again.text("cursor"); got != cursor {
			t.Errorf("cursor %q became %q in %q", cursor, got, next)
		}
		before, givenBefore := p.text("userid")
		after, givenAfter := again.text("userid")
		if before != after || givenBefore != givenAfter {
			t.Errorf("userid %q became %q", before, after)
		}
	})
}
