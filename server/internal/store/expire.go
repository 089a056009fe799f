package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// expiredFor is how long ago a relationship must have expired to be removed, as SpiceDB has it on
	// Postgres. No question but one about the past, which has the rows of its time, is about an
	// instant that long ago.
	expiredFor = 24 * time.Hour
	// expireEvery is how often they are looked for, which goes over all relationships.
	expireEvery = time.Hour
)

// expire removes the relationships that expired long before an instant, as any transaction does: who
// watches is told, and the past keeps them.
func (s *Store) expire(ctx context.Context, now time.Time) error {
	by := now.Add(-expiredFor)
	for step := range slices.Chunk(s.graph.Head().Expired(by), sweepStep) {
		if _, err := s.Write(ctx, func(_ context.Context, tx *Tx) error { return tx.graph.DeleteExpired(step, by) }); err != nil {
			return fmt.Errorf("remove what has expired: %w", err)
		}
	}
	return nil
}
