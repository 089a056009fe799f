package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/sqlite"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// unseal makes of a closed store's file one without checksums, as older releases made it.
func unseal(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "behalf.db")
	db, err := sqlite.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(dir, "old.db")
	old, err := sql.Open("sqlite", dump)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Migrate(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	old.SetMaxOpenConns(1)
	for _, text := range []string{"PRAGMA foreign_keys = off", "ATTACH '" + path + "' AS whole", "DELETE FROM migration"} {
		if _, err := old.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := texts(t.Context(), db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tables {
		name = strings.Trim(name, `["]`)
		if _, err := old.ExecContext(t.Context(), "DELETE FROM main."+name+"; INSERT INTO main."+name+" SELECT * FROM whole."+name); err != nil {
			t.Fatal(name, err)
		}
	}
	if err := errors.Join(db.Close(), old.Close(), os.Rename(dump, path)); err != nil {
		t.Fatal(err)
	}
}

// TestFileWithoutChecksums opens a file of an older release: it holds what it held, and its
// pages have checksums from then on. Backups of it can be verified before and after.
func TestFileWithoutChecksums(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "behalf.db")
	s := open(t, dir)
	furnish(t, s)
	want := held(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	unseal(t, dir)
	verified := func(path string, reserved byte) {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil || b[20] != reserved {
			t.Errorf("%s keeps %d bytes of each page free, %v", path, b[20], err)
		}
		if found, err := store.Verify(t.Context(), path, nil, nil); err != nil || found.Sealed != (reserved > 0) {
			t.Errorf("verified: %+v, %v", found, err)
		}
		if n, err := sqlite.BrokenPage(path); n != 0 || err != nil {
			t.Errorf("page %d of %s is broken, %v", n, path, err)
		}
	}
	verified(path, 0)
	backup := filepath.Join(dir, "backup")
	copied := func() {
		t.Helper()
		if err := errors.Join(os.RemoveAll(backup), os.WriteFile(backup, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := store.CopyInto(t.Context(), path, backup, nil); err != nil {
			t.Fatal(err)
		}
	}
	copied()
	verified(backup, 0)
	var log bytes.Buffer
	s = open(t, dir, func(c *store.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	is := held(t, s)
	for name, rows := range want {
		if !slices.Equal(is[name], rows) {
			t.Errorf("%s is not what it was", name)
		}
	}
	if !strings.Contains(log.String(), "got checksums") {
		t.Errorf("the log says %s", &log)
	}
	write(t, s, touch("party:1#dagl@user:1"))
	copied()
	verified(backup, 8)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	verified(path, 8)
}

// TestDamageWhileOpen breaks a page of an open store's file: a copy is refused.
func TestDamageWhileOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "behalf.db")
	s := open(t, dir)
	furnish(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	var page int64
	owner := owners(t, s.Read())
	for number, name := range owner {
		if name == "assignment" {
			page = int64(number)
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt([]byte("x"), (page-1)*4096+4000)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	copied, err := s.Backup(t.Context(), nil)
	if err == nil {
		_ = copied.Close()
	}
	damaged, ok := errors.AsType[*store.DamagedError](err)
	if !ok || damaged.File != path || damaged.Table != "assignment" || damaged.Page != page {
		t.Errorf("a copy with page %d broken: %v", page, err)
	}
}
