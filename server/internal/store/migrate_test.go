package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// knowing has a store opened by a program that has these migrations.
func knowing(list []migrations.Migration) func(*store.Config) {
	return func(c *store.Config) { c.Migrations = list }
}

// releases returns the migrations of this release, and of the next one, whose only migration
// names the oldest program.
func releases(t *testing.T, oldest func(now int) int) (now, next []migrations.Migration) {
	t.Helper()
	now, err := migrations.OfSQLite()
	if err != nil {
		t.Fatal(err)
	}
	return now, append(slices.Clone(now), migrations.Migration{
		Number: len(now) + 1, Name: "next.sql", Oldest: oldest(len(now)),
		Text: "CREATE TABLE next (id INTEGER PRIMARY KEY) STRICT; ALTER TABLE party ADD COLUMN next TEXT NOT NULL DEFAULT ''",
	})
}

// TestProgramBeforeRunsAfter migrates a file by the next release, then has this one write
// and read it, and the next one again. Nothing is lost on the way.
func TestProgramBeforeRunsAfter(t *testing.T) {
	dir := t.TempDir()
	now, next := releases(t, func(now int) int { return now })
	want := []string{}
	for i, list := range [][]migrations.Migration{now, next, now, next, now} {
		s := open(t, dir, knowing(list))
		if got := tuples(t, s, head(t, s)); !slices.Equal(got, want) {
			t.Errorf("opening %d finds %q; want %q", i, got, want)
		}
		write(t, s, touch(fmt.Sprintf("party:%d#dagl@user:1", i)), remove(fmt.Sprintf("party:%d#dagl@user:1", i-2)))
		if _, err := s.Write(t.Context(), records(1000*i)); err != nil {
			t.Errorf("opening %d cannot write records: %v", i, err)
		}
		if rows, err := texts(t.Context(), s.Read(), "SELECT count(*) FROM party"); err != nil || rows[0] != fmt.Sprintf("%q", []any{int64(20 * (i + 1))}) {
			t.Errorf("opening %d has %v parties, %v", i, rows, err)
		}
		want = tuples(t, s, head(t, s))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	copies, err := filepath.Glob(filepath.Join(dir, "behalf.v*.db"))
	if err != nil || len(copies) != 1 {
		t.Errorf("the copies are %v, %v; want the one from before the migration", copies, err)
	}
}

// TestTooOld refuses a file that a later release has migrated so that this one cannot run.
func TestTooOld(t *testing.T) {
	dir := t.TempDir()
	now, next := releases(t, func(now int) int { return now + 1 })
	if err := open(t, dir, knowing(next)).Close(); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "behalf.db")})
	tooOld, ok := errors.AsType[*migrations.TooOldError](err)
	if !ok || tooOld.Known != len(now) || tooOld.State != (migrations.State{Version: len(next), Oldest: len(next)}) {
		t.Errorf("an older program: %v", err)
	}
	if err == nil || !strings.Contains(err.Error(), "newer release") {
		t.Errorf("it is told: %v", err)
	}
}

// TestCopyBeforeMigration looks at the copies that migrations make.
func TestCopyBeforeMigration(t *testing.T) {
	dir := t.TempDir()
	now, next := releases(t, func(now int) int { return now })
	s := open(t, dir, knowing(now))
	write(t, s, touch("party:1#dagl@user:1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "behalf.v*")); err != nil || len(left) > 0 {
		t.Errorf("a new file is copied: %v, %v", left, err)
	}
	bad := slices.Clone(next)
	bad[len(now)].Text += "; SELECT nonsense"
	if _, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "behalf.db"), Migrations: bad}); err == nil || !strings.Contains(err.Error(), "next.sql") {
		t.Errorf("a bad migration: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "behalf*v*")); err != nil || len(left) > 0 {
		t.Errorf("a migration that failed leaves a copy: %v, %v", left, err)
	}
	s = open(t, dir, knowing(next))
	write(t, s, touch("party:1#dagl@user:2"))
	if name, err := s.KeepCopy(t.Context(), "again"); err != nil || !strings.HasSuffix(name, ".db") || strings.Contains(name, "again") {
		t.Errorf("a second copy in one opening: %q, %v", name, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "behalf.v*.db"))
	if err != nil || len(left) != 1 {
		t.Fatalf("the copies are %v, %v", left, err)
	}
	if info, err := os.Stat(left[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy: %v, %v", info, err)
	}
	if found, err := store.Verify(t.Context(), left[0], nil, nil); err != nil || found.Relationships != 1 {
		t.Errorf("the copy holds %+v, %v", found, err)
	}
	db, err := sqlite.Inspect(left[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if state, err := sqlite.State(t.Context(), db); err != nil || state.Version != len(now) {
		t.Errorf("the copy is of %+v, %v", state, err)
	}
}

// TestCopyFails has the copy fail, and with it the migration.
func TestCopyFails(t *testing.T) {
	dir := t.TempDir()
	now, next := releases(t, func(now int) int { return now })
	if err := open(t, dir, knowing(now)).Close(); err != nil {
		t.Fatal(err)
	}
	// A directory that cannot be removed stands where copies that were cut off are.
	if err := os.MkdirAll(filepath.Join(dir, "behalf-backup-1.tmp", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "behalf.db"), Migrations: next}); err == nil || !strings.Contains(err.Error(), "before it is migrated") {
		t.Errorf("without a copy: %v", err)
	}
	db, err := sqlite.Inspect(filepath.Join(dir, "behalf.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if state, err := sqlite.State(t.Context(), db); err != nil || state.Version != len(now) {
		t.Errorf("without a copy the file came to %+v, %v", state, err)
	}
}
