package records

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// Instance is an instance of an app.
type Instance struct {
	Party    party.ID
	GUID     string // in lower case
	Org      string
	App      string
	Task     string // that it is in, empty when it is in none
	EndEvent string // with which it ended, empty until it has
}

// Instance returns an instance. ok is false when there is none.
func (s *Store) Instance(ctx context.Context, of party.ID, guid string) (i Instance, ok bool, err error) {
	err = s.Read(ctx, func(tx *Tx) error {
		return tx.instances(ctx, func(found Instance) error {
			i, ok = found, true
			return nil
		}, "WHERE party_id = ? AND guid = ?", int64(of), guid)
	})
	return i, ok, err
}

// Instances calls f for at most limit instances after one, by party and UUID: those of a
// party, or of all when it is 0.
func (s *Store) Instances(ctx context.Context, of party.ID, after Instance, limit int, f func(Instance) error) error {
	return s.Read(ctx, func(tx *Tx) error {
		return tx.instances(ctx, f, `WHERE (? = 0 OR party_id = ?) AND (party_id > ? OR party_id = ? AND guid > ?)
			ORDER BY party_id, guid LIMIT ?`,
			int64(of), int64(of), int64(after.Party), int64(after.Party), after.GUID, limit)
	})
}

// PutInstance keeps an instance, or replaces the one with its id.
func (s *Store) PutInstance(ctx context.Context, i Instance) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `INSERT INTO instance (party_id, guid, org, app, task, end_event) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (party_id, guid) DO UPDATE SET org = excluded.org, app = excluded.app,
				task = excluded.task, end_event = excluded.end_event`,
			int64(i.Party), i.GUID, i.Org, i.App, i.Task, i.EndEvent)
	})
	if err != nil {
		return fmt.Errorf("keep instance %d/%s: %w", i.Party, i.GUID, err)
	}
	return nil
}

// DeleteInstance forgets an instance and says whether there was one.
func (s *Store) DeleteInstance(ctx context.Context, of party.ID, guid string) (bool, error) {
	var n int64
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		result, err := tx.result(ctx, "DELETE FROM instance WHERE party_id = ? AND guid = ?", int64(of), guid)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("forget instance %d/%s: %w", of, guid, err)
	}
	return n > 0, nil
}

func (t *Tx) instances(ctx context.Context, f func(Instance) error, where string, args ...any) error {
	err := t.each(ctx, func(scan func(...any) error) error {
		var i Instance
		if err := scan((*int64)(&i.Party), &i.GUID, &i.Org, &i.App, &i.Task, &i.EndEvent); err != nil {
			return err
		}
		return f(i)
	}, "SELECT party_id, guid, org, app, task, end_event FROM instance "+where, args...)
	if err != nil {
		return fmt.Errorf("read instances: %w", err)
	}
	return nil
}
