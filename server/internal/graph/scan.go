package graph

import (
	"slices"
	"strings"
)

// scan is a query with its names turned into numbers.
type scan struct {
	s *Snapshot
	q *Query

	resources   []Node     // ascending, when they are known
	anyResource bool       // the resources are not known
	selectors   []selector // empty for any subject
	subjects    []Node     // ascending, when all selectors know theirs
	anySubject  bool       // the subjects are not known
	group       uint32     // the group that verdict is about
	judged      bool       // there is one
	verdict     verdict
	only        Rel // the one relation or kind that alike found
	scratch     []Edge
}

// selector is a selection of subjects by numbers.
type selector struct {
	*Subjects
	nodes []Node // ascending; nil for any
}

// verdict says what a query takes of one relation and kind.
type verdict struct {
	ok    bool
	any   bool   // any subject
	nodes []Node // else these, ascending
}

// newScan returns the scan of a query, nil when nothing can match.
func newScan(s *Snapshot, q *Query) *scan {
	sc := &scan{s: s, q: q, anyResource: len(q.ResourceIDs) == 0, anySubject: true}
	if q.ResourceType != "" {
		if _, ok := s.words.byType[q.ResourceType]; !ok {
			return nil
		}
	}
	if !sc.anyResource {
		if sc.resources = sc.lookUp(q.ResourceType, q.ResourceIDs); len(sc.resources) == 0 {
			return nil
		}
	}
	if len(q.Subjects) > 0 {
		sc.anySubject = false
		if !sc.selectSubjects() {
			return nil
		}
	}
	return sc
}

// selectSubjects turns selections of subjects into selectors, without those that select
// nobody. It reports whether any is left.
func (sc *scan) selectSubjects() bool {
	for i := range sc.q.Subjects {
		sel := selector{Subjects: &sc.q.Subjects[i]}
		if len(sel.IDs) == 0 {
			sc.anySubject = true
		} else if sel.nodes = sc.lookUp(sel.Type, sel.IDs); len(sel.nodes) == 0 {
			continue
		}
		sc.selectors = append(sc.selectors, sel)
		sc.subjects = append(sc.subjects, sel.nodes...)
	}
	slices.Sort(sc.subjects)
	sc.subjects = slices.Compact(sc.subjects)
	return len(sc.selectors) > 0
}

// lookUp returns the numbers of objects, ascending. Without a type it looks for the ids in
// every type.
func (sc *scan) lookUp(typ string, ids []string) []Node {
	types := sc.s.words.sorted
	if typ != "" {
		t, ok := sc.s.words.byType[typ]
		if !ok {
			return nil
		}
		types = []Type{t}
	}
	var nodes []Node
	for _, t := range types {
		for _, id := range ids {
			if n, ok := sc.s.NodeOf(t, id); ok {
				nodes = append(nodes, n)
			}
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// judge returns the verdict on a group. Edges come by groups, so that it is rarely new.
func (sc *scan) judge(group uint32) *verdict {
	if !sc.judged || sc.group != group {
		sc.group, sc.judged = group, true
		sc.verdict = sc.newVerdict(firstOf(group))
	}
	return &sc.verdict
}

func (sc *scan) newVerdict(e Edge) verdict {
	typ, name := sc.s.RelName(e.Rel())
	if sc.q.ResourceType != "" && sc.q.ResourceType != typ || sc.q.Relation != "" && sc.q.Relation != name {
		return verdict{}
	}
	if len(sc.selectors) == 0 {
		return verdict{ok: true, any: true}
	}
	var v verdict
	kindType, kindName := sc.s.RelName(e.Kind())
	for _, sel := range sc.selectors {
		if !sel.kind(kindType, kindName) {
			continue
		}
		v.ok = true
		if sel.nodes == nil {
			v.any = true
		} else if v.nodes == nil {
			v.nodes = sel.nodes
		} else {
			v.nodes = slices.Concat(v.nodes, sel.nodes)
			slices.Sort(v.nodes)
			v.nodes = slices.Compact(v.nodes)
		}
	}
	return v
}

// subject reports whether a verdict takes a subject.
func (v *verdict) subject(n Node) bool {
	if !v.any {
		_, ok := slices.BinarySearch(v.nodes, n)
		return ok
	}
	return true
}

// resource reports whether the query takes a resource by its id.
func (sc *scan) resource(n Node) bool {
	if !sc.anyResource {
		if _, ok := slices.BinarySearch(sc.resources, n); !ok {
			return false
		}
	}
	return sc.q.ResourcePrefix == "" || strings.HasPrefix(sc.s.ID(n), sc.q.ResourcePrefix)
}

// wants reports whether the query takes a tuple with this payload.
func (sc *scan) wants(p *Payload) bool {
	q := sc.q
	caveat, expires := "", false
	if p != nil {
		caveat, expires = p.Caveat, !p.Expires.IsZero()
	}
	switch {
	case q.Caveat == Present && (caveat == "" || q.CaveatName != "" && q.CaveatName != caveat),
		q.Caveat == Absent && caveat != "",
		q.Expiry == Present && !expires,
		q.Expiry == Absent && expires:
		return false
	}
	return q.Now.IsZero() || p.Holds(q.Now)
}

// edges yields the edges of one list that the query takes, in the list's order and without
// a look at their payloads. near is the object whose list it is.
func (sc *scan) edges(near Node, l List, reverse bool, yield func(Edge) bool) bool {
	if !reverse && !sc.resource(near) {
		return true
	}
	if l.large == nil {
		for _, e := range l.small {
			if sc.takes(near, e, reverse) && !yield(e) {
				return false
			}
		}
		return true
	}
	for e, ok := l.Seek(0); ok; e, ok = l.Seek(firstOf(e.group() + 1)) {
		v := sc.judge(e.group())
		if !v.ok || reverse && !v.subject(near) {
			continue
		}
		if !sc.inGroup(near, l, e, reverse, yield) {
			return false
		}
	}
	return true
}

// takes reports whether the query takes an edge, by its names.
func (sc *scan) takes(near Node, e Edge, reverse bool) bool {
	v := sc.judge(e.group())
	if !v.ok {
		return false
	}
	if reverse {
		return v.subject(near) && sc.resource(e.Node())
	}
	return v.subject(e.Node())
}

// inGroup yields the edges of one group of a large list. It seeks when it knows the nodes
// at the other end and they are fewer than the edges.
func (sc *scan) inGroup(near Node, l List, first Edge, reverse bool, yield func(Edge) bool) bool {
	var wanted []Node
	switch v := sc.judge(first.group()); {
	case reverse && !sc.anyResource:
		wanted = sc.resources
	case !reverse && !v.any:
		wanted = v.nodes
	}
	if wanted != nil && len(wanted) < l.Len()/8 {
		for _, n := range wanted {
			e, ok := l.Find(first.Rel(), first.Kind(), n)
			if ok && sc.takes(near, e, reverse) && !yield(e) {
				return false
			}
		}
		return true
	}
	c := l.Group(first.Rel(), first.Kind())
	for run := c.Next(); len(run) > 0; run = c.Next() {
		for _, e := range run {
			if sc.takes(near, e, reverse) && !yield(e) {
				return false
			}
		}
	}
	return true
}
