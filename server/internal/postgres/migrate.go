package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/behalf-authz/behalf/migrations"
)

// ErrNotMigrated is in the error of Migrated when migrations have to be run first.
var ErrNotMigrated = errors.New("behalf's tables are not those of this release")

// Migrate applies the files that the database has not seen, each in its own transaction
// together with its number. Of several servers that do so at once one does. It refuses a
// database that a newer release has migrated: this one would not know what its rows mean.
func Migrate(ctx context.Context, db *sql.DB) error {
	release, err := Hold(ctx, db, LockMigrations)
	if err != nil {
		return err
	}
	defer release()
	_, err = db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+Schema+`;
		CREATE TABLE IF NOT EXISTS `+Schema+`.migration (
			number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TIMESTAMPTZ NOT NULL DEFAULT now())`)
	if err != nil {
		return fmt.Errorf("make the schema %s: %w", Schema, err)
	}
	names, have, err := versions(ctx, db)
	if err != nil {
		return err
	}
	for i, name := range names[min(have, len(names)):] {
		if err := apply(ctx, db, name, have+i+1); err != nil {
			return fmt.Errorf("migrate the database by %s: %w", name, err)
		}
	}
	return newer(len(names), have)
}

// Migrated reports whether the database is what this release works with.
func Migrated(ctx context.Context, db *sql.DB) error {
	names, have, err := versions(ctx, db)
	if err != nil {
		return err
	}
	if have < len(names) {
		return fmt.Errorf("%w: the database is of version %d, this program needs %d", ErrNotMigrated, have, len(names))
	}
	return newer(len(names), have)
}

func newer(known, have int) error {
	if have > known {
		return fmt.Errorf("the database is of version %d, this program knows %d: use a newer release", have, known)
	}
	return nil
}

// versions returns the files, in order, and how many the database has seen.
func versions(ctx context.Context, db *sql.DB) (names []string, have int, err error) {
	if names, err = fs.Glob(migrations.Postgres, "postgres/*.sql"); err != nil {
		return nil, 0, fmt.Errorf("list migrations: %w", err)
	}
	var there bool
	err = db.QueryRowContext(ctx, "SELECT to_regclass($1) IS NOT NULL", Schema+".migration").Scan(&there)
	if err == nil && there {
		err = db.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM "+Schema+".migration").Scan(&have)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read the version of the database: %w", err)
	}
	return names, have, nil
}

func apply(ctx context.Context, db *sql.DB, name string, number int) error {
	if !strings.HasPrefix(strings.TrimPrefix(name, "postgres/"), fmt.Sprintf("%04d_", number)) {
		return fmt.Errorf("number %d is missing", number)
	}
	text, err := fs.ReadFile(migrations.Postgres, name)
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
	if _, err := tx.ExecContext(ctx, "INSERT INTO "+Schema+".migration (number, name) VALUES ($1, $2)", number, name); err != nil {
		return err
	}
	return tx.Commit()
}
