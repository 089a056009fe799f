package walk

import (
	"slices"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// reach is how a target is reached from subjects: the programs that lead to it, and over
// which tuples. It is the plans of these programs read backwards.
type reach struct {
	goals []goal      // the first is the target
	wild  []graph.Rel // the kinds of subjects that all objects of a type stand for, in any term
	why   Reason      // why there is none
}

// goal is a program whose members matter.
type goal struct {
	prog  *program
	plan  *plan
	seeds []seed
	at    []uint16 // by relation: one more than the place in ways
	ways  []way
	same  []step // to goals of the same object
}

// seed is what of a goal's body can name a subject. What is under a term that is no union
// makes it only possible that the subject is a member.
type seed struct {
	plan  *plan
	maybe bool
}

// way is a relation whose tuples lead from members of one goal to members of others.
type way struct {
	rel   graph.Rel
	kinds []kindSteps
}

type kindSteps struct {
	kind  graph.Rel
	steps []step
}

type step struct {
	goal   int
	offset int
	maybe  bool
}

// reachOf returns how a program is reached.
func (b *bound) reachOf(p *program) *reach {
	if have := b.reach[p.index].Load(); have != nil {
		return have
	}
	made := b.makeReach(p)
	b.reach[p.index].Store(made) // whoever else makes it makes the same
	return made
}

func (b *bound) makeReach(target *program) *reach {
	if b.schema.unlisted(target) {
		return &reach{why: NotCompiled}
	}
	r := &reach{}
	place := map[int32]int{}
	goalOf := func(index int32) (int, bool) {
		if at, ok := place[index]; ok {
			return at, true
		}
		p := b.schema.programs[index]
		plan := b.plan(p)
		if plan == nil {
			return 0, false
		}
		place[index] = len(r.goals)
		r.goals = append(r.goals, goal{prog: p, plan: plan, at: make([]uint16, b.words)})
		return len(r.goals) - 1, true
	}
	if _, ok := goalOf(target.index); !ok {
		return &reach{why: NotCompiled}
	}
	for i := 0; i < len(r.goals); i++ {
		var seeds []seed
		leaves(r.goals[i].plan, false, map[*plan]bool{}, func(s seed) { seeds = append(seeds, s) })
		r.addWild(r.goals[i].plan, map[*plan]bool{})
		r.goals[i].seeds = seeds
		height := r.goals[i].plan.height
		for _, s := range seeds {
			for _, h := range s.plan.same {
				from, ok := goalOf(h.to)
				if !ok {
					return &reach{why: NotCompiled}
				}
				offset := h.offset
				if s.maybe {
					offset = height
				}
				r.goals[from].same = append(r.goals[from].same, step{i, offset, s.maybe})
			}
			for _, f := range s.plan.follow {
				for _, k := range f.kinds {
					for _, h := range k.hops {
						from, ok := goalOf(h.to)
						if !ok {
							return &reach{why: NotCompiled}
						}
						offset := h.offset
						if s.maybe {
							offset = height
						}
						r.goals[from].add(f.rel, k.kind, step{i, offset, s.maybe})
					}
				}
			}
		}
	}
	return r
}

// addWild adds the kinds of a plan's wildcards and of those of all its parts.
func (r *reach) addWild(p *plan, seen map[*plan]bool) {
	if seen[p] {
		return
	}
	seen[p] = true
	for _, w := range p.wild {
		if !slices.Contains(r.wild, w.kind) {
			r.wild = append(r.wild, w.kind)
		}
	}
	for i := range p.subs {
		for _, kid := range p.subs[i].kids {
			r.addWild(kid, seen)
		}
	}
}

// leaves calls f for the plan, and for the parts of it without which nobody is a member of
// its terms that are no unions, each once.
func leaves(p *plan, maybe bool, seen map[*plan]bool, f func(seed)) {
	if seen[p] {
		return
	}
	seen[p] = true
	f(seed{p, maybe})
	for i := range p.subs {
		switch s := &p.subs[i]; s.op { //nolint:exhaustive // all others are unions
		case Intersection: // any of them will do; a wildcard would lead to everything that has it
			kid := s.kids[0]
			if i := slices.IndexFunc(s.kids, func(p *plan) bool { return len(p.wild) == 0 }); i >= 0 {
				kid = s.kids[i]
			}
			leaves(kid, true, seen, f)
		case Exclusion:
			leaves(s.kids[0], true, seen, f)
		case All:
			f(seed{&plan{follow: []follow{s.all}}, true})
		}
	}
}

// add adds a step from the members of the goal.
func (g *goal) add(rel, kind graph.Rel, s step) {
	if rel == noRel {
		return
	}
	if g.at[rel] == 0 {
		g.ways = append(g.ways, way{rel: rel})
		g.at[rel] = uint16(len(g.ways))
	}
	w := &g.ways[g.at[rel]-1]
	k := w.stepsOf(kind)
	if k == nil {
		w.kinds = append(w.kinds, kindSteps{kind: kind})
		k = &w.kinds[len(w.kinds)-1]
	}
	for i := range k.steps {
		if have := &k.steps[i]; have.goal == s.goal && (have.maybe == s.maybe || !have.maybe) {
			have.offset = max(have.offset, s.offset)
			return
		}
	}
	k.steps = append(k.steps, s)
}

func (w *way) stepsOf(kind graph.Rel) *kindSteps {
	for i := range w.kinds {
		if w.kinds[i].kind == kind {
			return &w.kinds[i]
		}
	}
	return nil
}

// unlisted reports whether anything that leads to a program, by the schema and whatever
// tuples there are, is not compiled or has the object itself as a term, for which SpiceDB may
// have no list.
func (s *Schema) unlisted(target *program) bool {
	seen, seenBelow := map[*program]bool{}, map[*union]bool{}
	var below func(u *union) bool
	visit := func(typ, name string) bool {
		p := s.program(typ, name)
		if p == nil || seen[p] {
			return false
		}
		if p.body == nil {
			return true
		}
		seen[p] = true
		return below(p.body)
	}
	arrow := func(tupleset *program, name string) bool {
		return slices.ContainsFunc(tupleset.subjects, func(t SubjectType) bool { return visit(t.Type, name) })
	}
	below = func(u *union) bool {
		if u.self {
			return true
		}
		if seenBelow[u] {
			return false
		}
		seenBelow[u] = true
		for _, t := range u.direct {
			if slices.ContainsFunc(t.relation.subjects, func(t SubjectType) bool { return visit(t.Type, t.Relation) }) {
				return true
			}
		}
		for _, t := range u.arrows {
			if arrow(t.tupleset, t.target) {
				return true
			}
		}
		for _, t := range u.same {
			if visit(t.relation.def.name, t.relation.name) {
				return true
			}
		}
		for _, t := range u.subs {
			if t.sub.op == All && arrow(t.sub.tupleset, t.sub.target) {
				return true
			}
			for _, kid := range t.sub.kids {
				if below(kid) {
					return true
				}
			}
		}
		return false
	}
	return visit(target.def.name, target.name)
}
