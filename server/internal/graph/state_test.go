package graph_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// compareState compares everything that can be read without a query.
func compareState(t *testing.T, s *graph.Snapshot, m model) {
	t.Helper()
	if s.Tuples() != len(m) || s.Sum() != m.sum() {
		t.Fatalf("revision %d: %d tuples with sum %x, want %d with %x", s.Revision(), s.Tuples(), s.Sum(), len(m), m.sum())
	}
	objects := make(map[relation.Object]bool)
	tallies := make(map[graph.Tally]int)
	for _, tu := range m {
		objects[tu.Resource], objects[tu.Subject.Object] = true, true
		tallies[graph.Tally{
			ResourceType: tu.Resource.Type, Relation: tu.Relation,
			SubjectType: tu.Subject.Type, SubjectRelation: tu.Subject.Relation,
		}]++
	}
	if s.Objects() != len(objects) {
		t.Fatalf("revision %d: %d objects, want %d", s.Revision(), s.Objects(), len(objects))
	}
	got := make(map[graph.Tally]int)
	for y := range s.Tallies() {
		n := y.Tuples
		y.Tuples = 0
		got[y] = n
	}
	if !maps.Equal(got, tallies) {
		t.Fatalf("revision %d: tallies %v, want %v", s.Revision(), got, tallies)
	}
	compareEdges(t, s, m)
}

// compareEdges reads all lists by numbers, in both directions.
func compareEdges(t *testing.T, s *graph.Snapshot, m model) {
	t.Helper()
	for _, reverse := range []bool{false, true} {
		seen := 0
		for n := range graph.Node(s.Nodes()) {
			l := s.Forward(n)
			if reverse {
				l = s.Reverse(n)
			}
			count := 0
			var last graph.Edge
			c := l.All()
			for run := c.Next(); len(run) > 0; run = c.Next() {
				for _, e := range run {
					if count > 0 && e <= last {
						t.Fatalf("revision %d, node %d: %x after %x", s.Revision(), n, e, last)
					}
					last = e
					count++
					compareEdge(t, s, m, l, n, e, reverse)
				}
			}
			if count != l.Len() {
				t.Fatalf("revision %d, node %d: %d edges, Len is %d", s.Revision(), n, count, l.Len())
			}
			seen += count
		}
		if seen != len(m) {
			t.Fatalf("revision %d: %d edges, want %d (reverse: %v)", s.Revision(), seen, len(m), reverse)
		}
	}
}

func compareEdge(t *testing.T, s *graph.Snapshot, m model, l graph.List, near graph.Node, e graph.Edge, reverse bool) {
	t.Helper()
	res, sub := near, e.Node()
	if reverse {
		res, sub = sub, res
	}
	var tu graph.Tuple
	tu.Resource = s.Object(res)
	_, tu.Relation = s.RelName(e.Rel())
	tu.Subject.Object = s.Object(sub)
	_, tu.Subject.Relation = s.RelName(e.Kind())
	want, ok := m[tu.String()]
	if !ok {
		t.Fatalf("revision %d: edge %s is not in the model", s.Revision(), tu)
	}
	if p := l.Payload(e); p != nil {
		tu.Expires, tu.Caveat, tu.Context, tu.Note = p.Expires, p.Caveat, p.Context, p.Note
	}
	if tu != want {
		t.Fatalf("revision %d: edge %+v, want %+v", s.Revision(), tu, want)
	}
	if e.Caveated() != (want.Caveat != "") || e.Unconditional() != (want.Caveat == "" && want.Expires.IsZero()) {
		t.Fatalf("revision %d: mark of %+v is wrong", s.Revision(), want)
	}
	if has, ok := s.HasEdge(res, e.Rel(), sub, e.Kind()); !ok || has.Node() != sub || has.Caveated() != e.Caveated() {
		t.Fatalf("revision %d: HasEdge(%s) = %x, %v", s.Revision(), tu, has, ok)
	}
	if n, ok := s.Node(tu.Resource.Type, tu.Resource.ID); !ok || n != res {
		t.Fatalf("revision %d: Node(%s) = %d, %v, want %d", s.Revision(), tu.Resource, n, ok, res)
	}
	var buf [8]graph.Edge
	found := s.Between(buf[:0], res, sub)
	if !slices.ContainsFunc(found, func(f graph.Edge) bool { return f.Rel() == e.Rel() && f.Kind() == e.Kind() && f.Node() == sub }) {
		t.Fatalf("revision %d: Between(%s) = %x", s.Revision(), tu, found)
	}
}
