package records

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// Delegation is what a source says that a party has delegated: a package when Package is
// set, else a single right; a package of a client, by its provider Via, when Via is set.
type Delegation struct {
	Source   string
	From     party.ID
	Via      party.ID
	Package  string // its relation
	Resource string
	Action   string
	Instance string // empty for all
	Task     string // empty for all

	To       party.ID // 0 when a system user has it
	ToUser   party.UserID
	ToSystem string

	Expires   time.Time // zero for never
	GivenBy   party.UserID
	GivenWith string // the service that wrote it
	GivenAt   time.Time
}

// ID names what is granted by whom to whom, whatever source says so and until when.
func (d Delegation) ID() string {
	h := sha256.New()
	for _, part := range []string{
		number10(d.From), number10(d.Via), d.Package, d.Resource, d.Action, d.Instance, d.Task, number10(d.To), d.ToSystem,
	} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:16]))
}

func number10(id party.ID) string { return strconv.FormatInt(int64(id), 10) }

const delegationColumns = `source, from_id, via_id, package, resource, action, instance, task, to_id, to_user, to_system,
	expires, given_by, given_with, given_at`

// DelegationsFrom returns what the parties have delegated, also to agents of their providers.
func (t *Tx) DelegationsFrom(ctx context.Context, ids []party.ID) ([]Delegation, error) {
	return t.delegationsOf(ctx, "from_id "+inList, ids)
}

// DelegationsTo returns what was delegated to the parties.
func (t *Tx) DelegationsTo(ctx context.Context, ids []party.ID) ([]Delegation, error) {
	return t.delegationsOf(ctx, "to_id "+inList, ids)
}

// DelegationsVia returns what the parties have passed on of their clients'.
func (t *Tx) DelegationsVia(ctx context.Context, ids []party.ID) ([]Delegation, error) {
	return t.delegationsOf(ctx, "via_id "+inList, ids)
}

// DelegationsToSystem returns what was delegated to a system user.
func (t *Tx) DelegationsToSystem(ctx context.Context, id string) ([]Delegation, error) {
	return t.delegations(ctx, "to_system = ? ORDER BY id, source", id)
}

// DelegationsWithID returns what sources say of one delegation, by source.
func (t *Tx) DelegationsWithID(ctx context.Context, id string) ([]Delegation, error) {
	return t.delegations(ctx, "id = ? ORDER BY source", id)
}

// DelegationsLike returns all that delegate from the same party by the same provider, and
// the same package or the same right.
func (t *Tx) DelegationsLike(ctx context.Context, d Delegation) ([]Delegation, error) {
	return t.delegations(ctx, `from_id = ? AND via_id = ? AND package = ? AND resource = ? AND action = ? AND instance = ? AND task = ?
		ORDER BY id, source`, int64(d.From), int64(d.Via), d.Package, d.Resource, d.Action, d.Instance, d.Task)
}

// DelegationsBetween returns what a provider has passed on of one client's.
func (t *Tx) DelegationsBetween(ctx context.Context, client, provider party.ID) ([]Delegation, error) {
	return t.delegations(ctx, "from_id = ? AND via_id = ? ORDER BY id, source", int64(client), int64(provider))
}

// EachDelegationBy calls f for all that a source says is delegated, by giver. f must not
// use the transaction.
func (t *Tx) EachDelegationBy(ctx context.Context, source string, f func(Delegation) error) error {
	return t.eachDelegation(ctx, f, "source = ? ORDER BY from_id, id", source)
}

// DelegationQuery selects delegations. Zero fields select all.
type DelegationQuery struct {
	From, Via, To party.ID
	ToSystem      string
	LiveAt        time.Time // leaves out what has expired then; zero leaves out nothing
	After         string    // the last id that is known already
	Limit         int       // of ids
}

// Delegations returns the delegations that the query selects, by id and source.
func (t *Tx) Delegations(ctx context.Context, q DelegationQuery) ([]Delegation, error) {
	where := "id > ?"
	args := []any{q.After}
	for _, is := range []struct {
		column string
		value  any
		given  bool
	}{
		{"from_id", int64(q.From), q.From != 0},
		{"via_id", int64(q.Via), q.Via != 0},
		{"to_id", int64(q.To), q.To != 0},
		{"to_system", q.ToSystem, q.ToSystem != ""},
	} {
		if is.given {
			where += " AND " + is.column + " = ?"
			args = append(args, is.value)
		}
	}
	if !q.LiveAt.IsZero() {
		where += " AND (expires IS NULL OR expires > ?)"
		args = append(args, q.LiveAt.UnixMicro())
	}
	inner := "SELECT DISTINCT id FROM delegation WHERE " + where + " ORDER BY id LIMIT ?"
	all := append(append(append([]any(nil), args...), q.Limit), args...)
	return t.delegations(ctx, "id IN ("+inner+") AND "+where+" ORDER BY id, source", all...)
}

// PutDelegation writes a delegation over the one of the same id and source.
func (t *Tx) PutDelegation(ctx context.Context, d Delegation) error {
	err := t.exec(ctx, "INSERT INTO delegation (id, "+delegationColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id, source) DO UPDATE SET to_user = excluded.to_user, expires = excluded.expires, given_by = excluded.given_by,
			given_with = excluded.given_with, given_at = excluded.given_at`,
		d.ID(), d.Source, int64(d.From), int64(d.Via), d.Package, d.Resource, d.Action, d.Instance, d.Task,
		int64(d.To), int64(d.ToUser), d.ToSystem, instant(d.Expires), int64(d.GivenBy), d.GivenWith, d.GivenAt.UnixMicro())
	if err != nil {
		return fmt.Errorf("write a delegation of party %d: %w", d.From, err)
	}
	return nil
}

// DeleteDelegation deletes what the source says of the delegation.
func (t *Tx) DeleteDelegation(ctx context.Context, d Delegation) error {
	if err := t.exec(ctx, "DELETE FROM delegation WHERE id = ? AND source = ?", d.ID(), d.Source); err != nil {
		return fmt.Errorf("delete a delegation of party %d: %w", d.From, err)
	}
	return nil
}

func (t *Tx) delegationsOf(ctx context.Context, where string, ids []party.ID) ([]Delegation, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := list(ids)
	if err != nil {
		return nil, fmt.Errorf("read delegations: %w", err)
	}
	return t.delegations(ctx, where+" ORDER BY from_id, id, source", list)
}

func (t *Tx) delegations(ctx context.Context, where string, args ...any) ([]Delegation, error) {
	var found []Delegation
	err := t.eachDelegation(ctx, func(d Delegation) error {
		found = append(found, d)
		return nil
	}, where, args...)
	return found, err
}

func (t *Tx) eachDelegation(ctx context.Context, f func(Delegation) error, where string, args ...any) error {
	err := t.each(ctx, func(scan func(...any) error) error {
		var (
			d       Delegation
			expires sql.NullInt64
			given   int64
		)
		err := scan(&d.Source, &d.From, &d.Via, &d.Package, &d.Resource, &d.Action, &d.Instance, &d.Task, &d.To, &d.ToUser, &d.ToSystem,
			&expires, &d.GivenBy, &d.GivenWith, &given)
		if err != nil {
			return err
		}
		d.Expires, d.GivenAt = when(expires), time.UnixMicro(given).UTC()
		return f(d)
	}, "SELECT "+delegationColumns+" FROM delegation WHERE "+where, args...)
	if err != nil {
		return fmt.Errorf("read delegations: %w", err)
	}
	return nil
}
