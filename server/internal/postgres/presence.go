package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrOtherKeys says that servers of a database have signing keys that do not go together.
var ErrOtherKeys = errors.New("another server of the database has other keys")

// The spaces of numbers that say which keys a server has: "BHLG" and "BHLH". What is said is a lock that all may
// share, so that nothing is left of it when its server dies.
const (
	spaceSigns    = 0x42484C47
	spaceVerifies = 0x42484C48
)

// forgetTime is how long a server that stops may take to say so.
const forgetTime = 5 * time.Second

// KeepKeys tells other servers of a database by the ids of which keys this one verifies what they
// all take, the first being the one that it signs with. It is ErrOtherKeys when one of those that are there
// could not verify what this one signs, or this one what that one does. What is told holds until
// release, or until the server or its connection dies.
//
// Two servers that start at once each tell before they look, so that at least one sees the other.
// What is told belongs to a session, which takes a connection, and not to a transaction as locks
// do: one that lasts as long as a server would be waited for by whoever builds an index meanwhile. Behind a
// pooler that hands sessions on, a server that is gone may be taken for one that is there, for a while.
func KeepKeys(ctx context.Context, uri string, ids []string) (release func() error, err error) {
	db, err := Open(uri, Options{Conns: 1})
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tell the database of the keys: %w", err), db.Close())
	}
	release = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetTime)
		defer cancel()
		_, _ = conn.ExecContext(ctx, "SELECT pg_advisory_unlock_all()") // a lost connection has lost them
		_ = conn.Close()
		return db.Close()
	}
	if err := tellKeys(ctx, conn, ids); err != nil {
		return nil, errors.Join(fmt.Errorf("tell the database of the keys: %w", err), release())
	}
	others, err := othersKeys(ctx, conn)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask the database for other servers' keys: %w", err), release())
	}
	for _, other := range others {
		if err := other.goWith(ids); err != nil {
			return nil, errors.Join(err, release())
		}
	}
	return release, nil
}

// tellKeys says last what a server signs with: who sees that sees all.
func tellKeys(ctx context.Context, conn *sql.Conn, ids []string) error {
	args := []any{pgx.QueryExecModeSimpleProtocol}
	var calls []string
	tell := func(space int32, id string) {
		args = append(args, space, int32(keyNumber(id)))
		calls = append(calls, fmt.Sprintf("pg_advisory_lock_shared($%d, $%d)", len(args)-2, len(args)-1))
	}
	for _, id := range ids {
		tell(spaceVerifies, id)
	}
	tell(spaceSigns, ids[0])
	// As one statement, so that all are of one session.
	_, err := conn.ExecContext(ctx, "SELECT "+strings.Join(calls, ", "), args...) //nolint:gosec // calls are of numbers of placeholders
	return err
}

// keyNumber stands for a key.
func keyNumber(id string) uint32 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint32(sum[:])
}

// keysOf are those of another server.
type keysOf struct{ signs, verifies []uint32 }

// goWith returns why a server with the keys cannot be beside.
func (k keysOf) goWith(ids []string) error {
	if len(k.signs) == 0 {
		return nil // it still starts, and looks itself
	}
	for _, number := range k.signs {
		if !slices.ContainsFunc(ids, func(id string) bool { return keyNumber(id) == number }) {
			return fmt.Errorf("%w: it signs with one that this one does not have", ErrOtherKeys)
		}
	}
	if !slices.Contains(k.verifies, keyNumber(ids[0])) {
		return fmt.Errorf("%w: it does not have the one that this one signs with, %s; put that second until all have it", ErrOtherKeys, ids[0])
	}
	return nil
}

// othersKeys returns what others have told, by their processes in the database.
func othersKeys(ctx context.Context, conn *sql.Conn) (of map[int64]keysOf, err error) {
	rows, err := conn.QueryContext(ctx, `SELECT pid, classid::bigint, objid::bigint FROM pg_locks
		WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND pid <> pg_backend_pid()
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND classid::bigint IN ($1, $2)`, pgx.QueryExecModeSimpleProtocol, int64(spaceSigns), int64(spaceVerifies))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	of = make(map[int64]keysOf)
	for rows.Next() {
		var pid, space, number int64
		if err := rows.Scan(&pid, &space, &number); err != nil {
			return nil, err
		}
		k := of[pid]
		if space == spaceSigns {
			k.signs = append(k.signs, uint32(number)) // of which Postgres has 32 bits
		} else {
			k.verifies = append(k.verifies, uint32(number))
		}
		of[pid] = k
	}
	return of, rows.Err()
}
