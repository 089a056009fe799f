package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// later returns the migrations of this release and one more.
func later(t *testing.T, oldest int) (now, then []migrations.Migration) {
	t.Helper()
	now, err := migrations.OfPostgres()
	if err != nil {
		t.Fatal(err)
	}
	return now, append(slices.Clone(now), migrations.Migration{
		Number: len(now) + 1, Name: "later.sql", Oldest: oldest,
		Text: "CREATE TABLE behalf.later (id INTEGER PRIMARY KEY)",
	})
}

// TestOldestProgram migrates a database by what a later release would have. This one goes on
// to run on it when the migration says so, and is refused when it does not.
func TestOldestProgram(t *testing.T) {
	now, _ := later(t, 1)
	for _, c := range []struct {
		oldest   int
		admitted bool
	}{{len(now), true}, {len(now) + 1, false}} {
		db := open(t, pg.Database(t))
		if err := postgres.Apply(t.Context(), db, now); err != nil {
			t.Fatal(err)
		}
		_, then := later(t, c.oldest)
		if err := postgres.Apply(t.Context(), db, then); err != nil {
			t.Fatal(err)
		}
		state, err := postgres.State(t.Context(), db)
		if err != nil || state.Version != len(then) {
			t.Errorf("after: %+v, %v", state, err)
		}
		for name, run := range map[string]func(context.Context, *sql.DB) error{"Migrate": postgres.Migrate, "Migrated": postgres.Migrated} {
			err := run(t.Context(), db)
			tooOld, refused := errors.AsType[*migrations.TooOldError](err)
			if refused == c.admitted || (err == nil) != c.admitted {
				t.Errorf("%s, with an oldest program of %d: %v", name, c.oldest, err)
			}
			if refused && (tooOld.Known != len(now) || tooOld.State.Oldest != c.oldest) {
				t.Errorf("%s names %+v", name, tooOld)
			}
		}
	}
}

// TestBeforeThereWereOldestPrograms migrates a database whose migrations name none.
func TestBeforeThereWereOldestPrograms(t *testing.T) {
	db := open(t, pg.Database(t))
	now, _ := later(t, 1)
	statements := []string{"CREATE SCHEMA behalf", "CREATE TABLE behalf.migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TIMESTAMPTZ NOT NULL DEFAULT now())"}
	for _, m := range now[:2] {
		statements = append(statements, m.Text, "INSERT INTO behalf.migration (number, name) VALUES ("+string(rune('0'+m.Number))+", 'x')")
	}
	for _, text := range statements {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if state, err := postgres.State(t.Context(), db); err != nil || state != (migrations.State{Version: 2, Oldest: 2}) {
		t.Errorf("before: %+v, %v", state, err)
	}
	if err := postgres.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if state, err := postgres.State(t.Context(), db); err != nil || state != (migrations.State{}).After(now...) {
		t.Errorf("after: %+v, %v", state, err)
	}
}

// TestMigrationsAtOnce has several servers, each with a pool of its own, migrate at once.
// A migration that fails leaves nothing, and those before it.
func TestMigrationsAtOnce(t *testing.T) {
	uri := pg.Database(t)
	_, then := later(t, 1)
	group, ctx := errgroup.WithContext(t.Context())
	for range 4 {
		db := open(t, uri)
		group.Go(func() error { return postgres.Apply(ctx, db, then) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	db := open(t, uri)
	bad := append(slices.Clone(then), migrations.Migration{Number: len(then) + 1, Name: "bad.sql", Oldest: 1, Text: "CREATE TABLE behalf.half (id INTEGER); SELECT nonsense"})
	if err := postgres.Apply(t.Context(), db, bad); err == nil || !strings.Contains(err.Error(), "bad.sql") {
		t.Errorf("a bad migration: %v", err)
	}
	var half bool
	err := db.QueryRowContext(t.Context(), "SELECT to_regclass('behalf.half') IS NOT NULL").Scan(&half)
	if state, failed := postgres.State(t.Context(), db); err != nil || failed != nil || half || state.Version != len(then) {
		t.Errorf("after it: %+v, half %v, %v, %v", state, half, err, failed)
	}
}
