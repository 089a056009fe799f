package graph

import (
	"iter"
	"time"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Snapshot is the graph at one revision. It never changes; any number of goroutines may
// read it, without locks, for as long as they like.
type Snapshot struct {
	state
	revision uint64
	at       time.Time
}

// Revision returns the revision, zero for the empty graph that New makes. A view of an
// open transaction has the revision that the transaction started from.
func (s *Snapshot) Revision() uint64 { return s.revision }

// At returns the time that the revision was sealed with.
func (s *Snapshot) At() time.Time { return s.at }

// Node returns the number of an object. An object that the snapshot does not know has no
// edges in it, and one that it knows may have none either.
func (s *Snapshot) Node(typ, id string) (Node, bool) {
	t, ok := s.words.byType[typ]
	if !ok {
		return 0, false
	}
	return s.dict.find(t, id, s.end)
}

// Type returns the number of a definition, for NodeOf.
func (s *Snapshot) Type(name string) (Type, bool) {
	t, ok := s.words.byType[name]
	return t, ok
}

// NodeOf is Node for a definition that was looked up before.
func (s *Snapshot) NodeOf(typ Type, id string) (Node, bool) {
	return s.dict.find(typ, id, s.end)
}

// Rel returns the number of a relation of a definition or, with an empty name, of the
// definition's objects as subjects. What no tuple ever had is unknown.
func (s *Snapshot) Rel(typ, name string) (Rel, bool) { return s.words.rel(typ, name) }

// Object returns the name of a node that the snapshot knows. The id lies in the graph's
// memory and keeps it alive.
func (s *Snapshot) Object(n Node) relation.Object {
	typ, id := s.dict.name(n)
	return relation.Object{Type: s.words.types[typ], ID: id}
}

// TypeOf returns the number of the definition of a node that the snapshot knows.
func (s *Snapshot) TypeOf(n Node) Type {
	typ, _ := s.dict.name(n)
	return typ
}

// ID returns the id of a node that the snapshot knows, as Object does.
func (s *Snapshot) ID(n Node) string {
	_, id := s.dict.name(n)
	return id
}

// RelName returns the definition and the name that a Rel stands for.
func (s *Snapshot) RelName(r Rel) (typ, name string) {
	v := s.words.rels[r]
	return s.words.types[v.typ], v.name
}

// Nodes returns how many numbers of objects the snapshot knows: all are less.
func (s *Snapshot) Nodes() int { return int(s.nodes) }

// Rels returns how many numbers of relations the snapshot knows: all are less.
func (s *Snapshot) Rels() int { return len(s.words.rels) }

// Forward returns the edges from a resource to its subjects.
func (s *Snapshot) Forward(n Node) List { return s.list(forward, n) }

// Short returns all of Forward's edges at once, for less than a List takes. It is not ok where
// they may be a tree.
func (s *Snapshot) Short(n Node) (all []Edge, ok bool) {
	low := s.lists[forward].low(n)
	if low == nil {
		return nil, true
	}
	p := low.pages[n>>lowShift&(fan-1)]
	if p == nil {
		return nil, true
	}
	all = p.list(listOf(n))
	return all, len(all) > 0 || !p.extra
}

// Reverse returns the edges from a subject to the resources that it is a subject of.
func (s *Snapshot) Reverse(n Node) List { return s.list(reverse, n) }

// HasEdge returns the edge of a tuple, as it is in the resource's forward list. Whether the
// tuple holds is for the caller to judge, unless the edge is unconditional.
func (s *Snapshot) HasEdge(resource Node, rel Rel, subject Node, kind Rel) (Edge, bool) {
	run, ok := s.Short(resource)
	if !ok {
		return s.hasLarge(resource, rel, subject, kind)
	}
	return search(run, MakeEdge(rel, kind, subject))
}

// hasLarge is HasEdge for a resource whose list may be large. The subject's list may be the
// shorter one: most subjects have few tuples.
func (s *Snapshot) hasLarge(resource Node, rel Rel, subject Node, kind Rel) (Edge, bool) {
	r := s.list(reverse, subject)
	if r.large != nil {
		return s.list(forward, resource).Find(rel, kind, subject)
	}
	e, ok := r.Find(rel, kind, resource)
	if !ok {
		return 0, false
	}
	return MakeEdge(rel, kind, subject) | e&markBits, true
}

// Payload returns the payload of a tuple, nil when it has none.
func (s *Snapshot) Payload(resource Node, rel Rel, subject Node, kind Rel) *Payload {
	p, _ := s.find(resource, rel, subject, kind)
	return p
}

// Between appends the forward edges from a resource to one subject, whatever their relation
// and kind. It looks into the shorter of the two lists.
func (s *Snapshot) Between(dst []Edge, resource, subject Node) []Edge {
	l, other, swapped := s.list(forward, resource), subject, false
	if l.large != nil {
		if r := s.list(reverse, subject); r.Len() < l.Len() {
			l, other, swapped = r, resource, true
		}
	}
	found := len(dst)
	if l.large == nil {
		for _, e := range l.small {
			if e.Node() == other {
				dst = append(dst, e)
			}
		}
	} else {
		for e, ok := l.Seek(0); ok; e, ok = l.Seek(firstOf(e.group() + 1)) {
			if hit, ok := l.Find(e.Rel(), e.Kind(), other); ok {
				dst = append(dst, hit)
			}
		}
	}
	if swapped {
		for i, e := range dst[found:] {
			dst[found+i] = MakeEdge(e.Rel(), e.Kind(), subject) | e&markBits
		}
	}
	return dst
}

// Tuples returns how many tuples there are, expired ones included.
func (s *Snapshot) Tuples() int { return s.tuples }

// Objects returns how many objects there are that are resource or subject of a tuple.
func (s *Snapshot) Objects() int { return s.objects }

// Sum returns the checksum of all tuples, expired ones included: the sum of theirs.
func (s *Snapshot) Sum() uint64 { return s.sum }

// Tally is how many tuples have one relation and one kind of subject.
type Tally struct {
	ResourceType, Relation       string
	SubjectType, SubjectRelation string
	Tuples                       int
}

// Tallies yields the counts of tuples by relation and kind, where there are any.
func (s *Snapshot) Tallies() iter.Seq[Tally] {
	return func(yield func(Tally) bool) {
		s.tallies.all(func(t tally) bool {
			e := firstOf(t.group)
			out := Tally{Tuples: t.n}
			out.ResourceType, out.Relation = s.RelName(e.Rel())
			out.SubjectType, out.SubjectRelation = s.RelName(e.Kind())
			return yield(out)
		})
	}
}

// tuple returns a tuple by names.
func (s *state) tuple(resource Node, rel Rel, subject Node, kind Rel, p *Payload) Tuple {
	_, resourceID := s.dict.name(resource)
	_, subjectID := s.dict.name(subject)
	r, k := s.words.rels[rel], s.words.rels[kind]
	t := Tuple{Relationship: relation.Relationship{
		Resource: relation.Object{Type: s.words.types[r.typ], ID: resourceID},
		Relation: r.name,
		Subject:  relation.Subject{Object: relation.Object{Type: s.words.types[k.typ], ID: subjectID}, Relation: k.name},
	}}
	if p != nil {
		t.Expires, t.Caveat, t.Context, t.Note = p.Expires, p.Caveat, p.Context, p.Note
	}
	return t
}
