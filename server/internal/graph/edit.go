package graph

import (
	"slices"
	"strings"
)

// edit changes a state by numbers. What it made itself bears its epoch and is changed in
// place; everything else is copied first.
type edit struct {
	state
	epoch    uint64
	ownLists [2]bool // the slices in lists are this edit's own
	ownNames bool    // names is this edit's own
}

// renew makes the edit's pieces immutable: from now on it copies again.
func (d *edit) renew(epoch uint64) {
	d.epoch, d.ownLists, d.ownNames = epoch, [2]bool{}, false
}

// writable returns the desk for the page of a node in one direction.
func (d *edit) writable(direction int, n Node) desk {
	i := int(n >> topShift)
	top := &d.lists[direction]
	if !d.ownLists[direction] {
		*top = append(make(radix, 0, max(len(*top), i+1)), *top...)
		d.ownLists[direction] = true
	}
	for i >= len(*top) {
		*top = append(*top, nil)
	}
	u := &(*top)[i]
	if *u == nil {
		*u = &upper{epoch: d.epoch}
	} else if (*u).epoch != d.epoch {
		*u = &upper{epoch: d.epoch, kids: (*u).kids}
	}
	m := &(*u).kids[n>>upShift&(fan-1)]
	if *m == nil {
		*m = &middle{epoch: d.epoch}
	} else if (*m).epoch != d.epoch {
		*m = &middle{epoch: d.epoch, kids: (*m).kids}
	}
	l := &(*m).kids[n>>midShift&(fan-1)]
	if *l == nil {
		*l = &lower{epoch: d.epoch}
	} else if (*l).epoch != d.epoch {
		*l = &lower{epoch: d.epoch, extras: (*l).extras, pages: (*l).pages}
	}
	at := int(n >> lowShift & (fan - 1))
	if p := (*l).pages[at]; p == nil || p.epoch != d.epoch {
		(*l).pages[at] = p.copied(d.epoch, 1)
	}
	return desk{d.epoch, *l, at}
}

// link writes a tuple. found says whether it is there already, with the payload old; sum
// is what it adds to the checksum.
func (d *edit) link(resource Node, rel Rel, subject Node, kind Rel, payload *Payload, found bool, sum uint64) {
	if !found {
		d.enter(resource)
		d.enter(subject)
		d.tuples++
		d.count(MakeEdge(rel, kind, 0).group(), 1)
	}
	mark := payload.mark()
	d.writable(forward, resource).put(listOf(resource), MakeEdge(rel, kind, subject)|mark, payload)
	d.writable(reverse, subject).put(listOf(subject), MakeEdge(rel, kind, resource)|mark, payload)
	d.sum += sum
}

// unlink removes a tuple that is there; sum is what it had added to the checksum.
func (d *edit) unlink(resource Node, rel Rel, subject Node, kind Rel, sum uint64) {
	d.writable(forward, resource).cut(listOf(resource), MakeEdge(rel, kind, subject))
	d.writable(reverse, subject).cut(listOf(subject), MakeEdge(rel, kind, resource))
	d.tuples--
	d.count(MakeEdge(rel, kind, 0).group(), -1)
	d.sum -= sum
	d.leave(resource)
	d.leave(subject)
}

// listOf returns the index of a node's list in its page.
func listOf(n Node) uint8 { return uint8(n & (pageNodes - 1)) }

// bare reports whether a node has no edges.
func (d *edit) bare(n Node) bool {
	return d.list(forward, n).Len() == 0 && d.list(reverse, n).Len() == 0
}

// enter adds a node that has no edges yet to the names of its type.
func (d *edit) enter(n Node) {
	if !d.bare(n) {
		return
	}
	typ, id := d.dict.name(n)
	if _, replaced := d.namesOf(typ).put(d.epoch, n, d.probeName(id)); !replaced {
		d.objects++
	}
}

// leave removes a node that has lost its last edge from the names of its type.
func (d *edit) leave(n Node) {
	if !d.bare(n) {
		return
	}
	typ, id := d.dict.name(n)
	if _, removed := d.namesOf(typ).remove(d.epoch, d.probeName(id)); removed {
		d.objects--
	}
}

// namesOf returns the tree of a type's names, in a slice of the edit's own.
func (d *edit) namesOf(typ Type) *tree[Node] {
	if !d.ownNames {
		d.names = slices.Clone(d.names)
		d.ownNames = true
	}
	for int(typ) >= len(d.names) {
		d.names = append(d.names, tree[Node]{})
	}
	return &d.names[typ]
}

// probeName finds the object with an id among those of one type.
func (s *state) probeName(id string) func(Node) int {
	return func(n Node) int {
		_, have := s.dict.name(n)
		return strings.Compare(id, have)
	}
}

// count adds to the tally of a group.
func (d *edit) count(group uint32, by int) {
	t, _ := d.tallies.find(probeTally(group))
	t.group = group
	t.n += by
	if t.n == 0 {
		d.tallies.remove(d.epoch, probeTally(group))
		return
	}
	d.tallies.put(d.epoch, t, probeTally(group))
}

func probeTally(group uint32) func(tally) int {
	return func(t tally) int {
		switch {
		case group < t.group:
			return -1
		case group > t.group:
			return 1
		}
		return 0
	}
}
