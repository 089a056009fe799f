package records

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/migrations"
)

// OnPostgres returns the records as an open transaction of a Postgres database sees them.
// They end with it.
func OnPostgres(ctx context.Context, tx *sql.Tx) *Tx { return &Tx{newStatements(ctx, tx, Postgres)} }

// SchemaState returns which version of Behalf's own definitions was made live last, and the
// oldest version that a program may know to run on it; zero when none was.
func (t *Tx) SchemaState(ctx context.Context) (s migrations.State, err error) {
	err = t.each(ctx, func(scan func(...any) error) error { return scan(&s.Version, &s.Oldest) },
		"SELECT coalesce(max(version), 0), coalesce(max(oldest), 0) FROM schema_version")
	if err != nil {
		return s, fmt.Errorf("read the version of the relations schema: %w", err)
	}
	return s, nil
}

// PutSchemaVersion says that a version is being made live. Saying so again does nothing.
func (t *Tx) PutSchemaVersion(ctx context.Context, version, oldest int) error {
	err := t.exec(ctx, "INSERT INTO schema_version (version, oldest, made) VALUES (?, ?, ?) ON CONFLICT (version) DO NOTHING",
		version, oldest, time.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("keep the version of the relations schema: %w", err)
	}
	return nil
}

// AdmitSchema says which is the oldest version that a program may know to run on a version,
// whatever was said before.
func (t *Tx) AdmitSchema(ctx context.Context, version, oldest int) error {
	err := t.exec(ctx, `INSERT INTO schema_version (version, oldest, made) VALUES (?, ?, ?)
		ON CONFLICT (version) DO UPDATE SET oldest = excluded.oldest`, version, oldest, time.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("keep who may run on the relations schema: %w", err)
	}
	return nil
}

// RenameRole has assignments name a role by another relation. It goes with the rename of the
// relation.
func (t *Tx) RenameRole(ctx context.Context, was, is string) error {
	if err := t.exec(ctx, "UPDATE assignment SET role = ? WHERE role = ?", is, was); err != nil {
		return fmt.Errorf("rename role %s in assignments: %w", was, err)
	}
	return nil
}
