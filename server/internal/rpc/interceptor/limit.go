package interceptor

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// ReasonTooManyCalls is given when the server has as many calls in hand as it may.
const ReasonTooManyCalls fault.Reason = "TOO_MANY_CALLS"

// DefaultTimeout is the deadline of a unary call whose caller gives none.
const DefaultTimeout = 30 * time.Second

// Limits are what a call may take. The zero Limits are good ones.
type Limits struct {
	// Timeout is the deadline of a unary call whose caller gives none: 0 means
	// DefaultTimeout, less than 0 none.
	Timeout time.Duration
	// Concurrent is how many unary calls may be in hand at once; 0 means any number.
	// Streams and public methods are not counted.
	Concurrent int
}

func (l Limits) timeout() time.Duration {
	if l.Timeout == 0 {
		return DefaultTimeout
	}
	return l.Timeout
}

func (l Limits) slots() chan struct{} {
	if l.Concurrent <= 0 {
		return nil
	}
	return make(chan struct{}, l.Concurrent)
}

// limit gives a unary call a deadline, and refuses it when too many are in hand.
func (c *Chain) limit(ctx context.Context, k *call, next func(context.Context) error) error {
	if k.stream {
		return next(ctx)
	}
	if c.slots != nil && !k.rule.public {
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
		default:
			return fault.New(fault.Exhausted, ReasonTooManyCalls, "the server has too many calls in hand; try again later")
		}
	}
	if _, has := ctx.Deadline(); !has && c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	return next(ctx)
}
