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

// sink is where records go. write is called by one goroutine at a time.
type sink interface {
	name() string
	write(list []line) error // all of them or an error; they survive the process
	sync() error             // what was written survives the machine
	close() error
}

// settler is a sink that has more to do for what was written than to sync it. A settlement
// that fails loses nothing and can be tried again. What it has settled survives the machine.
type settler interface {
	settle() error
	crowded() bool // it must settle before it takes more
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

	busy      sync.Mutex   // held by who writes
	failing   bool         // the last write, or what came after it; under busy
	unsettled atomic.Int64 // when the oldest record that is not settled was written, in Unix nanoseconds; 0 for none
	wake      chan struct{}
	late      atomic.Bool           // a settlement has failed, and nothing is taken until one has not
	broken    atomic.Pointer[error] // the sync that failed
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
	if broken := g.broken.Load(); broken != nil {
		return *broken
	}
	if s, ok := g.sink.(settler); ok && (g.late.Load() || s.crowded()) {
		if err := g.settle(); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := g.sink.write(lines); err != nil {
		return err
	}
	g.metrics.writeSeconds.Observe(time.Since(began).Seconds())
	if g.synced {
		if err := g.sync(); err != nil {
			return err
		}
	}
	if g.unsettled.CompareAndSwap(0, time.Now().UnixNano()) {
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// sync lets what was written reach the disk.
func (g *group) sync() error {
	began := time.Now()
	if err := g.sink.sync(); err != nil {
		g.metrics.syncFailed.Inc()
		err = fmt.Errorf("a sync has failed, and what was written before may be lost: look at the disk, then start the server again: %w", err)
		g.broken.Store(&err)
		return err
	}
	g.metrics.syncSeconds.Observe(time.Since(began).Seconds())
	return nil
}

// settle does what is left to do for what was written. New records may be written meanwhile.
func (g *group) settle() error {
	s, ok := g.sink.(settler)
	since := g.unsettled.Swap(0)
	if !ok {
		if g.synced {
			return nil
		}
		return g.sync()
	}
	began := time.Now()
	if err := s.settle(); err != nil {
		g.metrics.syncFailed.Inc()
		g.late.Store(true)
		g.unsettled.CompareAndSwap(0, since)
		return err
	}
	g.late.Store(false)
	g.metrics.syncSeconds.Observe(time.Since(began).Seconds())
	return nil
}

// again is how long after a settlement that failed the next is tried, if no record comes
// that needs it.
const again = time.Second

// run settles what was written within the time that is promised, until ctx is done.
func (g *group) run(ctx context.Context) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	<-wait.C
	for {
		select {
		case <-g.wake:
			// Half the promise is for the sync itself to begin, and for the disk.
			wait.Reset(time.Until(time.Unix(0, g.unsettled.Load()).Add(syncWithin / 2)))
			select {
			case <-wait.C:
			case <-ctx.Done():
				return
			}
		case <-wait.C: // after one that failed
		case <-ctx.Done():
			return
		}
		if g.unsettled.Load() == 0 {
			continue
		}
		if err := g.settle(); err != nil {
			g.fail(err)
			if g.broken.Load() == nil {
				wait.Reset(again)
			}
		}
	}
}

// fail notes that the sink fails, if it did not before.
func (g *group) fail(err error) {
	g.busy.Lock()
	defer g.busy.Unlock()
	if !g.failing {
		g.failing = true
		g.tell(err)
	}
}

// close settles what is left and closes the sink.
func (g *group) close() error {
	g.busy.Lock()
	defer g.busy.Unlock()
	var err error
	if g.unsettled.Load() != 0 && g.broken.Load() == nil {
		err = g.settle()
	}
	return errors.Join(err, g.sink.close())
}
