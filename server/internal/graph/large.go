package graph

import "slices"

// extra is what most pages do without.
type extra struct {
	epoch uint64
	sides []side   // the payloads of small lists, by list and edge
	large []*large // by list
}

// extras is the extras of a lower node's pages.
type extras struct {
	epoch uint64
	of    [fan]*extra
}

// side is the payload of an edge.
type side struct {
	list    uint8
	edge    Edge // without its mark
	payload *Payload
}

// large is a list that outgrew its page.
type large struct {
	epoch uint64
	list  uint8
	edges tree[Edge]
	sides tree[side]
}

// sideOrder compares sides by list and edge.
func sideOrder(a, b side) int {
	if a.list != b.list {
		return int(a.list) - int(b.list)
	}
	return order(a.edge, b.edge)
}

// largeList returns the tree of a list, nil when the list is small.
func (x *extra) largeList(list uint8) *large {
	if x != nil {
		for _, l := range x.large {
			if l.list == list {
				return l
			}
		}
	}
	return nil
}

// payload returns the payload of an edge of a small list.
func (x *extra) payload(list uint8, e Edge) *Payload {
	if x == nil {
		return nil
	}
	if i, ok := slices.BinarySearchFunc(x.sides, side{list: list, edge: e.key()}, sideOrder); ok {
		return x.sides[i].payload
	}
	return nil
}

// payload returns the payload of an edge of a large list.
func (l *large) payload(e Edge) *Payload {
	s, _ := l.sides.find(probeSide(e))
	return s.payload
}

// probeSide finds the side of an edge in the tree of one list.
func probeSide(e Edge) func(side) int {
	key := e.key()
	return func(s side) int { return order(key, s.edge) }
}

// setSide sets or, with nil, removes the payload of an edge of a small list.
func (k desk) setSide(list uint8, e Edge, payload *Payload) {
	if payload == nil && k.extra().payload(list, e) == nil {
		return
	}
	x := k.ownExtra()
	want := side{list: list, edge: e.key(), payload: payload}
	i, found := slices.BinarySearchFunc(x.sides, want, sideOrder)
	switch {
	case payload == nil:
		x.sides = slices.Delete(x.sides, i, i+1)
	case found:
		x.sides[i] = want
	default:
		x.sides = slices.Insert(x.sides, i, want)
	}
	k.tidy()
}

// setSide sets or, with nil, removes the payload of an edge.
func (l *large) setSide(e Edge, payload *Payload) {
	if payload == nil {
		l.sides.remove(l.epoch, probeSide(e))
		return
	}
	l.sides.put(l.epoch, side{list: l.list, edge: e.key(), payload: payload}, probeSide(e))
}

// promote makes a tree of a small list.
func (k desk) promote(list uint8) {
	x := k.ownExtra()
	run := k.page().list(list)
	from, _ := slices.BinarySearchFunc(x.sides, side{list: list}, sideOrder)
	to, _ := slices.BinarySearchFunc(x.sides, side{list: list + 1}, sideOrder)
	x.large = append(x.large, &large{
		epoch: k.epoch,
		list:  list,
		edges: buildTree(k.epoch, run),
		sides: buildTree(k.epoch, x.sides[from:to]),
	})
	x.sides = slices.Delete(x.sides, from, to)
	k.delete(list, 0, len(run))
}

// demote brings a list that shrank back into its page.
func (k desk) demote(l *large) {
	x := k.ownExtra()
	at := 0
	l.edges.all(func(e Edge) bool {
		k.insert(l.list, at, e)
		at++
		return true
	})
	from, _ := slices.BinarySearchFunc(x.sides, side{list: l.list}, sideOrder)
	l.sides.all(func(s side) bool {
		x.sides = slices.Insert(x.sides, from, s)
		from++
		return true
	})
	x.large = slices.DeleteFunc(x.large, func(o *large) bool { return o == l })
	k.tidy()
}
