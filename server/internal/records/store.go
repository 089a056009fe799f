package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"

	_ "modernc.org/sqlite" // the driver named below

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Config says where the records are.
type Config struct {
	Path string // the database's file; empty keeps it in memory, until Close
}

// Store is a records database. It is safe for concurrent use.
type Store struct {
	write *sql.DB // one connection: SQLite takes one writer, and queueing here is fair
	read  *sql.DB // in memory the same as write
}

// Open opens the database, makes it when there is none, and migrates it.
func Open(ctx context.Context, config Config) (*Store, error) {
	s := &Store{}
	var err error
	if s.write, err = connect(config.Path, "immediate", 1); err != nil {
		return nil, err
	}
	s.read = s.write
	if err := migrate(ctx, s.write); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if config.Path != "" {
		if s.read, err = connect(config.Path, "deferred", runtime.GOMAXPROCS(0)); err != nil {
			return nil, errors.Join(err, s.write.Close())
		}
	}
	return s, nil
}

// connect opens a pool of at most n connections, whose transactions take the database's
// lock immediately, if they are going to write, or when they need it. A database in memory belongs to its one
// connection, which therefore must never be given up while idle: no limit of age is set.
func connect(path, lock string, n int) (*sql.DB, error) {
	name := "file::memory:"
	options := url.Values{
		"_txlock":       {lock},
		"_foreign_keys": {"true"},
		"_busy_timeout": {"10000"},
		"_dqs":          {"false"},
		"_pragma":       {"cache_size(-65536)", "temp_store(memory)"},
	}
	if path != "" {
		name = (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()
		options.Set("_journal_mode", "WAL")
		options.Set("_synchronous", "FULL")
	}
	db, err := sql.Open("sqlite", name+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open records %q: %w", path, err)
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// Close closes the database. What is in memory only is gone.
func (s *Store) Close() error {
	if s.read == s.write {
		return s.write.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// Write runs f in a transaction and commits what it wrote, or nothing when f fails.
func (s *Store) Write(ctx context.Context, f func(*Tx) error) error {
	return run(ctx, s.write, nil, f)
}

// Read runs f in a transaction that sees one state. What f writes is lost.
func (s *Store) Read(ctx context.Context, f func(*Tx) error) error {
	return run(ctx, s.read, errReadOnly, f)
}

// errReadOnly ends the transaction of a Read, and is not an error of it.
var errReadOnly = errors.New("only read")

func run(ctx context.Context, db *sql.DB, end error, f func(*Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the records cannot be reached now").
			Because(fmt.Errorf("begin a transaction: %w", err))
	}
	t := &Tx{tx: tx, prepared: make(map[string]*sql.Stmt)}
	if err = f(t); err == nil {
		err = end
	}
	if err != nil {
		// A transaction that SQLite or a cancelled context has ended already cannot be
		// rolled back again, which is as good.
		if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) && !errors.Is(err, end) {
			return errors.Join(err, fmt.Errorf("roll back: %w", rollback))
		}
		if end != nil && errors.Is(err, end) {
			return nil
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Tx is a transaction. It is for one goroutine and ends with the function it was given to.
type Tx struct {
	tx       *sql.Tx
	prepared map[string]*sql.Stmt // closed with the transaction
}

// statement prepares a text once per transaction: an import runs each thousands of times.
func (t *Tx) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := t.prepared[text]; ok {
		return s, nil
	}
	s, err := t.tx.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", text, err)
	}
	t.prepared[text] = s
	return s, nil
}

func (t *Tx) exec(ctx context.Context, text string, args ...any) error {
	s, err := t.statement(ctx, text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx, args...)
	return err
}

// each runs a query and calls f for each row. Rows are read to their end or closed.
func (t *Tx) each(ctx context.Context, f func(scan func(...any) error) error, text string, args ...any) error {
	s, err := t.statement(ctx, text)
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
