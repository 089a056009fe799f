package graph

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Type numbers a definition, such as party.
type Type uint16

// vocable is a relation of a definition, or the definition itself as a kind of subject.
type vocable struct {
	typ  Type
	name string // empty for the definition itself
}

// vocabulary numbers definitions and relations. There are few and they rarely grow, so it
// is copied when it does: every snapshot has the one that it was sealed with, and a
// dropped transaction's is simply forgotten.
type vocabulary struct {
	types  []string
	byType map[string]Type
	sorted []Type // types in the order of their names
	rels   []vocable
	byRel  map[vocable]Rel
}

func newVocabulary() *vocabulary {
	return &vocabulary{byType: make(map[string]Type), byRel: make(map[vocable]Rel)}
}

// rel returns the number of a relation of a definition or, without a name, of the kind of
// its objects.
func (v *vocabulary) rel(typ, name string) (Rel, bool) {
	t, ok := v.byType[typ]
	if !ok {
		return 0, false
	}
	r, ok := v.byRel[vocable{t, name}]
	return r, ok
}

// with returns a vocabulary that has the relation, and its number.
func (v *vocabulary) with(typ, name string) (*vocabulary, Rel, error) {
	if r, ok := v.rel(typ, name); ok {
		return v, r, nil
	}
	if len(v.rels) == maxRels {
		return v, 0, fmt.Errorf("relation %s#%s: the graph has its %d relations already", typ, name, maxRels)
	}
	next := *v
	t, ok := v.byType[typ]
	if !ok {
		t = Type(len(v.types))
		typ = strings.Clone(typ)
		next.types = append(slices.Clip(v.types), typ)
		next.byType = maps.Clone(v.byType)
		next.byType[typ] = t
		next.sorted = slices.Clone(v.sorted)
		i, _ := slices.BinarySearchFunc(v.sorted, typ, func(have Type, want string) int {
			return strings.Compare(v.types[have], want)
		})
		next.sorted = slices.Insert(next.sorted, i, t)
	}
	r := Rel(len(v.rels))
	word := vocable{t, strings.Clone(name)}
	next.rels = append(slices.Clip(v.rels), word)
	next.byRel = maps.Clone(v.byRel)
	next.byRel[word] = r
	return &next, r, nil
}
