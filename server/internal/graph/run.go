package graph

import (
	"slices"
	"sort"
	"strings"
)

// run yields the rows that the query takes, in its order; it leaves the cursors' exact
// ends and the limit to yield.
func (sc *scan) run(yield func(row) bool) {
	reverse := sc.fromSubjects()
	known := reverse && !sc.anySubject || !reverse && !sc.anyResource
	o := ByResource
	if reverse {
		o = BySubject
	}
	switch {
	case sc.q.Order == Unsorted || sc.q.Order == o || sc.alike(reverse):
		if known {
			sc.runNodes(reverse, yield)
		} else {
			sc.runNames(reverse, yield)
		}
	default:
		sc.runSorted(reverse, yield)
	}
}

// fromSubjects chooses the side to start from: the one whose objects are known, when both
// are the one with less to look at, when neither is the one that gives the wanted order.
func (sc *scan) fromSubjects() bool {
	switch {
	case sc.anyResource && sc.anySubject:
		return sc.q.Order == BySubject ||
			sc.q.Order == Unsorted && sc.q.ResourceType == "" && sc.q.ResourcePrefix == "" && len(sc.selectors) > 0
	case sc.anyResource || sc.anySubject:
		return sc.anyResource
	}
	return sc.cost(sc.subjects, true, len(sc.resources)) < sc.cost(sc.resources, false, len(sc.subjects))
}

// cost estimates how many edges of nodes are looked at when so many others are sought.
func (sc *scan) cost(nodes []Node, reverse bool, others int) int {
	n := 0
	for _, node := range nodes {
		n += 1 + min(sc.near(node, reverse).Len(), 2*smallList+16*others)
	}
	return n
}

func (sc *scan) near(n Node, reverse bool) List {
	if reverse {
		return sc.s.Reverse(n)
	}
	return sc.s.Forward(n)
}

// alike reports that both orders are one: there is one object on the near side, with one
// relation or kind to be taken.
func (sc *scan) alike(reverse bool) bool {
	nodes := sc.resources
	if reverse {
		nodes = sc.subjects
	}
	if len(nodes) != 1 || reverse && sc.anySubject {
		return false
	}
	l := sc.near(nodes[0], reverse)
	n := 0
	for e, ok := l.Seek(0); ok; e, ok = l.Seek(firstOf(e.group() + 1)) {
		if !sc.judge(e.group()).ok {
			continue
		}
		r := e.Rel()
		if reverse {
			r = e.Kind()
		}
		if n == 0 || r != sc.only {
			n, sc.only = n+1, r
		}
	}
	return n <= 1
}

// runNodes goes over the known objects of the near side.
func (sc *scan) runNodes(reverse bool, yield func(row) bool) {
	nodes := sc.resources
	if reverse {
		nodes = sc.subjects
	}
	if sc.q.Order != Unsorted && len(nodes) > 1 {
		nodes = sc.s.sortNodes(slices.Clone(nodes))
		if typ, id, ok := sc.cursor(reverse); ok {
			nodes = nodes[sort.Search(len(nodes), func(i int) bool {
				o := sc.s.Object(nodes[i])
				return o.Type > typ || o.Type == typ && o.ID >= id
			}):]
		}
	}
	for _, n := range nodes {
		if !sc.runNode(n, reverse, yield) {
			return
		}
	}
}

// cursor returns the object on the near side at which the query resumes.
func (sc *scan) cursor(reverse bool) (typ, id string, ok bool) {
	switch {
	case sc.q.After == nil || sc.q.Order == Unsorted:
		return "", "", false
	case reverse:
		return sc.q.After.Subject.Type, sc.q.After.Subject.ID, true
	}
	return sc.q.After.Resource.Type, sc.q.After.Resource.ID, true
}

// runNames goes over the objects of the near side by type and id.
func (sc *scan) runNames(reverse bool, yield func(row) bool) {
	typ, id, resumed := sc.cursor(reverse)
	wanted := sc.wantedTypes(reverse)
	for _, t := range sc.s.words.sorted {
		name := sc.s.words.types[t]
		if !wanted[t] || int(t) >= len(sc.s.names) || resumed && name < typ {
			continue
		}
		from, prefix := "", ""
		if !reverse {
			prefix = sc.q.ResourcePrefix
			from = prefix
		}
		if resumed && name == typ {
			from = max(from, id)
		}
		more := true
		sc.s.names[t].ascend(sc.s.probeName(from), func(n Node) bool {
			if prefix != "" && !strings.HasPrefix(sc.s.ID(n), prefix) {
				return false
			}
			more = sc.runNode(n, reverse, yield)
			return more
		})
		if !more {
			return
		}
	}
}

// wantedTypes returns the types of the near side that have tuples which the query takes.
func (sc *scan) wantedTypes(reverse bool) map[Type]bool {
	wanted := make(map[Type]bool)
	sc.s.tallies.all(func(t tally) bool {
		if sc.judge(t.group).ok {
			r := firstOf(t.group).Rel()
			if reverse {
				r = firstOf(t.group).Kind()
			}
			wanted[sc.s.words.rels[r].typ] = true
		}
		return true
	})
	return wanted
}

// runSorted goes over the known objects of the near side for an order that begins with
// the far one.
func (sc *scan) runSorted(reverse bool, yield func(row) bool) {
	nodes := sc.resources
	if reverse {
		nodes = sc.subjects
	}
	var rows []row
	for _, n := range nodes {
		l := sc.near(n, reverse)
		sc.edges(n, l, reverse, func(e Edge) bool {
			if r, ok := sc.row(n, l, e, reverse); ok {
				rows = append(rows, r)
			}
			return true
		})
	}
	slices.SortFunc(rows, func(a, b row) int { return sc.s.compareRows(&a, &b, sc.q.Order) })
	for _, r := range rows {
		if !yield(r) {
			return
		}
	}
}

// row returns the row of an edge that the query takes by its names, if it takes it by its
// payload too.
func (sc *scan) row(near Node, l List, e Edge, reverse bool) (row, bool) {
	r := row{resource: near, subject: e.Node(), rel: e.Rel(), kind: e.Kind(), payload: l.Payload(e)}
	if reverse {
		r.resource, r.subject = r.subject, r.resource
	}
	return r, sc.wants(r.payload)
}
