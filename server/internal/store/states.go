package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// past is the states that questions about the past are answered from, by revision. Those
// that somebody uses stay; of the others those that were loaded from the file stay for a
// while, within bounds.
type past struct {
	states, tuples int // how many, and how large together, loaded states may be
	log            *slog.Logger
	took           prometheus.Histogram

	turn chan struct{} // held by who loads one

	mu    sync.Mutex
	all   map[uint64]*pastState
	freed chan struct{} // closed when somebody has ended using one
}

// pastState is one of them.
type pastState struct {
	snapshot *graph.Snapshot
	catalog  *catalog
	loaded   bool // from the file; else memory had it
	users    int
	used     time.Time // when the last user ended
}

func newPast(c Config) (*past, error) {
	p := &past{
		states: c.Rebuilt, tuples: c.RebuiltTuples, log: c.Logger,
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "behalf_store_rebuild_seconds",
			Help:    "How long it took to load a state from the file that memory no longer had.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 8),
		}),
		turn: make(chan struct{}, 1), all: make(map[uint64]*pastState), freed: make(chan struct{}),
	}
	kept := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "behalf_store_rebuilt_relationships",
		Help: "Relationships in the states that were loaded from the file for questions about the past.",
	}, func() float64 {
		p.mu.Lock()
		defer p.mu.Unlock()
		_, tuples := p.size()
		return float64(tuples)
	})
	if c.Registerer == nil {
		return p, nil
	}
	return p, errors.Join(c.Registerer.Register(p.took), c.Registerer.Register(kept))
}

// find returns the state of a revision while somebody uses it.
func (p *past) find(r uint64) (*pastState, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	state, ok := p.all[r]
	return state, ok && state.users > 0
}

// use returns the state of a revision, to stay until ctx is done.
func (p *past) use(ctx context.Context, r uint64) (*pastState, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	state, ok := p.all[r]
	if ok {
		p.hold(ctx, r, state)
	}
	return state, ok
}

// add puts a state in, unless it is there, to stay until ctx is done.
func (p *past) add(ctx context.Context, r uint64, state *pastState) *pastState {
	p.mu.Lock()
	defer p.mu.Unlock()
	if have, ok := p.all[r]; ok {
		state = have
	}
	p.all[r] = state
	p.hold(ctx, r, state)
	return state
}

// hold counts a user until ctx is done. The caller holds mu.
func (p *past) hold(ctx context.Context, r uint64, state *pastState) {
	state.users++
	context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if state.users--; state.users > 0 {
			return
		}
		state.used = time.Now()
		if !state.loaded {
			delete(p.all, r)
		}
		close(p.freed)
		p.freed = make(chan struct{})
	})
}

// size returns how many loaded states there are and how large they are. The caller holds mu.
func (p *past) size() (states, tuples int) {
	for _, state := range p.all {
		if state.loaded {
			states++
			tuples += state.snapshot.Tuples()
		}
	}
	return states, tuples
}

// trim lets the loaded states go that nobody has used since a time.
func (p *past) trim(since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for r, state := range p.all {
		if state.users == 0 && state.used.Before(since) {
			delete(p.all, r)
		}
	}
}

// room makes room for one more state, letting those go whose last use is longest ago, and
// waits for users of the others to end when that is not enough.
func (p *past) room(ctx context.Context, tuples int) error {
	for {
		p.mu.Lock()
		for {
			states, have := p.size()
			if states == 0 || states < p.states && have+tuples <= p.tuples {
				p.mu.Unlock()
				return nil
			}
			if !p.drop() {
				break
			}
		}
		freed := p.freed
		p.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return goneError(ctx)
		}
	}
}

// drop lets one state go, and reports whether there was one that nobody uses. The caller
// holds mu.
func (p *past) drop() bool {
	var (
		oldest uint64
		found  bool
	)
	for r, state := range p.all {
		if state.users == 0 && (!found || state.used.Before(p.all[oldest].used)) {
			oldest, found = r, true
		}
	}
	delete(p.all, oldest)
	return found
}
