package replica

import (
	"context"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
)

// SweepAt removes what expired long ago, as of an instant.
func (r *Replica) SweepAt(ctx context.Context, now time.Time) { r.sweep(ctx, now) }

// Unasked has the database last asked a while earlier than it was.
func (r *Replica) Unasked(since time.Duration) {
	<-r.turn
	r.asked = r.asked.Add(-since)
	r.turn <- struct{}{}
}

// Ahead has the replica contain transactions that the database has not begun.
func (r *Replica) Ahead(n uint64) {
	<-r.turn
	s := *r.latest.Load()
	s.horizon.next += n
	r.latest.Store(&s)
	r.turn <- struct{}{}
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
