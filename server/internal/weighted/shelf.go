package weighted

import (
	"container/list"
	"iter"
	"time"
)

// Shelf holds values up to a weight. It is not safe for concurrent use.
type Shelf[V any] struct {
	most   int
	idle   time.Duration
	gone   func(V)
	order  *list.List // of *Place[V], the last used first
	weight int
}

// Place is where a value is on a shelf. A nil Place is on none.
type Place[V any] struct {
	value  V
	weight int
	used   time.Time
	in     *list.Element // nil when the value is gone
}

// New returns a shelf for values of a weight together, none of which stays when something is put
// beside it while nobody has used it for a time. gone is told of each that goes.
func New[V any](most int, idle time.Duration, gone func(V)) *Shelf[V] {
	return &Shelf[V]{most: most, idle: idle, gone: gone, order: list.New()}
}

// Put puts a value on the shelf, and lets others go for it. It returns nil for a value that
// is too heavy by itself.
func (s *Shelf[V]) Put(v V, weight int) *Place[V] {
	if weight > s.most {
		return nil
	}
	p := &Place[V]{value: v, weight: weight, used: time.Now()}
	p.in = s.order.PushFront(p)
	s.weight += weight
	for last := s.last(); last != p; last = s.last() {
		if s.weight <= s.most && p.used.Sub(last.used) < s.idle {
			break
		}
		s.Drop(last)
	}
	return p
}

func (s *Shelf[V]) last() *Place[V] {
	p, _ := s.order.Back().Value.(*Place[V])
	return p
}

// Use notes that a value was used, if it is still there.
func (s *Shelf[V]) Use(p *Place[V]) {
	if p != nil && p.in != nil {
		p.used = time.Now()
		s.order.MoveToFront(p.in)
	}
}

// Drop lets a value go, if it is still there.
func (s *Shelf[V]) Drop(p *Place[V]) {
	if p == nil || p.in == nil {
		return
	}
	s.order.Remove(p.in)
	p.in = nil
	s.weight -= p.weight
	s.gone(p.value)
}

// All yields the places of all values, the last used first. A loop that changes the shelf must
// end there.
func (s *Shelf[V]) All() iter.Seq2[*Place[V], V] {
	return func(yield func(*Place[V], V) bool) {
		for e := s.order.Front(); e != nil; e = e.Next() {
			if p, _ := e.Value.(*Place[V]); !yield(p, p.value) {
				return
			}
		}
	}
}

// Len returns how many values there are.
func (s *Shelf[V]) Len() int { return s.order.Len() }

// Weight returns what they weigh together.
func (s *Shelf[V]) Weight() int { return s.weight }
