package outbox

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// leaseTick is how often a lease that another has is asked for.
const leaseTick = 10 * time.Millisecond

// lease is the right to write, for as long as its connection lasts.
type lease struct{ conn *sql.Conn }

// take waits for the lease.
func take(ctx context.Context, db *sql.DB) (*lease, error) {
	tick := time.NewTicker(leaseTick)
	defer tick.Stop()
	for {
		l, err := try(ctx, db)
		if l != nil || err != nil {
			return l, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the lease to write: %w", ctx.Err())
		}
	}
}

// try returns no lease when another has it.
func try(ctx context.Context, db *sql.DB) (*lease, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("take the lease to write: %w", err)
	}
	held := false
	space, lock := postgres.LockWrites.Key()
	err = conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1, $2)", space, lock).Scan(&held)
	if err == nil && held {
		return &lease{conn}, nil
	}
	l := &lease{conn}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take the lease to write: %w", err), l.drop())
	}
	return nil, conn.Close()
}

// release gives the lease back. A connection that cannot is closed, which does it too.
func (l *lease) release(ctx context.Context) error {
	space, lock := postgres.LockWrites.Key()
	released := false
	err := l.conn.QueryRowContext(ctx, "SELECT pg_advisory_unlock($1, $2)", space, lock).Scan(&released)
	if err != nil || !released {
		return errors.Join(err, l.drop())
	}
	return l.conn.Close()
}

// drop closes the connection for good.
func (l *lease) drop() error {
	err := l.conn.Raw(func(any) error { return driver.ErrBadConn })
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		err = nil
	}
	if closed := l.conn.Close(); closed != nil && !errors.Is(closed, sql.ErrConnDone) && !errors.Is(closed, driver.ErrBadConn) {
		err = errors.Join(err, closed)
	}
	return err
}

// there fails when the lease is lost.
func (l *lease) there(ctx context.Context) error {
	if _, err := l.conn.ExecContext(ctx, "SELECT 1"); err != nil {
		return fmt.Errorf("%w: %w", errLeaseLost, err)
	}
	return nil
}

var errLeaseLost = errors.New("the lease to write is lost")

// within runs f in a transaction on the lease's connection, by the driver's own interface,
// which can send many statements at once.
func (l *lease) within(ctx context.Context, f func(pgx.Tx) error) error {
	return l.conn.Raw(func(raw any) error {
		return pgx.BeginFunc(ctx, raw.(*stdlib.Conn).Conn(), f)
	})
}
