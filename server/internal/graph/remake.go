package graph

import "fmt"

// maxRemade is how many older snapshots that were made again are kept.
const maxRemade = 8

// remake makes the snapshot of a commit again from the nearest one that is kept: by doing
// what the commits after an older one did, or undoing what those before a newer one did.
func (h *history) remake(g *Graph, c *Commit) (*Snapshot, error) {
	h.remaking.Lock()
	defer h.remaking.Unlock()
	if s := c.snapshot.Load(); s != nil {
		return s, nil
	}
	commits := *h.commits.Load()
	at := headAt(commits, c.revision)
	if at < 0 {
		return nil, ErrTooOld // forgotten since the caller found it
	}
	older, before := at, (*Snapshot)(nil)
	for older >= 0 && before == nil {
		before = commits[older].snapshot.Load()
		older--
	}
	newer, after := at, (*Snapshot)(nil)
	for newer < len(commits) && after == nil { // the head has its snapshot
		after = commits[newer].snapshot.Load()
		newer++
	}
	older, newer = older+1, newer-1
	d := edit{}
	if before != nil && c.weight-commits[older].weight < commits[newer].weight-c.weight {
		d.state = before.state
		d.renew(g.epoch.Add(1))
		d.redo(commits[older+1 : at+1])
	} else {
		d.state = after.state
		d.renew(g.epoch.Add(1))
		d.undo(commits[at+1 : newer+1])
	}
	if d.sum != c.sum {
		return nil, fmt.Errorf("make revision %d again: its checksum is %x and not %x", c.revision, d.sum, c.sum)
	}
	d.words, d.nodes, d.end = c.words, c.nodes, c.end
	s := &Snapshot{state: d.state, revision: c.revision, at: c.at}
	c.snapshot.Store(s)
	h.letGo(c)
	return s, nil
}

// letGo remembers that a snapshot was made again and lets the oldest such one go.
func (h *history) letGo(c *Commit) {
	h.remade = append(h.remade, c)
	if len(h.remade) > maxRemade {
		h.remade[0].snapshot.Store(nil)
		h.remade = append(h.remade[:0], h.remade[1:]...)
	}
}

// redo does again what commits did.
func (d *edit) redo(commits []*Commit) {
	for _, c := range commits {
		d.words = c.words
		for i := range c.changes {
			ch := &c.changes[i]
			if ch.gone {
				d.unlink(ch.resource, ch.rel, ch.subject, ch.kind, d.sumOf(ch, ch.old))
			} else {
				d.link(ch.resource, ch.rel, ch.subject, ch.kind, ch.payload, ch.was, d.sumOf(ch, ch.payload)-d.sumBefore(ch))
			}
		}
	}
}

// undo undoes what commits did, the last one first.
func (d *edit) undo(commits []*Commit) {
	for i := len(commits) - 1; i >= 0; i-- {
		for j := range commits[i].changes {
			ch := &commits[i].changes[j]
			switch {
			case !ch.was:
				d.unlink(ch.resource, ch.rel, ch.subject, ch.kind, d.sumOf(ch, ch.payload))
			case ch.gone:
				d.link(ch.resource, ch.rel, ch.subject, ch.kind, ch.old, false, d.sumOf(ch, ch.old))
			default:
				d.link(ch.resource, ch.rel, ch.subject, ch.kind, ch.old, true, d.sumOf(ch, ch.old)-d.sumOf(ch, ch.payload))
			}
		}
	}
}

// sumBefore returns the checksum of a tuple before it changed, zero when it was not there.
func (d *edit) sumBefore(ch *change) uint64 {
	if !ch.was {
		return 0
	}
	return d.sumOf(ch, ch.old)
}

// sumOf returns the checksum of a tuple with a payload.
func (d *edit) sumOf(ch *change, p *Payload) uint64 {
	t := d.tuple(ch.resource, ch.rel, ch.subject, ch.kind, nil)
	return t.sum(p)
}
