package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Lock is something that one server at a time may do on a database.
type Lock int32

// The locks. Numbers are never given another meaning: servers of different releases meet
// on one database.
const (
	// LockMigrations is held while tables are changed.
	LockMigrations Lock = 1
	// LockSchema is held from before the relations schema is read until it is replaced.
	LockSchema Lock = 2
	// LockWrites is held by the server that writes records. See server/internal/outbox.
	LockWrites Lock = 3
)

// Key returns the two numbers by which Postgres knows the lock.
func (l Lock) Key() (space, number int32) { return lockSpace, int32(l) }

// lockSpace sets Behalf's locks apart from those of others on the database: "BHLF".
const lockSpace = 0x42484C46

// lockTick is how often a lock that another server holds is asked for.
const lockTick = 50 * time.Millisecond

// Hold waits until this server has the lock and returns what gives it back. Each holder
// takes a connection. A server that dies loses its locks.
//
// A migration that builds an index concurrently waits for the end of every transaction that
// has a snapshot at that moment, be it for the time of one statement. So the lock is asked for
// again and again, each time in a transaction of its own, instead of once and waited for: one
// that waited would be waited for by who holds the lock. And it is asked for in the simple
// protocol: the extended one leaves the statement's portal open, with its snapshot, in the
// transaction of the holder. The lock belongs to a transaction, not to a session, so that it
// holds behind a pooler too.
func Hold(ctx context.Context, db *sql.DB, lock Lock) (release func(), err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("take lock %d: %w", lock, err)
	}
	tick := time.NewTicker(lockTick)
	defer tick.Stop()
	for {
		tx, err := tryLock(ctx, conn, lock)
		switch {
		case err != nil:
			return nil, errors.Join(fmt.Errorf("take lock %d: %w", lock, err), conn.Close())
		case tx != nil:
			return func() { // it wrote nothing, and a lost connection has lost the lock
				_ = tx.Rollback()
				_ = conn.Close()
			}, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for lock %d: %w", lock, ctx.Err()), conn.Close())
		}
	}
}

// tryLock returns the transaction that has the lock, nil when another has it.
func tryLock(ctx context.Context, conn *sql.Conn, lock Lock) (*sql.Tx, error) {
	// The end of ctx must not end the transaction: what the lock protects may still run.
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, err
	}
	held := false
	if _, err = tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err == nil {
		err = tx.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1, $2)",
			pgx.QueryExecModeSimpleProtocol, lockSpace, int32(lock)).Scan(&held)
	}
	if err != nil || !held {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}
