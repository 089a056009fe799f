package interceptor

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/behalf-authz/behalf/server/internal/rpc/rpcstatus"
)

// recover turns a panic into an Internal error, so that one call cannot end the process.
// What was panicked with is for the log only.
func (c *Chain) recover(ctx context.Context, k *call, next func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			k.event.Add(slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
			err = rpcstatus.Error(fmt.Errorf("panic: %v", p))
		}
	}()
	return next(ctx)
}

// status turns whatever error comes from inside into a status. The error itself goes to
// the log.
func (c *Chain) status(ctx context.Context, k *call, next func(context.Context) error) error {
	err := next(ctx)
	if err == nil {
		return nil
	}
	shown := rpcstatus.Error(err)
	if ofOurs(shown) && ctx.Err() != nil {
		// Whatever failed, failed because the caller went away or his time ran out. The
		// context here is the caller's own, without the deadlines that are ours.
		shown = rpcstatus.Error(ctx.Err())
	}
	k.event.Add(logged(shown, err)...)
	return shown
}
