package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// lookTick is how often a server looks for what others have left, and forgetTick how often
// it shortens the log of changes, to the last mostChanges.
const (
	lookTick    = time.Second
	forgetTick  = 10 * time.Minute
	mostChanges = 1_000_000
)

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
	tick, forget := time.NewTicker(lookTick), time.NewTicker(forgetTick)
	defer tick.Stop()
	defer forget.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-forget.C:
			if err := o.Forget(ctx, mostChanges); err != nil && ctx.Err() == nil {
				o.logger.WarnContext(ctx, "log of changes not shortened", "error", err)
			}
			continue
		case <-tick.C:
		}
		if err := o.look(ctx); err != nil && ctx.Err() == nil {
			o.logger.WarnContext(ctx, "writes left by servers that ended are not finished", "error", err)
		}
	}
}

// look finishes what is left, unless somebody has the lease: he does so, or it is his own.
func (o *Outbox) look(ctx context.Context) error {
	var left, parked int
	err := o.read.QueryRowContext(ctx, "SELECT count(*) FILTER (WHERE parked IS NULL), count(parked) FROM intent").Scan(&left, &parked)
	if err != nil {
		return err
	}
	o.parked.Set(float64(parked))
	if left == 0 {
		return nil
	}
	l, err := try(ctx, o.write)
	if err != nil || l == nil {
		return err
	}
	return o.finishAndRelease(ctx, l)
}

// Forget shortens the log of changes to the last so many. A server that has not followed it
// that far reads all parties anew.
func (o *Outbox) Forget(ctx context.Context, keep int64) error {
	l, err := take(ctx, o.write)
	if err != nil {
		return err
	}
	err = l.within(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `WITH gone AS (DELETE FROM change WHERE number <= (SELECT max(number) FROM change) - $1 RETURNING number)
			UPDATE sequence SET next = (SELECT max(number) FROM gone) WHERE name = 'forgotten' AND EXISTS (SELECT FROM gone)`, keep)
		return err
	})
	return errors.Join(err, l.release(context.WithoutCancel(ctx)))
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
