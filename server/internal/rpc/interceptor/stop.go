package interceptor

import (
	"context"
	"errors"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// ReasonStopping is given when a stream that has no end of its own is ended because the
// server stops. The client resumes it elsewhere.
const ReasonStopping fault.Reason = "SERVER_STOPPING"

// errStopping ends the context of an endless stream.
var errStopping = errors.New("the server stops")

// Stop ends the streams that would go on for as long as their clients like, so that they
// do not hold up a server that is asked to stop. Other calls end by themselves. Call it once.
func (c *Chain) Stop() { close(c.stopping) }

// untilStop runs a stream. When the method is an endless one, its context ends with Stop.
func (c *Chain) untilStop(ctx context.Context, method string, stream func(context.Context) error) error {
	if !c.endless[method] {
		return stream(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-c.stopping:
			cancel(errStopping)
		case <-ctx.Done():
		}
	}()
	err := stream(ctx)
	if errors.Is(context.Cause(ctx), errStopping) {
		return fault.New(fault.Unavailable, ReasonStopping, "the server stops; resume the stream elsewhere").Because(err)
	}
	return err
}
