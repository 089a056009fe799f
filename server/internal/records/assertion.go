package records

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// Assertion is what a source says of a party. A source that knows a party by its own keys
// may say something under each of them.
type Assertion struct {
	Party   party.ID
	Source  string
	Key     string      // the source's key, empty when it gave none
	Says    party.Party // as given: identifiers that the source did not give are zero
	Written int64       // the number of the write that said so
}

const assertionColumns = `party_id, source, source_key, gave_id, uuid, kind, name, org_number, national_id, unit_type, main_unit,
	deleted_on, birth_date, died_on, user_id, login, written`

// Assertions calls f for every assertion, by party. f must not use the transaction.
func (t *Tx) Assertions(ctx context.Context, f func(Assertion) error) error {
	return t.assertions(ctx, f, "SELECT "+assertionColumns+" FROM party_source ORDER BY party_id, source, source_key")
}

// AssertionsOf returns what all sources say of the parties, by party.
func (t *Tx) AssertionsOf(ctx context.Context, ids ...party.ID) ([]Assertion, error) {
	list, err := list(ids)
	if err != nil {
		return nil, fmt.Errorf("read what sources say of parties: %w", err)
	}
	var found []Assertion
	err = t.assertions(ctx, func(a Assertion) error {
		found = append(found, a)
		return nil
	}, "SELECT "+assertionColumns+" FROM party_source WHERE party_id "+inList+" ORDER BY party_id, source, source_key", list)
	return found, err
}

// KeysOf calls f for every party that the source says something of, with the key that it knows
// the party by, empty when it gave none. f must not use the transaction.
func (t *Tx) KeysOf(ctx context.Context, source string, f func(id party.ID, key string) error) error {
	err := t.each(ctx, func(scan func(...any) error) error {
		var (
			id  party.ID
			key string
		)
		if err := scan(&id, &key); err != nil {
			return err
		}
		return f(id, key)
	}, "SELECT party_id, source_key FROM party_source WHERE source = ? ORDER BY party_id, source_key", source)
	if err != nil {
		return fmt.Errorf("read the keys of source %s: %w", source, err)
	}
	return nil
}

// Keyed returns the party that the source knows by the key, 0 when there is none.
func (t *Tx) Keyed(ctx context.Context, source, key string) (party.ID, error) {
	var id party.ID
	err := t.each(ctx, func(scan func(...any) error) error { return scan(&id) },
		"SELECT party_id FROM party_source WHERE source = ? AND source_key = ? AND source_key <> ''", source, key)
	if err != nil {
		return 0, fmt.Errorf("look for key %q of source %s: %w", key, source, err)
	}
	return id, nil
}

// PutAssertion writes an assertion over the one of the same source, party and key.
func (t *Tx) PutAssertion(ctx context.Context, a Assertion) error {
	s := a.Says
	err := t.exec(ctx, "INSERT INTO party_source ("+assertionColumns+
		`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (source, party_id, source_key) DO UPDATE SET gave_id = excluded.gave_id, uuid = excluded.uuid,
			kind = excluded.kind, name = excluded.name, org_number = excluded.org_number, national_id = excluded.national_id,
			unit_type = excluded.unit_type, main_unit = excluded.main_unit, deleted_on = excluded.deleted_on,
			birth_date = excluded.birth_date, died_on = excluded.died_on, user_id = excluded.user_id, login = excluded.login,
			written = excluded.written`,
		int64(a.Party), a.Source, a.Key, s.ID != 0, s.UUID, int64(s.Kind), s.Name, s.OrgNumber, s.NationalID, s.UnitType, int64(s.MainUnit),
		s.DeletedOn, s.BirthDate, s.DiedOn, int64(s.UserID), s.Login, a.Written)
	if err != nil {
		return fmt.Errorf("write what %s says of party %d: %w", a.Source, a.Party, err)
	}
	return nil
}

// DeleteAssertion deletes the assertion of the same source, party and key.
func (t *Tx) DeleteAssertion(ctx context.Context, a Assertion) error {
	err := t.exec(ctx, "DELETE FROM party_source WHERE source = ? AND party_id = ? AND source_key = ?", a.Source, int64(a.Party), a.Key)
	if err != nil {
		return fmt.Errorf("delete what %s says of party %d: %w", a.Source, a.Party, err)
	}
	return nil
}

func (t *Tx) assertions(ctx context.Context, f func(Assertion) error, query string, args ...any) error {
	err := t.each(ctx, func(scan func(...any) error) error {
		var (
			a    Assertion
			s    = &a.Says
			gave bool
		)
		err := scan(&a.Party, &a.Source, &a.Key, &gave, &s.UUID, &s.Kind, &s.Name, &s.OrgNumber, &s.NationalID, &s.UnitType, &s.MainUnit,
			&s.DeletedOn, &s.BirthDate, &s.DiedOn, &s.UserID, &s.Login, &a.Written)
		if err != nil {
			return err
		}
		if gave {
			s.ID = a.Party
		}
		return f(a)
	}, query, args...)
	if err != nil {
		return fmt.Errorf("read what sources say of parties: %w", err)
	}
	return nil
}
