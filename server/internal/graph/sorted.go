package graph

import (
	"sort"
	"sync/atomic"
)

const (
	// sortAtOnce is how many edges of one list are sorted for each query that wants them
	// sorted. Longer lists are sorted whole and remembered: a reader who goes through one
	// in pages would otherwise sort it for each page.
	sortAtOnce = 1024

	// sortedLists is how many sorted lists are remembered.
	sortedLists = 32
)

// sortedCache remembers some large lists in the order of their names. It is never wrong: a
// version of a list is known by its root, and never changes.
type sortedCache struct {
	entries [sortedLists]atomic.Pointer[sortedList]
}

type sortedList struct {
	root  *branch[Edge]
	edges []Edge
}

// sorted returns all edges of a large list in the order of their names.
func (s *state) sorted(l List, reverse bool) []Edge {
	root := l.large.edges.root
	slot := &s.cache.entries[(root.epoch+uint64(l.index))%sortedLists]
	if have := slot.Load(); have != nil && have.root == root {
		return have.edges
	}
	edges := make([]Edge, 0, l.Len())
	c := l.All()
	for run := c.Next(); len(run) > 0; run = c.Next() {
		edges = append(edges, run...)
	}
	s.sortEdges(edges, reverse)
	slot.Store(&sortedList{root, edges})
	return edges
}

// runNode yields the rows of one object of the near side.
func (sc *scan) runNode(n Node, reverse bool, yield func(row) bool) bool {
	l := sc.near(n, reverse)
	each := func(e Edge) bool {
		r, ok := sc.row(n, l, e, reverse)
		return !ok || yield(r)
	}
	if sc.q.Order == Unsorted {
		return sc.edges(n, l, reverse, each)
	}
	edges := sc.scratch[:0]
	few := sc.edges(n, l, reverse, func(e Edge) bool {
		edges = append(edges, e)
		return len(edges) <= sortAtOnce
	})
	sc.scratch = edges
	if few {
		sc.s.sortEdges(edges, reverse)
	} else {
		edges = sc.s.sorted(l, reverse)
	}
	for _, e := range edges[sc.resume(n, edges, reverse):] {
		if (few || sc.takes(n, e, reverse)) && !each(e) {
			return false
		}
	}
	return true
}

// resume returns the index of the first of an object's sorted edges that comes after the
// query's cursor.
func (sc *scan) resume(near Node, edges []Edge, reverse bool) int {
	typ, id, ok := sc.cursor(reverse)
	if !ok {
		return 0
	}
	if o := sc.s.Object(near); o.Type != typ || o.ID != id {
		return 0 // the cursor is on an object before this one
	}
	o, name := ByResource, sc.q.After.Relation
	if reverse {
		o, name = BySubject, sc.q.After.Subject.Relation
	}
	if _, only := sc.s.RelName(sc.only); o != sc.q.Order && name != only {
		return 0 // see alike: the two orders are one only for what has this name
	}
	return sort.Search(len(edges), func(i int) bool {
		e := edges[i]
		t := sc.s.tuple(near, e.Rel(), e.Node(), e.Kind(), nil)
		if reverse {
			t = sc.s.tuple(e.Node(), e.Rel(), near, e.Kind(), nil)
		}
		return compareTuples(&t, sc.q.After, o) > 0
	})
}
