package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

// columns are those of the table, in the order of values.
const columns = "at, node, kind, user_id, system_user, party_id, resource, action, decision, record"

// values returns the row of a record.
func (l *line) values(node int64) []any {
	e := l.entry
	return []any{
		e.Time.UnixNano(), node, string(e.Kind), e.User, e.SystemUser, e.Party, e.Resource, e.Action, e.Decision, string(l.native),
	}
}

// rows are where a table lies.
type rows interface {
	sink
	// read returns a pool of connections that read, and how its texts are written.
	read() (*sql.DB, func(string) string)
	// prune removes at most a number of rows that are older, and returns how many it has.
	prune(ctx context.Context, before time.Time, limit int) (int64, error)
}

// sqliteTable is the table in a file of its own, so that records never queue behind what
// else is written.
type sqliteTable struct {
	db, reads *sql.DB
	insert    *sql.Stmt
	log       *os.File // SQLite's log of the file, to sync it
}

// openSQLite opens the table in a file, which is made when there is none.
func openSQLite(ctx context.Context, path string, synced bool) (_ *sqliteTable, err error) {
	t := &sqliteTable{}
	if t.db, err = sqlite.Open(path, sqlite.Options{}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	list, err := migrations.OfAudit()
	if err != nil {
		return nil, err
	}
	if err := sqlite.Apply(ctx, t.db, list); err != nil {
		return nil, fmt.Errorf("migrate %q: %w", path, err)
	}
	if !synced {
		// Commits write the log and leave its sync to us. A connection that is made anew has
		// the safer setting, which Open gives.
		if _, err := t.db.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); err != nil {
			return nil, fmt.Errorf("set up %q: %w", path, err)
		}
	}
	// The log is moved into the file by a commit, which waits for the disk meanwhile: seldom.
	if _, err := t.db.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 8192"); err != nil {
		return nil, fmt.Errorf("set up %q: %w", path, err)
	}
	if t.insert, err = t.db.PrepareContext(ctx, "INSERT INTO audit ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"); err != nil {
		return nil, err
	}
	if t.log, err = os.OpenFile(path+"-wal", os.O_RDWR, 0); err != nil {
		return nil, fmt.Errorf("open the log of %q: %w", path, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	t.reads, err = sqlite.Open(path, sqlite.Options{ReadOnly: true, Conns: 2})
	return t, err
}

func (t *sqliteTable) name() string { return "records" }

func (t *sqliteTable) write(list []line) error {
	ctx := context.Background() // one caller's patience is not that of all who wait with him
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect once committed
	insert := tx.StmtContext(ctx, t.insert)
	defer func() { _ = insert.Close() }() // the transaction's; the prepared one stays
	for i := range list {
		if _, err := insert.ExecContext(ctx, list[i].values(0)...); err != nil {
			return fmt.Errorf("insert a record: %w", err)
		}
	}
	return tx.Commit()
}

// sync syncs SQLite's log, in which all is that has been committed and is not yet in the
// file: what moves it there syncs both.
func (t *sqliteTable) sync() error { return t.log.Sync() }

func (t *sqliteTable) close() error {
	var faults []error
	if t.insert != nil {
		faults = append(faults, t.insert.Close())
	}
	for _, db := range []*sql.DB{t.reads, t.db} {
		if db != nil {
			faults = append(faults, db.Close())
		}
	}
	if t.log != nil {
		faults = append(faults, t.log.Close())
	}
	return errors.Join(faults...)
}

func (t *sqliteTable) read() (*sql.DB, func(string) string) {
	return t.reads, func(text string) string { return text }
}

func (t *sqliteTable) prune(ctx context.Context, before time.Time, limit int) (int64, error) {
	// The oldest are the first of the table: the file's pages are used again from there.
	result, err := t.db.ExecContext(ctx, "DELETE FROM audit WHERE at IN (SELECT at FROM audit WHERE at < ? ORDER BY at LIMIT ?)", before.UnixNano(), limit)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
