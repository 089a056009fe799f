package graph

import "unsafe"

// The sizes of pages.
const (
	pageBits  = 4
	pageNodes = 1 << pageBits

	// smallList is the length beyond which a list leaves its page and becomes a tree;
	// it returns when it has shrunk to half.
	smallList = 64
)

// page holds the lists of neighbouring nodes in one direction, one behind the other. List i is
// edges()[off[i]:off[i+1]], unless it is large: then it is empty here and a tree in the
// page's extra.
//
// The edges follow the header in the same piece of memory, which has no pointers in it: a
// look at a list costs one cache miss less than through a slice, and the collector never
// looks inside. Only newPage, edges and list know this.
type page struct {
	epoch uint64
	room  uint16 // edges that there is memory for
	extra bool   // some of the page is in its extra
	off   [pageNodes + 1]uint16
	_     [2]byte
}

// pageWords is the size of a page's header in edges.
const pageWords = int(unsafe.Sizeof(page{}) / unsafe.Sizeof(Edge(0)))

// newPage returns an empty page with room for some edges, at least for one: a pointer to
// the first must not point beyond the page's memory.
func newPage(epoch uint64, room int) *page {
	room = max(room, 1)
	words := make([]Edge, pageWords+room)
	p := (*page)(unsafe.Pointer(unsafe.SliceData(words))) //nolint:gosec // the header fits, and has no pointers
	p.epoch, p.room = epoch, uint16(room)
	return p
}

// edges returns the page's memory for edges.
func (p *page) edges() []Edge {
	first := (*Edge)(unsafe.Add(unsafe.Pointer(p), unsafe.Sizeof(*p))) //nolint:gosec // see newPage
	return unsafe.Slice(first, p.room)                                 //nolint:gosec // see newPage
}

// list returns a list, nothing when it is large.
func (p *page) list(i uint8) []Edge {
	from, to := p.off[i], p.off[i+1]
	if from == to {
		return nil
	}
	first := unsafe.Add(unsafe.Pointer(p), unsafe.Sizeof(*p)+unsafe.Sizeof(Edge(0))*uintptr(from)) //nolint:gosec // see newPage
	return unsafe.Slice((*Edge)(first), to-from)                                                   //nolint:gosec // see newPage
}

// len returns how many edges the page holds.
func (p *page) len() int { return int(p.off[pageNodes]) }

// probeEdge finds an edge whatever its mark.
func probeEdge(e Edge) func(Edge) int {
	key := e.key()
	return func(have Edge) int { return order(key, have.key()) }
}

func order(a, b Edge) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// position returns where an edge is, or belongs, in a sorted run.
func position(run []Edge, e Edge) (int, bool) {
	key := e.key()
	lo, hi := 0, len(run)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if run[mid] < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(run) && run[lo].key() == key
}

// search returns the edge with a key, with its mark. Most runs are so short that looking
// at each edge costs less than mispredicting which half it is in.
func search(run []Edge, key Edge) (Edge, bool) {
	if len(run) > 12 {
		if i, ok := position(run, key); ok {
			return run[i], true
		}
		return 0, false
	}
	for _, e := range run {
		if e.key() == key {
			return e, true
		}
	}
	return 0, false
}
