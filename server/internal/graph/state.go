package graph

// The fan-out of the radix tree above the pages.
const (
	fanBits  = 6
	fan      = 1 << fanBits
	lowShift = pageBits
	topShift = lowShift + 2*fanBits
)

// lower and upper are the two fixed levels of the radix tree of pages. Above them is a
// slice, which has one element per 65,536 nodes.
type (
	lower struct {
		epoch  uint64
		extras *extras
		pages  [fan]*page
	}
	upper struct {
		epoch uint64
		kids  [fan]*lower
	}
)

// state is one version of the graph. A copy of the struct shares everything with it; only
// an edit with the epoch of a piece may change that piece.
type state struct {
	dict    *dictionary
	cache   *sortedCache
	words   *vocabulary
	nodes   uint32 // nodes of the dictionary that this version knows
	end     uint64 // where their names end
	top     []*upper
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
func (s *state) low(n Node) *lower {
	if i := int(n >> topShift); i < len(s.top) && s.top[i] != nil {
		return s.top[i].kids[n>>(lowShift+fanBits)&(fan-1)]
	}
	return nil
}

// list returns a list of a node: 0 for forward, 1 for reverse.
func (s *state) list(n Node, reverse uint8) List {
	low := s.low(n)
	if low == nil {
		return List{}
	}
	at := n >> lowShift & (fan - 1)
	p := low.pages[at]
	if p == nil {
		return List{}
	}
	i := uint8(n&(pageNodes-1))<<1 | reverse
	l := List{small: p.list(i), index: i}
	if p.extra {
		l.extra = low.extras.of[at]
		if len(l.small) == 0 {
			l.large = l.extra.largeList(i)
		}
	}
	return l
}

// find returns the payload of the tuple from a resource to a subject, if it is there.
func (s *state) find(resource Node, rel Rel, subject Node, kind Rel) (*Payload, bool) {
	l := s.list(resource, 0)
	e, ok := l.Find(rel, kind, subject)
	return l.Payload(e), ok
}
