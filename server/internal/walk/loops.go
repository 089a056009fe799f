package walk

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Loops reports whether anything that a permission of an object rests on is reached from
// itself. What is behind a caveat counts: whether that holds, is known only later. With arrows,
// subjects that are sets are not followed.
//
// A question that has no loops ends. What lies deeper than SpiceDB goes is not looked at.
func (v View) Loops(ctx context.Context, object relation.Object, permission string, arrows bool, now time.Time) bool {
	p := v.bound.schema.program(object.Type, permission)
	node, ok := v.node(object, unknownObject)
	if p == nil || !ok {
		return false
	}
	l := looper{View: v, ctx: ctx, now: now, arrows: arrows}
	return l.visit(p.index, node, 1)
}

// LoopsToward reports whether any object, by which a subject may have a permission on objects
// of a type, is reached from itself, and whether one that has to be checked for that has Loops.
func (v View) LoopsToward(ctx context.Context, typ, permission string, subject relation.Subject, now time.Time) bool {
	l, why := v.lister(ctx, typ, permission, subject, now)
	if why != Answered {
		return false
	}
	defer l.release()
	l.lax = true
	l.loops = &looper{View: v, ctx: ctx, now: now}
	l.start(subject.Type)
	return l.done && l.why == Cyclic
}

// looper looks for programs of objects that are reached from themselves.
type looper struct {
	View
	ctx    context.Context //nolint:containedctx // lives as long as the call that brings it
	now    time.Time
	arrows bool
	states table // by programs of objects: whether one is on the way to here
	looked map[part]bool
	steps  int  // since the context was looked at
	gone   bool // the context is done
}

// part is a part of a term that is no union, of an object.
type part struct {
	plan *plan
	node graph.Node
}

// The values of its states.
const (
	behind uint8 = iota
	onWay
)

// visit reports whether a program of an object is reached from itself, or leads to one that is.
func (l *looper) visit(to int32, object graph.Node, level int) bool {
	key := state{object, to}.key()
	if mark, seen := l.states.find(key); seen {
		return mark == onWay
	}
	plan := l.bound.plan(l.bound.schema.programs[to])
	if plan == nil || level > MaxDepth || l.gone {
		return false
	}
	l.states.put(key, onWay)
	found := l.look(plan, object, l.snap.Forward(object), level)
	l.states.put(key, behind)
	return found
}

// look is visit for a plan with the object's tuples.
func (l *looper) look(p *plan, object graph.Node, list graph.List, level int) bool {
	for _, h := range p.same {
		if l.visit(h.to, object, level+h.offset+1) {
			return true
		}
	}
	if len(p.follow) > 0 && l.follow(p, list, level) {
		return true
	}
	for i := range p.subs {
		s := &p.subs[i]
		if s.op == All && s.all.rel != noRel && l.follow(&plan{at: atOnly(s.all.rel), follow: []follow{s.all}}, list, level+s.offset) {
			return true
		}
		for _, kid := range s.kids {
			if l.lookOnce(kid, object, list, level+s.offset) {
				return true
			}
		}
	}
	return false
}

// lookOnce is look for a part that may be part of many terms.
func (l *looper) lookOnce(p *plan, object graph.Node, list graph.List, level int) bool {
	here := part{p, object}
	if l.looked[here] {
		return false
	}
	if l.looked == nil {
		l.looked = make(map[part]bool)
	}
	l.looked[here] = true
	return l.look(p, object, list, level)
}

// atOnly returns the places of a plan that follows one relation.
func atOnly(rel graph.Rel) []uint16 {
	at := make([]uint16, int(rel)+1)
	at[rel] = 1
	return at
}

// follow visits what the subjects of the relations of a plan lead to.
func (l *looper) follow(p *plan, list graph.List, level int) bool {
	if list.Len() <= manyEdges {
		return l.followFrom(p, list, list.All(), level)
	}
	for i := range p.follow {
		f := &p.follow[i]
		for kind, ok := list.KindFrom(f.rel, 0); ok; kind, ok = list.KindFrom(f.rel, kind+1) {
			if k := f.hopsOf(kind); k != nil && len(k.hops) > 0 && l.followFrom(p, list, list.Group(f.rel, kind), level) {
				return true
			}
		}
	}
	return false
}

func (l *looper) followFrom(p *plan, list graph.List, c graph.Cursor, level int) bool {
	for run := c.Next(); len(run) > 0; run = c.Next() {
		if l.steps += len(run); l.steps > pollSteps {
			l.steps, l.gone = 0, l.ctx.Err() != nil
		}
		for _, e := range run {
			if int(e.Rel()) >= len(p.at) || p.at[e.Rel()] == 0 || l.gone {
				continue
			}
			k := p.follow[p.at[e.Rel()]-1].hopsOf(e.Kind())
			if k == nil || !e.Unconditional() && !list.Payload(e).Holds(l.now) {
				continue
			}
			for _, h := range k.hops {
				if l.arrows && l.bound.rels[h.to] == e.Kind() { // the set itself
					continue
				}
				if l.visit(h.to, e.Node(), level+h.offset+1) {
					return true
				}
			}
		}
	}
	return false
}
