package graph

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// builder makes the pieces of a version from rows, all at once.
type builder struct {
	*Loader
	epoch    uint64
	lists    [2]lists            // forward and reverse
	payloads map[loaded]*Payload // by resource and forward edge without its mark
}

// lists is all lists of one direction, in the order of their nodes.
type lists struct {
	starts []uint32 // by node, and the end
	edges  []Edge
}

func (l *lists) of(n int) []Edge { return l.edges[l.starts[n]:l.starts[n+1]] }

// build makes the loader's version.
func (l *Loader) build() (*Snapshot, error) {
	b := &builder{Loader: l, epoch: l.tx.epoch}
	b.indexPayloads()
	var wait sync.WaitGroup
	wait.Go(func() { b.lists[reverse] = b.sortRows(reverse) })
	b.lists[forward] = b.sortRows(forward)
	wait.Wait()
	if err := b.refuseRepeated(); err != nil {
		return nil, err
	}
	l.rows = nil
	s := &Snapshot{state: l.tx.state}
	s.tuples, s.sum = len(b.lists[forward].edges), l.sum
	wait.Go(func() { s.names, s.objects = b.names() })
	wait.Go(func() { s.lists[reverse] = b.radix(reverse) })
	s.tallies = b.tallies()
	s.lists[forward] = b.radix(forward)
	wait.Wait()
	return s, nil
}

func (b *builder) indexPayloads() {
	if len(b.Loader.payloads) == 0 {
		return
	}
	b.payloads = make(map[loaded]*Payload, len(b.Loader.payloads))
	for _, p := range b.Loader.payloads {
		r := b.rows[p.row]
		b.payloads[loaded{r.forward.key(), r.resource}] = p.payload
	}
}

// sortRows sorts the rows into lists: by node, by counting, and then each by edge.
func (b *builder) sortRows(direction int) lists {
	nodes := int(b.tx.nodes)
	l := lists{starts: make([]uint32, nodes+2), edges: make([]Edge, len(b.rows))}
	near := func(r loaded) Node { return r.resource }
	if direction == reverse {
		near = func(r loaded) Node { return r.forward.Node() }
	}
	// starts[n+2] counts n, then starts[n+1] is where the next edge of n goes, and at the
	// end where those of n+1 start.
	for _, r := range b.rows {
		l.starts[near(r)+2]++
	}
	for n := 2; n < len(l.starts); n++ {
		l.starts[n] += l.starts[n-1]
	}
	for _, r := range b.rows {
		e := r.forward
		if direction == reverse {
			e = MakeEdge(e.Rel(), e.Kind(), r.resource) | e&markBits
		}
		at := &l.starts[near(r)+1]
		l.edges[*at] = e
		*at++
	}
	for n := range nodes {
		if list := l.of(n); len(list) > 1 {
			slices.Sort(list)
		}
	}
	return l
}

// refuseRepeated finds a tuple that was added twice.
func (b *builder) refuseRepeated() error {
	for n := range int(b.tx.nodes) {
		list := b.lists[forward].of(n)
		for i := 1; i < len(list); i++ {
			if e := list[i]; e.key() == list[i-1].key() {
				p := b.payloads[loaded{e.key(), Node(n)}]
				return &ExistsError{Existing: b.tx.tuple(Node(n), e.Rel(), e.Node(), e.Kind(), p)}
			}
		}
	}
	return nil
}

// tallies counts the tuples of each group.
func (b *builder) tallies() tree[tally] {
	counts := make(map[uint32]int)
	var group uint32
	n := 0
	for _, e := range b.lists[forward].edges {
		if e.group() != group {
			counts[group] += n
			group, n = e.group(), 0
		}
		n++
	}
	counts[group] += n
	var all []tally
	for group, n := range counts {
		if n > 0 {
			all = append(all, tally{group, n})
		}
	}
	slices.SortFunc(all, func(a, b tally) int { return cmp.Compare(a.group, b.group) })
	return buildTree(b.epoch, all)
}

