package party

import (
	"cmp"
	"strings"
)

// Order is the order of a list. The zero Order is ByName.
type Order uint8

// The orders.
const (
	ByName   Order = iota // by name in Norwegian collation, then by id
	ByNumber              // by organisation number or national id, then by id
	ByID                  // by id
)

// position is where a party stands in an order. No two parties share one, so a position
// says where to go on even when the party it was taken from is gone.
type position struct {
	last bool // without a name or number to sort by: after all others
	key  string
	id   ID
}

// of returns the position of a party. The record is nil when there is none.
func (o Order) of(id ID, r *record) position {
	switch {
	case o == ByID:
		return position{id: id}
	case r == nil:
		return position{last: true, id: id}
	case o == ByNumber:
		number := cmp.Or(r.text(orgNumberText), r.text(nationalIDText))
		return position{last: number == "", key: number, id: id}
	}
	key := r.text(keyText)
	return position{last: key == "", key: key, id: id}
}

func (p position) compare(q position) int {
	if p.last != q.last {
		if p.last {
			return 1
		}
		return -1
	}
	return cmp.Or(strings.Compare(p.key, q.key), cmp.Compare(p.id, q.id))
}
