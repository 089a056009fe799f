package interceptor

import (
	"context"
	"math"
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
	// Longest is how long a unary call may take, whatever deadline its caller gives; 0 means
	// what he gives.
	Longest time.Duration
	// Concurrent is how many unary calls may be in hand at once; 0 means any number.
	// Streams and public methods are not counted.
	Concurrent int
	// Rate is how many calls a second one caller may make; 0 means any number. With it, no
	// caller alone has more than three quarters of the calls that may be in hand.
	Rate float64
	// Burst is how many of them may come at once; 0 means those of a second, as they may come
	// after one in which nothing did.
	Burst int
}

// burst returns how many calls may come at once, at least one.
func (l Limits) burst() float64 {
	if l.Burst > 0 {
		return float64(l.Burst)
	}
	return max(1, math.Ceil(l.Rate))
}

// share returns how many calls in hand may be one caller's, 0 for any number.
func (l Limits) share() int {
	if l.Concurrent <= 0 {
		return 0
	}
	return (3*l.Concurrent + 3) / 4
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
		end, err := c.begin(k)
		if err != nil {
			return err
		}
		defer end()
	}
	timeout := c.longest
	if _, has := ctx.Deadline(); !has && c.timeout > 0 && (timeout <= 0 || c.timeout < timeout) {
		timeout = c.timeout
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	return next(ctx)
}

// retryInHand is when a call may succeed that was refused for those in hand: most take less.
const retryInHand = 100 * time.Millisecond

// begin takes a slot for a call, which the caller's share and the whole must have left.
func (c *Chain) begin(k *call) (end func(), err error) {
	mine := func() {}
	if c.meters != nil && k.account != (account{}) {
		var ok bool
		if mine, ok = c.meters.of(k.account).begin(k.account); !ok {
			return nil, c.tooMany()
		}
	}
	select {
	case c.slots <- struct{}{}:
		return func() {
			<-c.slots
			mine()
		}, nil
	default:
		mine()
		return nil, c.tooMany()
	}
}

func (c *Chain) tooMany() error {
	c.metrics.refusedInHand.Inc()
	f := fault.New(fault.Exhausted, ReasonTooManyCalls, "the server has too many calls in hand; try again later")
	f.Retry = retryInHand
	return f
}
