package graph

import "math/bits"

// Node numbers an object. Numbers are dense and given in the order in which objects are
// first seen; they mean the same in every snapshot of one graph that knows them, and
// nothing in another graph.
type Node uint32

// Rel numbers a relation of a definition, such as party#dagl, and, without a name, a
// definition itself where its objects are subjects, such as user. So the Rel of a subject,
// called its kind, says its type as well.
type Rel uint16

// maxRels is how many relations a graph can have: fifteen bits' worth, but for the last one,
// so that there is an edge behind each group.
const maxRels = 1<<15 - 1

// Edge is one tuple seen from one of its ends: the relation, the kind of its subject, and
// the node at the other end. Edges of one list are in ascending order of these three.
type Edge uint64

// The bits of an Edge, from the lowest: mark 2, node 32, kind 15, relation 15.
const (
	nodeShift = 2
	kindShift = nodeShift + 32
	relShift  = kindShift + 15

	markBits Edge = 1<<nodeShift - 1
)

// The marks. What has no payload costs nothing beyond its edge.
const (
	markPlain    Edge = iota // no payload
	markExpires              // a payload with an expiry and no caveat
	markCaveated             // a payload with a caveat, with or without an expiry
	markNoted                // a payload that does not bear on whether the tuple holds
)

// MakeEdge returns the edge of a relation, a kind of subject and the node at the other end.
func MakeEdge(rel, kind Rel, other Node) Edge {
	return Edge(rel)<<relShift | Edge(kind)<<kindShift | Edge(other)<<nodeShift
}

// Rel returns the relation.
func (e Edge) Rel() Rel { return Rel(e >> relShift) }

// Kind returns the kind of the subject.
func (e Edge) Kind() Rel { return Rel(e>>kindShift) & (1<<(relShift-kindShift) - 1) }

// Node returns the node at the other end: the subject of a forward edge, the resource of
// a reverse one.
func (e Edge) Node() Node { return Node(e >> nodeShift) }

// Names reports whether the edge is of a kind and to a node, given as MakeEdge(0, kind, node).
func (e Edge) Names(end Edge) bool { return (e^end)&(1<<relShift-1)&^markBits == 0 }

// Unconditional reports whether the tuple holds whatever the time and the context.
func (e Edge) Unconditional() bool { return e&markBits == markPlain || e&markBits == markNoted }

// Caveated reports whether the tuple has a caveat. Its payload says which, and whether it
// expires too.
func (e Edge) Caveated() bool { return e&markBits == markCaveated }

// key returns e without its mark.
func (e Edge) key() Edge { return e &^ markBits }

// group returns what the edges of one relation and kind have in common.
func (e Edge) group() uint32 { return uint32(e >> kindShift) }

// firstOf returns the least edge of a group.
func firstOf(group uint32) Edge { return Edge(group) << kindShift }

// Mask is a set of relations.
type Mask []uint64

// NewMask returns the set of rels.
func NewMask(rels ...Rel) Mask {
	var m Mask
	for _, r := range rels {
		m.Add(r)
	}
	return m
}

// Add adds r.
func (m *Mask) Add(r Rel) {
	for int(r>>6) >= len(*m) {
		*m = append(*m, 0)
	}
	(*m)[r>>6] |= 1 << (r & 63)
}

// Merge adds all of o.
func (m *Mask) Merge(o Mask) {
	for len(*m) < len(o) {
		*m = append(*m, 0)
	}
	for i, w := range o {
		(*m)[i] |= w
	}
}

// Has reports whether r is in the set.
func (m Mask) Has(r Rel) bool {
	return int(r>>6) < len(m) && m[r>>6]>>(r&63)&1 != 0
}

// Len returns how many relations are in the set.
func (m Mask) Len() int {
	n := 0
	for _, w := range m {
		n += bits.OnesCount64(w)
	}
	return n
}
