package graph

import (
	"iter"
	"time"
)

// Order is an order of tuples. Names compare by their bytes.
type Order uint8

// The orders.
const (
	// Unsorted is whatever order costs least. Cursors are ignored in it.
	Unsorted Order = iota
	// ByResource is by resource type, resource id, relation, subject type, subject id and
	// subject relation.
	ByResource
	// BySubject is by subject type, subject id, subject relation, resource type, resource id
	// and relation.
	BySubject
)

// Presence selects by whether something is there.
type Presence uint8

// The presences.
const (
	Either Presence = iota
	Present
	Absent
)

// Query selects tuples. Its zero value selects all, expired ones included.
type Query struct {
	ResourceType   string   // empty for any
	ResourceIDs    []string // empty for any
	ResourcePrefix string   // of the id
	Relation       string   // empty for any
	Subjects       []Subjects
	Caveat         Presence
	CaveatName     string // with Caveat Present: only this one, unless empty
	Expiry         Presence

	Now     time.Time // leaves out what has expired at this instant; zero keeps it
	Order   Order
	After   *Tuple // only what comes after it in Order
	Through *Tuple // nothing that comes after it in Order
	Limit   uint64 // zero for none
}

// Subjects selects subjects. A query with several takes what any of them selects. With
// neither Plain nor Relation nor Sets it takes every relation of a subject and none.
type Subjects struct {
	Type     string   // empty for any
	IDs      []string // empty for any
	Plain    bool     // subjects without a relation
	Relation string   // and those with this one
	Sets     bool     // only subjects with a relation, whichever; the two above do not count
}

// kind reports whether the selection takes a kind of subject.
func (s *Subjects) kind(typ, rel string) bool {
	switch {
	case s.Type != "" && s.Type != typ:
		return false
	case s.Sets:
		return rel != ""
	case !s.Plain && s.Relation == "":
		return true
	case rel == "":
		return s.Plain
	}
	return rel == s.Relation
}

// Query yields the tuples that q selects.
func (s *Snapshot) Query(q Query) iter.Seq[Tuple] {
	return func(yield func(Tuple) bool) {
		sc := newScan(s, &q)
		if sc == nil {
			return
		}
		left, after := q.Limit, q.After
		sc.run(func(r row) bool {
			t := s.tuple(r.resource, r.rel, r.subject, r.kind, r.payload)
			if q.Order != Unsorted {
				if after != nil && compareTuples(&t, after, q.Order) <= 0 {
					return true
				}
				after = nil // all that follows comes after it too
				if q.Through != nil && compareTuples(&t, q.Through, q.Order) > 0 {
					return false
				}
			}
			if !yield(t) {
				return false
			}
			left--
			return left != 0 || q.Limit == 0
		})
	}
}

// Exists reports whether q selects a tuple.
func (s *Snapshot) Exists(q Query) bool {
	for range s.Query(q) {
		return true
	}
	return false
}
