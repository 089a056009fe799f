package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/rounds"
)

// Fresh returns a state that holds every write that was acknowledged before it was called,
// unless the configuration allows an older one and exact is false. When it fails SpiceDB is
// to be asked.
func (r *Replica) Fresh(ctx context.Context, exact bool) (*State, error) {
	proved := r.proved.Load() // before the state, which is stored before it
	state := r.latest.Load()
	if state == nil {
		r.metrics.loading.Inc()
		return nil, ErrLoading
	}
	if !exact && proved > r.written.Load() && r.since()-proved < int64(r.cfg.Staleness) {
		return state, nil
	}
	state, err := r.ask(ctx, r.rounds.Join(ctx))
	switch {
	case err == nil:
	case errors.Is(err, ErrSlow):
		r.metrics.slow.Inc()
	case errors.Is(err, ErrLoading):
		r.metrics.loading.Inc()
	case ctx.Err() == nil:
		r.metrics.failed.Inc()
	}
	return state, err
}

// Written says that this server has written: what was proved before may not answer any more,
// however old an answer may be.
func (r *Replica) Written() {
	now := r.since()
	for was := r.written.Load(); was < now && !r.written.CompareAndSwap(was, now); {
		was = r.written.Load()
	}
}

// ask waits for the answer of a round, but not for long.
func (r *Replica) ask(ctx context.Context, q *rounds.Round[*State]) (*State, error) {
	patience := time.NewTimer(r.cfg.Patience)
	defer patience.Stop()
	if began := r.asking.Load(); began != 0 && r.since()-began > int64(r.cfg.Patience) {
		return nil, ErrSlow // it waits for a question that others no longer wait for
	}
	select {
	case <-q.Done():
		return q.Answer()
	case <-patience.C:
		return nil, ErrSlow
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// question asks the database and brings the graph up to what it says. It has the turn.
func (r *Replica) question(ctx context.Context) (*State, error) {
	last := r.latest.Load()
	if last == nil || r.ended.Load() {
		return nil, ErrLoading
	}
	began := r.since()
	r.asking.Store(began)
	defer r.asking.Store(0)
	state, err := r.catchUp(ctx, last)
	r.metrics.took.Observe(time.Duration(r.since() - began).Seconds())
	if err == nil {
		r.proved.Store(began)
	}
	return state, err
}

// since returns how long it is since the start, in nanoseconds.
func (r *Replica) since() int64 { return int64(time.Since(r.start)) }

// mostNews is how many relationships are followed one by one. It takes less to load all
// than to follow more.
const mostNews = 500_000

var errTooMuch = errors.New("more has changed than is worth following")

// catchUp asks what the last state does not contain and makes the next one of it.
func (r *Replica) catchUp(ctx context.Context, last *State) (*State, error) {
	var alive, dead []graph.Tuple
	saw, err := r.source.news(ctx, last.horizon, func(row int, t *graph.Tuple) error {
		if len(alive)+len(dead) == mostNews {
			return errTooMuch
		}
		if row == rowAlive {
			alive = append(alive, *t)
		} else {
			dead = append(dead, *t)
		}
		return nil
	})
	if errors.Is(err, errTooMuch) {
		r.giveUp(ctx, err)
		return nil, ErrLoading
	}
	if err != nil {
		return nil, err
	}
	if why, err := r.unfit(ctx, last, saw); err != nil {
		return nil, err
	} else if why != nil {
		r.giveUp(ctx, why)
		return nil, ErrLoading
	}
	state, err := r.state(ctx, saw, last)
	if err != nil {
		return nil, err
	}
	state.Snapshot, err = r.apply(last.Snapshot, alive, dead)
	if err != nil {
		// It lacks no part of the change, for the graph has none of it, but the next attempt
		// would fail likewise.
		r.giveUp(ctx, err)
		return nil, ErrLoading
	}
	r.asked = saw.at
	r.memory.add(state, len(alive)+len(dead) > 0 || saw.extra == "true" || saw.schema != last.Head.SchemaHash)
	r.latest.Store(state)
	return state, nil
}

// trusted is how long the database may not have been asked for nothing to be asked about
// what it has forgotten since. SpiceDB keeps what ended for a day.
const trusted = time.Minute

// unfit returns why the graph cannot go on from where it is: nil when it can.
func (r *Replica) unfit(ctx context.Context, last *State, saw sight) (why, err error) {
	switch {
	case saw.server != r.server:
		return errors.New("the database's server was restarted, or is another one"), nil
	case !last.horizon.within(saw.horizon):
		return errors.New("the database is behind what it was"), nil
	case saw.at.Sub(r.asked) < trusted && !saw.at.Before(r.asked.Add(-trusted)):
		return nil, nil
	}
	// What was read was not forgotten at the time if it is not forgotten now.
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	err = r.cfg.Datastore.CheckRevision(ctx, last.Head.Revision)
	if invalid := (datastore.InvalidRevisionError{}); errors.As(err, &invalid) {
		return fmt.Errorf("the database has forgotten what was since: %w", err), nil
	}
	return nil, err
}

// apply makes the graph's next snapshot.
func (r *Replica) apply(before *graph.Snapshot, alive, dead []graph.Tuple) (*graph.Snapshot, error) {
	if len(alive) == 0 && len(dead) == 0 {
		return before, nil
	}
	tx := r.graph.Begin()
	defer tx.Drop()
	for i := range dead {
		if _, err := tx.Delete(dead[i]); err != nil {
			return nil, err
		}
	}
	for i := range alive {
		if _, err := tx.Touch(alive[i]); err != nil {
			return nil, err
		}
	}
	if !tx.Changed() {
		return before, nil
	}
	return r.seal(tx, before)
}

// seal ends a transaction of the graph.
func (r *Replica) seal(tx *graph.Tx, before *graph.Snapshot) (*graph.Snapshot, error) {
	revision := before.Revision() + 1
	snapshot, err := tx.Seal(revision, time.Now())
	if err != nil {
		return nil, err
	}
	return snapshot, r.graph.Publish(revision)
}
