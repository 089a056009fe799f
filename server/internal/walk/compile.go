package walk

import (
	"sync"
	"sync/atomic"
)

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct {
	defs     map[string]*definition
	programs []*program

	binding sync.Mutex // held while the schema is bound to more words
	bound   atomic.Pointer[bound]
	walkers sync.Pool // scratches that are not in use
}

// Compile compiles what of a schema can be walked. What cannot be, and all that refers to
// it on the same object, is left to SpiceDB.
func Compile(definitions []Definition) *Schema {
	s := &Schema{defs: make(map[string]*definition, len(definitions))}
	for _, d := range definitions {
		def := &definition{name: d.Name, byName: make(map[string]*program, len(d.Relations)), subs: make(map[string]*sub)}
		s.defs[d.Name] = def
		for _, r := range d.Relations {
			p := &program{index: int32(len(s.programs)), def: def, name: r.Name, subjects: r.Subjects, expr: r.Expr}
			s.programs = append(s.programs, p)
			def.byName[r.Name] = p
		}
	}
	s.markCircular()
	for _, p := range s.programs {
		p.compile()
	}
	return s
}

// program returns the program of a definition's relation or permission, nil for none.
func (s *Schema) program(typ, name string) *program {
	if d := s.defs[typ]; d != nil {
		return d.byName[name]
	}
	return nil
}

// compile returns the body, nil when there is none: for an operator that is not known.
func (p *program) compile() *union {
	if p.state != untouched {
		return p.body // none yet while busy
	}
	p.state = busy
	b := builder{
		direct: make(map[*program]int), arrows: make(map[arrowTerm]int), same: make(map[*program]int), subs: make(map[*sub]int),
		union: new(union),
	}
	b.contains.add(p.index)
	if p.expr == nil {
		b.direct[p] = 0
		b.order.direct = append(b.order.direct, p)
		p.body = b.finish()
	} else if b.add(p.def, p.expr, 0) {
		p.body = b.finish()
	}
	p.state = compiled
	return p.body
}

// builder collects the terms of a union, each with its greatest offset.
type builder struct {
	*union
	direct map[*program]int
	arrows map[arrowTerm]int // by the term with offset zero
	same   map[*program]int
	subs   map[*sub]int
	order  struct {
		direct []*program
		arrows []arrowTerm
		same   []*program
		subs   []*sub
	}
}

func (b *builder) addDirect(p *program, offset int) {
	if have, ok := b.direct[p]; !ok {
		b.order.direct = append(b.order.direct, p)
	} else if have >= offset {
		return
	}
	b.direct[p] = offset
}

func (b *builder) addArrow(t arrowTerm, offset int) {
	t.offset = 0
	if have, ok := b.arrows[t]; !ok {
		b.order.arrows = append(b.order.arrows, t)
	} else if have >= offset {
		return
	}
	b.arrows[t] = offset
}

func (b *builder) addSame(p *program, offset int) {
	if have, ok := b.same[p]; !ok {
		b.order.same = append(b.order.same, p)
	} else if have >= offset {
		return
	}
	b.same[p] = offset
}

func (b *builder) addSub(s *sub, offset int) {
	if have, ok := b.subs[s]; !ok {
		b.order.subs = append(b.order.subs, s)
	} else if have >= offset {
		return
	}
	b.subs[s] = offset
}

func (b *builder) raise(height int) { b.height = max(b.height, height) }

// merge adds the body of another program of the same object.
func (b *builder) merge(u *union, offset int) {
	b.contains.merge(u.contains)
	b.self = b.self || u.self
	for _, t := range u.direct {
		b.addDirect(t.relation, t.offset+offset)
	}
	for _, t := range u.arrows {
		b.addArrow(t, t.offset+offset)
	}
	for _, t := range u.same {
		b.addSame(t.relation, t.offset+offset)
	}
	for _, t := range u.subs {
		b.addSub(t.sub, t.offset+offset)
	}
	b.raise(u.height + offset)
}

// add adds an expression of a definition and reports whether it could.
func (b *builder) add(def *definition, e *Expr, offset int) bool {
	switch e.Op {
	case Nil:
		return true
	case Self:
		b.self = true
		return true
	case Computed:
		p := def.byName[e.Relation]
		if p == nil {
			return false
		}
		if p.circular {
			b.addSame(p, offset)
			b.raise(offset)
			return true
		}
		u := p.compile()
		if u == nil {
			return false
		}
		b.merge(u, offset+1)
		return true
	case Arrow, All:
		p := def.byName[e.Relation]
		if p == nil || p.expr != nil {
			return false
		}
		if e.Op == All {
			s := def.subs[e.key()]
			if s == nil {
				s = &sub{op: All, tupleset: p, target: e.Target}
				def.subs[e.key()] = s
			}
			b.addSub(s, offset)
		} else {
			b.addArrow(arrowTerm{tupleset: p, target: e.Target}, offset)
		}
		b.raise(offset)
		return true
	case Union:
		for _, kid := range e.Kids {
			if !b.add(def, kid, offset) {
				return false
			}
		}
		return true
	case Intersection, Exclusion:
		return b.addKids(def, e, offset)
	case Unknown:
	}
	return false
}

func (b *builder) addKids(def *definition, e *Expr, offset int) bool {
	if len(e.Kids) < 2 {
		return e.Op == Intersection && len(e.Kids) == 1 && b.add(def, e.Kids[0], offset)
	}
	key := e.key()
	if have := def.subs[key]; have != nil {
		for _, kid := range have.kids {
			b.raise(offset + kid.height)
		}
		b.addSub(have, offset)
		return true
	}
	s := &sub{op: e.Op}
	for _, kid := range e.Kids {
		k := builder{
			direct: make(map[*program]int), arrows: make(map[arrowTerm]int), same: make(map[*program]int), subs: make(map[*sub]int),
			union: new(union),
		}
		if !k.add(def, kid, 0) {
			return false
		}
		u := k.finish()
		s.kids = append(s.kids, u)
		b.raise(offset + u.height)
	}
	def.subs[key] = s
	b.addSub(s, offset)
	return true
}

func (b *builder) finish() *union {
	for _, p := range b.order.direct {
		b.union.direct = append(b.union.direct, directTerm{p, b.direct[p]})
	}
	for _, t := range b.order.arrows {
		b.union.arrows = append(b.union.arrows, arrowTerm{t.tupleset, t.target, b.arrows[t]})
	}
	for _, p := range b.order.same {
		b.union.same = append(b.union.same, directTerm{p, b.same[p]})
	}
	for _, s := range b.order.subs {
		b.union.subs = append(b.union.subs, subTerm{s, b.subs[s]})
	}
	return b.union
}
