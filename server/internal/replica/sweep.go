package replica

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// sweepAge is how long ago a tuple must have expired to be removed. No question is about an
// instant that long ago.
const sweepAge = time.Hour

// sweep removes tuples that expired long ago. SpiceDB removes their rows a day after they
// expired, by no transaction, so that nothing else would.
func (r *Replica) sweep(ctx context.Context, now time.Time) {
	r.remove(ctx, now, r.expired(now))
}

// expired returns the tuples that expired long ago. It goes through the whole graph, and needs
// no turn for it.
func (r *Replica) expired(now time.Time) []graph.Tuple {
	if last := r.latest.Load(); last != nil {
		return last.Snapshot.Expired(now.Add(-sweepAge))
	}
	return nil
}

// remove removes those of the tuples that are still as old as they were found: any may have
// been written again since.
func (r *Replica) remove(ctx context.Context, now time.Time, old []graph.Tuple) {
	if r.rounds.Take(ctx) != nil {
		return // it is for the next time
	}
	defer r.rounds.Return()
	last := r.latest.Load()
	if last == nil {
		return
	}
	r.graph.Trim(now)
	if len(old) == 0 {
		return
	}
	tx := r.graph.Begin()
	defer tx.Drop()
	if err := tx.DeleteExpired(old, now.Add(-sweepAge)); err != nil {
		r.giveUp(ctx, err)
		return
	}
	if !tx.Changed() {
		return
	}
	snapshot, err := r.seal(tx, last.Snapshot)
	if err != nil {
		r.giveUp(ctx, err)
		return
	}
	swept := *last
	swept.Snapshot = snapshot
	r.memory.add(&swept, true)
	r.latest.Store(&swept)
}
