package graph

import "slices"

// desk is where an edit changes one page. The lower node and the page are its own.
type desk struct {
	epoch uint64
	low   *lower
	i     int // of the page in low
}

func (k desk) page() *page { return k.low.pages[k.i] }

func (k desk) extra() *extra {
	if !k.page().extra {
		return nil
	}
	return k.low.extras.of[k.i]
}

// ownExtra returns the page's extra, made or copied for the edit.
func (k desk) ownExtra() *extra {
	xs := k.low.extras
	switch {
	case xs == nil:
		xs = &extras{epoch: k.epoch}
	case xs.epoch != k.epoch:
		xs = &extras{epoch: k.epoch, of: xs.of}
	}
	k.low.extras = xs
	x := &xs.of[k.i]
	switch {
	case *x == nil:
		*x = &extra{epoch: k.epoch}
	case (*x).epoch != k.epoch:
		*x = &extra{epoch: k.epoch, sides: slices.Clone((*x).sides), large: slices.Clone((*x).large)}
	}
	k.page().extra = true
	return *x
}

// ownLarge returns the large list, copied for the edit, or nil.
func (k desk) ownLarge(list uint8) *large {
	if k.extra().largeList(list) == nil {
		return nil
	}
	x := k.ownExtra()
	for i, l := range x.large {
		if l.list != list {
			continue
		}
		if l.epoch != k.epoch {
			c := *l
			c.epoch = k.epoch
			x.large[i] = &c
		}
		return x.large[i]
	}
	return nil
}

// tidy removes an extra with nothing in it.
func (k desk) tidy() {
	if x := k.extra(); x != nil && len(x.sides) == 0 && len(x.large) == 0 {
		k.ownExtra()
		k.low.extras.of[k.i] = nil
		k.page().extra = false
	}
}

// put adds an edge with its mark, or marks the one that is there, and sets its payload.
func (k desk) put(list uint8, e Edge, payload *Payload) {
	if l := k.ownLarge(list); l != nil {
		l.edges.put(k.epoch, e, probeEdge(e))
		l.setSide(e, payload)
		return
	}
	run := k.page().list(list)
	i, found := position(run, e)
	switch {
	case found:
		run[i] = e
	case len(run) == smallList:
		k.promote(list)
		k.put(list, e, payload)
		return
	default:
		k.insert(list, i, e)
	}
	k.setSide(list, e, payload)
}

// cut removes an edge that is there, and its payload.
func (k desk) cut(list uint8, e Edge) {
	if l := k.ownLarge(list); l != nil {
		l.edges.remove(k.epoch, probeEdge(e))
		l.setSide(e, nil)
		if l.edges.size <= smallList/2 {
			k.demote(l)
		}
		return
	}
	if i, found := position(k.page().list(list), e); found {
		k.delete(list, i, i+1)
		k.setSide(list, e, nil)
	}
}

// insert puts an edge at an index of a small list.
func (k desk) insert(list uint8, at int, e Edge) {
	p := k.page()
	if p.len() == int(p.room) {
		p = p.copied(k.epoch, p.len()/4+4)
		k.low.pages[k.i] = p
	}
	at += int(p.off[list])
	edges := p.edges()
	copy(edges[at+1:p.len()+1], edges[at:p.len()])
	edges[at] = e
	p.shift(list, 1)
}

// delete removes a range of a small list.
func (k desk) delete(list uint8, from, to int) {
	p := k.page()
	start := int(p.off[list])
	edges := p.edges()
	copy(edges[start+from:], edges[start+to:p.len()])
	p.shift(list, from-to)
}

// copied returns a page for an edit, with room for so many edges more.
func (p *page) copied(epoch uint64, more int) *page {
	if p == nil {
		return newPage(epoch, more)
	}
	c := newPage(epoch, p.len()+more)
	c.extra, c.off = p.extra, p.off
	copy(c.edges(), p.edges()[:p.len()])
	return c
}

// shift moves what follows a list.
func (p *page) shift(list uint8, by int) {
	after := p.off[list+1:]
	for i := range after {
		after[i] += uint16(by) // wraps around for less than zero, as it should
	}
}
