package walk

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// noRel stands for a relation that no tuple ever had: the graph's own numbers are less.
const noRel = graph.Rel(1<<15 - 1)

// bound is a schema in the numbers of a graph. It is good for every snapshot that knows no
// more words than it does: words keep their numbers.
type bound struct {
	schema *Schema
	words  int
	rels   []graph.Rel // by program: as relation, and as kind of subject
	defs   map[string]boundDef
	shapes shapes
	plans  []atomic.Pointer[plan]
	reach  []atomic.Pointer[reach]

	binding sync.Mutex       // held while a program is bound
	subs    map[*sub]subPlan // those that are, without their offsets: programs share them
}

// boundDef is a definition in the numbers of a graph.
type boundDef struct {
	kind graph.Rel  // of its objects as subjects; noRel where no tuple has one
	typ  graph.Type // noType where no tuple names one of it
}

// at returns the schema in the numbers of a published snapshot.
func (s *Schema) at(snap *graph.Snapshot) *bound {
	if b := s.bound.Load(); b != nil && b.words >= snap.Rels() {
		return b
	}
	s.binding.Lock()
	defer s.binding.Unlock()
	if b := s.bound.Load(); b != nil && b.words >= snap.Rels() {
		return b
	}
	b := &bound{
		schema: s, words: snap.Rels(),
		rels:   make([]graph.Rel, len(s.programs)),
		defs:   make(map[string]boundDef, len(s.defs)),
		shapes: shapes{seed: maphash.MakeSeed()},
		plans:  make([]atomic.Pointer[plan], len(s.programs)),
		reach:  make([]atomic.Pointer[reach], len(s.programs)),
		subs:   make(map[*sub]subPlan),
	}
	for i, p := range s.programs {
		b.rels[i] = relOf(snap, p.def.name, p.name)
	}
	for name := range s.defs {
		b.defs[name] = boundDef{relOf(snap, name, ""), typeOf(snap, name)}
	}
	s.bound.Store(b)
	return b
}

func relOf(snap *graph.Snapshot, typ, name string) graph.Rel {
	if r, ok := snap.Rel(typ, name); ok {
		return r
	}
	return noRel
}

func typeOf(snap *graph.Snapshot, name string) graph.Type {
	if t, ok := snap.Type(name); ok {
		return t
	}
	return noType
}

// kind returns the number of a kind of subject, noRel when no tuple has it or the schema
// does not know it.
func (b *bound) kind(typ, relation string) graph.Rel {
	if relation == "" {
		if d, ok := b.defs[typ]; ok {
			return d.kind
		}
		return noRel
	}
	if p := b.schema.program(typ, relation); p != nil {
		return b.rels[p.index]
	}
	return noRel
}

// plan is a union in the graph's numbers. Terms that no tuple can match are left out.
type plan struct {
	contains programs
	self     bool
	leaf     bool // it leads nowhere: no relationship can lead back to it
	plain    bool // tuples that name the subject or lead on are all there is to it
	height   int
	direct   []kindMask // whose tuples name a subject of the kind
	wild     []kindMask // whose tuples name all objects of the kind's type
	at       []uint16   // by relation: one more than the place in follow
	follow   []follow
	same     []hop // on the object itself
	subs     []subPlan
	gate     graph.Mask // when gated: without a tuple of these relations, subs are empty
	gated    bool
}

// kindMask is the relations that allow one kind of subject.
type kindMask struct {
	kind graph.Rel
	mask graph.Mask
}

// follow is a relation whose subjects are walked on from.
type follow struct {
	rel   graph.Rel
	kinds []kindHops
}

type kindHops struct {
	kind graph.Rel
	hops []hop
}

// hop is where to walk on from a subject.
type hop struct {
	to     int32 // program
	offset int   // of the term
}

// subPlan is a sub in the graph's numbers.
type subPlan struct {
	op     Op
	offset int
	kids   []*plan
	quick  []*plan // of an intersection: its kids, those that are soon decided first
	all    follow  // for All: one hop per kind, none where the subject has no such program
}

// plan returns the plan of a program, nil when it is not compiled.
func (b *bound) plan(p *program) *plan {
	if have := b.plans[p.index].Load(); have != nil {
		return have
	}
	if p.body == nil {
		return nil
	}
	b.binding.Lock()
	defer b.binding.Unlock()
	if have := b.plans[p.index].Load(); have != nil {
		return have
	}
	made := b.bind(p.body)
	b.plans[p.index].Store(made)
	return made
}

func (b *bound) bind(u *union) *plan {
	p := &plan{contains: u.contains, self: u.self, height: u.height, at: make([]uint16, b.words)}
	for _, t := range u.direct {
		rel := b.rels[t.relation.index]
		if rel == noRel {
			continue
		}
		for _, s := range t.relation.subjects {
			b.bindSubject(p, rel, s, t.offset)
		}
		if p.at[rel] != 0 { // the kinds that lead nowhere are known as well
			for _, s := range t.relation.subjects {
				if kind := b.kind(s.Type, s.Relation); kind != noRel {
					p.add(rel, kind)
				}
			}
		}
	}
	for _, t := range u.arrows {
		if rel := b.rels[t.tupleset.index]; rel != noRel {
			for _, k := range b.arrow(t.tupleset, t.target, t.offset) {
				p.add(rel, k.kind, k.hops...)
			}
		}
	}
	for _, t := range u.same {
		p.same = append(p.same, hop{t.relation.index, t.offset})
	}
	for _, t := range u.subs {
		p.subs = append(p.subs, b.bindSub(t))
	}
	p.leaf = p.steps() == 0
	p.plain = !p.self && len(p.wild)+len(p.same)+len(p.subs) == 0
	p.bindGate()
	return p
}

