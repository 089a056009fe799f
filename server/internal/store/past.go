package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Past makes ready the state of a revision or, when that is nil, of the last revision at or
// before a time, and returns the moment by which SnapshotReader reads it until ctx is done.
// Expiry is judged at that time, or when the revision was made. A state that memory no
// longer has is loaded from the file: one at a time, and only for those who may ask for old
// ones. It returns a *relation.PastError when there is no such state, or not any more.
func (s *Store) Past(ctx context.Context, of datastore.Revision, at time.Time, old bool) (datastore.RevisionWithSchemaHash, error) {
	if err := s.running(); err != nil {
		return datastore.RevisionWithSchemaHash{}, err
	}
	q := question{s: s, now: time.Now(), old: old}
	var (
		m   moment
		err error
	)
	if of != nil {
		m, err = q.ofRevision(ctx, of)
	} else {
		m, err = q.atTime(ctx, at)
	}
	if err != nil {
		return datastore.RevisionWithSchemaHash{}, err
	}
	// The head can always be told, however long ago it was made.
	if now := of != nil && uint64(m.revision) == s.graph.Head().Revision(); !now && q.beyond(m.Instant()) {
		return datastore.RevisionWithSchemaHash{}, q.refuse(ctx, relation.PastForgotten)
	}
	state, err := s.prepare(ctx, uint64(m.revision))
	if errors.Is(err, graph.ErrTooOld) {
		err = q.refuse(ctx, relation.PastForgotten)
	}
	if err != nil {
		return datastore.RevisionWithSchemaHash{}, err
	}
	return datastore.RevisionWithSchemaHash{Revision: m, SchemaHash: state.catalog.hash()}, nil
}

// Remembers reports whether memory has a revision, so that it can be read without Past.
func (s *Store) Remembers(r datastore.Revision) bool {
	_, err := s.snapshot(r)
	return err == nil
}

// question is a question about the past.
type question struct {
	s   *Store
	now time.Time // when it was asked
	old bool
}

// beyond reports whether an instant lies before what is kept.
func (q question) beyond(at time.Time) bool {
	return q.s.cfg.History > 0 && at.Before(q.now.Add(-q.s.cfg.History))
}

// recent refuses an instant that lies too far back for who asks.
func (q question) recent(ctx context.Context, at time.Time) error {
	if !q.old && at.Before(q.now.Add(-q.s.cfg.Memory)) {
		return q.refuse(ctx, relation.PastGuarded)
	}
	return nil
}

// ofRevision returns the moment at which a revision was made.
func (q question) ofRevision(ctx context.Context, r datastore.Revision) (moment, error) {
	n, ok := numberOf(r)
	if !ok || n == 0 || n > q.s.graph.Head().Revision() {
		return moment{}, q.refuse(ctx, relation.PastUnknown)
	}
	if m, ok := r.(moment); ok {
		if m.Instant().After(q.now) {
			return moment{}, q.refuse(ctx, relation.PastAhead)
		}
		if !q.old && !q.s.Remembers(m.revision) {
			return moment{}, q.refuse(ctx, relation.PastGuarded)
		}
		return m, q.recent(ctx, m.Instant())
	}
	if snapshot, err := q.s.graph.At(n); err == nil {
		m := moment{revision(n), snapshot.At().UnixMicro()}
		return m, q.recent(ctx, m.Instant())
	}
	if !q.old {
		return moment{}, q.refuse(ctx, relation.PastGuarded)
	}
	m := moment{revision: revision(n)}
	err := q.s.read.QueryRowContext(ctx, "SELECT at FROM revision WHERE revision = ?", int64(n)).Scan(&m.at)
	if errors.Is(err, sql.ErrNoRows) {
		return moment{}, q.refuse(ctx, relation.PastForgotten)
	}
	if err != nil {
		return moment{}, readError(ctx, "look for the revision's time", err)
	}
	return m, nil
}

