package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"

	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

// Config says where records of their own are.
type Config struct {
	Path string // the database's file; empty keeps it in memory, until Close
}

// own is a database that has nothing but records.
type own struct {
	write *sql.DB // one connection: SQLite takes one writer, and queueing here is fair
	read  *sql.DB // in memory the same as write
}

// Open opens a database that has nothing but records, makes it when there is none, and
// migrates it. It is for tests: a server keeps its records where its relations are.
func Open(ctx context.Context, config Config) (*Store, error) {
	db := &own{}
	var err error
	if db.write, err = sqlite.Open(config.Path, sqlite.Options{}); err != nil {
		return nil, err
	}
	db.read = db.write
	if err := sqlite.Migrate(ctx, db.write); err != nil {
		return nil, errors.Join(err, db.close())
	}
	if config.Path != "" {
		if db.read, err = sqlite.Open(config.Path, sqlite.Options{ReadOnly: true, Conns: runtime.GOMAXPROCS(0)}); err != nil {
			return nil, errors.Join(err, db.write.Close())
		}
	}
	return In(db), nil
}

func (d *own) close() error {
	if d.read == d.write {
		return d.write.Close()
	}
	return errors.Join(d.read.Close(), d.write.Close())
}

// Read returns the pool that reads.
func (d *own) Read() *sql.DB { return d.read }

// Write runs f in a transaction of the one connection that writes.
func (d *own) Write(ctx context.Context, f func(context.Context, Statements) error) error {
	tx, err := begin(ctx, d.write)
	if err != nil {
		return err
	}
	if err := f(ctx, newStatements(ctx, tx, asWritten)); err != nil {
		// A transaction that SQLite or a cancelled context has ended already cannot be
		// rolled back again, which is as good.
		if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			return errors.Join(err, fmt.Errorf("roll back: %w", rollback))
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// newStatements returns statements of a transaction, each prepared once: an import runs
// some thousands of times. They are closed with the transaction. dialect puts texts into
// the database's own words.
func newStatements(ctx context.Context, tx *sql.Tx, dialect func(string) string) Statements {
	prepared := make(map[string]*sql.Stmt)
	return prepare(func(text string) (*sql.Stmt, error) {
		if s, ok := prepared[text]; ok {
			return s, nil
		}
		s, err := tx.PrepareContext(ctx, dialect(text))
		if err != nil {
			return nil, fmt.Errorf("prepare %q: %w", text, err)
		}
		prepared[text] = s
		return s, nil
	})
}

// asWritten is the dialect in which this package writes: SQLite's.
func asWritten(text string) string { return text }

type prepare func(text string) (*sql.Stmt, error)

// Statement returns the statement of a text.
func (p prepare) Statement(text string) (*sql.Stmt, error) { return p(text) }
