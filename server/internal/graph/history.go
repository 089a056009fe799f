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
	weight int // of the log, without the first commit
	spaced int // changes since the last checkpoint
	dead   int // forgotten commits that the slice's memory may still hold

	remaking sync.Mutex // held while a snapshot is made again: one at a time
	letting  sync.Mutex // held while one is let go, or the first commit is chosen
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
	h.commits.Store(&[]*Commit{newCommit(s, nil)})
	h.weight, h.spaced, h.dead = 0, 0, 0
}

func newCommit(s *Snapshot, changes []change) *Commit {
	c := &Commit{
		revision: s.revision, at: s.at, sum: s.sum,
		dict: s.dict, words: s.words, nodes: s.nodes, end: s.end,
		changes: changes,
	}
	c.snapshot.Store(s)
	return c
}

// add appends a commit and lets the snapshot go that is no longer recent.
func (h *history) add(s *Snapshot, changes []change) {
	c := newCommit(s, changes)
	h.weight += commitWeight + len(changes)
	if h.spaced += len(changes); h.spaced >= h.Spacing {
		c.checkpoint, h.spaced = true, 0
	}
	commits := append(*h.commits.Load(), c) // readers of older headers do not look beyond theirs
	if i := len(commits) - 1 - h.Recent; i > 0 && !commits[i].checkpoint {
		commits[i].snapshot.Store(nil)
	}
	h.commits.Store(&commits)
}

// trim forgets commits that were superseded long enough before an instant, or are too many
// for the bound on changes. A commit can be the first only if it has its snapshot.
func (h *history) trim(now time.Time) {
	h.letting.Lock()
	defer h.letting.Unlock()
	commits := *h.commits.Load()
	first, weight := 0, h.weight
	for i, left := 1, h.weight; i < len(commits); i++ {
		crowded := left > h.Changes && i < len(commits)-1
		aged := now.Sub(commits[i].at) >= h.Age
		if !crowded && !aged {
			break
		}
		left -= commitWeight + len(commits[i].changes)
		if commits[i].snapshot.Load() != nil {
			first, weight = i, left
		}
	}
	if first == 0 {
		return
	}
	rest := commits[first:]
	if h.dead += first; h.dead > len(rest) {
		rest = append(make([]*Commit, 0, len(rest)+len(rest)/4+1), rest...)
		h.dead = 0
	}
	h.weight = weight
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
