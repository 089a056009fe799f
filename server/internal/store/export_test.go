package store

import (
	"context"
	"time"
)

// Queued returns how many writers wait.
func (s *Store) Queued() int { return len(s.jobs) }

// ExpireAt removes what had expired long before an instant.
func (s *Store) ExpireAt(ctx context.Context, now time.Time) error { return s.expire(ctx, now) }

// SweepAt removes what is too old at an instant.
func (s *Store) SweepAt(ctx context.Context, now time.Time) error { return s.sweep(ctx, now) }

// Rows returns the number that a query of the file gives.
func (s *Store) Rows(ctx context.Context, query string) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}
