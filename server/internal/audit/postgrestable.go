package audit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// patience is how long Postgres may take to write or sync records.
const patience = 5 * time.Second

// postgresTable is the table in a Postgres database, which servers share.
type postgresTable struct {
	db   *sql.DB
	node int64 // tells apart what servers record in the same nanosecond
	text strings.Builder
}

// openPostgres opens the table in a database that is migrated.
func openPostgres(ctx context.Context, uri string) (_ *postgresTable, err error) {
	db, err := postgres.Open(uri, postgres.Options{Conns: 3})
	if err != nil {
		return nil, err
	}
	var node [8]byte
	_, _ = rand.Read(node[:]) // it never fails
	t := &postgresTable{db: db, node: int64(binary.BigEndian.Uint64(node[:]) >> 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	var there bool
	if err := db.QueryRowContext(ctx, "SELECT to_regclass('audit') IS NOT NULL").Scan(&there); err != nil {
		return nil, fmt.Errorf("look for the table of records: %w", err)
	}
	if !there {
		return nil, postgres.ErrNotMigrated
	}
	return t, nil
}

func (t *postgresTable) name() string { return "records" }

func (t *postgresTable) write(list []line) error {
	for chunk := range slices.Chunk(list, most) {
		if err := t.insert(chunk); err != nil {
			return err
		}
	}
	return nil
}

func (t *postgresTable) insert(list []line) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	const wide = 10
	t.text.Reset()
	t.text.WriteString("INSERT INTO audit (" + columns + ") VALUES ")
	args := make([]any, 0, len(list)*wide)
	for i := range list {
		if i > 0 {
			t.text.WriteByte(',')
		}
		t.text.WriteByte('(')
		for k := range wide {
			if k > 0 {
				t.text.WriteByte(',')
			}
			fmt.Fprintf(&t.text, "$%d", i*wide+k+1)
		}
		t.text.WriteByte(')')
		args = append(args, list[i].values(t.node)...)
	}
	// A statement of its own is a transaction, and its commit waits for the disk as the
	// database is set up to.
	_, err := t.db.ExecContext(ctx, t.text.String(), args...)
	return err
}

// sync does nothing: a commit has waited for the disk, unless the database is set up not to.
func (t *postgresTable) sync() error { return nil }

func (t *postgresTable) close() error { return t.db.Close() }

func (t *postgresTable) read() (*sql.DB, func(string) string, error) {
	return t.db, records.Postgres, nil
}

func (t *postgresTable) prune(ctx context.Context, before time.Time, limit int) (int64, error) {
	result, err := t.db.ExecContext(ctx, `DELETE FROM audit WHERE (at, node) IN
		(SELECT at, node FROM audit WHERE at < $1 ORDER BY at LIMIT $2)`, before.UnixNano(), limit)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
