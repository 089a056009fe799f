package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

// Verified is what a file that holds together has.
type Verified struct {
	ID            string // the store's unique id
	Revision      uint64 // the newest
	Revisions     int    // how many were compared with their checksums
	Relationships int    // live at the newest
	Sealed        bool   // its pages have checksums, which were compared
}

// Hold takes a data directory as Open does, so that no other process opens it meanwhile.
func Hold(dir string) (release func() error, err error) {
	l, err := takeLock(dir, "")
	if err != nil {
		return nil, err
	}
	return l.release, nil
}

// Verify reads a whole file, the data directory's own or a copy, and returns a *DamagedError
// for the first thing in it that cannot be. It rebuilds the graph from the rows and compares
// it with the checksum of the newest revision, and so each older revision that the file has.
// It changes nothing. also, when it is not nil, looks at rows of other packages in the same
// state, with the graph beside it.
func Verify(ctx context.Context, path string, progress func(done, total int), also func(*sql.Tx, *graph.Snapshot) error) (_ Verified, err error) {
	c, err := Config{Path: path, Progress: progress}.withDefaults()
	if err != nil {
		return Verified{}, err
	}
	if _, err := os.Stat(path); err != nil {
		return Verified{}, err
	}
	db, err := sqlite.Inspect(path)
	if err != nil {
		return Verified{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &Store{cfg: c, w: writer{path: path, words: make(map[word]int64)}}
	if err := sqlite.CheckVersion(ctx, db); err != nil {
		if sqlite.IsBroken(err) {
			return Verified{}, damage(ctx, path, err)
		}
		return Verified{}, s.damaged("", "%v", err)
	}
	if s.graph, err = graph.New(graph.Config{}); err != nil {
		return Verified{}, err
	}
	if err := s.verifyLive(ctx, db); err != nil {
		return Verified{}, err
	}
	sealed, err := sqlite.Sealed(ctx, db)
	if err != nil {
		return Verified{}, s.unreadable("", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return Verified{}, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	revisions, err := s.verifyHistory(ctx, tx)
	if err != nil {
		return Verified{}, err
	}
	head := s.graph.Head()
	if also != nil {
		if err := also(tx, head); err != nil {
			return Verified{}, err
		}
	}
	return Verified{ID: s.id, Revision: head.Revision(), Revisions: revisions, Relationships: head.Tuples(), Sealed: sealed}, nil
}

// CheckFile reads a whole database that is no store's, and returns a *DamagedError for the
// first page or index in it that cannot be. It changes nothing.
func CheckFile(ctx context.Context, path string) (err error) {
	db, err := sqlite.Inspect(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &Store{cfg: Config{Path: path}}
	return s.check(ctx, db, "integrity_check")
}

// verifyLive loads what is live as Open does, which compares it with its checksum.
func (s *Store) verifyLive(ctx context.Context, db *sql.DB) (err error) {
	if s.w.conn, err = db.Conn(ctx); err != nil {
		return s.unreadable("", err)
	}
	defer func() { _ = s.w.conn.Close() }() // it goes back to its pool
	// More than Open's quick check: indexes are compared with their tables too.
	if err := s.check(ctx, s.w.conn, "integrity_check"); err != nil {
		return err
	}
	if err := s.verifyReferences(ctx); err != nil {
		return err
	}
	if err := s.w.conn.QueryRowContext(ctx, "SELECT value FROM store WHERE name = ?", keyID).Scan(&s.id); err != nil {
		return s.damaged("store", "it has no unique id: %v", err)
	}
	return s.load(ctx)
}

// verifyReferences looks for rows that name one that is not there.
func (s *Store) verifyReferences(ctx context.Context) error {
	var (
		table, parent string
		row           sql.NullInt64
	)
	err := s.w.conn.QueryRowContext(ctx, `SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 1`).Scan(&table, &row, &parent)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return s.unreadable("", err)
	}
	return s.damaged(table, "a row names one of table %s that is not there", parent)
}

// step is by what one revision changed the live tuples.
type step struct {
	tuples int
	sum    uint64
}

// verifyHistory compares each revision's checksum with the tuples that lived at it, and
// returns how many revisions there are.
func (s *Store) verifyHistory(ctx context.Context, tx *sql.Tx) (n int, err error) {
	var oldest uint64
	if err := tx.QueryRowContext(ctx, "SELECT min(revision) FROM revision").Scan(&oldest); err != nil {
		return 0, s.unreadable("revision", err)
	}
	steps, err := s.steps(ctx, tx, oldest)
	if err != nil {
		return 0, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT revision, at, tuples, sum FROM revision ORDER BY revision")
	if err != nil {
		return 0, s.unreadable("revision", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	var (
		sum  step
		last int64
	)
	for ; rows.Next(); n++ {
		var (
			r        uint64
			at, said int64
			tuples   int
		)
		if err := rows.Scan(&r, &at, &tuples, &said); err != nil {
			return n, s.unreadable("revision", err)
		}
		change := steps[r]
		delete(steps, r)
		sum.tuples += change.tuples
		sum.sum += change.sum
		if sum.tuples != tuples || sum.sum != uint64(said) {
			return n, s.damaged("tuple", "it has %d rows live at revision %d with checksum %x; that revision left %d with checksum %x",
				sum.tuples, r, sum.sum, tuples, uint64(said))
		}
		if at < last {
			return n, s.damaged("revision", "revision %d is older than the one before it", r)
		}
		last = at
	}
	if err := rows.Err(); err != nil {
		return n, s.unreadable("revision", err)
	}
	for r := range steps {
		return n, s.damaged("revision", "rows of table tuple name revision %d, which it lacks", r)
	}
	return n, nil
}

// steps returns what each revision changed. All before the oldest is the oldest's.
func (s *Store) steps(ctx context.Context, tx *sql.Tx, oldest uint64) (map[uint64]step, error) {
	all := rowReader{s: s, from: tx}
	words, err := all.words(ctx)
	if err != nil {
		return nil, err
	}
	var (
		row     tupleRow
		deleted sql.NullInt64
		t       graph.Tuple
		head    = s.graph.Head().Revision()
		steps   = make(map[uint64]step)
	)
	add := func(r uint64, tuples int, sum uint64) {
		r = max(r, oldest)
		was := steps[r]
		if is := (step{was.tuples + tuples, was.sum + sum}); is != (step{}) {
			steps[r] = is
		} else {
			delete(steps, r)
		}
	}
	return steps, all.each(ctx, "tuple", "SELECT "+tupleColumns+", deleted FROM tuple NOT INDEXED", nil, append(row.targets(), &deleted), func() error {
		if err := row.tuple(&t, words, head); err != nil {
			return s.damaged("tuple", "row %d: %v", row.id, err)
		}
		if deleted.Valid && (deleted.Int64 < row.created || uint64(deleted.Int64) > head) {
			return s.damaged("tuple", "row %d: it was made by revision %d and ended by %d, and the newest is %d", row.id, row.created, deleted.Int64, head)
		}
		sum := graph.Sum(&t)
		add(uint64(row.created), 1, sum)
		if deleted.Valid {
			add(uint64(deleted.Int64), -1, -sum)
		}
		return nil
	})
}