// atTime returns the moment of the last revision at or before a time.
func (q question) atTime(ctx context.Context, at time.Time) (moment, error) {
	if at.After(q.now) {
		return moment{}, q.refuse(ctx, relation.PastAhead)
	}
	if err := q.recent(ctx, at); err != nil {
		return moment{}, err
	}
	m := moment{at: at.UnixMicro()}
	head := q.s.graph.Head()
	if m.at >= head.At().UnixMicro() {
		// A writer whose revision will have that time, or an earlier one, may be under way.
		// Once a later one has come back, all such are published.
		if _, err := q.s.Write(ctx, func(context.Context, *Tx) error { return nil }); err != nil {
			return moment{}, err
		}
		head = q.s.graph.Head()
	}
	if m.at >= head.At().UnixMicro() {
		m.revision = revision(head.Revision())
		return m, nil
	}
	n, err := q.s.lastAt(ctx, m.at, head.Revision())
	if err != nil {
		return moment{}, err
	}
	if n == 0 {
		return moment{}, q.refuse(ctx, relation.PastForgotten)
	}
	if !q.old && !q.s.Remembers(revision(n)) {
		return moment{}, q.refuse(ctx, relation.PastGuarded)
	}
	m.revision = revision(n)
	return m, nil
}

// lastAt returns the last revision at or before a time, up to head, or 0. Times never
// decrease from one revision to the next, so it halves what is left.
func (s *Store) lastAt(ctx context.Context, at int64, head uint64) (uint64, error) {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return 0, readError(ctx, "look for a time's revision", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	var oldest uint64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(min(revision), 0) FROM revision").Scan(&oldest); err != nil {
		return 0, readError(ctx, "look for a time's revision", err)
	}
	next, err := tx.PrepareContext(ctx, "SELECT revision, at FROM revision WHERE revision >= ? ORDER BY revision LIMIT 1")
	if err != nil {
		return 0, readError(ctx, "look for a time's revision", err)
	}
	defer func() { _ = next.Close() }() // it goes with its transaction
	var found uint64
	for low, high := oldest, head+1; low < high; { // the answer is found, or in [low, high)
		var (
			middle = low + (high-low)/2
			r      uint64
			made   int64
		)
		err := next.QueryRowContext(ctx, int64(middle)).Scan(&r, &made)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			high = middle
		case err != nil:
			return 0, readError(ctx, "look for a time's revision", err)
		case r < high && made <= at:
			found, low = r, r+1
		default:
			high = middle
		}
	}
	return found, nil
}

// refuse returns the error that says what can be asked instead.
func (q question) refuse(ctx context.Context, f relation.PastFault) error {
	e := &relation.PastError{Fault: f, Memory: q.s.cfg.Memory}
	if f != relation.PastForgotten {
		return e
	}
	var (
		oldest revision
		made   int64
	)
	err := q.s.read.QueryRowContext(ctx, "SELECT revision, at FROM revision ORDER BY revision LIMIT 1").Scan(&oldest, &made)
	if err != nil {
		return readError(ctx, "look for the oldest revision", err)
	}
	e.Oldest = time.UnixMicro(made).UTC()
	if q.s.cfg.History > 0 {
		if limit := q.now.Add(-q.s.cfg.History).UTC(); limit.After(e.Oldest) {
			e.Oldest = limit
		}
	}
	// The first revision that can be named is the first made since.
	err = q.s.read.QueryRowContext(ctx, "SELECT revision FROM revision WHERE at >= ? ORDER BY revision LIMIT 1", e.Oldest.UnixMicro()).Scan(&oldest)
	if err == nil {
		e.OldestRevision = oldest.String()
	} else if !errors.Is(err, sql.ErrNoRows) {
		return readError(ctx, "look for the oldest revision", err)
	}
	return e
}

// readError is an error of the file while something was read.
func readError(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return goneError(ctx)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
