package records

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// PutAPIKey keeps a key, or replaces the one with its id.
func (s *Store) PutAPIKey(ctx context.Context, key authn.APIKey) error {
	scopes := make([]string, len(key.Scopes))
	for i, scope := range key.Scopes {
		scopes[i] = string(scope)
	}
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `INSERT INTO api_key (id, name, hash, scopes, created, expires) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, hash = excluded.hash, scopes = excluded.scopes,
				created = excluded.created, expires = excluded.expires`,
			key.ID, key.Name, key.Hash[:], strings.Join(scopes, " "), key.Created.UnixMicro(), instant(key.Expires))
	})
	if err != nil {
		return fmt.Errorf("keep API key %s: %w", key.ID, err)
	}
	return nil
}

// APIKeys returns all keys, by id.
func (s *Store) APIKeys(ctx context.Context) ([]authn.APIKey, error) {
	rows, err := s.db.Read().QueryContext(ctx, "SELECT id, name, hash, scopes, created, expires FROM api_key ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("read API keys: %w", err)
	}
	defer rows.Close()
	var keys []authn.APIKey
	for rows.Next() {
		var (
			key     authn.APIKey
			hash    []byte
			scopes  string
			created int64
			expires sql.NullInt64
		)
		if err := rows.Scan(&key.ID, &key.Name, &hash, &scopes, &created, &expires); err != nil {
			return nil, fmt.Errorf("read API keys: %w", err)
		}
		copy(key.Hash[:], hash)
		for scope := range strings.FieldsSeq(scopes) {
			key.Scopes = append(key.Scopes, caller.Scope(scope))
		}
		key.Created, key.Expires = time.UnixMicro(created).UTC(), when(expires)
		keys = append(keys, key)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read API keys: %w", err)
	}
	return keys, nil
}

// DeleteAPIKey forgets a key and says whether there was one.
func (s *Store) DeleteAPIKey(ctx context.Context, id string) (bool, error) {
	var n int64
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		result, err := tx.result(ctx, "DELETE FROM api_key WHERE id = ?", id)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("forget API key %s: %w", id, err)
	}
	return n > 0, nil
}

// instant is a time as it is stored. NULL, the zero time, is never.
func instant(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

func when(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}
