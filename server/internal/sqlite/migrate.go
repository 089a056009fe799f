package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"

	"github.com/behalf-authz/behalf/migrations"
)

// ApplicationID is what PRAGMA application_id says of Behalf's databases: "BHLF".
const ApplicationID = 0x42484C46

// Migrate applies the files that the database has not seen, each in its own transaction
// together with its number, which PRAGMA user_version keeps. It refuses a database that is
// not Behalf's, and one that a newer release has migrated: this one would not know what its
// rows mean.
func Migrate(ctx context.Context, db *sql.DB) error {
	names, err := fs.Glob(migrations.SQLite, "sqlite/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	have, err := version(ctx, db)
	if err != nil {
		return err
	}
	if have > len(names) {
		return fmt.Errorf("the database is of version %d, this program knows %d: use a newer release", have, len(names))
	}
	for i, name := range names[have:] {
		if err := apply(ctx, db, name, have+i+1); err != nil {
			return fmt.Errorf("migrate the database by %s: %w", name, err)
		}
	}
	return nil
}

// version returns how many migrations the database has seen.
func version(ctx context.Context, db *sql.DB) (int, error) {
	var have, application, tables int
	err := db.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)`).
		Scan(&have, &application, &tables)
	if err != nil {
		return 0, fmt.Errorf("read the version of the database: %w", err)
	}
	if application != ApplicationID && (application != 0 || have != 0 || tables != 0) {
		return 0, fmt.Errorf("the database is not Behalf's: its application id is %#x, not %#x", application, ApplicationID)
	}
	return have, nil
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
	// The id goes with the first migration already: a start that is cut off after it leaves a
	// database that the next one must know as its own.
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", number, ApplicationID)); err != nil {
		return err
	}
	return tx.Commit()
}
