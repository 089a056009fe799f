package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn/session"
)

// PutSession keeps a new session, and forgets those that have ended by their age.
func (s *Store) PutSession(ctx context.Context, n session.Session, now time.Time) error {
	identity, err := json.Marshal(n.Identity)
	if err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.exec(ctx, "DELETE FROM session WHERE expires < ?", now.UnixMicro()); err != nil {
			return err
		}
		return tx.exec(ctx, `INSERT INTO session
			(id, provider, issuer, subject, sid, identity, tokens, renew_after, expires, version, holder, held_until, party, seen)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0, ?, ?)`,
			n.ID[:], n.Provider, n.Issuer, n.Subject, n.SID, string(identity), n.Tokens, instant(n.RenewAfter), n.Expires.UnixMicro(),
			n.Party, instant(n.Seen).Int64)
	})
	if err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	return nil
}

// Session returns a session. ok is false when there is none.
func (s *Store) Session(ctx context.Context, id session.ID) (found session.Session, ok bool, err error) {
	err = s.Read(ctx, func(tx *Tx) error {
		return tx.each(ctx, func(scan func(...any) error) error {
			var (
				identity             string
				renew                sql.NullInt64
				expires, until, seen int64
			)
			err := scan(&found.Provider, &found.Issuer, &found.Subject, &found.SID, &identity, &found.Tokens,
				&renew, &expires, &found.Version, &found.Holder, &until, &found.Party, &seen)
			if err != nil {
				return err
			}
			found.ID, ok = id, true
			found.RenewAfter, found.Expires, found.HeldUntil = when(renew), time.UnixMicro(expires), time.UnixMicro(until)
			found.Seen = when(sql.NullInt64{Int64: seen, Valid: seen != 0})
			return json.Unmarshal([]byte(identity), &found.Identity)
		}, `SELECT provider, issuer, subject, sid, identity, tokens, renew_after, expires, version, holder, held_until, party, seen
			FROM session WHERE id = ?`, id[:])
	})
	if err != nil {
		return session.Session{}, false, fmt.Errorf("read a session: %w", err)
	}
	return found, ok, nil
}

// HoldSession makes the holder the one who renews a session of the version, unless another
// holds it at the time. It says whether it has.
func (s *Store) HoldSession(ctx context.Context, id session.ID, version int64, holder string, now, until time.Time) (bool, error) {
	return s.changed(ctx, "hold a session", `UPDATE session SET holder = ?, held_until = ?
		WHERE id = ? AND version = ? AND (holder = '' OR held_until < ?)`,
		holder, until.UnixMicro(), id[:], version, now.UnixMicro())
}

// RenewSession keeps the new tokens of a session that the holder holds, and lets it go.
func (s *Store) RenewSession(ctx context.Context, id session.ID, holder string, tokens []byte, renewAfter time.Time) (bool, error) {
	return s.changed(ctx, "renew a session", `UPDATE session
		SET tokens = ?, renew_after = ?, version = version + 1, holder = '', held_until = 0
		WHERE id = ? AND holder = ?`, tokens, instant(renewAfter), id[:], holder)
}

// ChooseParty keeps for which party the holder of a session acts. It says whether there is such a session.
func (s *Store) ChooseParty(ctx context.Context, id session.ID, party int64) (bool, error) {
	return s.changed(ctx, "keep the choice of a session", "UPDATE session SET party = ? WHERE id = ?", party, id[:])
}

// SeeSession notes when a session was used last, unless it is known to have been used since,
// or less than within before.
func (s *Store) SeeSession(ctx context.Context, id session.ID, at time.Time, within time.Duration) error {
	_, err := s.changed(ctx, "note the use of a session", "UPDATE session SET seen = ? WHERE id = ? AND seen < ?",
		at.UnixMicro(), id[:], at.Add(-within).UnixMicro())
	return err
}

// DeleteSession ends a session and says whether there was one.
func (s *Store) DeleteSession(ctx context.Context, id session.ID) (bool, error) {
	return s.changed(ctx, "end a session", "DELETE FROM session WHERE id = ?", id[:])
}

// EndSessions ends the sessions of a provider's session, or, when that is empty, all of a subject.
func (s *Store) EndSessions(ctx context.Context, issuer, sid, subject string) error {
	text, which := "DELETE FROM session WHERE issuer = ? AND sid = ?", sid
	if sid == "" {
		text, which = "DELETE FROM session WHERE issuer = ? AND subject = ?", subject
	}
	_, err := s.changed(ctx, "end sessions", text, issuer, which)
	return err
}

// Use says whether what has the hash is used for the first time. It is remembered until the
// time, after which the caller refuses it for its age.
func (s *Store) Use(ctx context.Context, hash [32]byte, now, until time.Time) (bool, error) {
	var n int64
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.exec(ctx, "DELETE FROM used_once WHERE expires < ?", now.UnixMicro()); err != nil {
			return err
		}
		result, err := tx.result(ctx, "INSERT INTO used_once (hash, expires) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING",
			hash[:], until.UnixMicro())
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("remember what is used once: %w", err)
	}
	return n == 1, nil
}

// changed executes a statement and says whether it changed a row.
func (s *Store) changed(ctx context.Context, doing, text string, args ...any) (bool, error) {
	var n int64
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		result, err := tx.result(ctx, text, args...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("%s: %w", doing, err)
	}
	return n > 0, nil
}
