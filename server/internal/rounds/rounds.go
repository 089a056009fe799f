package rounds

import (
	"context"
	"sync"
)

// Rounds asks a question round by round. It is safe for concurrent use.
type Rounds[T any] struct {
	ask  func(context.Context) (T, error)
	turn chan struct{} // holds a token while nobody has the turn

	mu   sync.Mutex
	next *Round[T] // that has not begun, nil when nobody waits for one
}

// Round is one question. All who came before it began share its answer.
type Round[T any] struct {
	done   chan struct{}
	answer T
	err    error
}

// New returns rounds of a question. ask has the turn while it runs, and a context that ends
// with nobody's who waits for it.
func New[T any](ask func(context.Context) (T, error)) *Rounds[T] {
	r := &Rounds[T]{ask: ask, turn: make(chan struct{}, 1)}
	r.turn <- struct{}{}
	return r
}

// Join returns the next round, and sees to it that it takes place. ctx lends its values.
func (r *Rounds[T]) Join(ctx context.Context) *Round[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &Round[T]{done: make(chan struct{})}
		go r.run(context.WithoutCancel(ctx), r.next) // others wait for it too
	}
	return r.next
}

func (r *Rounds[T]) run(ctx context.Context, q *Round[T]) {
	<-r.turn
	defer r.Return()
	r.mu.Lock()
	r.next = nil // who comes now may have seen a write that this question misses
	r.mu.Unlock()
	defer close(q.done)
	q.answer, q.err = r.ask(ctx)
}

// Take waits for the turn, for who must not be asked about what he does meanwhile. Who has it
// gives it back with Return. The error is the context's.
func (r *Rounds[T]) Take(ctx context.Context) error {
	select {
	case <-r.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Return gives the turn back.
func (r *Rounds[T]) Return() { r.turn <- struct{}{} }

// Done returns what is closed when there is an answer.
func (q *Round[T]) Done() <-chan struct{} { return q.done }

// Answer returns what the question was answered with, once it is done.
func (q *Round[T]) Answer() (T, error) { return q.answer, q.err }
