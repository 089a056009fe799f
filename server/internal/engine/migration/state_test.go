package migration_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/server/internal/engine/migration"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// TestNames holds the list of migrations against SpiceDB, which tells its last only, and
// which refuses to go on from a name that it does not know.
func TestNames(t *testing.T) {
	uri := pg.Database(t)
	have, wanted, err := migration.State(t.Context(), uri)
	if err != nil || have != "" {
		t.Fatalf("an empty database is of %q: %v", have, err)
	}
	if last := migration.Names[len(migration.Names)-1]; last != wanted {
		t.Errorf("the last name is %s; SpiceDB says %s: bring the list to the release", last, wanted)
	}
	for i, name := range migration.Names {
		if err := migration.To(t.Context(), uri, name); err != nil {
			t.Fatalf("to %s: %v", name, err)
		}
		if have, _, err := migration.State(t.Context(), uri); err != nil || have != name {
			t.Fatalf("after %s the tables are of %s: %v", name, have, err)
		}
		if pending, err := migration.Pending(name, wanted); err != nil || !slices.Equal(pending, migration.Names[i+1:]) {
			t.Errorf("after %s there are %q: %v", name, pending, err)
		}
	}
}

// TestMigrationsAtOnce has several servers migrate at once, then finds tables of a later release.
func TestMigrationsAtOnce(t *testing.T) {
	uri := pg.Database(t)
	group, ctx := errgroup.WithContext(t.Context())
	for range 3 {
		group.Go(func() error { return migration.Postgres(ctx, uri) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "UPDATE alembic_version SET version_num = 'from-the-future'"); err != nil {
		t.Fatal(err)
	}
	have, wanted, err := migration.State(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	_, err = migration.Pending(have, wanted)
	if newer, ok := errors.AsType[*migration.NewerError](err); !ok || newer.Have != "from-the-future" {
		t.Errorf("tables of a later release: %v", err)
	}
	if err := migration.Postgres(t.Context(), uri); err == nil {
		t.Error("tables of a later release are migrated")
	}
}
