package walk

import (
	"context"
	"slices"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Marks of the states of a list, beside the heights of those that were visited.
const (
	underway uint8 = 255 - iota
	refuted
)

// Resources appends the objects of a type on which a subject has a permission as of an
// instant, each once, in no order. On any Reason but Answered what was appended means
// nothing. What the answer rests on is written to proof, unless that is nil.
func (v View) Resources(ctx context.Context, dst []graph.Node, proof *Proof, typ, permission string, subject relation.Subject, now time.Time) ([]graph.Node, Reason) {
	l, why := v.lister(ctx, typ, permission, subject, now)
	if why != Answered {
		return dst, why
	}
	defer l.release()
	l.begin(proof)
	if proof != nil {
		proof.stranger = l.subject == unknownSubject
	}
	l.found = dst
	l.start(subject.Type)
	if l.done {
		return dst, l.why
	}
	if proof != nil {
		proof.visited(&l.states)
	}
	return l.found, Answered
}

// lister returns what visits the objects of a type on which a subject has a permission. Its
// scratch is to be given back, unless the Reason says why there is none.
func (v View) lister(ctx context.Context, typ, permission string, subject relation.Subject, now time.Time) (lister, Reason) {
	p := v.bound.schema.program(typ, permission)
	if p == nil {
		return lister{}, UnknownName
	}
	r := v.bound.reachOf(p)
	if r.why != Answered {
		return lister{}, r.why
	}
	a, ok1 := v.bound.asker(subject.Type, subject.Relation)
	node, ok2 := v.node(subject.Object, unknownSubject)
	if !ok1 || !ok2 {
		return lister{}, UnknownName
	}
	return lister{walker: v.walker(ctx, now, a, node), reach: r}, Answered
}

// lister visits what a subject is a member of.
type lister struct {
	*walker
	reach *reach
	found []graph.Node
	loops *looper // of those who only ask whether there are loops
}

// start visits what names the subject.
func (l *lister) start(typ string) {
	if l.asked >= 0 && slices.Contains(l.reach.wild, l.subjectKind) {
		// A check takes a wildcard for a subject with a relation too; a list does not.
		l.stop(WithWildcard)
		return
	}
	for i := range l.reach.goals {
		g := &l.reach.goals[i]
		for _, s := range g.seeds {
			if g.prog.def.name == typ && (l.asked < 0 && s.plan.self || s.plan.contains.has(l.asked)) {
				l.itself(i, s.maybe)
			}
		}
		if l.done {
			return
		}
	}
	if l.subject < unknownSubject {
		l.named(l.subject, l.kind, func(p *plan) graph.Mask { return maskOf(p.direct, l.kind) })
	}
	if l.asked >= 0 || l.done {
		return
	}
	if everybody, ok := l.wildcard(); ok {
		l.named(everybody, l.subjectKind, func(p *plan) graph.Mask { return maskOf(p.wild, l.subjectKind) })
	}
}

// itself visits the subject as a member of a goal.
func (l *lister) itself(goal int, maybe bool) {
	if l.subject >= unknownSubject {
		l.stop(UnknownName) // it has an id and no number
		return
	}
	l.enter(step{goal, l.reach.goals[goal].plan.height, maybe}, l.subject, 1)
}

// named visits the resources of the tuples that name a subject of a kind.
func (l *lister) named(subject graph.Node, kind graph.Rel, maskOf func(*plan) graph.Mask) {
	if l.proof != nil { // even when nothing leads from there yet
		l.proof.reverse = append(l.proof.reverse, subject)
	}
	type source struct {
		mask graph.Mask
		step step
	}
	var sources []source
	for i := range l.reach.goals {
		g := &l.reach.goals[i]
		for _, s := range g.seeds {
			if mask := maskOf(s.plan); mask != nil {
				sources = append(sources, source{mask, step{i, g.plan.height, s.maybe}})
			}
		}
	}
	if len(sources) == 0 {
		return
	}
	list := l.snap.Reverse(subject)
	c := list.All()
	for run := c.Next(); len(run) > 0; run = c.Next() {
		l.poll(len(run))
		for _, e := range run {
			if e.Kind() != kind {
				continue
			}
			for i := range sources {
				if !sources[i].mask.Has(e.Rel()) {
					continue
				}
				if !l.holds(list, e) {
					break
				}
				l.enter(sources[i].step, e.Node(), 1)
			}
			if l.done {
				return
			}
		}
	}
}

// enter visits a goal of an object, if the subject is a member of it, and returns how many
// dispatches deep that was.
func (l *lister) enter(s step, object graph.Node, above int) int {
	level := above + s.offset + 1
	g := &l.reach.goals[s.goal]
	if level > MaxDepth {
		l.stop(TooDeep)
	}
	if l.done {
		return 0
	}
	key := state{object, g.prog.index}.key()
	have, seen := l.states.find(key)
	switch {
	case seen && have == refuted:
		return 0
	case seen && have == underway:
		l.stop(Cyclic)
		return 0
	case seen:
		if level+int(have) > MaxDepth {
			l.stop(TooDeep)
		}
		return s.offset + 1 + int(have)
	}
	if s.maybe && !l.member(g, object, level) {
		l.states.put(key, refuted)
		return 0
	}
	height := 0
	if len(g.ways) > 0 || len(g.same) > 0 {
		l.states.put(key, underway)
		height = l.leave(g, object, level)
	}
	l.states.put(key, uint8(height))
	if s.goal == 0 {
		l.found = append(l.found, object)
	}
	return s.offset + 1 + height
}

// member checks whether the subject is a member of a goal on an object.
func (l *lister) member(g *goal, object graph.Node, level int) bool {
	if l.loops != nil { // which is all that is asked
		if l.loops.visit(g.prog.index, object, level) {
			l.stop(Cyclic)
		}
		return true
	}
	in := l.root(g.prog, g.plan, object, level)
	if in == open {
		l.stop(Cyclic)
	}
	return in == yes
}

// leave visits what a member of a goal leads to, and returns how many dispatches deep.
func (l *lister) leave(g *goal, object graph.Node, level int) int {
	height := 0
	for _, s := range g.same {
		height = max(height, l.enter(s, object, level))
	}
	list := l.snap.Reverse(object)
	if run, ok := list.Small(); ok {
		return max(height, l.leaveAlong(g, list, run, level))
	}
	c := list.All()
	for run := c.Next(); len(run) > 0 && !l.done; run = c.Next() {
		height = max(height, l.leaveAlong(g, list, run, level))
	}
	return height
}

func (l *lister) leaveAlong(g *goal, list graph.List, run []graph.Edge, level int) int {
	height := 0
	l.poll(len(run))
	for _, e := range run {
		at := g.at[e.Rel()]
		if at == 0 {
			continue
		}
		k := g.ways[at-1].stepsOf(e.Kind())
		if k == nil || !l.holds(list, e) {
			continue
		}
		for _, s := range k.steps {
			height = max(height, l.enter(s, e.Node(), level))
		}
		if l.done {
			return 0
		}
	}
	return height
}
