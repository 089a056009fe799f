package graph

// List is the edges of one object in one direction, in ascending order of relation, kind
// and node. The zero List is empty. Nothing that a List does allocates.
type List struct {
	small []Edge
	large *large
	extra *extra
	index uint8
}

// Len returns how many edges there are.
func (l List) Len() int {
	if l.large != nil {
		return l.large.edges.size
	}
	return len(l.small)
}

// Small returns all edges at once. It is not ok for a list that is a tree.
func (l List) Small() (all []Edge, ok bool) { return l.small, l.large == nil }

// Find returns the edge with this relation and kind to this node.
func (l List) Find(rel, kind Rel, other Node) (Edge, bool) {
	want := MakeEdge(rel, kind, other)
	run := l.small
	if l.large != nil {
		run = leafOf(&l.large.edges, want)
	}
	return search(run, want)
}

// Seek returns the first edge that is not less than e, to step over relations and kinds
// that are not wanted.
func (l List) Seek(e Edge) (Edge, bool) {
	c := l.between(e, ^Edge(0))
	if run := c.Next(); len(run) > 0 {
		return run[0], true
	}
	return 0, false
}

// KindFrom returns the first kind, of those that are not less than one, which edges of a relation
// have.
func (l List) KindFrom(rel, kind Rel) (Rel, bool) {
	e, ok := l.Seek(MakeEdge(rel, kind, 0))
	return e.Kind(), ok && e.Rel() == rel
}

// Payload returns the payload of an edge of the list, nil when it has none.
func (l List) Payload(e Edge) *Payload {
	switch {
	case e&markBits == markPlain:
		return nil
	case l.large != nil:
		return l.large.payload(e)
	}
	return l.extra.payload(l.index, e)
}

// All returns a cursor over all edges.
func (l List) All() Cursor { return l.between(0, ^Edge(0)) }

// Relation returns a cursor over the edges of one relation, whatever their kind.
func (l List) Relation(rel Rel) Cursor {
	first := Edge(rel) << relShift
	return l.between(first, first|(1<<relShift-1))
}

// Group returns a cursor over the edges of one relation and kind.
func (l List) Group(rel, kind Rel) Cursor {
	first := MakeEdge(rel, kind, 0)
	return l.between(first, first|(1<<kindShift-1))
}

// between returns a cursor over the edges from first to last, both included.
func (l List) between(first, last Edge) Cursor {
	return Cursor{list: l, next: first, last: last}
}

// Cursor goes over edges in runs: slices of the list itself, which must not be changed.
type Cursor struct {
	list List
	next Edge
	last Edge
	done bool
}

// Next returns the next edges, at least one, or nothing at the end.
func (c *Cursor) Next() []Edge {
	if c.done {
		return nil
	}
	var run []Edge
	if c.list.large == nil {
		c.done = true
		i, _ := position(c.list.small, c.next)
		run = c.list.small[i:]
	} else {
		run = runFrom(&c.list.large.edges, c.next)
		if len(run) == 0 {
			c.done = true
			return nil
		}
	}
	if n := len(run); n > 0 && run[n-1] > c.last {
		c.done = true
		i, _ := position(run, c.last) // c.last.key() is the greatest key wanted
		for i < n && run[i] <= c.last {
			i++
		}
		return run[:i]
	} else if n > 0 {
		c.next = run[n-1].key() + markBits + 1
		c.done = c.done || c.next == 0
	}
	return run
}

// leafOf returns the keys of the leaf that a key is in, if it is there.
func leafOf(t *tree[Edge], e Edge) []Edge {
	b := t.root
	if b == nil {
		return nil
	}
	for b.kids != nil {
		b = b.kids[kidOf(b, e.key())]
	}
	return b.keys
}

// kidOf is branch.kid without a call for each comparison.
func kidOf(b *branch[Edge], key Edge) int {
	lo, hi := 1, len(b.kids)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if key < b.keys[mid].key() {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo - 1
}

// runFrom returns the keys of one leaf from the first key on that is not less than e,
// nothing when there is none.
func runFrom(t *tree[Edge], e Edge) []Edge {
	key := e.key()
	b := t.root
	if b == nil {
		return nil
	}
	var right *branch[Edge] // what follows the path, as low as possible
	for b.kids != nil {
		i := kidOf(b, key)
		if i+1 < len(b.kids) {
			right = b.kids[i+1]
		}
		b = b.kids[i]
	}
	if i, _ := position(b.keys, key); i < len(b.keys) {
		return b.keys[i:]
	}
	for right != nil && right.kids != nil {
		right = right.kids[0]
	}
	if right == nil {
		return nil
	}
	return right.keys
}
