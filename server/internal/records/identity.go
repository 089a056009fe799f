package records

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/authn/link"
)

// UserOfIdentity returns the user that a subject of an issuer is, 0 when nobody has said.
func (s *Store) UserOfIdentity(ctx context.Context, issuer, subject string) (user int64, err error) {
	err = s.Read(ctx, func(tx *Tx) error {
		return tx.each(ctx, func(scan func(...any) error) error { return scan(&user) },
			"SELECT user_id FROM login_identity WHERE issuer = ? AND subject = ?", issuer, subject)
	})
	if err != nil {
		return 0, fmt.Errorf("read whose login it is: %w", err)
	}
	return user, nil
}

// PutIdentity says which user a subject of an issuer is.
func (s *Store) PutIdentity(ctx context.Context, issuer, subject string, user int64) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `INSERT INTO login_identity (issuer, subject, user_id) VALUES (?, ?, ?)
			ON CONFLICT (issuer, subject) DO UPDATE SET user_id = excluded.user_id`, issuer, subject, user)
	})
	if err != nil {
		return fmt.Errorf("keep whose login it is: %w", err)
	}
	return nil
}

// DeleteIdentity says that a subject of an issuer is nobody. It says whether it was somebody.
func (s *Store) DeleteIdentity(ctx context.Context, issuer, subject string) (bool, error) {
	return s.changed(ctx, "forget whose login it is", "DELETE FROM login_identity WHERE issuer = ? AND subject = ?", issuer, subject)
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
