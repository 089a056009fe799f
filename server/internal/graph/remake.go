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
		for _, ch := range c.changes {
			if ch.gone {
				d.unlink(ch.resource, ch.rel, ch.subject, ch.kind, ch.old)
			} else {
				d.link(ch.resource, ch.rel, ch.subject, ch.kind, ch.payload, ch.old, ch.was)
			}
		}
	}
}

// undo undoes what commits did, the last one first.
func (d *edit) undo(commits []*Commit) {
	for i := len(commits) - 1; i >= 0; i-- {
		for _, ch := range commits[i].changes {
			if ch.was {
				d.link(ch.resource, ch.rel, ch.subject, ch.kind, ch.old, ch.payload, !ch.gone)
			} else {
				d.unlink(ch.resource, ch.rel, ch.subject, ch.kind, ch.payload)
			}
		}
	}
}
