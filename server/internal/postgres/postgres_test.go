package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/server/internal/postgres"
	testkit "github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg testkit.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

func open(t *testing.T, uri string) *sql.DB {
	t.Helper()
	db, err := postgres.Open(uri, postgres.Options{Conns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestCheck(t *testing.T) {
	uri := pg.Database(t)
	if err := postgres.Check(t.Context(), open(t, uri)); err != nil {
		t.Error(err)
	}
	// The settings cannot be changed while the server runs, so that a function that hides
	// the server's own answers.
	db := open(t, uri)
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"CREATE SCHEMA behalf", `CREATE FUNCTION behalf.current_setting(text) RETURNS text
		LANGUAGE sql AS $$ SELECT CASE $1 WHEN 'server_version_num' THEN '130000' WHEN 'server_version' THEN '13.0' ELSE 'off' END $$`,
		"SET search_path = behalf, pg_catalog"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	err := postgres.Check(t.Context(), db)
	if err == nil || !strings.Contains(err.Error(), "13.0") || !strings.Contains(err.Error(), "ALTER SYSTEM SET track_commit_timestamp = on") {
		t.Errorf("of a Postgres 13 that tracks nothing: %v", err)
	}
}

func TestOpenHidesThePassword(t *testing.T) {
	for _, uri := range []string{"postgres://u:geheim@h:x/d", "postgres://u:geheim@127.0.0.1:1/d?connect_timeout=1"} {
		db, err := postgres.Open(uri, postgres.Options{})
		if err == nil {
			err = errors.Join(postgres.Check(t.Context(), db), db.Close())
		}
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

// TestHoldIsExclusive has several servers, one pool each, take a lock many times.
func TestHoldIsExclusive(t *testing.T) {
	uri := pg.Database(t)
	var inside, times atomic.Int64
	group, ctx := errgroup.WithContext(t.Context())
	for range 4 {
		db := open(t, uri)
		group.Go(func() error {
			for range 5 {
				release, err := postgres.Hold(ctx, db, postgres.LockSchema)
				if err != nil {
					return err
				}
				if inside.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				times.Add(1)
				inside.Add(-1)
				release()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil || times.Load() != 20 {
		t.Errorf("the lock was taken %d times: %v", times.Load(), err)
	}
}

// TestMigrate has several servers migrate at once, and refuses what is older and newer.
func TestMigrate(t *testing.T) {
	db := open(t, pg.Database(t))
	if err := postgres.Migrated(t.Context(), db); !errors.Is(err, postgres.ErrNotMigrated) {
		t.Errorf("an empty database: %v", err)
	}
	group, ctx := errgroup.WithContext(t.Context())
	for range 3 {
		group.Go(func() error { return postgres.Migrate(ctx, db) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Migrated(t.Context(), db); err != nil {
		t.Error(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO migration (number, name, oldest) VALUES (99, 'later', 99)"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"Migrate": postgres.Migrate(t.Context(), db), "Migrated": postgres.Migrated(t.Context(), db)} {
		if err == nil || errors.Is(err, postgres.ErrNotMigrated) || !strings.Contains(err.Error(), "newer release") {
			t.Errorf("%s of a newer database: %v", name, err)
		}
	}
}

// TestHoldHoldsUpNoIndex has the holder of a lock build indexes concurrently while others wait for
// the lock: he is waited for, and must not wait for them.
func TestHoldHoldsUpNoIndex(t *testing.T) {
	uri := pg.Database(t)
	db := open(t, uri)
	release, err := postgres.Hold(t.Context(), db, postgres.LockMigrations)
	if err != nil {
		t.Fatal(err)
	}
	waiters, ctx := errgroup.WithContext(t.Context())
	for range 6 {
		waiting := open(t, uri)
		waiters.Go(func() error {
			release, err := postgres.Hold(ctx, waiting, postgres.LockMigrations)
			if err == nil {
				release()
			}
			return err
		})
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for _, statement := range []string{"SET statement_timeout = '20s'", "CREATE TABLE public.indexed (id INTEGER)"} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 200 {
		for _, statement := range []string{"CREATE INDEX CONCURRENTLY one ON public.indexed (id)", "DROP INDEX public.one"} {
			if _, err := conn.ExecContext(t.Context(), statement); err != nil {
				release()
				t.Fatalf("index %d: %v", n, err)
			}
		}
	}
	release()
	if err := waiters.Wait(); err != nil {
		t.Error(err)
	}
}

func TestHoldEnds(t *testing.T) {
	uri := pg.Database(t)
	db := open(t, uri)
	release, err := postgres.Hold(t.Context(), db, postgres.LockSchema)
	if err != nil {
		t.Fatal(err)
	}
	// Neither the holder nor who waits has a snapshot: see Hold.
	var snapshots int
	err = open(t, uri).QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND backend_xmin IS NOT NULL").Scan(&snapshots)
	if err != nil || snapshots > 0 {
		t.Errorf("%d connections hold a snapshot: %v", snapshots, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := postgres.Hold(ctx, db, postgres.LockSchema); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second holder: %v", err)
	}
	if other, err := postgres.Hold(t.Context(), db, postgres.LockMigrations); err != nil {
		t.Errorf("another lock: %v", err)
	} else {
		other()
	}
	release()
	if release, err = postgres.Hold(t.Context(), db, postgres.LockSchema); err != nil {
		t.Errorf("after it was released: %v", err)
	} else {
		release()
	}
}
