package store

import (
	"context"
	"errors"
)

// Together runs f in a transaction: whatever is written to the store with the context that
// f is given, by SpiceDB too, is part of it. See Write. Unlike there, f is run again when the
// transaction was undone for no fault of its own.
func (s *Store) Together(ctx context.Context, f func(context.Context) error) error {
	for n := 1; ; n++ {
		_, err := s.Write(ctx, func(ctx context.Context, _ *Tx) error { return f(ctx) })
		if err == nil || n >= maxAttempts || !errors.Is(err, ErrRetry) || ctx.Err() != nil {
			return err
		}
	}
}
