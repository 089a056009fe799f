package migration

import (
	"context"
	"fmt"

	"github.com/authzed/spicedb/pkg/cmd"

	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// Postgres migrates a Postgres database. Of several servers that do so at once one does,
// and the others find it done.
func Postgres(ctx context.Context, uri string) error { return To(ctx, uri, "head") }

// To is Postgres up to one migration, for tests.
func To(ctx context.Context, uri, name string) error {
	locks, err := postgres.Open(uri, postgres.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = locks.Close() }() // it wrote nothing
	release, err := postgres.Hold(ctx, locks, postgres.LockMigrations)
	if err != nil {
		return err
	}
	defer release()
	migrate := cmd.NewMigrateCommand("behalf")
	cmd.RegisterMigrateFlags(migrate)
	migrate.PreRunE = nil // it sets up the log of SpiceDB's own program
	migrate.SilenceErrors, migrate.SilenceUsage = true, true
	migrate.SetArgs([]string{name, "--datastore-engine=postgres", "--datastore-conn-uri=" + uri})
	if err := migrate.ExecuteContext(ctx); err != nil {
		return fmt.Errorf("migrate SpiceDB's tables: %w", err)
	}
	return nil
}
