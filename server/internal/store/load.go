package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// head is what a row of the table revision says.
type head struct {
	revision uint64
	at       time.Time
	tuples   int
	sum      uint64
}

// load fills the graph, the definitions and the writer's position from the file, and holds
// what it reads against the checksum of the newest revision.
func (s *Store) load(ctx context.Context) error {
	if err := s.check(ctx, s.w.conn, "quick_check"); err != nil {
		return err
	}
	head, err := s.loadHead(ctx)
	if err != nil {
		return err
	}
	live := s.live()
	words, err := live.words(ctx)
	if err != nil {
		return err
	}
	for id, word := range words {
		s.w.words[word] = id
	}
	c, err := live.definitions(ctx)
	if err != nil {
		return err
	}
	last, err := s.lastTuple(ctx)
	if err != nil {
		return err
	}
	if _, err := live.load(ctx, s.graph, words, head, s.cfg.Progress); err != nil {
		return err
	}
	s.catalogs.Store(&[]dated{{head.revision, c}})
	s.w.position = position{revision: head.revision, at: head.at, tuple: last + 1, catalog: c}
	return nil
}

func (s *Store) loadHead(ctx context.Context) (head, error) {
	var (
		h       head
		at, sum int64
	)
	err := s.w.conn.QueryRowContext(ctx, "SELECT revision, at, tuples, sum FROM revision ORDER BY revision DESC LIMIT 1").
		Scan(&h.revision, &at, &h.tuples, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return h, s.damaged("revision", "it is empty")
	}
	if err != nil {
		return h, s.unreadable("revision", err)
	}
	h.at, h.sum = time.UnixMicro(at).UTC(), uint64(sum)
	return h, nil
}

// lastTuple returns the greatest id that a row ever had.
func (s *Store) lastTuple(ctx context.Context) (id int64, err error) {
	err = s.w.conn.QueryRowContext(ctx, `SELECT max(coalesce((SELECT max(id) FROM tuple), 0),
		(SELECT first_tuple - 1 FROM revision ORDER BY revision DESC LIMIT 1))`).Scan(&id)
	if err != nil {
		return 0, s.unreadable("tuple", err)
	}
	return id, nil
}
