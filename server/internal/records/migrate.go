package records

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/migrations"
)

// migrate applies the files that the database has not seen, each in its own transaction
// together with its number, which PRAGMA user_version keeps. A database that a newer
// release has migrated is refused: this one would not know what its rows mean.
func migrate(ctx context.Context, db *sql.DB) error {
	names, err := fs.Glob(migrations.SQLite, "sqlite/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	var have int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("read the version of the records: %w", err)
	}
	if have > len(names) {
		return fmt.Errorf("the records are of version %d, this program knows %d: use a newer release", have, len(names))
	}
	for i, name := range names[have:] {
		if err := apply(ctx, db, name, have+i+1); err != nil {
			return fmt.Errorf("migrate the records by %s: %w", name, err)
		}
	}
	return nil
}

func apply(ctx context.Context, db *sql.DB, name string, number int) error {
	if !strings.HasPrefix(strings.TrimPrefix(name, "sqlite/"), fmt.Sprintf("%04d_", number)) {
		return fmt.Errorf("number %d is missing", number)
	}
	text, err := fs.ReadFile(migrations.SQLite, name)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect once committed
	if _, err := tx.ExecContext(ctx, string(text)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(number)); err != nil {
		return err
	}
	return tx.Commit()
}
