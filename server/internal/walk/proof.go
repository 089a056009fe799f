package walk

import (
	"slices"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// Proof is what the answer of a list rests on: the objects whose tuples were looked at, and
// the instants between which none of these begins or ceases to hold. It tells of another
// state and another instant whether the answer is the same there, without a walk.
//
// A Proof is not safe for concurrent use.
type Proof struct {
	from, through graph.Version // the states that it is known to hold for
	ended         graph.Version // the first that it is not known to hold for; zero while there is none
	nodes         graph.Node    // those the graph had
	words         int           // likewise: a relation's first tuple opens ways that the walk knew nothing of
	stranger      bool          // the subject was none of them
	since, until  time.Time     // zero for ever
	forward       []graph.Node  // whose subjects were looked at
	reverse       []graph.Node  // whose resources were looked at
	sorted        bool
}

// fewChanges is how many changes of the graph are looked through, however small the list is.
const fewChanges = 4096

// begin has the walk write down what it looks at.
func (w *walker) begin(p *Proof) {
	w.proof = p
	if p != nil {
		v := w.snap.Version()
		*p = Proof{from: v, through: v, nodes: graph.Node(w.snap.Nodes()), words: w.snap.Rels(),
			forward: p.forward[:0], reverse: p.reverse[:0]}
	}
}

// judged writes down that a tuple's expiry counted.
func (p *Proof) judged(expires, now time.Time) {
	switch {
	case expires.IsZero():
	case !now.Before(expires):
		if expires.After(p.since) {
			p.since = expires
		}
	case p.until.IsZero() || expires.Before(p.until):
		p.until = expires
	}
}

// visited writes down the objects of all states of a list.
func (p *Proof) visited(t *table) {
	for _, key := range t.keys {
		if key != 0 {
			p.reverse = append(p.reverse, graph.Node(key>>32))
		}
	}
}

// Size is how many objects the answer rests on, some counted more than once.
func (p *Proof) Size() int { return len(p.forward) + len(p.reverse) }

// Holds reports whether the answer is known to be that of a snapshot, too, as of an instant.
func (p *Proof) Holds(s *graph.Snapshot, now time.Time) bool {
	v := s.Version()
	switch {
	case now.Before(p.since) || !p.until.IsZero() && !now.Before(p.until):
		return false
	case v == p.from || v == p.through || p.from.Before(v) && v.Before(p.through):
		return true
	case !p.through.Before(v) || p.ended == v || p.ended.Before(v):
		return false
	}
	if s.Rels() == p.words {
		p.sort()
		same := s.Since(p.through, max(fewChanges, p.Size()), func(resource, subject graph.Node) bool {
			return !p.restsOn(s, resource, subject)
		})
		if same {
			p.through = v
			return true
		}
	}
	// What has changed stays changed, and words and changes become only more.
	p.ended = v
	return false
}

// Ended returns the first version that the answer is not known to hold for: it is known to
// hold for none after it either. ok is false while no such version was asked about.
func (p *Proof) Ended() (v graph.Version, ok bool) { return p.ended, p.ended != graph.Version{} }

// restsOn reports whether the answer rests on the tuples from one object to another. A subject
// that the graph did not know yet may be everybody of its type, or who was asked about.
func (p *Proof) restsOn(s *graph.Snapshot, resource, subject graph.Node) bool {
	if _, found := slices.BinarySearch(p.reverse, subject); found {
		return true
	}
	if subject >= p.nodes && (p.stranger || s.ID(subject) == everybody) {
		return true
	}
	_, found := slices.BinarySearch(p.forward, resource)
	return found
}

func (p *Proof) sort() {
	if p.sorted {
		return
	}
	for _, nodes := range []*[]graph.Node{&p.forward, &p.reverse} {
		slices.Sort(*nodes)
		*nodes = slices.Clip(slices.Compact(*nodes))
	}
	p.sorted = true
}
