package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

// sqliteTable is the table in a file of its own, so that records never queue behind what
// else is written. A record is taken when it is in a journal, which costs one write to a
// file; from there many are entered at once, by a commit that waits for the disk. While the
// records of one journal are entered, the other takes new ones.
type sqliteTable struct {
	db, reads *sql.DB
	insert    *sql.Stmt

	mu       sync.Mutex // of what follows
	journals [2]*journal
	current  int    // which of them takes records
	waiting  []line // what is in it

	entering sync.Mutex // held by who enters records, and of what follows
	left     []line     // those that could not be, in the journal that is not current
}

// openSQLite opens the table in a file, which is made when there is none, and enters what a
// process that was killed has left in the journals.
func openSQLite(ctx context.Context, path string) (_ *sqliteTable, err error) {
	t := &sqliteTable{}
	if t.db, err = sqlite.Open(path, sqlite.Options{}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.release())
		}
	}()
	list, err := migrations.OfAudit()
	if err != nil {
		return nil, err
	}
	if err := sqlite.Apply(ctx, t.db, list); err != nil {
		return nil, fmt.Errorf("migrate %q: %w", path, err)
	}
	// A record that was entered and whose journal was not emptied any more is there already.
	if t.insert, err = t.db.PrepareContext(ctx, "INSERT OR IGNORE INTO audit ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"); err != nil {
		return nil, err
	}
	for i := range t.journals {
		if t.journals[i], err = openJournal(fmt.Sprintf("%s.new%d", path, i)); err != nil {
			return nil, err
		}
		left, err := t.journals[i].held()
		if err != nil {
			return nil, err
		}
		if err := t.commit(left); err != nil {
			return nil, fmt.Errorf("enter %d records that a journal holds: %w", len(left), err)
		}
		if err := t.journals[i].empty(); err != nil {
			return nil, err
		}
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	t.reads, err = sqlite.Open(path, sqlite.Options{ReadOnly: true, Conns: 2})
	return t, err
}

func (t *sqliteTable) name() string { return "records" }

// mostWaiting is how many records may wait to be entered before new ones wait for them, so
// that they come no faster than the table takes them, and are on the disk in time.
const mostWaiting = 2000

func (t *sqliteTable) crowded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting) >= mostWaiting
}

func (t *sqliteTable) write(list []line) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journals[t.current].write(list); err != nil {
		return err
	}
	t.waiting = append(t.waiting, list...)
	return nil
}

// sync lets the journals reach the disk.
func (t *sqliteTable) sync() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(t.journals[0].file.Sync(), t.journals[1].file.Sync())
}

// settle enters all records that the journals hold. They are on the disk then.
func (t *sqliteTable) settle() error {
	t.entering.Lock()
	defer t.entering.Unlock()
	if err := t.enter(); err != nil { // those that were left
		return err
	}
	t.mu.Lock()
	t.left, t.waiting = t.waiting, nil
	t.current = 1 - t.current
	t.mu.Unlock()
	return t.enter()
}

// enter enters those left and empties their journal. It needs entering.
func (t *sqliteTable) enter() error {
	if len(t.left) == 0 {
		return nil
	}
	if err := t.commit(t.left); err != nil {
		return fmt.Errorf("enter %d records: %w", len(t.left), err)
	}
	t.left = nil
	t.mu.Lock()
	old := t.journals[1-t.current]
	t.mu.Unlock()
	return old.empty()
}

func (t *sqliteTable) commit(list []line) error {
	if len(list) == 0 {
		return nil
	}
	ctx := context.Background() // no caller's patience is that of all whose records these are
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect once committed
	insert := tx.StmtContext(ctx, t.insert)
	defer func() { _ = insert.Close() }() // the transaction's; the prepared one stays
	for i := range list {
		if _, err := insert.ExecContext(ctx, list[i].values(0)...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (t *sqliteTable) close() error { return errors.Join(t.settle(), t.release()) }

// release closes what is open.
func (t *sqliteTable) release() error {
	var faults []error
	if t.insert != nil {
		faults = append(faults, t.insert.Close())
	}
	for _, db := range []*sql.DB{t.reads, t.db} {
		if db != nil {
			faults = append(faults, db.Close())
		}
	}
	for _, j := range t.journals {
		if j != nil {
			faults = append(faults, j.file.Close())
		}
	}
	return errors.Join(faults...)
}

func (t *sqliteTable) read() (*sql.DB, func(string) string, error) {
	return t.reads, func(text string) string { return text }, t.settle()
}

func (t *sqliteTable) prune(ctx context.Context, before time.Time, limit int) (int64, error) {
	if err := t.settle(); err != nil {
		return 0, err
	}
	// The oldest are the first of the table: the file's pages are used again from there.
	result, err := t.db.ExecContext(ctx, "DELETE FROM audit WHERE at IN (SELECT at FROM audit WHERE at < ? ORDER BY at LIMIT ?)", before.UnixNano(), limit)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
