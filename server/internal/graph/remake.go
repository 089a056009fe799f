package graph

import "fmt"

// remake makes the snapshot of a commit again, from an earlier one and the log.
func (h *history) remake(g *Graph, c *Commit) (*Snapshot, error) {
	h.remaking.Lock()
	defer h.remaking.Unlock()
	if s := c.snapshot.Load(); s != nil {
		return s, nil
	}
	commits := *h.commits.Load()
	last := headAt(commits, c.revision)
	from := last
	var base *Snapshot
	for ; from >= 0 && base == nil; from-- {
		base = commits[from].snapshot.Load()
	}
	if base == nil {
		return nil, ErrTooOld // forgotten since the caller found it
	}
	s, err := replay(g.epoch.Add(1), base, commits[from+2:last+1])
	if err != nil {
		return nil, err
	}
	c.snapshot.Store(s)
	h.letGo(c)
	return s, nil
}

// letGo remembers that a snapshot was made again and lets the oldest such one go. None of
// them is the first commit's: that has never lost its snapshot.
func (h *history) letGo(c *Commit) {
	h.remade = append(h.remade, c)
	if len(h.remade) > maxRemade {
		h.remade[0].snapshot.Store(nil)
		h.remade = append(h.remade[:0], h.remade[1:]...)
	}
}

// replay applies commits to a snapshot.
func replay(epoch uint64, base *Snapshot, commits []*Commit) (*Snapshot, error) {
	d := edit{state: base.state}
	d.renew(epoch)
	for _, c := range commits {
		d.words, d.nodes, d.end = c.words, c.nodes, c.end
		for _, ch := range c.changes {
			old, found := d.find(ch.resource, ch.rel, ch.subject, ch.kind)
			switch {
			case !ch.gone:
				d.link(ch.resource, ch.rel, ch.subject, ch.kind, ch.payload, old, found)
			case found:
				d.unlink(ch.resource, ch.rel, ch.subject, ch.kind, old)
			}
		}
	}
	last := commits[len(commits)-1]
	if d.sum != last.sum {
		return nil, fmt.Errorf("make revision %d again: its checksum is %x and not %x", last.revision, d.sum, last.sum)
	}
	return &Snapshot{state: d.state, revision: last.revision, at: last.at}, nil
}
