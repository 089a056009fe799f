package weighted_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/behalf-authz/behalf/server/internal/weighted"
)

// shelf is one of strings that shows what is on it, the last used first, and what has gone.
type shelf struct {
	*weighted.Shelf[string]
	gone string
}

func newShelf() *shelf {
	s := &shelf{}
	s.Shelf = weighted.New(10, time.Minute, func(v string) { s.gone += v })
	return s
}

func (s *shelf) want(t *testing.T, kept string, weight int, gone string) {
	t.Helper()
	got := ""
	for _, v := range s.All() {
		got += v
	}
	if got != kept || s.Weight() != weight || s.Len() != len(kept) || s.gone != gone {
		t.Errorf("%q of weight %d (%d values), %q gone; want %q of weight %d, %q gone", got, s.Weight(), s.Len(), s.gone, kept, weight, gone)
	}
}

func TestShelfHoldsItsWeight(t *testing.T) {
	s := newShelf()
	a, b := s.Put("a", 4), s.Put("b", 3)
	s.Put("c", 3)
	s.want(t, "cba", 10, "")
	s.Use(a)
	s.want(t, "acb", 10, "")
	s.Put("d", 1)
	s.want(t, "dac", 8, "b")
	s.Use(b)
	s.Drop(b)
	s.want(t, "dac", 8, "b")
	if p := s.Put("e", 11); p != nil {
		t.Error("a value heavier than all the shelf is on it")
	}
	s.Use(nil)
	s.Drop(nil)
	s.want(t, "dac", 8, "b")
	s.Drop(a)
	s.want(t, "dc", 4, "ba")
	s.Put("f", 10)
	s.want(t, "f", 10, "bacd")
}

func TestShelfLetsIdleValuesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		a := s.Put("a", 1)
		s.Put("b", 1)
		time.Sleep(59 * time.Second)
		s.Use(a)
		s.Put("c", 1)
		s.want(t, "cab", 3, "")
		time.Sleep(time.Second)
		s.Put("d", 1)
		s.want(t, "dca", 3, "b")
	})
}

func ExampleShelf() {
	recent := weighted.New(2, time.Hour, func(text string) { fmt.Println("gone:", text) })
	first := recent.Put("first", 1)
	recent.Put("second", 1)
	recent.Use(first)
	recent.Put("third", 1)
	// Output: gone: second
}
