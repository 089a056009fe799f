package party

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sync"
)

// spot is an element with the beginning of its position, which tells most of them apart
// without a look at their records.
type spot[T any] struct {
	head uint64
	of   T
}

// ordered is a list that is sorted no further than was asked for: the first page of a long
// list is found without sorting the rest. It is safe for concurrent use.
type ordered[T any] struct {
	at func(T) position

	mu     sync.Mutex
	spots  []spot[T]
	sorted int // how many at the beginning are where they belong
}

// leastSorted is how many are sorted at once, at least.
const leastSorted = 128

func newOrdered[T any](list []T, at func(T) position) *ordered[T] {
	o := &ordered[T]{at: at, spots: make([]spot[T], len(list))}
	for i, e := range list {
		o.spots[i] = spot[T]{at(e).head(), e}
	}
	return o
}

// head returns the beginning of a position: one that is less belongs before.
func (p position) head() uint64 {
	if p.last {
		return math.MaxUint64
	}
	if p.key == "" {
		return 0
	}
	var b [8]byte
	copy(b[:], p.key)
	return binary.BigEndian.Uint64(b[:])
}

func (o *ordered[T]) compare(a, b spot[T]) int {
	if a.head != b.head {
		return cmp.Compare(a.head, b.head)
	}
	return o.at(a.of).compare(o.at(b.of))
}

// page returns what comes after a position, all from the first on when it has no id, up to a
// size, without limit when that is 0; and whether there is more.
func (o *ordered[T]) page(after position, size int) (page []spot[T], more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	from := 0
	if after.id != 0 {
		from = o.behind(after)
	}
	to := len(o.spots)
	if size > 0 {
		to = min(to, from+size)
	}
	o.sortTo(to)
	if o.sorted == len(o.spots) {
		return o.spots[from:to], to < len(o.spots) // nothing moves any more
	}
	return slices.Clone(o.spots[from:to]), to < len(o.spots)
}

// behind returns the place of the first element after a position.
func (o *ordered[T]) behind(after position) int {
	head := after.head()
	for {
		i, found := slices.BinarySearchFunc(o.spots[:o.sorted], after, func(s spot[T], after position) int {
			if s.head != head {
				return cmp.Compare(s.head, head)
			}
			return o.at(s.of).compare(after)
		})
		if found {
			i++
		}
		if i < o.sorted || o.sorted == len(o.spots) {
			return i
		}
		o.sortTo(o.sorted + 1)
	}
}

// sortTo sorts the first n, and as many again as are sorted already, so that going through all
// pages costs little more than sorting all at once.
func (o *ordered[T]) sortTo(n int) {
	if n <= o.sorted {
		return
	}
	rest := o.spots[o.sorted:]
	n = max(n, 2*o.sorted, leastSorted) - o.sorted
	if n < len(rest)/4 {
		o.gather(rest, n)
		rest = rest[:n]
	}
	slices.SortFunc(rest, o.compare)
	o.sorted += len(rest)
}

// gather moves the first n in order to the beginning, in no order.
func (o *ordered[T]) gather(s []spot[T], n int) {
	for len(s) > leastSorted {
		less, more := o.partition(s)
		switch {
		case n <= less:
			s = s[:less]
		case n < more:
			return // what lies between is the pivot
		default:
			s, n = s[more:], n-more
		}
	}
	slices.SortFunc(s, o.compare)
}

// partition parts a list at one of its elements and returns where this lies.
func (o *ordered[T]) partition(s []spot[T]) (from, to int) {
	last := len(s) - 1
	for i, at := range []int{last / 4, last / 2, 3 * (last / 4)} { // the middle of three
		s[i], s[at] = s[at], s[i]
	}
	slices.SortFunc(s[:3], o.compare)
	s[1], s[last] = s[last], s[1]
	pivot, store := s[last], 0
	for i := range last {
		if o.compare(s[i], pivot) < 0 {
			s[i], s[store] = s[store], s[i]
			store++
		}
	}
	s[store], s[last] = s[last], s[store]
	return store, store + 1
}
