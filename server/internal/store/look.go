package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Schema returns the text of the live schema of a file that is not open as a store; empty
// when none was written.
func Schema(ctx context.Context, db *sql.DB) (string, error) {
	var (
		created uint64
		body    []byte
	)
	err := db.QueryRowContext(ctx, "SELECT created, body FROM definition WHERE kind = ? AND deleted IS NULL", int(kindSchema)).Scan(&created, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the live schema: %w", err)
	}
	e, err := newEntry(kindSchema, "", created, body)
	if err != nil {
		return "", fmt.Errorf("read the live schema: %w", err)
	}
	return e.schema.Get().GetV1().GetSchemaText(), nil
}

// Census counts the live relationships of one relation of a file that is not open as a
// store, by what they are for a schema.
func Census(ctx context.Context, db *sql.DB, definition, name string) (all map[relation.Shape]int64, err error) {
	rows, err := db.QueryContext(ctx, `SELECT k.type, k.name, tuple.subject = '*', coalesce(tuple.caveat, ''), tuple.expires IS NOT NULL, count(*)
		FROM tuple JOIN relation_word AS r ON r.id = tuple.relation JOIN relation_word AS k ON k.id = tuple.kind
		WHERE tuple.deleted IS NULL AND r.type = ? AND r.name = ? AND (tuple.expires IS NULL OR tuple.expires > ?)
		GROUP BY 1, 2, 3, 4, 5`, definition, name, time.Now().UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("count relationships: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all = make(map[relation.Shape]int64)
	for rows.Next() {
		s := relation.Shape{Resource: definition, Relation: name}
		var n int64
		if err := rows.Scan(&s.Subject, &s.SubjectRelation, &s.Everybody, &s.Caveat, &s.Expires, &n); err != nil {
			return nil, fmt.Errorf("count relationships: %w", err)
		}
		all[s] = n
	}
	return all, rows.Err()
}
