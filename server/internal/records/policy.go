package records

import (
	"context"
	"fmt"
	"time"
)

// PolicyChange is one thing that was done to the policy of an object.
type PolicyChange struct {
	Ref    string // the id of the policy's object
	Number int64  // counts the changes of one policy from 1
	Kind   string
	Hash   string // of the text, empty when the policy was deleted
	AnyOf  bool   // the text is read with any_of_per_category
	Made   time.Time
	By     string
}

// PutPolicyText keeps a text under its hash. One that is there already stays.
func (s *Store) PutPolicyText(ctx context.Context, hash string, text []byte) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, "INSERT INTO policy_text (hash, text) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING", hash, text)
	})
	if err != nil {
		return fmt.Errorf("keep policy text %s: %w", hash, err)
	}
	return nil
}

// PolicyText returns the text of a hash, nil when there is none.
func (s *Store) PolicyText(ctx context.Context, hash string) (text []byte, err error) {
	err = s.Read(ctx, func(tx *Tx) error {
		return tx.each(ctx, func(scan func(...any) error) error { return scan(&text) },
			"SELECT text FROM policy_text WHERE hash = ?", hash)
	})
	if err != nil {
		return nil, fmt.Errorf("read policy text %s: %w", hash, err)
	}
	return text, nil
}

// AddPolicyChange notes the next change of a policy. It gives the change its number.
func (t *Tx) AddPolicyChange(ctx context.Context, c PolicyChange) error {
	err := t.each(ctx, func(scan func(...any) error) error { return scan(&c.Number) },
		"SELECT coalesce(max(number), 0) + 1 FROM policy_change WHERE ref = ?", c.Ref)
	if err == nil {
		err = t.exec(ctx, "INSERT INTO policy_change (ref, number, kind, hash, any_of, made, made_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
			c.Ref, c.Number, c.Kind, c.Hash, c.AnyOf, c.Made.UnixMicro(), c.By)
	}
	if err != nil {
		return fmt.Errorf("note a change of policy %s: %w", c.Ref, err)
	}
	return nil
}

// PolicyChanges returns changes of a policy, the latest first: those before a number, all
// when it is 0, and at most limit of them.
func (t *Tx) PolicyChanges(ctx context.Context, ref string, before int64, limit int) ([]PolicyChange, error) {
	var found []PolicyChange
	err := t.each(ctx, func(scan func(...any) error) error {
		c := PolicyChange{Ref: ref}
		var made int64
		if err := scan(&c.Number, &c.Kind, &c.Hash, &c.AnyOf, &made, &c.By); err != nil {
			return err
		}
		c.Made = time.UnixMicro(made).UTC()
		found = append(found, c)
		return nil
	}, `SELECT number, kind, hash, any_of, made, made_by FROM policy_change
		WHERE ref = ? AND (number < ? OR ? = 0) ORDER BY number DESC LIMIT ?`, ref, before, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read the changes of policy %s: %w", ref, err)
	}
	return found, nil
}

// PolicySize returns the length of a text in bytes, 0 when there is none.
func (t *Tx) PolicySize(ctx context.Context, hash string) (size int64, err error) {
	err = t.each(ctx, func(scan func(...any) error) error { return scan(&size) },
		"SELECT length(text) FROM policy_text WHERE hash = ?", hash)
	if err != nil {
		return 0, fmt.Errorf("measure policy text %s: %w", hash, err)
	}
	return size, nil
}
