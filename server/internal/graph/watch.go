package graph

import "time"

// At returns the snapshot that was the head at a revision: the one with that revision or,
// when no transaction got it, with the greatest below. It is never a newer one, and never
// an older one than that.
func (g *Graph) At(revision uint64) (*Snapshot, error) {
	head := g.head.Load()
	switch {
	case revision == head.revision:
		return head, nil
	case revision > head.revision:
		return nil, ErrNotYet
	}
	return g.history.snapshot(g, revision)
}

// Oldest returns the oldest revision that At and Log still answer.
func (g *Graph) Oldest() uint64 {
	return (*g.history.commits.Load())[0].revision
}

// Log returns the commits after a revision, oldest first. The slice is the graph's own and
// must not be changed.
func (g *Graph) Log(after uint64) ([]*Commit, error) {
	commits := *g.history.commits.Load()
	if after < commits[0].revision {
		return nil, ErrTooOld
	}
	if after > commits[len(commits)-1].revision {
		return nil, ErrNotYet
	}
	return commits[headAt(commits, after)+1:], nil
}

// Changed returns a channel that is closed at the next Publish. A watcher takes it before
// it reads the log, so that it misses nothing in between.
func (g *Graph) Changed() <-chan struct{} {
	return g.history.next()
}

// Trim forgets revisions that are too old at an instant. Publish does so by itself with
// its transactions' times; Trim is for times when nothing is written.
func (g *Graph) Trim(now time.Time) {
	g.chain.Lock()
	defer g.chain.Unlock()
	g.history.trim(now)
}
