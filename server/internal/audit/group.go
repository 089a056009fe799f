package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// sink is where records go. It is called by one goroutine at a time.
type sink interface {
	name() string
	write(list []line) error // all of them or an error; they survive the process
	sync() error             // what was written survives the machine
	close() error
}

// line is a record in the encodings that the sinks of a log want.
type line struct {
	entry  *Entry
	native []byte // without a line feed
	altinn []byte // nil unless a sink wants it
}

// most is how many records are written together at most.
const most = 1000

// syncWithin is how long a record that was taken may wait for the disk.
const syncWithin = 100 * time.Millisecond

// batch is records that are written together.
type batch struct {
	lines []line
	done  chan struct{} // closed when they are, or could not be
	err   error         // once done is closed
}

// group has those who wait for a sink write together: the first of them does it for all that
// have come by the time the sink is free.
type group struct {
	sink    sink
	synced  bool // each write is
	metrics sinkMetrics
	logger  *slog.Logger

	mu      sync.Mutex
	waiting *batch // takes more

	busy     sync.Mutex   // held by who uses the sink
	unsynced atomic.Int64 // when the oldest record that is not synced was written, in Unix nanoseconds; 0 for none
	wake     chan struct{}
	failing  bool  // the last write; under busy
	broken   error // the sync that failed; under busy
}

func newGroup(s sink, synced bool, m sinkMetrics, logger *slog.Logger) *group {
	return &group{sink: s, synced: synced, metrics: m, logger: logger, wake: make(chan struct{}, 1)}
}

// put returns when the sink has taken the lines, or why it has not. Who gives up waiting
// does not take his lines back.
func (g *group) put(ctx context.Context, lines []line) error {
	g.mu.Lock()
	b := g.waiting
	first := b == nil || len(b.lines)+len(lines) > most
	if first {
		b = &batch{done: make(chan struct{})}
		g.waiting = b
	}
	b.lines = append(b.lines, lines...)
	g.mu.Unlock()
	if first {
		g.flush(b)
		return b.err
	}
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the audit sink %s: %w", g.sink.name(), ctx.Err())
	}
}

// flush writes a batch once the sink is free. It takes more records until then.
func (g *group) flush(b *batch) {
	g.busy.Lock()
	defer g.busy.Unlock()
	defer close(b.done)
	g.mu.Lock()
	if g.waiting == b {
		g.waiting = nil
	}
	g.mu.Unlock()
	b.err = g.write(b.lines)
	g.metrics.wrote(len(b.lines), b.err)
	if b.err != nil {
		b.err = fmt.Errorf("audit sink %s: %w", g.sink.name(), b.err)
	}
	if failing := b.err != nil; failing != g.failing {
		g.failing = failing
		g.tell(b.err)
	}
}

// tell logs that the sink has begun to fail, or has ended to.
func (g *group) tell(err error) {
	if err != nil {
		g.logger.Error("an audit sink fails: nothing is permitted until it takes records again", "sink", g.sink.name(), "error", err)
		return
	}
	g.logger.Warn("an audit sink takes records again", "sink", g.sink.name())
}

// write writes lines and, if that is asked for, syncs them. It needs busy.
func (g *group) write(lines []line) error {
	if g.broken != nil {
		return g.broken
	}
	began := time.Now()
	if err := g.sink.write(lines); err != nil {
		return err
	}
	g.metrics.writeSeconds.Observe(time.Since(began).Seconds())
	if g.synced {
		return g.sync()
	}
	if g.unsynced.CompareAndSwap(0, time.Now().UnixNano()) {
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// sync syncs what was written. It needs busy.
func (g *group) sync() error {
	if g.broken != nil {
		return g.broken
	}
	g.unsynced.Store(0)
	began := time.Now()
	if err := g.sink.sync(); err != nil {
		g.broken = fmt.Errorf("a sync has failed, and what was written before may be lost: look at the disk, then start the server again: %w", err)
		return g.broken
	}
	g.metrics.syncSeconds.Observe(time.Since(began).Seconds())
	return nil
}

// run syncs what was written within the time that is promised, until ctx is done.
func (g *group) run(ctx context.Context) {
	for {
		select {
		case <-g.wake:
		case <-ctx.Done():
			return
		}
		// Half the promise is for the sync itself to begin, and for the disk.
		wait := time.NewTimer(time.Until(time.Unix(0, g.unsynced.Load()).Add(syncWithin / 2)))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
		g.busy.Lock()
		if g.unsynced.Load() != 0 {
			if err := g.sync(); err != nil {
				g.metrics.syncFailed.Inc()
				g.tell(err)
				g.failing = true
			}
		}
		g.busy.Unlock()
	}
}

// close syncs and closes the sink.
func (g *group) close() error {
	g.busy.Lock()
	defer g.busy.Unlock()
	var err error
	if g.unsynced.Load() != 0 {
		err = g.sync()
	}
	return errors.Join(err, g.sink.close())
}
