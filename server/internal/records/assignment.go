package records

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// AssignmentKey says who holds which role in whom, by which source.
type AssignmentKey struct {
	From   party.ID
	Role   string // the role's relation
	To     party.ID
	Source string
}

// Assignment is what a source says of who holds a role.
type Assignment struct {
	AssignmentKey
	User    party.UserID // the holder's user id, 0 for an organisation
	Expires time.Time    // zero for never
}

const assignmentColumns = "from_id, role, to_id, source, to_user, expires"

// AssignmentsFrom returns the assignments in the parties, by party, role and holder.
func (t *Tx) AssignmentsFrom(ctx context.Context, ids []party.ID) ([]Assignment, error) {
	return t.assignments(ctx, "from_id "+inList, ids)
}

// AssignmentsTo returns the assignments that the parties hold, of the role or, when it is
// empty, of all roles.
func (t *Tx) AssignmentsTo(ctx context.Context, ids []party.ID, role string) ([]Assignment, error) {
	if role == "" {
		return t.assignments(ctx, "to_id "+inList, ids)
	}
	return t.assignments(ctx, "to_id "+inList+" AND role = ?", ids, role)
}

// AssignmentsBy calls f for every assignment of the source. f must not use the transaction.
func (t *Tx) AssignmentsBy(ctx context.Context, source string, f func(Assignment) error) error {
	return t.eachAssignment(ctx, f, "source = ?", source)
}

// NamesOthers calls f with both parties of every assignment and delegation whose source is
// none of the list; the second is 0 where there is none. f must not use the transaction.
func (t *Tx) NamesOthers(ctx context.Context, sources map[string]bool, f func(from, to party.ID) error) error {
	err := t.eachAssignment(ctx, func(a Assignment) error {
		if sources[a.Source] {
			return nil
		}
		return f(a.From, a.To)
	}, "true")
	if err != nil {
		return err
	}
	return t.eachDelegation(ctx, func(d Delegation) error {
		if sources[d.Source] {
			return nil
		}
		for _, other := range []party.ID{d.To, d.Via} {
			if err := f(d.From, other); err != nil {
				return err
			}
		}
		return nil
	}, "true")
}

// Assignment returns one assignment.
func (t *Tx) Assignment(ctx context.Context, key AssignmentKey) (Assignment, bool, error) {
	var (
		found Assignment
		ok    bool
	)
	err := t.eachAssignment(ctx, func(a Assignment) error {
		found, ok = a, true
		return nil
	}, "from_id = ? AND role = ? AND to_id = ? AND source = ?", int64(key.From), key.Role, int64(key.To), key.Source)
	return found, ok, err
}

// PutAssignment writes an assignment over the one with its key.
func (t *Tx) PutAssignment(ctx context.Context, a Assignment) error {
	err := t.exec(ctx, "INSERT INTO assignment ("+assignmentColumns+`) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (from_id, role, to_id, source) DO UPDATE SET to_user = excluded.to_user, expires = excluded.expires`,
		int64(a.From), a.Role, int64(a.To), a.Source, number(int64(a.User)), instant(a.Expires))
	if err != nil {
		return fmt.Errorf("write assignment %v: %w", a.AssignmentKey, err)
	}
	return nil
}

// SetHolderUser sets the user id in all that the party holds, was given and, as the user
// that he was, has given, and in what says which logins he is. Logins are nobody's when he is
// no user any more.
func (t *Tx) SetHolderUser(ctx context.Context, to party.ID, was, user party.UserID) error {
	for _, set := range []struct {
		text string
		args []any
	}{
		{"UPDATE assignment SET to_user = ? WHERE to_id = ?", []any{number(int64(user)), int64(to)}},
		{"UPDATE delegation SET to_user = ? WHERE to_id = ?", []any{int64(user), int64(to)}},
		{"UPDATE delegation SET given_by = ? WHERE given_by = ? AND given_by <> 0", []any{int64(user), int64(was)}},
	} {
		if err := t.exec(ctx, set.text, set.args...); err != nil {
			return fmt.Errorf("set the user id of what party %d holds: %w", to, err)
		}
	}
	return t.MoveLogins(ctx, was, user)
}

// DeleteAssignment deletes the assignment with the key.
func (t *Tx) DeleteAssignment(ctx context.Context, key AssignmentKey) error {
	err := t.exec(ctx, "DELETE FROM assignment WHERE from_id = ? AND role = ? AND to_id = ? AND source = ?",
		int64(key.From), key.Role, int64(key.To), key.Source)
	if err != nil {
		return fmt.Errorf("delete assignment %v: %w", key, err)
	}
	return nil
}

func (t *Tx) assignments(ctx context.Context, where string, ids []party.ID, more ...any) ([]Assignment, error) {
	list, err := list(ids)
	if err != nil {
		return nil, fmt.Errorf("read assignments: %w", err)
	}
	var found []Assignment
	err = t.eachAssignment(ctx, func(a Assignment) error {
		found = append(found, a)
		return nil
	}, where+" ORDER BY from_id, role, to_id, source", append([]any{list}, more...)...)
	return found, err
}

func (t *Tx) eachAssignment(ctx context.Context, f func(Assignment) error, where string, args ...any) error {
	err := t.each(ctx, func(scan func(...any) error) error {
		var (
			a             Assignment
			user, expires sql.NullInt64
		)
		if err := scan(&a.From, &a.Role, &a.To, &a.Source, &user, &expires); err != nil {
			return err
		}
		a.User, a.Expires = party.UserID(user.Int64), when(expires)
		return f(a)
	}, "SELECT "+assignmentColumns+" FROM assignment WHERE "+where, args...)
	if err != nil {
		return fmt.Errorf("read assignments: %w", err)
	}
	return nil
}
