package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/sqlite"
	"github.com/behalf-authz/behalf/server/internal/store"
)

func TestOneProcessPerDirectory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, func(c *store.Config) { c.Address = "127.0.0.1:7400" })
	_, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "behalf.db")})
	inUse, ok := errors.AsType[*store.InUseError](err)
	if !ok {
		t.Fatalf("a second process gets %v", err)
	}
	for _, part := range []string{dir, fmt.Sprintf("process %d", os.Getpid()), "127.0.0.1:7400"} {
		if !strings.Contains(inUse.Error(), part) {
			t.Errorf("%q does not name %s", inUse, part)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestFilesAreTheirOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, touch("party:1#dagl@user:1"))
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", f.Name(), info.Mode())
		}
	}
}

func TestClosedStore(t *testing.T) {
	s := open(t, t.TempDir())
	r := head(t, s)
	changes, faults := s.Watch(t.Context(), r, datastore.WatchJustRelationships())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-faults; !errors.Is(err, store.ErrClosed) {
		t.Errorf("a watch ends with %v", err)
	}
	if _, ok := <-changes; ok {
		t.Error("a watch sends something")
	}
	_, err := s.Write(t.Context(), func(context.Context, *store.Tx) error { return nil })
	if !errors.Is(err, store.ErrClosed) {
		t.Errorf("a write: %v", err)
	}
	if err := s.CheckRevision(t.Context(), r); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a check of a revision: %v", err)
	}
	if state, err := s.ReadyState(t.Context()); err != nil || state.IsReady {
		t.Errorf("ready: %+v, %v", state, err)
	}
}

// spoil changes a closed store's file by SQL.
func spoil(t *testing.T, dir, text string) {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(dir, "behalf.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWrongFilesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change, want string
	}{
		"a tuple changed":           {"UPDATE tuple SET subject = 'other' WHERE id = 2", "table tuple"},
		"a tuple and its hash gone": {"DELETE FROM tuple WHERE id = 2", "table tuple"},
		"an expiry changed":         {"UPDATE tuple SET expires = expires + 1 WHERE deleted IS NULL", "table tuple"},
		"a context changed":         {"UPDATE tuple SET context = NULL WHERE caveat IS NOT NULL AND deleted IS NULL", "table tuple"},
		"an ended tuple back":       {"UPDATE tuple SET deleted = NULL WHERE deleted IS NOT NULL", "table tuple"},
		"a tuple of the future":     {"UPDATE tuple SET created = 1000 WHERE id = 2", "table tuple"},
		"a word gone":               {"DELETE FROM relation_word WHERE id = 1", "table tuple"},
		"a word changed":            {"UPDATE relation_word SET name = 'other' WHERE id = 1", "table tuple"},
		"a definition spoilt":       {"UPDATE definition SET body = x'ff' WHERE deleted IS NULL", "table definition"},
		"no revision":               {"DELETE FROM revision", "table revision"},
		"another checksum":          {"UPDATE revision SET sum = sum + 1", "table tuple"},
		"another application":       {"PRAGMA application_id = 7", "not Behalf's"},
		"a newer release":           {"PRAGMA user_version = 9999; INSERT INTO migration VALUES (9999, 'later', 9999, 0)", "newer release"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			write(t, s, touch("party:0#dagl@user:0"))
			write(t, s, touch("party:1#dagl@user:1[expiration:2321-01-01T00:00:00Z]"), touch(`party:2#lede@user:2[never:{"a":1}]`), remove("party:0#dagl@user:0"), touch("party:7#regn@user:7"))
			if _, err := writeSchema(t.Context(), s, "one", "user"); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			spoil(t, dir, c.change)
			s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "behalf.db")})
			if err == nil {
				_ = s.Close()
				t.Fatal("it opens")
			}
			if text := err.Error(); !strings.Contains(text, c.want) || !strings.Contains(text, dir) {
				t.Errorf("it says %q, which does not name %q and the file", text, c.want)
			}
		})
	}
}

func TestDamagedPagesAreRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 200 {
		write(t, s, touch(fmt.Sprintf("party:%d#dagl@user:%d", i, i)))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "behalf.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-3*4096], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Config{Path: path}); err == nil {
		t.Fatal("a file that was cut short opens")
	} else if !strings.Contains(err.Error(), path) {
		t.Errorf("%q does not name the file", err)
	}
}

// What the caller loads is loaded while the relationships are, and what keeps either from it
// keeps the store from opening, with the relationships' reason first.
func TestWhatElseIsLoaded(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 200 {
		write(t, s, touch(fmt.Sprintf("party:%d#dagl@user:%d", i, i)))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	words := 0
	count := func(ctx context.Context, from *store.Store) error {
		return from.Read().QueryRowContext(ctx, "SELECT count(*) FROM relation_word").Scan(&words)
	}
	if err := open(t, dir, func(c *store.Config) { c.Also = count }).Close(); err != nil {
		t.Fatal(err)
	}
	if words == 0 {
		t.Error("nothing else was read")
	}
	other := errors.New("the other half")
	refused := func(also func(context.Context, *store.Store) error) error {
		t.Helper()
		s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "behalf.db"), Also: also})
		if err == nil {
			_ = s.Close()
			t.Fatal("it opens")
		}
		return err
	}
	if err := refused(func(context.Context, *store.Store) error { return other }); !errors.Is(err, other) {
		t.Errorf("without the other half: %v", err)
	}
	spoil(t, dir, "UPDATE revision SET sum = sum + 1")
	waiting := func(ctx context.Context, _ *store.Store) error {
		<-ctx.Done() // there is no use in it any more
		return other
	}
	if err := refused(waiting); errors.Is(err, other) || !strings.Contains(err.Error(), "table tuple") {
		t.Errorf("without relationships: %v", err)
	}
}
