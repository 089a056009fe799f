package relation

import (
	"context"
	"time"
)

type instantKey struct{}

// WithInstant returns a context whose request is answered as of an instant: what has
// expired then does not count. A request has one, however many reads it takes.
func WithInstant(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, instantKey{}, at)
}

// Instant returns the instant that the context's request is answered as of.
func Instant(ctx context.Context) (at time.Time, ok bool) {
	at, ok = ctx.Value(instantKey{}).(time.Time)
	return at, ok
}
