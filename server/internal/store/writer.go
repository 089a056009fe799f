package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/tuples"
)

// writer is the connection that writes, and where the next write begins. It belongs to the
// committer, which lends it to the writer whose turn it is.
//
// No statement of it is ever canceled: SQLite would roll back the whole transaction, and
// with it what other members of the group have written.
type writer struct {
	path     string
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
	words    map[word]int64 // numbers of relations
	fresh    []word         // those given by the open group
	broken   error          // why nothing can be written any more
	position
}

// position is where the next write begins.
type position struct {
	revision uint64    // the last one given
	at       time.Time // its time
	tuple    int64     // the next row's id
	words    int       // how many of fresh are in the words
	catalog  *catalog
}

// word is a relation of a definition or, without a name, a definition.
type word struct{ typ, name string }

const (
	sqlBegin     = "BEGIN IMMEDIATE"
	sqlCommit    = "COMMIT"
	sqlRollback  = "ROLLBACK"
	sqlSavepoint = "SAVEPOINT member"
	sqlBack      = "ROLLBACK TO member"
	sqlRelease   = "RELEASE member"
	sqlHead      = "SELECT coalesce(max(revision), 0) FROM revision"
)

// statement prepares a text once per connection.
func (w *writer) statement(text string) (*sql.Stmt, error) {
	if s, ok := w.prepared[text]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", text, err)
	}
	w.prepared[text] = s
	return s, nil
}

func (w *writer) exec(text string, args ...any) error {
	_, err := w.result(text, args...)
	return err
}

func (w *writer) result(text string, args ...any) (sql.Result, error) {
	s, err := w.statement(text)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

// begin opens a group's transaction.
func (w *writer) begin() error {
	if w.broken != nil {
		return w.broken
	}
	if err := w.exec(sqlBegin); err != nil {
		return &writeError{"begin", err}
	}
	w.fresh = w.fresh[:0]
	w.position.words = 0
	return nil
}

func (w *writer) commit() error { return w.exec(sqlCommit) }

// rollback undoes a group. What the disk has is looked at rather than believed: a commit
// that failed may have got there all the same.
func (w *writer) rollback(start position) error {
	_ = w.exec(sqlRollback) // fails when SQLite has rolled back by itself, which is as good
	start.words = 0
	w.back(start)
	var head uint64
	s, err := w.statement(sqlHead)
	if err == nil {
		err = s.QueryRowContext(context.Background()).Scan(&head)
	}
	switch {
	case err != nil:
		w.broken = &writeError{"read back after a failed commit; start the server again", err}
	case head != start.revision:
		w.broken = &writeError{"commit", fmt.Errorf("revision %d is in the file although its commit failed: start the server again", head)}
	}
	return w.broken
}

// back returns to an earlier position of the same group.
func (w *writer) back(to position) {
	for _, word := range w.fresh[to.words:] {
		delete(w.words, word)
	}
	w.fresh = w.fresh[:to.words]
	w.position = to
}

// number returns the number of a relation, giving it one when it has none.
func (w *writer) number(typ, name string) (int64, error) {
	key := word{typ, name}
	if id, ok := w.words[key]; ok {
		return id, nil
	}
	result, err := w.result("INSERT INTO relation_word (type, name) VALUES (?, ?)", typ, name)
	if err != nil {
		return 0, err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return 0, err
	}
	w.words[key] = id
	w.fresh = append(w.fresh, key)
	w.position.words = len(w.fresh)
	return id, nil
}

// now returns the time of the next revision, which is never before that of the last one.
func (w *writer) now() time.Time {
	now := time.Now().UTC().Truncate(tuples.Precision)
	if now.Before(w.at) {
		return w.at
	}
	return now
}

func (w *writer) close() error {
	var faults []error
	for _, s := range w.prepared {
		faults = append(faults, s.Close())
	}
	if w.conn != nil {
		faults = append(faults, w.conn.Close())
	}
	return errors.Join(faults...)
}

const (
	sqlInsertTuple = `INSERT INTO tuple (id, hash, relation, resource, kind, subject, created, expires, caveat, context, note)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlEndTuple = `UPDATE tuple SET deleted = ?
		WHERE hash = ? AND deleted IS NULL AND relation = ? AND resource = ? AND kind = ? AND subject = ?`
	sqlInsertRevision   = "INSERT INTO revision (revision, at, first_tuple, tuples, sum, metadata) VALUES (?, ?, ?, ?, ?, ?)"
	sqlInsertDefinition = "INSERT INTO definition (kind, name, created, body) VALUES (?, ?, ?, ?)"
	sqlEndDefinition    = "UPDATE definition SET deleted = ? WHERE kind = ? AND name = ? AND created = ?"
)

// startTuple writes the row of a tuple that a revision made.
func (w *writer) startTuple(r uint64, t *graph.Tuple) error {
	rel, kind, err := w.numbers(t)
	if err != nil {
		return err
	}
	var expires, caveat, context, note any
	if !t.Expires.IsZero() {
		expires = t.Expires.UnixMicro()
	}
	if t.Caveat != "" {
		caveat, context = t.Caveat, []byte(t.Context)
	}
	if t.Note != "" {
		note = []byte(t.Note)
	}
	err = w.exec(sqlInsertTuple, w.tuple, hashOf(t), rel, t.Resource.ID, kind, t.Subject.ID, int64(r), expires, caveat, context, note)
	w.tuple++
	return err
}

// endTuple ends the row of a tuple. There must be exactly one.
func (w *writer) endTuple(r uint64, t *graph.Tuple) error {
	rel, kind, err := w.numbers(t)
	if err != nil {
		return err
	}
	result, err := w.result(sqlEndTuple, int64(r), hashOf(t), rel, t.Resource.ID, kind, t.Subject.ID)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return &DamagedError{File: w.path, Table: "tuple", Why: fmt.Sprintf("there are %d live rows of %s, not one", n, t)}
	}
	return nil
}

func (w *writer) numbers(t *graph.Tuple) (rel, kind int64, err error) {
	if rel, err = w.number(t.Resource.Type, t.Relation); err != nil {
		return 0, 0, err
	}
	kind, err = w.number(t.Subject.Type, t.Subject.Relation)
	return rel, kind, err
}

// putDefinitions writes the rows by which two catalogs differ.
func (w *writer) putDefinitions(r uint64, was, is *catalog) error {
	return difference(was, is, func(was, is *entry) error {
		if was != nil {
			if err := w.exec(sqlEndDefinition, int64(r), int(was.kind), was.name, int64(was.written)); err != nil {
				return err
			}
		}
		if is == nil {
			return nil
		}
		body, err := is.body()
		if err != nil {
			return fmt.Errorf("encode definition %s: %w", is.name, err)
		}
		return w.exec(sqlInsertDefinition, int(is.kind), is.name, int64(is.written), body)
	})
}
