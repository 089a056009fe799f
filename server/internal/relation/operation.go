package relation

import "context"

// Operation names a write of the graph that is part of something larger, so that whoever
// finds it half done can tell.
type Operation struct {
	ID string
	// Guard is asked within the transaction of the write, after it has fixed what it sees
	// and before it writes. When it fails, nothing is written.
	Guard func(context.Context) error
}

type operationKey struct{}

// WithOperation returns a context whose writes of the graph are the operation.
func WithOperation(ctx context.Context, o Operation) context.Context {
	return context.WithValue(ctx, operationKey{}, o)
}

// OperationOf returns the operation that the context's writes are.
func OperationOf(ctx context.Context) (o Operation, ok bool) {
	o, ok = ctx.Value(operationKey{}).(Operation)
	return o, ok
}
