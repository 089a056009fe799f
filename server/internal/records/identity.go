package records

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/authn/link"
	"github.com/behalf-authz/behalf/server/internal/party"
)

const userOfIdentity = "SELECT user_id FROM login_identity WHERE issuer = ? AND subject = ?"

// UserOfIdentity returns the user that a subject of an issuer is, 0 when nobody has said.
func (s *Store) UserOfIdentity(ctx context.Context, issuer, subject string) (user int64, err error) {
	err = s.Read(ctx, func(tx *Tx) error {
		return tx.each(ctx, func(scan func(...any) error) error { return scan(&user) }, userOfIdentity, issuer, subject)
	})
	if err != nil {
		return 0, fmt.Errorf("read whose login it is: %w", err)
	}
	return user, nil
}

// linkIdentity begins the statement that says which user a subject is. A user who is not on
// record, or is dead, is none: writes take their turns, so that none goes while it is made.
const linkIdentity = `INSERT INTO login_identity (issuer, subject, user_id)
	SELECT ?, ?, user_id FROM party WHERE user_id = ? AND died_on = ''
	ON CONFLICT (issuer, subject) `

// PutIdentity says which user a subject of an issuer is, whoever it was. It says whether there
// is such a user; where not, nothing has changed.
func (s *Store) PutIdentity(ctx context.Context, issuer, subject string, user int64) (bool, error) {
	return s.changed(ctx, "keep whose login it is", linkIdentity+"DO UPDATE SET user_id = excluded.user_id", issuer, subject, user)
}

// AddIdentity says which user a subject of an issuer is, unless somebody has said it already.
// It returns which user it is, 0 when it is nobody and there is no such user.
func (s *Store) AddIdentity(ctx context.Context, issuer, subject string, user int64) (is int64, err error) {
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.exec(ctx, linkIdentity+"DO NOTHING", issuer, subject, user); err != nil {
			return err
		}
		return tx.each(ctx, func(scan func(...any) error) error { return scan(&is) }, userOfIdentity, issuer, subject)
	})
	if err != nil {
		return 0, fmt.Errorf("keep whose login it is: %w", err)
	}
	return is, nil
}

// DeleteIdentity says that a subject of an issuer is nobody. It says whether it was somebody.
func (s *Store) DeleteIdentity(ctx context.Context, issuer, subject string) (bool, error) {
	return s.changed(ctx, "forget whose login it is", "DELETE FROM login_identity WHERE issuer = ? AND subject = ?", issuer, subject)
}

// Logins returns how many logins are a user.
func (t *Tx) Logins(ctx context.Context, user party.UserID) (n int, err error) {
	err = t.each(ctx, func(scan func(...any) error) error { return scan(&n) },
		"SELECT count(*) FROM login_identity WHERE user_id = ?", int64(user))
	if err != nil {
		return 0, fmt.Errorf("count the logins of user %d: %w", user, err)
	}
	return n, nil
}

// MoveLogins lets the logins of a user be another beside his own. They are nobody's when to
// is 0.
func (t *Tx) MoveLogins(ctx context.Context, from, to party.UserID) error {
	if from == 0 {
		return nil // which is nobody
	}
	text, args := "UPDATE login_identity SET user_id = ? WHERE user_id = ?", []any{int64(to), int64(from)}
	if to == 0 {
		text, args = "DELETE FROM login_identity WHERE user_id = ?", args[1:]
	}
	if err := t.exec(ctx, text, args...); err != nil {
		return fmt.Errorf("move the logins of user %d to user %d: %w", from, to, err)
	}
	return nil
}

// Identities returns links by issuer and subject.
func (s *Store) Identities(ctx context.Context, q link.Query) (list []link.Identity, err error) {
	where, args := "", []any(nil)
	switch {
	case q.User != 0:
		where, args = "user_id = ? AND ", []any{q.User}
	case q.Issuer != "":
		where, args = "issuer = ? AND ", []any{q.Issuer}
	}
	err = s.Read(ctx, func(tx *Tx) error {
		return tx.each(ctx, func(scan func(...any) error) error {
			var l link.Identity
			err := scan(&l.Issuer, &l.Subject, &l.User)
			list = append(list, l)
			return err
		}, "SELECT issuer, subject, user_id FROM login_identity WHERE "+where+"(issuer, subject) > (?, ?) ORDER BY issuer, subject LIMIT ?",
			append(args, q.After.Issuer, q.After.Subject, q.Limit)...)
	})
	if err != nil {
		return nil, fmt.Errorf("read whose logins there are: %w", err)
	}
	return list, nil
}
