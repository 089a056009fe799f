package register

import "iter"

// nth is the place of a value in blocks, counted from 1; 0 is none.
type nth uint32

const blockLen = 64 // a write of one entry takes a block, too

// blocks is a list that grows without moving what is in it: nothing is copied while an import
// comes to millions, and what points into it stays good.
type blocks[T any] struct {
	all []*[blockLen]T
	len int
}

// add appends a value and returns its place.
func (b *blocks[T]) add(v T) nth {
	if b.len == len(b.all)*blockLen {
		b.all = append(b.all, new([blockLen]T))
	}
	b.len++
	n := nth(b.len)
	*b.at(n) = v
	return n
}

// at returns the value at a place.
func (b *blocks[T]) at(n nth) *T { return &b.all[(n-1)/blockLen][(n-1)%blockLen] }

// each yields the values in the order in which they were added.
func (b *blocks[T]) each() iter.Seq2[nth, *T] {
	return func(yield func(nth, *T) bool) {
		for n := nth(1); int(n) <= b.len; n++ {
			if !yield(n, b.at(n)) {
				return
			}
		}
	}
}
