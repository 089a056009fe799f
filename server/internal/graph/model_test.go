package graph_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// model is the graph as a plain map, by the tuple's text.
type model map[string]graph.Tuple

func (m model) sum() (sum uint64) {
	for _, t := range m {
		sum += graph.Sum(&t)
	}
	return sum
}

// apply is what a commit's update does.
func (m model) apply(u graph.Update) {
	if u.Op == relation.Delete {
		delete(m, u.Tuple.String())
	} else {
		m[u.Tuple.String()] = u.Tuple
	}
}

// query answers like Snapshot.Query, by looking at everything.
func (m model) query(q graph.Query) []graph.Tuple {
	var out []graph.Tuple
	for _, t := range m {
		if selects(q, t) {
			out = append(out, t)
		}
	}
	if q.Order == graph.Unsorted {
		return out // the caller compares as a set
	}
	slices.SortFunc(out, func(a, b graph.Tuple) int { return compare(a, b, q.Order) })
	out = slices.DeleteFunc(out, func(t graph.Tuple) bool {
		return q.After != nil && compare(t, *q.After, q.Order) <= 0 || q.Through != nil && compare(t, *q.Through, q.Order) > 0
	})
	if q.Limit > 0 && uint64(len(out)) > q.Limit {
		out = out[:q.Limit]
	}
	return out
}

// compare says nothing of how the graph compares: it looks at all names, one by one.
func compare(a, b graph.Tuple, o graph.Order) int {
	left := [6]*string{&a.Resource.Type, &a.Resource.ID, &a.Relation, &a.Subject.Type, &a.Subject.ID, &a.Subject.Relation}
	right := [6]*string{&b.Resource.Type, &b.Resource.ID, &b.Relation, &b.Subject.Type, &b.Subject.ID, &b.Subject.Relation}
	for i := range 6 {
		if o == graph.BySubject {
			i = (i + 3) % 6
		}
		if *left[i] != *right[i] {
			return strings.Compare(*left[i], *right[i])
		}
	}
	return 0
}

func selects(q graph.Query, t graph.Tuple) bool {
	in := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	is := func(want, have string) bool { return want == "" || want == have }
	has := func(p graph.Presence, have bool) bool { return p == graph.Either || (p == graph.Present) == have }
	subject := len(q.Subjects) == 0
	for _, s := range q.Subjects {
		rel := t.Subject.Relation
		kind := !s.Plain && s.Relation == "" || s.Plain && rel == "" || s.Relation != "" && s.Relation == rel
		if s.Sets {
			kind = rel != ""
		}
		subject = subject || kind && is(s.Type, t.Subject.Type) && in(s.IDs, t.Subject.ID)
	}
	return subject && is(q.ResourceType, t.Resource.Type) && in(q.ResourceIDs, t.Resource.ID) &&
		strings.HasPrefix(t.Resource.ID, q.ResourcePrefix) && is(q.Relation, t.Relation) &&
		has(q.Caveat, t.Caveat != "") && (q.Caveat != graph.Present || is(q.CaveatName, t.Caveat)) &&
		has(q.Expiry, !t.Expires.IsZero()) &&
		(q.Now.IsZero() || t.Expires.IsZero() || t.Expires.After(q.Now))
}