// bindGate finds out which tuples the terms that are no unions cannot do without.
func (p *plan) bindGate() {
	p.gated = true
	for i := range p.subs {
		s := &p.subs[i]
		if s.op == All {
			if s.all.rel != noRel {
				p.gate.Add(s.all.rel)
			}
			continue
		}
		first := s.kids[0]
		if s.op == Intersection {
			first = s.quick[0]
		}
		if first.self || len(first.same) > 0 || len(first.subs) > 0 {
			p.gated = false
			return
		}
		for _, all := range [][]kindMask{first.direct, first.wild} {
			for _, k := range all {
				p.gate.Merge(k.mask)
			}
		}
		for _, f := range first.follow {
			p.gate.Add(f.rel)
		}
	}
}

func (b *bound) bindSubject(p *plan, rel graph.Rel, s SubjectType, offset int) {
	kind := b.kind(s.Type, s.Relation)
	if kind == noRel {
		return
	}
	if s.Wildcard {
		p.wild = addKind(p.wild, kind, rel)
		return
	}
	p.direct = addKind(p.direct, kind, rel)
	if s.Relation != "" {
		p.add(rel, kind, hop{b.schema.program(s.Type, s.Relation).index, offset})
	}
}

// arrow returns what an arrow leads to, by kind of the tupleset's subjects: nothing where
// their definition does not have the target.
func (b *bound) arrow(tupleset *program, target string, offset int) []kindHops {
	var all []kindHops
	for _, s := range tupleset.subjects {
		kind := b.kind(s.Type, s.Relation)
		if kind == noRel || s.Wildcard {
			continue
		}
		k := kindHops{kind: kind}
		if to := b.schema.program(s.Type, target); to != nil {
			k.hops = []hop{{to.index, offset}}
		}
		all = append(all, k)
	}
	return all
}

// bindSub binds a term, once for all programs that it is part of: their number can double with each
// permission that names another one twice.
func (b *bound) bindSub(t subTerm) subPlan {
	s, have := b.subs[t.sub]
	if !have {
		s = b.bindNew(t)
		b.subs[t.sub] = s
	}
	s.offset = t.offset
	return s
}

func (b *bound) bindNew(t subTerm) subPlan {
	s := subPlan{op: t.sub.op}
	for _, kid := range t.sub.kids {
		s.kids = append(s.kids, b.bind(kid))
	}
	if s.op == Intersection {
		s.quick = slices.Clone(s.kids)
		slices.SortStableFunc(s.quick, func(a, b *plan) int { return a.steps() - b.steps() })
	}
	if s.op == All {
		s.all = follow{rel: b.rels[t.sub.tupleset.index], kinds: b.arrow(t.sub.tupleset, t.sub.target, 0)}
	}
	return s
}

// steps is how many terms there are that lead on.
func (p *plan) steps() int { return len(p.follow) + len(p.same) + len(p.subs) }

func addKind(all []kindMask, kind, rel graph.Rel) []kindMask {
	for i := range all {
		if all[i].kind == kind {
			all[i].mask.Add(rel)
			return all
		}
	}
	return append(all, kindMask{kind, graph.NewMask(rel)})
}

// maskOf returns the relations that allow a kind, nil for none.
func maskOf(all []kindMask, kind graph.Rel) graph.Mask {
	for i := range all {
		if all[i].kind == kind {
			return all[i].mask
		}
	}
	return nil
}

// add lets the plan walk on from the subjects of a relation and kind.
func (p *plan) add(rel, kind graph.Rel, hops ...hop) {
	if p.at[rel] == 0 {
		p.follow = append(p.follow, follow{rel: rel})
		p.at[rel] = uint16(len(p.follow))
	}
	f := &p.follow[p.at[rel]-1]
	k := f.hopsOf(kind)
	if k == nil {
		f.kinds = append(f.kinds, kindHops{kind: kind})
		k = &f.kinds[len(f.kinds)-1]
	}
	for _, h := range hops {
		k.add(h)
	}
}

func (k *kindHops) add(h hop) {
	for i := range k.hops {
		if k.hops[i].to == h.to {
			k.hops[i].offset = max(k.hops[i].offset, h.offset)
			return
		}
	}
	k.hops = append(k.hops, h)
}

// hopsOf returns what a kind of subject leads to, nil when the schema does not allow it.
func (f *follow) hopsOf(kind graph.Rel) *kindHops {
	for i := range f.kinds {
		if f.kinds[i].kind == kind {
			return &f.kinds[i]
		}
	}
	return nil
}
