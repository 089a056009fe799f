package graph

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config bounds what the graph remembers. The zero Config takes the defaults.
type Config struct {
	// Age is how long a superseded revision can be read and its changes be watched; it
	// may be longer while nothing is written and Trim is not called. Default ten minutes.
	Age time.Duration

	// Changes is how many changed tuples the log holds, a revision counting as five more;
	// beyond, the oldest revisions go before their age, but never the newest one. Default
	// four million, which take about 130 MB.
	Changes int

	// Recent is how many changed tuples, counted likewise, lie between the head and the
	// oldest revision whose snapshot is kept. Older ones are made again from the log when
	// they are asked for, two microseconds a change. Default 16,384, which keep some 2,700
	// snapshots of single writes, in about 15 MB.
	Recent int
}

// validate takes defaults and refuses what makes no sense.
func (c Config) validate() (Config, error) {
	if c.Age < 0 || c.Changes < 0 || c.Recent < 0 {
		return c, errors.New("graph: a bound is negative")
	}
	if c.Age == 0 {
		c.Age = 10 * time.Minute
	}
	if c.Changes == 0 {
		c.Changes = 4_000_000
	}
	if c.Recent == 0 {
		c.Recent = 16_384
	}
	return c, nil
}

// Graph is a relation graph with one writer and any number of readers.
type Graph struct {
	dict    *dictionary
	epoch   atomic.Uint64
	head    atomic.Pointer[Snapshot]
	history history

	writer  sync.Mutex        // held by the open transaction
	caveats map[string]string // the writer's

	chain   sync.Mutex // guards pending and what is done to head and history
	pending []sealed
}

// sealed is a transaction that waits for its group.
type sealed struct {
	snapshot *Snapshot
	changes  []change
}

// New returns an empty graph at revision 0.
func New(c Config) (*Graph, error) {
	c, err := c.validate()
	if err != nil {
		return nil, err
	}
	g := &Graph{dict: newDictionary(), caveats: make(map[string]string)}
	s := &Snapshot{state: state{dict: g.dict, log: &g.history, cache: new(sortedCache), words: newVocabulary()}}
	g.head.Store(s)
	g.history.start(c, s)
	return g, nil
}

// Head returns the newest published snapshot.
func (g *Graph) Head() *Snapshot { return g.head.Load() }

// Begin opens the transaction, from the newest sealed one or, when none waits, from the
// head. It waits until the one before it has ended.
func (g *Graph) Begin() *Tx {
	g.writer.Lock()
	base := g.newest()
	tx := &Tx{g: g, base: base, edit: edit{state: base.state}}
	tx.renew(g.epoch.Add(1))
	return tx
}

// newest returns the last link of the chain.
func (g *Graph) newest() *Snapshot {
	g.chain.Lock()
	defer g.chain.Unlock()
	if n := len(g.pending); n > 0 {
		return g.pending[n-1].snapshot
	}
	return g.head.Load()
}

func (g *Graph) queue(s *Snapshot, changes []change) {
	g.chain.Lock()
	defer g.chain.Unlock()
	g.pending = append(g.pending, sealed{s, changes})
}

// Publish shows readers and watchers all sealed transactions up to a revision, in order.
// The revision must be that of one of them.
func (g *Graph) Publish(revision uint64) error {
	g.chain.Lock()
	defer g.chain.Unlock()
	n := 0
	for n < len(g.pending) && g.pending[n].snapshot.revision <= revision {
		n++
	}
	if n == 0 || g.pending[n-1].snapshot.revision != revision {
		return fmt.Errorf("publish revision %d: no transaction was sealed with it", revision)
	}
	for _, p := range g.pending[:n] {
		g.history.add(p.snapshot, p.changes)
	}
	// The log has the revisions before any reader can learn of them from the head.
	g.head.Store(g.pending[n-1].snapshot)
	g.pending = slices.Delete(g.pending, 0, n)
	g.history.trim(g.head.Load().at)
	g.history.wake()
	return nil
}

// Drop forgets all sealed transactions that were not published. It waits for the open one,
// which started from them, and forgets that as well. Their snapshots must no longer be
// read: the names in them may change.
func (g *Graph) Drop() {
	g.writer.Lock()
	defer g.writer.Unlock()
	g.chain.Lock()
	defer g.chain.Unlock()
	if len(g.pending) == 0 {
		return
	}
	head := g.head.Load()
	g.dict.undo(head.nodes, head.end)
	clear(g.pending)
	g.pending = nil
}
