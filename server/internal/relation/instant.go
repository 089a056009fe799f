package relation

import (
	"context"
	"sync"
	"time"
)

type instantKey struct{}

// WithInstant returns a context whose request is answered as of an instant: what has
// expired then does not count. A request has one, however many reads it takes.
func WithInstant(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, instantKey{}, at)
}

// WithInstantOfFirstUse returns a context whose request is answered as of when Instant is first
// called: for a stream, whose request may come long after it was opened.
func WithInstantOfFirstUse(ctx context.Context) context.Context {
	return context.WithValue(ctx, instantKey{}, sync.OnceValue(time.Now))
}

// HasInstant reports whether Instant has one to return.
func HasInstant(ctx context.Context) bool { return ctx.Value(instantKey{}) != nil }

// Instant returns the instant that the context's request is answered as of.
func Instant(ctx context.Context) (at time.Time, ok bool) {
	switch v := ctx.Value(instantKey{}).(type) {
	case time.Time:
		return v, true
	case func() time.Time:
		return v(), true
	}
	return time.Time{}, false
}
