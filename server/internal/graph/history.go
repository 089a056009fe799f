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

// commitWeight is what a commit counts for beside its changes in the bounds on changes, by
// the memory that it takes.
const commitWeight = 5

// history is the published commits that are remembered, in a slice that readers load whole.
// The first one stands for all before it: its own changes are no longer served.
type history struct {
	Config
	id      *identity
	commits atomic.Pointer[[]*Commit]
	awaited atomic.Pointer[chan struct{}] // nil while nobody waits

	// What follows belongs to the graph's chain lock.
	latest time.Time // of all commits
	weight int       // of all commits
	recent int       // index of the first commit that may have kept its snapshot
	dead   int       // forgotten commits that the slice's memory may still hold

	remaking sync.Mutex // held while a snapshot is made again: one at a time
	remade   []*Commit
}

func (h *history) start(c Config, s *Snapshot) {
	h.Config, h.id = c, new(identity)
	h.reset(s)
}

// reset begins the history with one snapshot.
func (h *history) reset(s *Snapshot) {
	h.latest, h.weight, h.recent, h.dead = s.at, 0, 0, 0
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

// add appends a commit and lets the snapshots go that are no longer recent.
func (h *history) add(s *Snapshot, changes []change) {
	c := h.commit(s, changes)
	commits := append(*h.commits.Load(), c) // readers of older headers do not look beyond theirs
	for h.recent < len(commits)-1 && h.weight-commits[h.recent].weight > h.Recent {
		commits[h.recent].snapshot.Store(nil)
		h.recent++
	}
	h.commits.Store(&commits)
}

// trim forgets commits that were superseded long enough before an instant, or are too many
// for the bound on changes. What the newest one changed is never forgotten for the latter.
func (h *history) trim(now time.Time) {
	commits := *h.commits.Load()
	last := len(commits) - 1
	limit := now.Add(-h.Age)
	first := 0
	for first < last {
		aged := !commits[first+1].latest.After(limit)
		crowded := first+1 < last && h.weight-commits[first].weight > h.Changes
		if !aged && !crowded {
			break
		}
		first++
	}
	if first == 0 {
		return
	}
	rest := commits[first:]
	if h.dead += first; h.dead > len(rest)/8 {
		rest = append(make([]*Commit, 0, len(rest)+len(rest)/4+1), rest...)
		h.dead = 0
	}
	h.recent = max(h.recent-first, 0)
	h.commits.Store(&rest)
}

// wake tells those who wait for a new commit.
func (h *history) wake() {
	if waited := h.awaited.Swap(nil); waited != nil {
		close(*waited)
	}
}

// next returns what wake closes.
func (h *history) next() <-chan struct{} {
	for {
		if have := h.awaited.Load(); have != nil {
			return *have
		}
		ch := make(chan struct{})
		if h.awaited.CompareAndSwap(nil, &ch) {
			return ch
		}
	}
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
