package bench

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Load is how calls are made.
type Load struct {
	Concurrency int           // callers: the most calls under way at a time
	Rate        float64       // calls a second of an open loop; 0 for a closed one
	Duration    time.Duration // of what is measured
	Warmup      time.Duration // the same load before that, of which nothing is kept
	Timeout     time.Duration // of a call
}

// Loop names the load in reports.
func (l Load) Loop() string {
	if l.Rate > 0 {
		return "open"
	}
	return "closed"
}

// Asker asks a question. Callers are numbered from 0, and each asks one thing at a time.
type Asker interface {
	Ask(ctx context.Context, caller int, q Question) (bool, error)
}

// Limits of a run that goes wrong.
const (
	mostFailed = 100 // calls that failed end a run: what follows would measure errors
	mostKept   = 10  // wrong answers that are kept to be shown
)

// run is one stretch of load.
type run struct {
	load      Load
	asker     Asker
	questions *Questions
	first     uint64 // question of the first call
	start     time.Time

	begun  atomic.Uint64 // calls that were given out
	failed atomic.Int64
}

// do makes calls for a duration and returns what came of them.
func (l Load) do(ctx context.Context, asker Asker, questions *Questions, first uint64, tick func(time.Duration)) (*tally, error) {
	tallies := make([]*tally, l.Concurrency)
	for i := range tallies {
		tallies[i] = newTally()
	}
	r := &run{load: l, asker: asker, questions: questions, first: first, start: time.Now()}
	var callers sync.WaitGroup
	for i := range tallies {
		callers.Go(func() { r.call(ctx, i, tallies[i]) })
	}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { r.watch(done, tick) })
	callers.Wait()
	close(done)
	watch.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("the load was interrupted: %w", err)
	}
	all := newTally()
	for _, t := range tallies {
		all.add(t)
	}
	all.elapsed = time.Since(r.start)
	all.next = first + r.begun.Load()
	if due := l.due(); l.Rate > 0 && due > all.calls() {
		all.unsent = due - all.calls()
	}
	return all, nil
}

// watch tells how far the run has come.
func (r *run) watch(done <-chan struct{}, tick func(time.Duration)) {
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case now := <-t.C:
			tick(now.Sub(r.start))
		}
	}
}

// call is one caller.
func (r *run) call(ctx context.Context, caller int, t *tally) {
	for r.failed.Load() < mostFailed {
		n, intended, ok := r.next(ctx)
		if !ok {
			return
		}
		q := r.questions.At(r.first + n)
		sent := time.Now()
		if r.load.Rate == 0 {
			intended = sent
		}
		patience, cancel := context.WithTimeout(ctx, r.load.Timeout)
		allowed, err := r.asker.Ask(patience, caller, q)
		cancel()
		answered := time.Now()
		if err != nil && ctx.Err() != nil {
			return // interrupted, which is no fault of the server
		}
		if err != nil {
			r.failed.Add(1)
		}
		t.record(q, allowed, err, sent.Sub(intended), answered.Sub(intended))
	}
}

// next gives out a call when it is due, with the moment it was meant to start. An open loop
// that is late goes on for as long again, and then leaves what is left; one that has made its
// calls lasts its time, or it would seem to answer more in a second than was asked. However
// short the time and busy the machine, a closed loop makes one call.
func (r *run) next(ctx context.Context) (n uint64, intended time.Time, ok bool) {
	n = r.begun.Add(1) - 1
	passed := time.Since(r.start)
	if r.load.Rate == 0 {
		return n, time.Time{}, ctx.Err() == nil && (n == 0 || passed < r.load.Duration)
	}
	if n >= r.load.due() {
		wait(ctx, r.load.Duration-passed)
		return 0, time.Time{}, false
	}
	if n > 0 && passed >= 2*r.load.Duration {
		return 0, time.Time{}, false
	}
	intended = r.start.Add(r.load.offset(n))
	return n, intended, wait(ctx, time.Until(intended))
}

// slice returns a part of a closed loop's time.
func (l Load) slice(of int) Load {
	l.Duration /= time.Duration(of)
	return l
}

// offset is how long after the start call n of an open loop is due.
func (l Load) offset(n uint64) time.Duration {
	return time.Duration(float64(n) / l.Rate * float64(time.Second))
}

// due is the number of calls of an open loop.
func (l Load) due() uint64 { return uint64(math.Ceil(l.Duration.Seconds() * l.Rate)) }

// wait reports whether the time came before the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
