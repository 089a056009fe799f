package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// sweepStep is how many rows one step of a sweep removes, so that no writer waits long.
const sweepStep = 1000

// sweepLoop removes what is too old or has expired from memory and from the file, now and then.
func (s *Store) sweepLoop() {
	old, expired := time.NewTicker(s.cfg.Sweep), time.NewTicker(expireEvery)
	defer old.Stop()
	defer expired.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		select {
		case <-old.C:
			if err := s.sweep(ctx, time.Now()); err != nil && !errors.Is(err, ErrClosed) {
				s.cfg.Logger.ErrorContext(ctx, "history not trimmed", "error", err)
			}
		case <-expired.C:
			if err := s.expire(ctx, time.Now()); err != nil && !errors.Is(err, ErrClosed) {
				s.cfg.Logger.ErrorContext(ctx, "expired relationships not removed", "error", err)
			}
		case <-s.stop:
			return
		}
	}
}

// sweep removes what is too old at an instant.
func (s *Store) sweep(ctx context.Context, now time.Time) error {
	s.publishing.Lock()
	s.graph.Trim(now)
	s.forget()
	s.publishing.Unlock()
	s.past.trim(now.Add(-s.cfg.Memory))
	if s.cfg.History == 0 {
		return nil
	}
	horizon, err := s.horizon(ctx, now.Add(-s.cfg.History))
	if err != nil || horizon == 0 {
		return err
	}
	// Revisions go first, oldest first: a watcher that needs them is then refused, before
	// anything that it should have been told is gone.
	for _, text := range []string{
		"DELETE FROM revision WHERE revision IN (SELECT revision FROM revision WHERE revision < ? ORDER BY revision LIMIT ?)",
		"DELETE FROM tuple WHERE id IN (SELECT id FROM tuple WHERE deleted IS NOT NULL AND deleted <= ? ORDER BY deleted LIMIT ?)",
		`DELETE FROM definition WHERE (kind, name, created) IN
			(SELECT kind, name, created FROM definition WHERE deleted <= ? LIMIT ?)`,
	} {
		if err := s.removeRows(ctx, text, horizon); err != nil {
			return err
		}
	}
	return nil
}

// horizon returns the newest revision at or before an instant, which is the oldest that
// must stay; 0 when there is none.
func (s *Store) horizon(ctx context.Context, before time.Time) (r uint64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT coalesce(max(revision), 0) FROM revision WHERE at <= ?", before.UnixMicro()).Scan(&r)
	if err != nil {
		return 0, fmt.Errorf("look for what is too old: %w", err)
	}
	return r, nil
}

// removeRows runs a statement that removes rows up to a revision until none is left.
func (s *Store) removeRows(ctx context.Context, text string, horizon uint64) error {
	for {
		var n int64
		_, err := s.Write(ctx, func(_ context.Context, tx *Tx) error {
			result, err := tx.s.w.result(text, int64(horizon), sweepStep)
			if err != nil {
				return err
			}
			n, err = result.RowsAffected()
			return err
		})
		if err != nil {
			return fmt.Errorf("remove what is too old: %w", err)
		}
		if n < sweepStep {
			return nil
		}
	}
}
