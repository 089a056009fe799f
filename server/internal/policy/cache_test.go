package policy

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestCacheGivesUpWhatNobodyAsksFor(t *testing.T) {
	c := newCache()
	v := func(n int) Version { return Version{Hash: fmt.Sprint(n)} }
	for n := range 3 { // of which two fit
		c.put(v(n), &parsed{size: maxCachedBytes / 2})
		if n == 1 {
			c.get(v(0))
		}
	}
	for n, want := range []bool{true, false, true} {
		if _, got := c.get(v(n)); got != want {
			t.Errorf("%d is there: %v, want %v", n, got, want)
		}
	}
	if c.bytes != maxCachedBytes || len(c.order) != len(c.known) {
		t.Errorf("%d bytes, %d in order, %d known", c.bytes, len(c.order), len(c.known))
	}
}

func TestCacheStaysWithinItsBounds(t *testing.T) {
	c := newCache()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range maxCached {
				v := Version{Hash: fmt.Sprint(n, g%2)}
				if _, ok := c.get(v); !ok {
					c.put(v, &parsed{size: n})
				}
			}
		})
	}
	wg.Wait()
	size := 0
	for _, p := range c.known {
		size += p.size
	}
	if len(c.known) != maxCached || len(c.order) != maxCached || size != c.bytes {
		t.Errorf("%d known, %d in order, %d bytes counted as %d", len(c.known), len(c.order), size, c.bytes)
	}
}

func TestRefs(t *testing.T) {
	seen := map[string]Ref{}
	for _, c := range []struct {
		ref  Ref
		id   string // "" for one that is refused
		text string
	}{
		{App("skd", "taxreport"), "app_skd_taxreport", "app skd/taxreport"},
		{Resource("app_skd_tax_report"), "app_skd_tax_report", "app skd/tax_report"},
		{Resource("app_skd"), "app_skd", "resource app_skd"},
		{Resource("app__a"), "app__a", "resource app__a"},
		{Resource("ttd-res"), "ttd-res", "resource ttd-res"},
		{Resource("type/a"), "type=2Fa", "resource type/a"},
		{Type("a"), "type/a", "type a"},
		{Type("æ b"), "type/=C3=A6=20b", "type æ b"},
		{App("s_d", "a"), "", ""},
		{App("", "a"), "", ""},
		{App("skd", ""), "", ""},
		{Resource(""), "", ""},
		{Type(""), "", ""},
		{Ref{}, "", ""},
		{Resource(strings.Repeat("é", 300)), "", ""},
	} {
		if err := c.ref.Validate(); (err == nil) != (c.id != "") {
			t.Errorf("%v: %v", c.ref, err)
		}
		if c.id == "" {
			continue
		}
		id := c.ref.Object().ID
		back, ok := refOf(id)
		if id != c.id || c.ref.String() != c.text || !ok || back != c.ref {
			t.Errorf("%v has the id %q, which comes back as %v, %v; want %q", c.ref, id, back, ok, c.id)
		}
		if other, twice := seen[id]; twice {
			t.Errorf("%v and %v have the id %q", c.ref, other, id)
		}
		seen[id] = c.ref
	}
	for _, id := range []string{"", "a/b", "type/a/b", "type/", "a b"} {
		if ref, ok := refOf(id); ok {
			t.Errorf("%q is %v", id, ref)
		}
	}
}
