package walk

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Subjects returns the subjects of a type, and with a relation if one is given, that have a
// permission on an object as of an instant: each once, in no order, and whether everybody
// of the type has it too. What the answer rests on is written to proof, unless that is nil.
func (v View) Subjects(ctx context.Context, proof *Proof, object relation.Object, permission string, typ, rel string, now time.Time) (ids []graph.Node, everyone bool, why Reason) {
	p := v.bound.schema.program(object.Type, permission)
	if p == nil || object.ID == everybody {
		return nil, false, UnknownName
	}
	plan := v.bound.plan(p)
	if plan == nil {
		return nil, false, NotCompiled
	}
	node, known := v.snap.Node(object.Type, object.ID)
	if !known {
		return nil, false, UnknownName
	}
	a, ok := v.bound.asker(typ, rel)
	if !ok {
		return nil, false, UnknownName
	}
	w := v.walker(ctx, now, a, unknownSubject)
	defer w.release()
	w.begin(proof)
	if w.asked < 0 {
		w.wildcard()
	} else {
		w.wildKnown, w.wild = true, unknownObject // it has no relation
	}
	w.hops = 1
	w.path[0] = state{node, p.index}
	var out members
	w.collect(plan, node, 1, &out)
	if w.done {
		return nil, false, w.why
	}
	return out.ids, out.everyone, Answered
}

// members is a set of subjects.
type members struct {
	ids      []graph.Node
	in       table
	everyone bool
	visited  table // the programs of objects whose members are in it
}

func (m *members) add(n graph.Node) {
	key := uint64(n) + 1
	if _, ok := m.in.find(key); !ok {
		m.in.put(key, 0)
		m.ids = append(m.ids, n)
	}
}

func (m *members) has(n graph.Node) bool {
	_, ok := m.in.find(uint64(n) + 1)
	return ok
}

func (m *members) merge(o *members) {
	for _, n := range o.ids {
		m.add(n)
	}
	m.everyone = m.everyone || o.everyone
}

// intersect returns who is in both.
func (m *members) intersect(o *members) members {
	out := members{everyone: m.everyone && o.everyone}
	for _, n := range m.ids {
		if o.everyone || o.has(n) {
			out.add(n)
		}
	}
	if m.everyone {
		for _, n := range o.ids {
			out.add(n)
		}
	}
	return out
}

// subtract returns who is in m and not in o. exact is false when that is everyone but some.
func (m *members) subtract(o *members) (out members, exact bool) {
	if o.everyone {
		return members{}, true
	}
	out.everyone = m.everyone
	for _, n := range m.ids {
		if !o.has(n) {
			out.add(n)
		}
	}
	return out, !m.everyone || len(o.ids) == 0
}

// collect adds the members of a plan on an object.
func (w *walker) collect(p *plan, object graph.Node, level int, out *members) {
	if w.proof != nil {
		w.proof.forward = append(w.proof.forward, object)
	}
	if p.self { // SpiceDB lists the object whatever the type of subject that was asked for
		w.stop(NotCompiled)
	}
	if !w.goesTo(level+p.height) || !w.work() {
		return
	}
	if w.asked >= 0 && p.contains.has(w.asked) {
		out.add(object)
	}
	l := w.snap.Forward(object)
	direct, wild := maskOf(p.direct, w.kind), maskOf(p.wild, w.subjectKind)
	c := l.All()
	for run := c.Next(); len(run) > 0; run = c.Next() {
		w.poll(len(run))
		for _, e := range run {
			if w.done {
				return
			}
			w.collectEdge(p, l, e, level, direct, wild, out)
		}
	}
	for _, h := range p.same {
		w.collectHop(h.to, object, level+h.offset+1, out)
	}
	for i := range p.subs {
		if w.done {
			return
		}
		part := w.collectSub(&p.subs[i], object, l, level+p.subs[i].offset)
		out.merge(&part)
	}
}

func (w *walker) collectEdge(p *plan, l graph.List, e graph.Edge, level int, direct, wild graph.Mask, out *members) {
	names := e.Kind() == w.kind && direct.Has(e.Rel()) && e.Node() != w.wild
	all := e.Kind() == w.subjectKind && e.Node() == w.wild && wild.Has(e.Rel())
	at := p.at[e.Rel()]
	if !names && !all && at == 0 {
		return
	}
	var hops []hop
	if at != 0 {
		k := p.follow[at-1].hopsOf(e.Kind())
		if k == nil {
			if w.holds(l, e) {
				w.stop(NotCompiled) // a tuple that the schema does not allow
			}
			return
		}
		hops = k.hops
	}
	if !names && !all && len(hops) == 0 || !w.holds(l, e) {
		return
	}
	if names {
		out.add(e.Node())
	}
	out.everyone = out.everyone || all
	for _, h := range hops {
		w.collectHop(h.to, e.Node(), level+h.offset+1, out)
	}
}

// collectHop adds the members of a program of another object.
func (w *walker) collectHop(to int32, object graph.Node, level int, out *members) {
	if w.done {
		return
	}
	here := state{object, to}
	for i := range w.hops {
		if w.path[i] == here {
			w.stop(Cyclic)
			return
		}
	}
	if height, ok := out.visited.find(here.key()); ok {
		w.goesTo(level + int(height))
		return
	}
	if w.shared.give(w, here, level, out) {
		return
	}
	plan := w.bound.plan(w.bound.schema.programs[to])
	switch {
	case plan == nil:
		w.stop(NotCompiled)
		return
	case level > MaxDepth || w.hops == len(w.path):
		w.stop(TooDeep)
		return
	}
	above := w.deepest
	w.deepest = level
	w.path[w.hops] = here
	w.hops++
	w.shared.collect(w, plan, here, level, out)
	w.hops--
	if !w.done {
		out.visited.put(here.key(), uint8(w.deepest-level))
	}
	w.deepest = max(w.deepest, above)
}

// collectSub returns the members of a term that is no union. All parts are looked at, as
// SpiceDB looks at them, even when the first has nobody.
func (w *walker) collectSub(s *subPlan, object graph.Node, l graph.List, level int) members {
	var out members
	w.shared.parts++
	defer func() { w.shared.parts-- }()
	if s.op == All {
		return w.collectAll(s, l, level)
	}
	for i, kid := range s.kids {
		var part members
		w.collect(kid, object, level, &part)
		if w.done {
			return members{}
		}
		switch {
		case i == 0:
			out = part
		case s.op == Intersection:
			out = out.intersect(&part)
		default:
			rest, exact := out.subtract(&part)
			if !exact {
				w.stop(WithWildcard)
			}
			out = rest
		}
	}
	return out
}

// collectAll returns who is a member by way of all subjects of a relation. SpiceDB leaves
// out those that do not have the target at all.
func (w *walker) collectAll(s *subPlan, l graph.List, level int) members {
	var out members
	if s.all.rel == noRel {
		return out
	}
	first := true
	for a := w.over(s, l); ; {
		k, e, ok := a.next()
		switch {
		case w.done:
			return members{}
		case !ok:
			return out
		case len(k.hops) == 0:
			continue
		}
		var part members
		w.collectHop(k.hops[0].to, e.Node(), level+1, &part)
		if first {
			out, first = part, false
		} else {
			out = out.intersect(&part)
		}
	}
}
