package walk

import "github.com/behalf-authz/behalf/server/internal/graph"

// onwards walks on from the subjects of the relations that a plan follows.
func (w *walker) onwards(p *plan, l graph.List, level int) bool {
	if l.Len() > manyEdges {
		for i := range p.follow {
			if w.onwardsFrom(p, l, l.Relation(p.follow[i].rel), level) {
				return true
			}
		}
		return false
	}
	return w.onwardsFrom(p, l, l.All(), level)
}

func (w *walker) onwardsFrom(p *plan, l graph.List, c graph.Cursor, level int) bool {
	for run := c.Next(); len(run) > 0; run = c.Next() {
		w.poll(len(run))
		for _, e := range run {
			at := p.at[e.Rel()]
			if at == 0 {
				continue
			}
			k := p.follow[at-1].hopsOf(e.Kind())
			if k == nil {
				w.stop(NotCompiled) // a tuple that the schema does not allow
			}
			if w.done {
				return false
			}
			if len(k.hops) == 0 || !w.holds(l, e) {
				continue
			}
			for _, h := range k.hops {
				if w.hop(h.to, e.Node(), level+h.offset+1) {
					return true
				}
			}
		}
	}
	return false
}

// rememberFrom is after how many hops the walk begins to remember what it has refuted.
const rememberFrom = 16

// hop evaluates a program of another object.
func (w *walker) hop(to int32, object graph.Node, level int) bool {
	if w.done {
		return false
	}
	here := state{object, to}
	for i := range w.hops {
		if w.path[i] == here {
			w.stop(Cyclic)
			return false
		}
	}
	if height, ok := w.refuted.find(here.key()); ok {
		if level+int(height) > MaxDepth {
			w.stop(TooDeep)
		}
		return false
	}
	plan := w.bound.plan(w.bound.schema.programs[to])
	if plan == nil {
		w.stop(NotCompiled)
		return false
	}
	if level > MaxDepth || w.hops == len(w.path) {
		w.stop(TooDeep)
		return false
	}
	above := w.deepest
	w.deepest = level
	w.path[w.hops] = here
	w.hops++
	in := w.eval(plan, object, level)
	w.hops--
	if w.walked++; !in && !w.done && w.walked > rememberFrom {
		w.refuted.put(here.key(), uint8(w.deepest-level))
	}
	w.deepest = max(w.deepest, above)
	return in
}

// sub evaluates a term that is no union.
func (w *walker) sub(s *subPlan, object graph.Node, l graph.List, level int) bool {
	switch s.op { //nolint:exhaustive // all others are unions
	case Intersection:
		for _, kid := range s.quick {
			if !w.evalOver(kid, object, l, level) || w.done {
				return false
			}
		}
		return true
	case Exclusion:
		if !w.evalOver(s.kids[0], object, l, level) {
			return false
		}
		for _, kid := range s.kids[1:] {
			if w.done || w.evalOver(kid, object, l, level) {
				return false
			}
		}
		return !w.done
	case All:
		return w.all(s, l, level)
	}
	w.stop(NotCompiled)
	return false
}

// all evaluates an arrow that all subjects must satisfy, of which there is one at least.
func (w *walker) all(s *subPlan, l graph.List, level int) bool {
	if s.all.rel == noRel {
		return false
	}
	some := false
	for a := w.over(s, l); ; some = true {
		k, e, ok := a.next()
		if !ok {
			return some && !w.done
		}
		if len(k.hops) == 0 || !w.hop(k.hops[0].to, e.Node(), level+1) {
			return false
		}
	}
}

// arrow goes over the subjects of a relation that an arrow needs all of.
type arrow struct {
	walker *walker
	plan   *subPlan
	list   graph.List
	cursor graph.Cursor
	run    []graph.Edge
}

// over returns what goes over the subjects of an arrow in a list.
func (w *walker) over(s *subPlan, l graph.List) arrow {
	return arrow{walker: w, plan: s, list: l, cursor: l.Relation(s.all.rel)}
}

// next returns a subject and the hops that its kind has. It is not ok after the last, and
// when the walk has stopped.
func (a *arrow) next() (k *kindHops, e graph.Edge, ok bool) {
	for {
		if len(a.run) == 0 {
			if a.run = a.cursor.Next(); len(a.run) == 0 {
				return nil, e, false
			}
			a.walker.poll(len(a.run))
		}
		e, a.run = a.run[0], a.run[1:]
		if k = a.plan.all.hopsOf(e.Kind()); k == nil {
			a.walker.stop(NotCompiled)
		}
		if a.walker.done {
			return nil, e, false
		}
		if a.walker.holds(a.list, e) {
			return k, e, true
		}
	}
}
