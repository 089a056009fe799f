package graph

// The fan-out of the radix tree above the pages. A write copies a node of each level for
// each of its ends, and the collector looks at every pointer in it for as long as the
// snapshot is kept: that speaks for a small fan-out, and reading for few levels.
const (
	fanBits  = 5
	fan      = 1 << fanBits
	lowShift = pageBits
	midShift = lowShift + fanBits
	upShift  = midShift + fanBits
	topShift = upShift + fanBits
)

// radix is the tree of the pages of one direction, by node. Lower, middle and upper are its
// fixed levels; the slice above them has one element per 131,072 nodes.
type (
	radix []*upper
	lower struct {
		epoch  uint64
		extras *extras
		pages  [fan]*page
	}
	middle struct {
		epoch uint64
		kids  [fan]*lower
	}
	upper struct {
		epoch uint64
		kids  [fan]*middle
	}
)

// state is one version of the graph. A copy of the struct shares everything with it; only
// an edit with the epoch of a piece may change that piece.
type state struct {
	dict    *dictionary
	log     *history
	cache   *sortedCache
	words   *vocabulary
	nodes   uint32       // nodes of the dictionary that this version knows
	end     uint64       // where their names end
	lists   [2]radix     // forward and reverse
	names   []tree[Node] // by type: the objects with edges, in the order of their ids
	tallies tree[tally]
	tuples  int
	objects int    // objects with edges
	sum     uint64 // the sum of the tuples' checksums
}

// tally counts the tuples of one relation and kind.
type tally struct {
	group uint32
	n     int
}

// low returns the lower node that a node's page hangs in, nil when there is none.
func (r radix) low(n Node) *lower {
	i := int(n >> topShift)
	if i >= len(r) || r[i] == nil {
		return nil
	}
	m := r[i].kids[n>>upShift&(fan-1)]
	if m == nil {
		return nil
	}
	return m.kids[n>>midShift&(fan-1)]
}

// The directions of lists.
const (
	forward = 0 // from a resource to its subjects
	reverse = 1 // from a subject to the resources
)

// list returns the list of a node in one direction.
func (s *state) list(direction int, n Node) List {
	low := s.lists[direction].low(n)
	if low == nil {
		return List{}
	}
	at := n >> lowShift & (fan - 1)
	p := low.pages[at]
	if p == nil {
		return List{}
	}
	l := List{index: listOf(n)}
	l.small = p.list(l.index)
	if p.extra {
		l.extra = low.extras.of[at]
		if len(l.small) == 0 {
			l.large = l.extra.largeList(l.index)
		}
	}
	return l
}

// find returns the payload of the tuple from a resource to a subject, if it is there.
func (s *state) find(resource Node, rel Rel, subject Node, kind Rel) (*Payload, bool) {
	l := s.list(forward, resource)
	e, ok := l.Find(rel, kind, subject)
	return l.Payload(e), ok
}
