package graph

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// row is a tuple by numbers.
type row struct {
	resource, subject Node
	rel, kind         Rel
	payload           *Payload
}

// compareTuples compares tuples by names.
func compareTuples(a, b *Tuple, o Order) int {
	resource := cmp.Or(
		strings.Compare(a.Resource.Type, b.Resource.Type),
		strings.Compare(a.Resource.ID, b.Resource.ID),
		strings.Compare(a.Relation, b.Relation),
	)
	subject := cmp.Or(
		strings.Compare(a.Subject.Type, b.Subject.Type),
		strings.Compare(a.Subject.ID, b.Subject.ID),
		strings.Compare(a.Subject.Relation, b.Subject.Relation),
	)
	if o == BySubject {
		return cmp.Or(subject, resource)
	}
	return cmp.Or(resource, subject)
}

// compareRows compares rows as compareTuples does, and looks at a name only where numbers
// differ.
func (s *state) compareRows(a, b *row, o Order) int {
	resource := s.compareEnds(a.resource, b.resource, a.rel, b.rel)
	if o == ByResource && resource != 0 {
		return resource
	}
	subject := s.compareEnds(a.subject, b.subject, a.kind, b.kind)
	return cmp.Or(subject, resource)
}

// compareEnds compares type, id and relation.
func (s *state) compareEnds(a, b Node, ar, br Rel) int {
	if a == b {
		return s.compareWords(ar, br)
	}
	if c := s.compareTypes(s.words.rels[ar].typ, s.words.rels[br].typ); c != 0 {
		return c
	}
	_, x := s.dict.name(a)
	_, y := s.dict.name(b)
	return strings.Compare(x, y)
}

func (s *state) compareTypes(a, b Type) int {
	if a == b {
		return 0
	}
	return strings.Compare(s.words.types[a], s.words.types[b])
}

// compareWords compares the names of two relations.
func (s *state) compareWords(a, b Rel) int {
	if a == b {
		return 0
	}
	return strings.Compare(s.words.rels[a].name, s.words.rels[b].name)
}

// sortNodes sorts objects by type and id and drops repeated ones.
func (s *state) sortNodes(nodes []Node) []Node {
	slices.SortFunc(nodes, func(a, b Node) int {
		at, an := s.dict.name(a)
		bt, bn := s.dict.name(b)
		return cmp.Or(s.compareTypes(at, bt), strings.Compare(an, bn))
	})
	return slices.Compact(nodes)
}

// ranked is an edge of one list with the first bytes of the id at its other end, which
// nearly always decide.
type ranked struct {
	edge   Edge
	prefix uint64
}

// sortEdges sorts edges of one list. A forward list, of one resource, is sorted by
// relation and subject; a reverse list, of one subject, by the subject's relation and the
// resource.
func (s *state) sortEdges(edges []Edge, reverse bool) {
	work := make([]ranked, len(edges))
	for i, e := range edges {
		_, id := s.dict.name(e.Node())
		work[i] = ranked{e, idPrefix(id)}
	}
	slices.SortFunc(work, func(a, b ranked) int {
		ar, ak, br, bk := a.edge.Rel(), a.edge.Kind(), b.edge.Rel(), b.edge.Kind()
		near, far, nearB, farB := ar, ak, br, bk
		if reverse {
			near, far, nearB, farB = ak, ar, bk, br
		}
		if c := s.compareWords(near, nearB); c != 0 {
			return c
		}
		if far != farB {
			if c := s.compareTypes(s.words.rels[far].typ, s.words.rels[farB].typ); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		if x, y := a.edge.Node(), b.edge.Node(); x != y {
			_, xn := s.dict.name(x)
			_, yn := s.dict.name(y)
			return strings.Compare(xn, yn)
		}
		return s.compareWords(far, farB)
	})
	for i := range work {
		edges[i] = work[i].edge
	}
}

// idPrefix returns the first eight bytes of an id as a number that compares like them.
func idPrefix(id string) uint64 {
	var b [8]byte
	copy(b[:], id)
	return binary.BigEndian.Uint64(b[:])
}
