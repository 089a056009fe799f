package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/behalf-authz/behalf/migrations"
)

// ErrNotMigrated is in the error of Migrated when migrations have to be run first.
var ErrNotMigrated = errors.New("behalf's tables are not those of this release")

// Migrate applies the migrations of this release. See Apply.
func Migrate(ctx context.Context, db *sql.DB) error {
	list, err := migrations.OfPostgres()
	if err != nil {
		return err
	}
	return Apply(ctx, db, list)
}

// Apply applies the migrations that the database has not seen, each in its own transaction
// together with its number. Of several servers that do so at once one does. It refuses a
// database on which a program that has no more than list cannot run. A database that has
// seen more, and lets older programs run, it leaves as it is.
func Apply(ctx context.Context, db *sql.DB, list []migrations.Migration) error {
	release, err := Hold(ctx, db, LockMigrations)
	if err != nil {
		return err
	}
	defer release()
	state, err := State(ctx, db)
	if err != nil {
		return err
	}
	if err := state.Admit(len(list)); err != nil {
		return err
	}
	pending := state.Pending(list)
	if len(pending) == 0 {
		return nil
	}
	// A migration without an oldest program of its own was applied before there were such.
	_, err = db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+Schema+`;
		CREATE TABLE IF NOT EXISTS `+Schema+`.migration (
			number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TIMESTAMPTZ NOT NULL DEFAULT now());
		ALTER TABLE `+Schema+`.migration ADD COLUMN IF NOT EXISTS oldest INTEGER`)
	if err != nil {
		return fmt.Errorf("make the schema %s: %w", Schema, err)
	}
	for _, m := range pending {
		if err := apply(ctx, db, m); err != nil {
			return fmt.Errorf("migrate the database by %s: %w", m.Name, err)
		}
	}
	return nil
}

// Migrated reports whether this release can run on the database.
func Migrated(ctx context.Context, db *sql.DB) error {
	list, err := migrations.OfPostgres()
	if err != nil {
		return err
	}
	return Admit(ctx, db, list)
}

// Admit reports whether a program that has the migrations can run on the database as it is:
// the database has seen all of them, and nothing that the program is too old for.
func Admit(ctx context.Context, db *sql.DB, list []migrations.Migration) error {
	state, err := State(ctx, db)
	if err != nil {
		return err
	}
	if state.Version < len(list) {
		return fmt.Errorf("%w: the database is of version %d, this program needs %d", ErrNotMigrated, state.Version, len(list))
	}
	return state.Admit(len(list))
}

// State returns how far the database has come.
func State(ctx context.Context, db *sql.DB) (s migrations.State, err error) {
	var there, noted bool
	err = db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL, EXISTS (SELECT 1 FROM pg_attribute
		WHERE attrelid = to_regclass($1) AND attname = 'oldest' AND NOT attisdropped)`, Schema+".migration").Scan(&there, &noted)
	oldest := "number"
	if noted {
		oldest = "coalesce(oldest, number)"
	}
	if err == nil && there {
		err = db.QueryRowContext(ctx, "SELECT coalesce(max(number), 0), coalesce(max("+oldest+"), 0) FROM "+Schema+".migration").
			Scan(&s.Version, &s.Oldest)
	}
	if err != nil {
		return s, fmt.Errorf("read the version of the database: %w", err)
	}
	return s, nil
}

func apply(ctx context.Context, db *sql.DB, m migrations.Migration) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect once committed
	if _, err := tx.ExecContext(ctx, m.Text); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO "+Schema+".migration (number, name, oldest) VALUES ($1, $2, $3)", m.Number, m.Name, m.Oldest)
	if err != nil {
		return err
	}
	return tx.Commit()
}
