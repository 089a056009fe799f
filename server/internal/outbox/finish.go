package outbox

import (
	"context"
	"fmt"
	"time"
)

// lookTick is how often a server looks for what others have left.
const lookTick = time.Second

// Finish finishes what servers that ended have left, before this one begins to answer.
func (o *Outbox) Finish(ctx context.Context) error {
	l, err := take(ctx, o.write)
	if err != nil {
		return err
	}
	return o.finishAndRelease(ctx, l)
}

// Run finishes what servers that end leave, until ctx is done.
func (o *Outbox) Run(ctx context.Context) error {
	tick := time.NewTicker(lookTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := o.look(ctx); err != nil && ctx.Err() == nil {
			o.logger.WarnContext(ctx, "writes left by servers that ended are not finished", "error", err)
		}
	}
}

// look finishes what is left, unless somebody has the lease: he does so, or it is his own.
func (o *Outbox) look(ctx context.Context) error {
	left := false
	if err := o.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM intent)").Scan(&left); err != nil || !left {
		return err
	}
	l, err := try(ctx, o.write)
	if err != nil || l == nil {
		return err
	}
	return o.finishAndRelease(ctx, l)
}

func (o *Outbox) finishAndRelease(ctx context.Context, l *lease) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	err := o.finishAll(ctx, l)
	if released := l.release(ctx); released != nil && err == nil {
		err = fmt.Errorf("release the lease to write: %w", released)
	}
	return err
}
