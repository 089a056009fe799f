package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/party"
)

const partyColumns = "id, uuid, kind, name, org_number, national_id, unit_type, main_unit, deleted_on, birth_date, died_on, user_id, login"

// Parties calls f for every party, by id. f must not use the store.
func (s *Store) Parties(ctx context.Context, f func(party.Party) error) error {
	return s.Read(ctx, func(t *Tx) error { return t.Parties(ctx, f) })
}

// Parties calls f for every party, by id. f must not use the transaction.
func (t *Tx) Parties(ctx context.Context, f func(party.Party) error) error {
	if err := t.parties(ctx, f, "SELECT "+partyColumns+" FROM party ORDER BY id"); err != nil {
		return fmt.Errorf("read parties: %w", err)
	}
	return nil
}

// PartiesByID returns those of the parties that have a record.
func (t *Tx) PartiesByID(ctx context.Context, ids []party.ID) (map[party.ID]party.Party, error) {
	found := make(map[party.ID]party.Party, len(ids))
	list, err := list(ids)
	if err == nil {
		err = t.parties(ctx, func(p party.Party) error {
			found[p.ID] = p
			return nil
		}, "SELECT "+partyColumns+" FROM party WHERE id "+inList, list)
	}
	if err != nil {
		return nil, fmt.Errorf("read parties: %w", err)
	}
	return found, nil
}

// Identifiers are what a party may be known by. Empty ones match nothing.
type Identifiers struct {
	ID         party.ID
	UUID       string
	OrgNumber  string
	NationalID string
	UserID     party.UserID
}

// Named returns every party that has one of the identifiers.
func (t *Tx) Named(ctx context.Context, by Identifiers) ([]party.Party, error) {
	var found []party.Party
	err := t.parties(ctx, func(p party.Party) error {
		found = append(found, p)
		return nil
	}, "SELECT "+partyColumns+" FROM party WHERE id = ? OR uuid = ? OR org_number = ? OR national_id = ? OR user_id = ? ORDER BY id",
		int64(by.ID), by.UUID, by.OrgNumber, by.NationalID, int64(by.UserID))
	if err != nil {
		return nil, fmt.Errorf("read a party: %w", err)
	}
	return found, nil
}

// HasSubUnits reports whether the party is the main unit of another.
func (t *Tx) HasSubUnits(ctx context.Context, id party.ID) (bool, error) {
	found := false
	err := t.each(ctx, func(func(...any) error) error {
		found = true
		return nil
	}, "SELECT 1 FROM party WHERE main_unit = ? LIMIT 1", int64(id))
	if err != nil {
		return false, fmt.Errorf("look for sub-units of %d: %w", id, err)
	}
	return found, nil
}

// PutParty writes a party over the one with its id. createdBy is kept when there was one.
func (t *Tx) PutParty(ctx context.Context, p party.Party, createdBy string) error {
	err := t.exec(ctx, "INSERT INTO party ("+partyColumns+`, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET uuid = excluded.uuid, kind = excluded.kind, name = excluded.name,
			org_number = excluded.org_number, national_id = excluded.national_id, unit_type = excluded.unit_type,
			main_unit = excluded.main_unit, deleted_on = excluded.deleted_on, birth_date = excluded.birth_date,
			died_on = excluded.died_on, user_id = excluded.user_id, login = excluded.login`,
		int64(p.ID), p.UUID, int64(p.Kind), p.Name, text(p.OrgNumber), text(p.NationalID), p.UnitType, number(int64(p.MainUnit)),
		p.DeletedOn, p.BirthDate, p.DiedOn, number(int64(p.UserID)), p.Login, createdBy)
	if err != nil {
		return fmt.Errorf("write party %d: %w", p.ID, err)
	}
	return nil
}

// DeleteParty deletes a party that nothing names any more, and with a user what says which
// logins he is: his number may be another's one day.
func (t *Tx) DeleteParty(ctx context.Context, id party.ID) error {
	err := t.exec(ctx, "DELETE FROM login_identity WHERE user_id = (SELECT user_id FROM party WHERE id = ?)", int64(id))
	if err != nil {
		return fmt.Errorf("forget the logins of party %d: %w", id, err)
	}
	if err := t.exec(ctx, "DELETE FROM party WHERE id = ?", int64(id)); err != nil {
		return fmt.Errorf("delete party %d: %w", id, err)
	}
	return nil
}

func (t *Tx) parties(ctx context.Context, f func(party.Party) error, query string, args ...any) error {
	return t.each(ctx, func(scan func(...any) error) error {
		var (
			p                party.Party
			org, nin         sql.NullString
			mainUnit, userID sql.NullInt64
		)
		err := scan(&p.ID, &p.UUID, &p.Kind, &p.Name, &org, &nin, &p.UnitType, &mainUnit,
			&p.DeletedOn, &p.BirthDate, &p.DiedOn, &userID, &p.Login)
		if err != nil {
			return err
		}
		p.OrgNumber, p.NationalID = org.String, nin.String
		p.MainUnit, p.UserID = party.ID(mainUnit.Int64), party.UserID(userID.Int64)
		return f(p)
	}, query, args...)
}

// text is a text as it is stored in a column that is unique: the empty one is NULL.
func text(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// number is the same for numbers.
func number(n int64) sql.NullInt64 { return sql.NullInt64{Int64: n, Valid: n != 0} }

// inList asks whether a number is in the list that is one argument.
const inList = "IN (SELECT value FROM json_each(?))"

// list is the argument of inList.
func list(ids []party.ID) (string, error) {
	text, err := json.Marshal(ids)
	if err != nil {
		return "", err
	}
	if ids == nil {
		return "[]", nil
	}
	return string(text), nil
}
