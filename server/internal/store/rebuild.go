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
		if c, ok := s.definitions(r); ok {
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
	if wanted, err = headOf(ctx, tx, r); err != nil {
		return nil, err
	}
	state, err := s.livedAt(tx, r).state(ctx, wanted)
	if err != nil && ctx.Err() != nil {
		return nil, goneError(ctx)
	}
	return state, err
}

// state loads definitions and a graph of its own.
func (r rowReader) state(ctx context.Context, h head) (*pastState, error) {
	c, err := r.definitions(ctx)
	if err != nil {
		return nil, err
	}
	words, err := r.words(ctx)
	if err != nil {
		return nil, err
	}
	g, err := graph.New(graph.Config{})
	if err != nil {
		return nil, err
	}
	snapshot, err := r.load(ctx, g, words, h, func(int, int) {})
	if err != nil {
		return nil, err
	}
	return &pastState{snapshot: snapshot, catalog: c, loaded: true}, nil
}

// headOf returns what a revision says of itself.
func headOf(ctx context.Context, from questioned, r uint64) (head, error) {
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
