package graph

import (
	"errors"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// The answers to a question about a revision that the graph cannot answer.
var (
	// ErrTooOld is returned when the revision, or the log after it, is no longer kept.
	ErrTooOld = errors.New("the revision is older than what the graph remembers")
	// ErrNotYet is returned when the revision lies beyond the head.
	ErrNotYet = errors.New("the revision has not been published")
)

// maxRemade is how many older snapshots that were made again are kept.
const maxRemade = 16

// kept is a snapshot that may be let go.
type kept = atomic.Pointer[Snapshot]

// commitWeight is what a commit counts for in the bound on changes beside its changes, by
// the memory that it takes.
const commitWeight = 5

// history is the published commits that are remembered. The first one always has its
// snapshot and stands for all before it: its own changes are no longer served.
type history struct {
	Config
	commits atomic.Pointer[[]*Commit]
	woken   atomic.Pointer[chan struct{}]

	// What follows belongs to the graph's chain lock.
	latest      time.Time // of all commits
	weight      int       // of all commits
	spaced      int       // changes and commits since the last checkpoint
	dead        int       // forgotten commits that the slice's memory may still hold
	checkpoints []*Commit // that may become the first

	remaking sync.Mutex // held while a snapshot is made again: one at a time
	remade   []*Commit
}

func (h *history) start(c Config, s *Snapshot) {
	h.Config = c
	ch := make(chan struct{})
	h.woken.Store(&ch)
	h.reset(s)
}

// reset begins the history with one snapshot.
func (h *history) reset(s *Snapshot) {
	h.latest, h.weight, h.spaced, h.dead, h.checkpoints = s.at, 0, 0, 0, nil
	h.commits.Store(&[]*Commit{h.commit(s, nil)})
}

func (h *history) commit(s *Snapshot, changes []change) *Commit {
	if s.at.After(h.latest) {
		h.latest = s.at
	}
	h.weight += commitWeight + len(changes)
	c := &Commit{
		revision: s.revision, at: s.at, sum: s.sum,
		dict: s.dict, words: s.words, nodes: s.nodes, end: s.end,
		changes: changes, latest: h.latest, weight: h.weight,
	}
	c.snapshot.Store(s)
	return c
}

// add appends a commit and lets the snapshot go that is no longer recent.
func (h *history) add(s *Snapshot, changes []change) {
	c := h.commit(s, changes)
	if h.spaced += 1 + len(changes); h.spaced >= h.Spacing {
		c.checkpoint, h.spaced = true, 0
		h.checkpoints = append(h.checkpoints, c)
	}
	commits := append(*h.commits.Load(), c) // readers of older headers do not look beyond theirs
	if i := len(commits) - 1 - h.Recent; i > 0 && !commits[i].checkpoint {
		commits[i].snapshot.Store(nil)
	}
	h.commits.Store(&commits)
}

// trim forgets commits that were superseded long enough before an instant, or are too many
// for the bound on changes. Only a commit that has kept its snapshot can become the first.
func (h *history) trim(now time.Time) {
	commits := *h.commits.Load()
	n := len(commits)
	if n < 2 {
		return
	}
	limit := now.Add(-h.Age)
	aged := sort.Search(n, func(i int) bool { return commits[i].latest.After(limit) }) - 1
	crowded := sort.Search(n-2, func(i int) bool { return h.weight-commits[i].weight <= h.Changes })
	want := max(aged, crowded)
	if want < n-h.Recent {
		revision := commits[want].revision
		want = 0
		for len(h.checkpoints) > 0 && h.checkpoints[0].revision <= revision {
			want = headAt(commits, h.checkpoints[0].revision)
			h.checkpoints = h.checkpoints[1:]
		}
	}
	if want <= 0 {
		return
	}
	rest := commits[want:]
	if h.dead += want; h.dead > len(rest)/8 {
		rest = append(make([]*Commit, 0, len(rest)+len(rest)/4+1), rest...)
		h.dead = 0
	}
	h.commits.Store(&rest)
}

// wake tells those who wait for a new commit.
func (h *history) wake() {
	next := make(chan struct{})
	close(*h.woken.Swap(&next))
}

// headAt returns the index of the commit that was the head at a revision.
func headAt(commits []*Commit, revision uint64) int {
	return sort.Search(len(commits), func(i int) bool { return commits[i].revision > revision }) - 1
}

// snapshot returns the state at a revision.
func (h *history) snapshot(g *Graph, revision uint64) (*Snapshot, error) {
	commits := *h.commits.Load()
	i := headAt(commits, revision)
	if i < 0 {
		return nil, ErrTooOld
	}
	if s := commits[i].snapshot.Load(); s != nil {
		return s, nil
	}
	return h.remake(g, commits[i])
}