// names makes the trees of objects by name.
func (b *builder) names() (trees []tree[Node], objects int) {
	type named struct {
		prefix uint64
		node   Node
	}
	byType := make([][]named, len(b.tx.words.types))
	for n := range int(b.tx.nodes) {
		if len(b.lists[forward].of(n)) == 0 && len(b.lists[reverse].of(n)) == 0 {
			continue // the name of a tuple that was refused
		}
		typ, id := b.tx.dict.name(Node(n))
		byType[typ] = append(byType[typ], named{idPrefix(id), Node(n)})
		objects++
	}
	for _, all := range byType {
		slices.SortFunc(all, func(x, y named) int {
			if c := cmp.Compare(x.prefix, y.prefix); c != 0 {
				return c
			}
			_, xn := b.tx.dict.name(x.node)
			_, yn := b.tx.dict.name(y.node)
			return strings.Compare(xn, yn)
		})
		nodes := make([]Node, len(all))
		for i, n := range all {
			nodes[i] = n.node
		}
		trees = append(trees, buildTree(b.epoch, nodes))
	}
	return trees, objects
}

// radix makes the pages of one direction and what is above them.
func (b *builder) radix(direction int) radix {
	nodes := int(b.tx.nodes)
	lists := &b.lists[direction]
	top := make(radix, (nodes+1<<topShift-1)>>topShift)
	for first := 0; first < nodes; first += pageNodes {
		end := min(first+pageNodes, nodes)
		if lists.starts[first] == lists.starts[end] {
			continue // users, for one, have no forward edges
		}
		u := &top[first>>topShift]
		if *u == nil {
			*u = &upper{epoch: b.epoch}
		}
		m := &(*u).kids[first>>upShift&(fan-1)]
		if *m == nil {
			*m = &middle{epoch: b.epoch}
		}
		l := &(*m).kids[first>>midShift&(fan-1)]
		if *l == nil {
			*l = &lower{epoch: b.epoch}
		}
		b.page(desk{b.epoch, *l, first >> lowShift & (fan - 1)}, lists, first, end, direction)
	}
	return top
}

// page makes the page of the lists of nodes first to end.
func (b *builder) page(k desk, lists *lists, first, end, direction int) {
	size := 0
	for n := first; n < end; n++ {
		if list := lists.of(n); len(list) <= smallList {
			size += len(list)
		}
	}
	p := newPage(b.epoch, size)
	k.low.pages[k.i] = p
	for n := first; n < end; n++ {
		b.list(k, Node(n), lists.of(n), direction)
	}
	for i := end - first; i < pageNodes; i++ {
		p.off[i+1] = p.off[i]
	}
}

// list puts the next list into its page.
func (b *builder) list(k desk, n Node, list []Edge, direction int) {
	i := listOf(n)
	sides := b.sides(n, list, direction)
	p := k.page()
	p.off[i+1] = p.off[i]
	if len(list) > smallList {
		x := k.ownExtra()
		x.large = append(x.large, &large{
			epoch: b.epoch, list: i, edges: buildTree(b.epoch, list), sides: buildTree(b.epoch, sides),
		})
		return
	}
	p.off[i+1] += uint16(copy(p.edges()[p.off[i]:], list))
	if len(sides) > 0 {
		x := k.ownExtra()
		x.sides = append(x.sides, sides...)
	}
}

// sides returns the payloads of a list.
func (b *builder) sides(n Node, list []Edge, direction int) (sides []side) {
	if b.payloads == nil {
		return nil
	}
	for _, e := range list {
		if e&markBits == markPlain {
			continue
		}
		at := loaded{e.key(), n}
		if direction == reverse {
			at = loaded{MakeEdge(e.Rel(), e.Kind(), n), e.Node()}
		}
		sides = append(sides, side{list: listOf(n), edge: e.key(), payload: b.payloads[at]})
	}
	return sides
}
