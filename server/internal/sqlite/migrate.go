package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/migrations"
)

// ApplicationID is what PRAGMA application_id says of Behalf's databases: "BHLF".
const ApplicationID = 0x42484C46

// Migrate applies the migrations of this release. See Apply.
func Migrate(ctx context.Context, db *sql.DB) error {
	list, err := migrations.OfSQLite()
	if err != nil {
		return err
	}
	return Apply(ctx, db, list)
}

// Apply applies the migrations that the database has not seen, each in its own transaction
// together with its number, which PRAGMA user_version keeps. It refuses a database that is
// not Behalf's and one on which a program that has no more than list cannot run. A database
// that has seen more, and lets older programs run, it leaves as it is.
func Apply(ctx context.Context, db *sql.DB, list []migrations.Migration) error {
	state, err := State(ctx, db)
	if err != nil {
		return err
	}
	if err := state.Admit(len(list)); err != nil {
		return err
	}
	for _, m := range state.Pending(list) {
		if err := apply(ctx, db, m); err != nil {
			return fmt.Errorf("migrate the database by %s: %w", m.Name, err)
		}
	}
	return nil
}

// State returns how far the database has come. It fails when the database is not Behalf's.
func State(ctx context.Context, db *sql.DB) (s migrations.State, err error) {
	var application, tables, noted int
	err = db.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema),
		(SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migration')`).
		Scan(&s.Version, &application, &tables, &noted)
	if err != nil {
		return s, fmt.Errorf("read the version of the database: %w", err)
	}
	if application == ApplicationID && (s.Version < 0 || s.Version == 0 && tables != 0) {
		return s, fmt.Errorf("the database is of version %d and has %d tables and indexes: no release leaves it so", s.Version, tables)
	}
	if application != ApplicationID && (application != 0 || s.Version != 0 || tables != 0) {
		return s, fmt.Errorf("the database is not Behalf's: its application id is %#x, not %#x", application, ApplicationID)
	}
	s.Oldest = s.Version // before there were notes, no older program was admitted
	if noted == 0 {
		return s, nil
	}
	// The version is read again with the notes: another process may have migrated in between.
	var newest int
	err = db.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version), coalesce(max(oldest), 0), coalesce(max(number), 0)
		FROM migration`).Scan(&s.Version, &s.Oldest, &newest)
	if err != nil {
		return s, fmt.Errorf("read the version of the database: %w", err)
	}
	if newest != s.Version {
		return s, fmt.Errorf("the database is of version %d and has noted migrations up to %d: no release leaves it so", s.Version, newest)
	}
	return s, nil
}

// sqlNotes makes the table that says who may run on the database, and notes what was applied
// before there was one.
const sqlNotes = `CREATE TABLE IF NOT EXISTS migration (
		number  INTEGER PRIMARY KEY,
		name    TEXT    NOT NULL,
		oldest  INTEGER NOT NULL,
		applied INTEGER NOT NULL -- microseconds since 1970
	) STRICT;
	INSERT INTO migration (number, name, oldest, applied)
		SELECT user_version, 'earlier', user_version, 0 FROM pragma_user_version
		WHERE user_version > 0 AND NOT EXISTS (SELECT 1 FROM migration)`

func apply(ctx context.Context, db *sql.DB, m migrations.Migration) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect once committed
	if _, err := tx.ExecContext(ctx, sqlNotes); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, m.Text); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO migration (number, name, oldest, applied) VALUES (?, ?, ?, ?)",
		m.Number, m.Name, m.Oldest, time.Now().UnixMicro())
	if err != nil {
		return err
	}
	// The id goes with the first migration already: a start that is cut off after it leaves a
	// database that the next one must know as its own.
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", m.Number, ApplicationID)); err != nil {
		return err
	}
	return tx.Commit()
}
