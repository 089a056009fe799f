package walk

import "github.com/behalf-authz/behalf/server/internal/graph"

// onwards walks on from the subjects of the relations that a plan follows.
func (w *walker) onwards(p *plan, l graph.List, level int) truth {
	if l.Len() > manyEdges {
		return w.onwardsInMany(p, l, level)
	}
	if run, ok := l.Small(); ok {
		return w.onwardsAlong(p, l, run, level)
	}
	return w.onwardsFrom(p, l, l.All(), level)
}

// onwardsInMany is onwards for a long list, of which most may be subjects that lead nowhere.
func (w *walker) onwardsInMany(p *plan, l graph.List, level int) truth {
	in := no
	for i := range p.follow {
		f := &p.follow[i]
		for kind, ok := l.KindFrom(f.rel, 0); ok; kind, ok = l.KindFrom(f.rel, kind+1) {
			k := f.hopsOf(kind)
			if k == nil {
				w.stop(NotCompiled) // a tuple that the schema does not allow
				return no
			}
			if len(k.hops) == 0 {
				continue
			}
			if in = max(in, w.onwardsFrom(p, l, l.Group(f.rel, kind), level)); in == yes || w.done {
				return in
			}
		}
	}
	return in
}

func (w *walker) onwardsFrom(p *plan, l graph.List, c graph.Cursor, level int) truth {
	in := no
	for run := c.Next(); len(run) > 0; run = c.Next() {
		if in = max(in, w.onwardsAlong(p, l, run, level)); in == yes || w.done {
			return in
		}
	}
	return in
}

func (w *walker) onwardsAlong(p *plan, l graph.List, run []graph.Edge, level int) truth {
	in := no
	w.poll(len(run))
	for _, e := range run {
		at := p.at[e.Rel()]
		if at == 0 {
			continue
		}
		k := p.follow[at-1].hopsOf(e.Kind())
		if k != nil && len(k.hops) == 0 || !w.holds(l, e) {
			continue
		}
		if k == nil {
			w.stop(NotCompiled) // a tuple that the schema does not allow
		}
		if w.done {
			return no
		}
		for _, h := range k.hops {
			if in = max(in, w.hop(h.to, e.Node(), level+h.offset+1)); in == yes {
				return yes
			}
		}
	}
	return in
}

// rememberFrom is after how many hops to what leads on the walk begins to remember what it has found.
const rememberFrom = 16

// The walker's settled programs of objects have their height, which is less than proved, and
// with it proved where the subject is in one.
const proved uint8 = 128

// hop evaluates a program of another object, or another one of the same.
func (w *walker) hop(to int32, object graph.Node, level int) truth {
	if w.done {
		return no
	}
	plan := w.bound.plan(w.bound.schema.programs[to])
	if plan == nil {
		w.stop(NotCompiled)
		return no
	}
	if plan.leaf {
		return w.eval(plan, object, level)
	}
	here := state{object, to}
	for i := range w.hops {
		if w.path[i] == here {
			w.looped = true
			return open
		}
	}
	if mark, ok := w.settled.find(here.key()); ok {
		if !w.goesTo(level+int(mark&^proved)) || mark&proved == 0 {
			return no
		}
		return yes
	}
	if _, ok := w.unclear.find(here.key()); ok {
		return open
	}
	if level > MaxDepth || w.hops == len(w.path) {
		w.stop(TooDeep)
		return no
	}
	above := w.deepest
	w.deepest = level
	w.path[w.hops] = here
	w.hops++
	in := w.eval(plan, object, level)
	w.hops--
	if w.walked++; !w.done {
		w.note(here, in, level)
	}
	w.deepest = max(w.deepest, above)
	return in
}

// goesTo notes that something was found by going as deep as a level, and stops where SpiceDB may
// give up before.
func (w *walker) goesTo(level int) (ok bool) {
	w.deepest = max(w.deepest, level)
	if level > MaxDepth {
		w.stop(TooDeep)
	}
	return !w.done
}

// note remembers what a program of an object was found to be, or there would be no end of ways to
// what several lead to, and to what is reached from itself. What is decided stays so by whatever way
// one comes; what is open may be so only by this one.
func (w *walker) note(here state, in truth, level int) {
	if in == open {
		w.unclear.put(here.key(), 0)
		return
	}
	if !w.looped && w.walked <= rememberFrom {
		return
	}
	mark := uint8(w.deepest - level)
	if in == yes {
		mark |= proved
	}
	w.settled.put(here.key(), mark)
	w.learned = true
}

// sub evaluates a term that is no union.
func (w *walker) sub(s *subPlan, object graph.Node, l graph.List, level int) truth {
	switch s.op { //nolint:exhaustive // all others are unions
	case Intersection:
		in := yes
		for _, kid := range s.quick {
			if in = min(in, w.evalOver(kid, object, l, level)); in == no || w.done {
				return no
			}
		}
		return in
	case Exclusion:
		in := w.evalOver(s.kids[0], object, l, level)
		for _, kid := range s.kids[1:] {
			if in == no || w.done {
				return no
			}
			in = min(in, yes-w.evalOver(kid, object, l, level))
		}
		return in
	case All:
		return w.all(s, l, level)
	}
	w.stop(NotCompiled)
	return no
}

// all evaluates an arrow that all subjects must satisfy, of which there is one at least.
func (w *walker) all(s *subPlan, l graph.List, level int) truth {
	if s.all.rel == noRel {
		return no
	}
	in, some := yes, false
	for a := w.over(s, l); ; some = true {
		k, e, ok := a.next()
		switch {
		case w.done, !ok && !some:
			return no
		case !ok:
			return in
		case len(k.hops) == 0:
			return no
		}
		if in = min(in, w.hop(k.hops[0].to, e.Node(), level+1)); in == no {
			return no
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
