package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

// DamagedError is returned when the file says something that cannot be. Nothing is repaired.
type DamagedError struct {
	File  string
	Table string // empty when it is not known
	Page  int64  // of the file, from 1, when one is not what was written there; else 0
	Why   string
	cause error
}

// Error names file, table and page.
func (e *DamagedError) Error() string {
	var where string
	if e.Table != "" {
		where = " in table " + e.Table
	}
	if e.Page != 0 {
		where += fmt.Sprintf(": page %d is not what was written there", e.Page)
	}
	return fmt.Sprintf("the database %s is damaged%s: %s", e.File, where, e.Why)
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.cause }

// damaged says that the file says what cannot be.
func (s *Store) damaged(table, why string, args ...any) error {
	return &DamagedError{File: s.cfg.Path, Table: table, Why: fmt.Sprintf(why, args...)}
}

// unreadable says that a table cannot be read: what is in it cannot be, or its pages are
// broken.
func (s *Store) unreadable(table string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	d := &DamagedError{File: s.cfg.Path, Table: table, Why: err.Error(), cause: err}
	if sqlite.IsBroken(err) {
		d.Page = brokenPage(s.cfg.Path)
	}
	return d
}

// damage makes a *DamagedError of an error that says that a file is broken, and looks for
// where. Other errors stay what they are.
func damage(ctx context.Context, path string, err error) error {
	if _, ok := errors.AsType[*DamagedError](err); ok || !sqlite.IsBroken(err) {
		return err
	}
	return &DamagedError{File: path, Table: brokenTable(ctx, path), Page: brokenPage(path), Why: err.Error(), cause: err}
}

// Explain says of an error of a statement on the store's pool what it is: a *DamagedError
// when the file is broken, else the error itself.
func (s *Store) Explain(ctx context.Context, err error) error {
	return damage(context.WithoutCancel(ctx), s.cfg.Path, err)
}

// brokenPage returns the first page that is not what was written, 0 when none is found.
func brokenPage(path string) int64 {
	number, err := sqlite.BrokenPage(path)
	if err != nil {
		return 0 // it was to say more about an error that is there already
	}
	return number
}

// schemaTable names the table that names the others. It also stands for pages that are no
// table's.
const schemaTable = "sqlite_schema"

// brokenTable returns the table whose pages, or whose indexes', are broken.
func brokenTable(ctx context.Context, path string) string {
	db, err := sqlite.Inspect(path)
	if err != nil {
		return schemaTable
	}
	defer func() { _ = db.Close() }() // it only read
	tables, err := tableNames(ctx, db)
	if err != nil {
		return schemaTable
	}
	for _, name := range tables {
		if wrong(ctx, db, "quick_check", name) != "" {
			return name
		}
	}
	return schemaTable
}

func tableNames(ctx context.Context, db *sql.DB) (all []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

// questioned is what can be asked.
type questioned interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// wrong returns what one of SQLite's checks says against a table, or against all of the file
// when none is named; empty when it says nothing.
func wrong(ctx context.Context, db questioned, check, table string) (why string) {
	of := "1"
	if table != "" {
		of = `"` + strings.ReplaceAll(table, `"`, `""`) + `"`
	}
	err := db.QueryRowContext(ctx, "PRAGMA "+check+"("+of+")").Scan(&why)
	switch {
	case err != nil:
		return err.Error()
	case why == "ok":
		return ""
	}
	return why
}

// check lets SQLite look at every page of the file, and returns a *DamagedError for what it
// finds.
func (s *Store) check(ctx context.Context, db questioned, check string) error {
	why := wrong(ctx, db, check, "")
	if why == "" {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return &DamagedError{File: s.cfg.Path, Table: brokenTable(ctx, s.cfg.Path), Page: brokenPage(s.cfg.Path), Why: why}
}
