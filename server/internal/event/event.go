package event

import (
	"context"
	"log/slog"
	"sync"
)

// Event collects the attributes of a request. It is safe for concurrent use.
type Event struct {
	mu    sync.Mutex
	attrs []slog.Attr
}

// Add adds attributes.
func (e *Event) Add(attrs ...slog.Attr) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.attrs = append(e.attrs, attrs...)
}

// AppendTo appends the attributes so far, in the order they were added.
func (e *Event) AppendTo(attrs []slog.Attr) []slog.Attr {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append(attrs, e.attrs...)
}

type contextKey struct{}

// With returns a context that carries e.
func With(ctx context.Context, e *Event) context.Context {
	return context.WithValue(ctx, contextKey{}, e)
}

// Annotate adds attributes to the event of ctx. Without one it does nothing.
func Annotate(ctx context.Context, attrs ...slog.Attr) {
	if e, ok := ctx.Value(contextKey{}).(*Event); ok {
		e.Add(attrs...)
	}
}
