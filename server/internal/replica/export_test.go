package replica

import (
	"context"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
)

// SweepAt removes what expired long ago, as of an instant.
func (r *Replica) SweepAt(ctx context.Context, now time.Time) { r.sweep(ctx, now) }

// SweepAround is SweepAt with something that happens between the search and the removal.
func (r *Replica) SweepAround(ctx context.Context, now time.Time, between func()) {
	old := r.expired(now)
	between()
	r.remove(ctx, now, old)
}

// Unasked has the database last asked a while earlier than it was.
func (r *Replica) Unasked(since time.Duration) {
	_ = r.rounds.Take(context.Background())
	r.asked = r.asked.Add(-since)
	r.rounds.Return()
}

// Ahead has the replica contain transactions that the database has not begun.
func (r *Replica) Ahead(n uint64) {
	_ = r.rounds.Take(context.Background())
	s := *r.latest.Load()
	s.horizon.next += n
	r.latest.Store(&s)
	r.rounds.Return()
}

// Horizon is what horizon is.
type Horizon struct{ horizon }

// MakeHorizon returns the horizon of a snapshot.
func MakeHorizon(text string) (Horizon, error) {
	h, err := parseHorizon(text)
	return Horizon{h}, err
}

// HorizonOf returns the horizon of a revision.
func HorizonOf(r datastore.Revision) (Horizon, bool) {
	h, ok := horizonOf(r)
	return Horizon{h}, ok
}

// Revision returns the text of the revision.
func (h Horizon) Revision() (string, error) { return h.revision() }

// Within reports whether o sees all that h sees.
func (h Horizon) Within(o Horizon) bool { return h.within(o.horizon) }
