package walk

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// shape is what all checks of one permission for one kind of subject have in common, found by its
// four names and so without five maps. A check mostly waits for memory, for two objects' names first,
// and the fewer instructions lie between the two, the more of their waiting is at the same time.
type shape struct {
	names names

	asker
	program                 *program
	plan                    *plan
	objectType, subjectType graph.Type // noType when no tuple has one of it
}

// names say which checks a shape is for.
type names struct {
	typ, permission              string
	subjectType, subjectRelation string
}

// noType stands for a definition that no tuple ever named: the graph's own numbers are less.
const noType = ^graph.Type(0)

// shapes keeps those that were asked for last, one in each place: two that meet there are made anew
// when they are asked for in turn. There are few permissions that are asked for often.
type shapes struct {
	seed   maphash.Seed
	places [256]atomic.Pointer[shape]
}

// of returns the place of a shape. Permissions are many, and types few.
func (s *shapes) of(n *names) *atomic.Pointer[shape] {
	i := maphash.String(s.seed, n.permission) + uint64(len(n.typ)+11*len(n.subjectType)+23*len(n.subjectRelation))
	return &s.places[i%uint64(len(s.places))]
}

// shape returns what answers the checks of a permission on objects of a type for subjects of a type,
// and with a relation if one is given. The Reason says why there is none.
func (b *bound) shape(typ, permission, subjectType, subjectRelation string) (*shape, Reason) {
	n := names{typ, permission, subjectType, subjectRelation}
	place := b.shapes.of(&n)
	if s := place.Load(); s != nil && s.names == n {
		return s, Answered
	}
	p := b.schema.program(typ, permission)
	a, ok := b.asker(subjectType, subjectRelation)
	if p == nil || !ok {
		return nil, UnknownName
	}
	plan := b.plan(p)
	if plan == nil {
		return nil, NotCompiled
	}
	s := &shape{
		names: names{p.def.name, p.name, strings.Clone(subjectType), strings.Clone(subjectRelation)},
		asker: a, program: p, plan: plan, objectType: b.defs[typ].typ, subjectType: b.defs[subjectType].typ,
	}
	place.Store(s)
	return s, Answered
}