// universe draws tuples and queries about a few objects, some of which are in so many
// tuples that their lists are large.
type universe struct {
	*rand.Rand
	users int
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func pick[T any](u *universe, from ...T) T { return from[u.IntN(len(from))] }

func (u *universe) object() relation.Object {
	switch u.IntN(3) {
	case 0:
		return relation.Object{Type: "doc", ID: pick(u, "a", "ab", "abc", "b", "a/long-prefix-1", "a/long-prefix-2")}
	case 1:
		return relation.Object{Type: "group", ID: pick(u, "g1", "g2", "ab")}
	}
	return relation.Object{Type: "doc", ID: fmt.Sprint("d", u.IntN(u.users))}
}

func (u *universe) subject() relation.Subject {
	switch u.IntN(8) {
	case 0:
		return relation.Subject{Object: relation.Object{Type: "group", ID: pick(u, "g1", "g2", "g3")}, Relation: pick(u, "member", "owner", "")}
	case 1, 2:
		return relation.Subject{Object: relation.Object{Type: "user", ID: pick(u, "*", "u0", "ab")}}
	case 3:
		return relation.Subject{Object: u.object()}
	}
	return relation.Subject{Object: relation.Object{Type: "user", ID: fmt.Sprint("u", u.IntN(u.users))}}
}

func (u *universe) tuple() graph.Tuple {
	t := graph.Tuple{Relationship: relation.Relationship{
		Resource: u.object(), Relation: pick(u, "viewer", "viewer", "member", "owner"), Subject: u.subject(),
	}}
	if u.IntN(4) == 0 {
		t.Expires = epoch.Add(time.Duration(u.IntN(6)) * time.Hour)
	}
	if u.IntN(6) == 0 {
		t.Caveat, t.Context = pick(u, "ip", "hours"), pick(u, "", `{"a":1}`)
	}
	if u.IntN(12) == 0 {
		t.Note = "signed"
	}
	return t
}

func (u *universe) query() graph.Query {
	some := func(n int) bool { return u.IntN(n) == 0 }
	q := graph.Query{Order: pick(u, graph.Unsorted, graph.ByResource, graph.BySubject)}
	if some(2) {
		q.ResourceType = pick(u, "doc", "group", "user", "nothing")
	}
	switch u.IntN(5) {
	case 0:
		for range 1 + u.IntN(5) {
			q.ResourceIDs = append(q.ResourceIDs, u.object().ID)
		}
	case 1:
		q.ResourcePrefix = pick(u, "a", "ab", "d1", "a/", "zz")
	}
	if some(2) {
		q.Relation = pick(u, "viewer", "member", "owner", "nothing")
	}
	for range max(u.IntN(5)-2, 0) {
		s := graph.Subjects{Plain: some(3), Sets: some(6)}
		if some(2) {
			s.Type = pick(u, "user", "group", "doc", "nothing")
		}
		if some(3) {
			s.Relation = pick(u, "member", "owner")
		}
		if some(2) {
			for range 1 + u.IntN(5) {
				s.IDs = append(s.IDs, u.subject().ID)
			}
		}
		q.Subjects = append(q.Subjects, s)
	}
	if some(4) {
		q.Caveat, q.CaveatName = pick(u, graph.Present, graph.Absent), pick(u, "", "ip")
	}
	if some(4) {
		q.Expiry = pick(u, graph.Present, graph.Absent)
	}
	if some(2) {
		q.Now = epoch.Add(time.Duration(u.IntN(7)) * time.Hour)
	}
	if q.Order != graph.Unsorted {
		if some(2) {
			t := u.tuple()
			q.After = &t
		}
		if some(5) {
			t := u.tuple()
			q.Through = &t
		}
	}
	if some(2) {
		q.Limit = uint64(1 + u.IntN(20))
	}
	return q
}

// compareQuery asks both.
func compareQuery(t *testing.T, s *graph.Snapshot, m model, q graph.Query) {
	t.Helper()
	got := slices.Collect(s.Query(q))
	want := m.query(q)
	if q.Order == graph.Unsorted {
		if q.Limit > 0 && uint64(len(want)) > q.Limit {
			if uint64(len(got)) != q.Limit {
				t.Fatalf("revision %d, query %+v: got %d tuples, want %d of %d", s.Revision(), q, len(got), q.Limit, len(want))
			}
			for _, g := range got {
				if !slices.Contains(want, g) {
					t.Fatalf("revision %d, query %+v: got %s, which it does not select", s.Revision(), q, g)
				}
			}
			return
		}
		byResource := func(a, b graph.Tuple) int { return compare(a, b, graph.ByResource) }
		slices.SortFunc(got, byResource)
		slices.SortFunc(want, byResource)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("revision %d, query %+v:\n got %d %v\nwant %d %v", s.Revision(), q, len(got), got, len(want), want)
	}
}
