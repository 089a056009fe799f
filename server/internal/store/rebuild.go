package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// prepare returns the state of a revision, from memory or from the file, to stay until ctx
// is done. It is graph.ErrTooOld that the file no longer has it.
func (s *Store) prepare(ctx context.Context, r uint64) (*pastState, error) {
	p := s.past
	if state, ok := p.use(ctx, r); ok {
		return state, nil
	}
	if snapshot, err := s.graph.At(r); err == nil {
		c := s.at(r)
		if s.graph.Oldest() <= r { // else the definitions may be younger
			return p.add(ctx, r, &pastState{snapshot: snapshot, catalog: c}), nil
		}
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-s.stop:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, goneError(ctx)
	}
	if state, ok := p.use(ctx, r); ok { // somebody has loaded it meanwhile
		return state, nil
	}
	begun := time.Now()
	state, err := s.rebuild(ctx, r)
	took := time.Since(begun)
	if err != nil {
		if !errors.Is(err, graph.ErrTooOld) {
			p.log.WarnContext(ctx, "state of an old revision not rebuilt", "revision", r, "took", took.Round(time.Millisecond), "error", err)
		}
		return nil, err
	}
	p.took.Observe(took.Seconds())
	p.log.InfoContext(ctx, "state of an old revision rebuilt", "revision", r, "at", state.snapshot.At(),
		"relationships", state.snapshot.Tuples(), "took", took.Round(time.Millisecond))
	return p.add(ctx, r, state), nil
}

// rebuild loads the state of a revision from the file, and holds it against the checksum
// that the revision left.
func (s *Store) rebuild(ctx context.Context, r uint64) (*pastState, error) {
	wanted, err := headOf(ctx, s.read, r)
	if err != nil {
		return nil, err
	}
	if err := s.past.room(ctx, wanted.tuples); err != nil {
		return nil, err
	}
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return nil, readError(ctx, "read an old revision", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	// Read again: a sweep may have removed it meanwhile, and then what lived at it as well.
	b := rebuilder{s: s, tx: tx}
	if b.head, err = headOf(ctx, tx, r); err != nil {
		return nil, err
	}
	state := &pastState{loaded: true}
	if state.catalog, err = b.definitions(ctx); err == nil {
		state.snapshot, err = b.load(ctx)
	}
	if err != nil && ctx.Err() != nil {
		return nil, goneError(ctx)
	}
	return state, err
}

// headOf returns what a revision says of itself.
func headOf(ctx context.Context, from interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, r uint64,
) (head, error) {
	h := head{revision: r}
	var at, sum int64
	err := from.QueryRowContext(ctx, "SELECT at, tuples, sum FROM revision WHERE revision = ?", int64(r)).Scan(&at, &h.tuples, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return h, graph.ErrTooOld
	}
	if err != nil {
		return h, readError(ctx, "read an old revision", err)
	}
	h.at, h.sum = time.UnixMicro(at).UTC(), uint64(sum)
	return h, nil
}

// rebuilder loads one revision in one transaction of the file.
type rebuilder struct {
	s  *Store
	tx *sql.Tx
	head
}

// definitions returns the definitions of the revision.
func (b *rebuilder) definitions(ctx context.Context) (*catalog, error) {
	rows, err := b.tx.QueryContext(ctx, `SELECT kind, name, created, body FROM definition
		WHERE created <= ?1 AND (deleted IS NULL OR deleted > ?1)`, int64(b.revision))
	if err != nil {
		return nil, b.s.unreadable("definition", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	c := &catalog{}
	for rows.Next() {
		var (
			k       kind
			name    string
			created uint64
			body    []byte
		)
		if err := rows.Scan(&k, &name, &created, &body); err != nil {
			return nil, b.s.unreadable("definition", err)
		}
		e, err := newEntry(k, name, created, body)
		if err != nil {
			return nil, b.s.damaged("definition", "%q of revision %d: %v", name, created, err)
		}
		c.put(e)
	}
	if err := rows.Err(); err != nil {
		return nil, b.s.unreadable("definition", err)
	}
	return c, nil
}

// load loads a graph of its own with what lived at the revision.
func (b *rebuilder) load(ctx context.Context) (*graph.Snapshot, error) {
	words, err := b.words(ctx)
	if err != nil {
		return nil, err
	}
	g, err := graph.New(graph.Config{})
	if err != nil {
		return nil, err
	}
	loader, err := g.NewLoader()
	if err != nil {
		return nil, err
	}
	defer loader.Drop()
	rows, err := b.tx.QueryContext(ctx, `SELECT id, hash, relation, resource, kind, subject, created, expires, caveat, context, note
		FROM tuple NOT INDEXED WHERE created <= ?1 AND (deleted IS NULL OR deleted > ?1)`, int64(b.revision))
	if err != nil {
		return nil, b.s.unreadable("tuple", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	var (
		row     tupleRow
		targets = row.targets()
		t       graph.Tuple
	)
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, b.s.unreadable("tuple", err)
		}
		if err := row.tuple(&t, words, b.revision); err != nil {
			return nil, b.s.damaged("tuple", "row %d: %v", row.id, err)
		}
		if err := loader.Add(&t); err != nil {
			return nil, b.s.damaged("tuple", "row %d: %v", row.id, err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, b.s.unreadable("tuple", err)
	}
	snapshot, err := loader.Finish(b.revision, b.at)
	if err != nil {
		return nil, b.s.unreadable("tuple", err)
	}
	if snapshot.Tuples() != b.tuples || snapshot.Sum() != b.sum {
		return nil, b.s.damaged("tuple", "it has %d rows live at revision %d with checksum %x; that revision left %d with checksum %x",
			snapshot.Tuples(), b.revision, snapshot.Sum(), b.tuples, b.sum)
	}
	return snapshot, nil
}

// words returns the relations by number.
func (b *rebuilder) words(ctx context.Context) (map[int64]word, error) {
	rows, err := b.tx.QueryContext(ctx, "SELECT id, type, name FROM relation_word")
	if err != nil {
		return nil, b.s.unreadable("relation_word", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	words := make(map[int64]word)
	for rows.Next() {
		var (
			id int64
			w  word
		)
		if err := rows.Scan(&id, &w.typ, &w.name); err != nil {
			return nil, b.s.unreadable("relation_word", err)
		}
		words[id] = w
	}
	if err := rows.Err(); err != nil {
		return nil, b.s.unreadable("relation_word", err)
	}
	return words, nil
}
