package walk

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Check answers whether a subject has a permission on an object as of an instant. It does
// not allocate once its scratch has grown and its shape is made.
func (v View) Check(ctx context.Context, q relation.Question, now time.Time) (Verdict, Reason) {
	c, why := v.Checker(q.Object.Type, q.Permission, q.Subject.Type, q.Subject.Relation)
	if why != Answered {
		return Undecided, why
	}
	object, ok1 := v.nodeOf(c.objectType, q.Object.ID, unknownObject)
	subject, ok2 := v.nodeOf(c.subjectType, q.Subject.ID, unknownSubject)
	if !ok1 || !ok2 {
		return Undecided, UnknownName
	}
	if object == unknownObject && q.Object == q.Subject.Object {
		object = unknownSubject
	}
	return c.Check(ctx, object, subject, now)
}

// Checker answers checks of one permission for one kind of subject.
type Checker struct {
	View
	*shape
}

// Checker returns what answers the checks of a permission on objects of a type for subjects
// of a type, and with a relation if one is given. The Reason says why there is none.
func (v View) Checker(typ, permission, subjectType, subjectRelation string) (Checker, Reason) {
	s, why := v.bound.shape(typ, permission, subjectType, subjectRelation)
	return Checker{v, s}, why
}

// Check answers for objects by their numbers in the snapshot.
func (c *Checker) Check(ctx context.Context, object, subject graph.Node, now time.Time) (Verdict, Reason) {
	switch c.brief(object, subject) {
	case yes:
		return Allowed, Answered
	case no:
		return Denied, Answered
	case open:
	}
	w := c.walker(ctx, now, c.asker, subject)
	verdict, why := w.verdict(w.root(c.program, c.plan, object, 1))
	w.release()
	return verdict, why
}

// verdict ends a walk.
func (w *walker) verdict(in truth) (Verdict, Reason) {
	switch {
	case w.done:
		return Undecided, w.why
	case in == yes:
		return Allowed, Answered
	case in == open:
		return Undecided, Cyclic
	}
	return Denied, Answered
}

// root evaluates a program that nothing led to. While that leaves it open and decides something
// that it rests on, it looks again: the order in which objects are come by must not matter.
func (w *walker) root(p *program, plan *plan, object graph.Node, level int) truth {
	for {
		w.hops, w.worked = 1, 0
		w.path[0] = state{object, p.index}
		w.unclear.empty()
		w.learned = false
		in := w.eval(plan, object, level)
		if in != open || w.done || !w.learned {
			return in
		}
	}
}

// eval says whether the subject is in a plan on an object. level is how many dispatches
// SpiceDB would be deep at. When the walk is done, the answer means nothing.
func (w *walker) eval(p *plan, object graph.Node, level int) truth {
	if w.proof != nil {
		w.proof.forward = append(w.proof.forward, object)
	}
	return w.evalOver(p, object, w.snap.Forward(object), level)
}

// evalOver is eval with the object's tuples.
func (w *walker) evalOver(p *plan, object graph.Node, l graph.List, level int) truth {
	if !w.goesTo(level+p.height) || !w.work() {
		return no
	}
	if object == w.subject && (w.asked < 0 && p.self || p.contains.has(w.asked)) {
		return yes
	}
	in := no
	n := l.Len()
	if n > 0 {
		w.poll(min(n, manyEdges))
		if w.direct(p, object, l) {
			return yes
		}
		if !w.done && len(p.follow) > 0 {
			if in = w.onwards(p, l, level); in == yes {
				return yes
			}
		}
	}
	for _, h := range p.same {
		if in = max(in, w.hop(h.to, object, level+h.offset+1)); in == yes {
			return yes
		}
	}
	if len(p.subs) == 0 || w.asked < 0 && p.gated && !opens(p.gate, l) {
		return in
	}
	for i := range p.subs {
		if w.done {
			return no
		}
		if in = max(in, w.sub(&p.subs[i], object, l, level+p.subs[i].offset)); in == yes {
			return yes
		}
	}
	return in
}

// opens reports whether an object has a tuple without which all terms that are no unions are
// empty. It says so of a long list without a look.
func opens(gate graph.Mask, l graph.List) bool {
	if l.Len() > manyEdges {
		return true
	}
	c := l.All()
	for run := c.Next(); len(run) > 0; run = c.Next() {
		for _, e := range run {
			if gate.Has(e.Rel()) {
				return true
			}
		}
	}
	return false
}

// manyEdges is how long a list is that is searched and not gone over.
const manyEdges = 64

// direct looks for a tuple of the object that names the subject, or everybody.
func (w *walker) direct(p *plan, object graph.Node, l graph.List) bool {
	mask := maskOf(p.direct, w.kind)
	if mask != nil && w.named(mask, object, l, w.subject, w.kind) {
		return true
	}
	mask = maskOf(p.wild, w.subjectKind)
	if mask == nil || w.done || w.subjectKind == noRel {
		return false
	}
	if all, ok := w.wildcard(); ok {
		return w.named(mask, object, l, all, w.subjectKind)
	}
	return false
}

// named looks for a tuple with one of some relations that names one subject.
func (w *walker) named(mask graph.Mask, object graph.Node, l graph.List, subject graph.Node, kind graph.Rel) bool {
	if l.Len() > manyEdges {
		return w.namedInMany(mask, object, subject, kind)
	}
	if run, ok := l.Small(); ok {
		return w.namedAmong(run, mask, l, subject, kind)
	}
	c := l.All()
	for run := c.Next(); len(run) > 0; run = c.Next() {
		if w.namedAmong(run, mask, l, subject, kind) {
			return true
		}
	}
	return false
}

func (w *walker) namedAmong(run []graph.Edge, mask graph.Mask, l graph.List, subject graph.Node, kind graph.Rel) bool {
	end := graph.MakeEdge(0, kind, subject)
	for _, e := range run {
		if e.Names(end) && mask.Has(e.Rel()) && w.holds(l, e) {
			return true
		}
	}
	return false
}

func (w *walker) namedInMany(mask graph.Mask, object, subject graph.Node, kind graph.Rel) bool {
	if subject >= unknownSubject {
		return false
	}
	from := len(w.edges)
	w.edges = w.snap.Between(w.edges, object, subject)
	found := false
	for _, e := range w.edges[from:] {
		if e.Kind() != kind || !mask.Has(e.Rel()) {
			continue
		}
		if e.Unconditional() || w.judge(w.snap.Payload(object, e.Rel(), subject, kind), e) {
			found = true
			break
		}
	}
	w.edges = w.edges[:from]
	return found
}
