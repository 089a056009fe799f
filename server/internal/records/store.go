package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Database is where records lie, together with whatever else is in it.
type Database interface {
	// Write runs f in a transaction and commits what it wrote, or nothing when f fails.
	// What f does in other parts of the database with the context that it is given is part
	// of the transaction.
	Write(ctx context.Context, f func(context.Context, Statements) error) error
	// Read returns a pool of connections for transactions that only read.
	Read() *sql.DB
}

// Statements gives prepared statements of one transaction. They are not for the caller to
// close.
type Statements interface {
	Statement(text string) (*sql.Stmt, error)
}

// Translator is a Database that is not SQLite. It has the texts of this package put into
// its own words, which its Statements do themselves.
type Translator interface {
	Dialect(text string) string
}

// Recorder is Statements that are told what was executed, to do it again.
type Recorder interface {
	Executed(text string, args []any) error
}

// Deferrer is Statements that execute some later than they are told to: before any other is
// prepared or executed, and at the end. A database in another process is then sent many at
// once.
type Deferrer interface {
	// Defer takes a statement of whose effect nobody asks.
	Defer(text string, args []any) error
	// Flush executes what was deferred.
	Flush(ctx context.Context) error
}

// Store is the records of a database. It is safe for concurrent use.
type Store struct{ db Database }

// In returns the records of a database that is migrated.
func In(db Database) *Store { return &Store{db} }

// Close closes the database if Open has opened it. What is in memory only is gone.
func (s *Store) Close() error {
	if own, ok := s.db.(*own); ok {
		return own.close()
	}
	return nil
}

// Write runs f in a transaction and commits what it wrote, or nothing when f fails. f must
// use the context that it is given.
func (s *Store) Write(ctx context.Context, f func(context.Context, *Tx) error) error {
	return s.db.Write(ctx, func(ctx context.Context, statements Statements) error {
		err := f(ctx, &Tx{statements})
		if d, ok := statements.(Deferrer); ok && err == nil {
			err = d.Flush(ctx)
		}
		return s.explain(ctx, err)
	})
}

// Read runs f in a transaction that sees one state. What f writes is refused or lost.
func (s *Store) Read(ctx context.Context, f func(*Tx) error) error {
	tx, err := begin(ctx, s.db.Read())
	if err != nil {
		return err
	}
	dialect := asWritten
	if other, ok := s.db.(Translator); ok {
		dialect = other.Dialect
	}
	err = f(&Tx{newStatements(ctx, tx, dialect)})
	if rollback := tx.Rollback(); err == nil && rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
		return s.explain(ctx, fmt.Errorf("end a read of the records: %w", rollback))
	}
	return s.explain(ctx, err)
}

func begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fault.New(fault.Unavailable, fault.ReasonUnavailable, "the records cannot be reached now").
			Because(fmt.Errorf("begin a transaction: %w", err))
	}
	return tx, nil
}

// Tx is a transaction. It is for one goroutine and ends with the function it was given to.
type Tx struct{ statements Statements }

func (t *Tx) exec(ctx context.Context, text string, args ...any) error {
	if d, ok := t.statements.(Deferrer); ok {
		if err := storable(args); err != nil {
			return err
		}
		return d.Defer(text, args)
	}
	_, err := t.result(ctx, text, args...)
	return err
}

func (t *Tx) result(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if err := storable(args); err != nil {
		return nil, err
	}
	s, err := t.statements.Statement(text)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, args...)
	if recorder, ok := t.statements.(Recorder); ok && err == nil {
		err = recorder.Executed(text, args)
	}
	return result, err
}

// each runs a query and calls f for each row. Rows are read to their end or closed.
func (t *Tx) each(ctx context.Context, f func(scan func(...any) error) error, text string, args ...any) error {
	if err := storable(args); err != nil {
		return err
	}
	s, err := t.statements.Statement(text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// storable refuses texts with a NUL character, which Postgres does not take, on SQLite too:
// what one keeps the other could not be given. The doors name the field; this is what is left.
func storable(args []any) error {
	for _, a := range args {
		text, ok := a.(string)
		if v, is := a.(sql.NullString); is {
			text, ok = v.String, v.Valid
		}
		if ok && strings.IndexByte(text, 0) >= 0 {
			return fault.New(fault.Invalid, fault.ReasonInvalidArgument, "%q has a NUL character, which cannot be kept", text)
		}
	}
	return nil
}
