package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

// page is the size of a page.
const page = 4096

// open returns a pool of one connection that writes.
func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func overwrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// filled makes a database with rows, an index, texts that take pages of their own, and free
// pages, and returns what it holds.
func filled(t *testing.T, path string) string {
	t.Helper()
	db := open(t, path)
	exec(t, db, "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, body TEXT); CREATE INDEX thing_name ON thing (name)")
	exec(t, db, "BEGIN")
	for i := range 60 {
		exec(t, db, "INSERT INTO thing (name, body) VALUES (?, ?)", strings.Repeat(fmt.Sprintf("name %d ", i), 20), strings.Repeat(fmt.Sprint(i), 50*i))
	}
	exec(t, db, "COMMIT")
	exec(t, db, "DELETE FROM thing WHERE id BETWEEN 35 AND 50")
	is := contents(t.Context(), db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return is
}

// contents reads all that filled has written, by table and index, and says what fails.
func contents(ctx context.Context, db *sql.DB) string {
	var b strings.Builder
	for _, query := range []string{
		"SELECT group_concat(id || name || body) FROM thing NOT INDEXED",
		"SELECT group_concat(name) FROM (SELECT name FROM thing INDEXED BY thing_name WHERE name > '' ORDER BY name)",
		"PRAGMA integrity_check",
	} {
		var text string
		if err := db.QueryRowContext(ctx, query).Scan(&text); err != nil {
			fmt.Fprintln(&b, err)
			continue
		}
		fmt.Fprintln(&b, text)
	}
	return b.String()
}

// inUse returns the pages that belong to a table or an index.
func inUse(t *testing.T, path string) map[int]bool {
	t.Helper()
	db, err := sqlite.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it only read
	rows, err := db.QueryContext(t.Context(), "SELECT pageno FROM dbstat")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	used := make(map[int]bool)
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		used[n] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return used
}

// reopened reads a file of these bytes.
func reopened(t *testing.T, b []byte) (path, is string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "copy.db")
	overwrite(t, path, b)
	db, err := sqlite.Inspect(path)
	if err != nil {
		return path, err.Error()
	}
	defer func() { _ = db.Close() }() // it only read
	return path, contents(t.Context(), db)
}

// TestEveryFlipIsFound flips a bit of every byte of the header and of every 397th after it.
func TestEveryFlipIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	want := filled(t, path)
	whole, used := read(t, path), inUse(t, path)
	for at := 0; at < len(whole); {
		whole[at] ^= 1 << (at % 8)
		if _, is := reopened(t, whole); is == want {
			// A page that is free, and whose turn has not come, is nobody's.
			if used[at/page+1] {
				t.Errorf("byte %d changed goes unnoticed", at)
			}
		} else if !strings.Contains(is, "(8202)") && !strings.Contains(is, "(26)") && !strings.Contains(is, "failed to get page") {
			t.Errorf("byte %d changed: %.100s", at, is)
		}
		whole[at] ^= 1 << (at % 8)
		if at++; at > 100 {
			at += 396
		}
	}
	if _, is := reopened(t, whole); is != want {
		t.Errorf("the file as it was: %.100s", is)
	}
}

// TestLostPages puts a page of zeros, another page and half a page in the place of each.
func TestLostPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	want := filled(t, path)
	whole, used := read(t, path), inUse(t, path)
	for n := range len(whole) / page {
		for name, spoil := range map[string]func(at []byte){
			"zeros":   func(at []byte) { clear(at) },
			"another": func(at []byte) { copy(at, whole[(n+1)%(len(whole)/page)*page:][:page]) },
			"half":    func(at []byte) { clear(at[page/2:]) },
		} {
			spoilt := bytes.Clone(whole)
			spoil(spoilt[n*page:][:page])
			path, is := reopened(t, spoilt)
			broken, err := sqlite.BrokenPage(path)
			if n > 0 && (err != nil || broken != int64(n+1)) && !bytes.Equal(spoilt, whole) {
				t.Errorf("page %d %s: page %d is named, %v", n+1, name, broken, err)
			}
			if used[n+1] && is == want && !bytes.Equal(spoilt, whole) {
				t.Errorf("page %d %s: it goes unnoticed", n+1, name)
			}
		}
	}
	if n, err := sqlite.BrokenPage(path); n != 0 || err != nil {
		t.Errorf("of the file itself page %d is named, %v", n, err)
	}
}

// TestPagesHaveChecksums looks at every page, of databases made in every way.
func TestPagesHaveChecksums(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	want := filled(t, path)
	check := func(path string) {
		t.Helper()
		if b := read(t, path); b[20] != 8 || len(b)%page != 0 {
			t.Errorf("%s keeps %d bytes of each page free, and has %d", path, b[20], len(b))
		}
		if n, err := sqlite.BrokenPage(path); n != 0 || err != nil {
			t.Errorf("page %d of %s has none, %v", n, path, err)
		}
	}
	check(path)
	into := filepath.Join(dir, "b.db")
	db, err := sqlite.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, "VACUUM INTO ?", into)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	check(into)
	db = open(t, path)
	exec(t, db, "VACUUM")
	if is := contents(t.Context(), db); is != want {
		t.Errorf("written anew it holds %.100s", is)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	check(path)
}

// TestPagesTakenAndGivenBack makes pages that are never written: within one transaction they
// are taken and given back. The file grows over them.
func TestPagesTakenAndGivenBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	filled(t, path)
	db := open(t, path)
	exec(t, db, `BEGIN IMMEDIATE; CREATE TABLE brief (body TEXT); INSERT INTO brief SELECT body FROM thing; INSERT INTO brief SELECT body FROM brief;
		CREATE TABLE kept (body TEXT); INSERT INTO kept SELECT body FROM thing; DROP TABLE brief; COMMIT`)
	exec(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	if n, err := sqlite.BrokenPage(path); n != 0 || err != nil {
		t.Errorf("page %d has no checksum, %v", n, err)
	}
	exec(t, db, "PRAGMA cache_size = 10; BEGIN IMMEDIATE; INSERT INTO kept SELECT body FROM kept; ROLLBACK; INSERT INTO kept SELECT body FROM kept; DELETE FROM kept; VACUUM")
	if is := contents(t.Context(), db); !strings.HasSuffix(is, "\nok\n") {
		t.Errorf("it holds %.100s", is)
	}
}

// TestSeal gives a database that was made without checksums its own.
func TestSeal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, old, "PRAGMA journal_mode = WAL; CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, body TEXT); CREATE INDEX thing_name ON thing (name)")
	exec(t, old, "INSERT INTO thing (name, body) VALUES ('one', 'text'), ('two', ?)", strings.Repeat("long", 5000))
	want := contents(t.Context(), old)
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db := open(t, path)
	if is, err := sqlite.Sealed(t.Context(), db); is || err != nil {
		t.Fatalf("it has checksums: %v, %v", is, err)
	}
	exec(t, db, "INSERT INTO thing (id, name, body) VALUES (7, 'later', 'text')")
	exec(t, db, "DELETE FROM thing WHERE id = 7")
	if is := contents(t.Context(), db); is != want {
		t.Errorf("without checksums it holds %.100s", is)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Seal(path); err != nil {
		t.Fatal(err)
	}
	db = open(t, path)
	if is, err := sqlite.Sealed(t.Context(), db); !is || err != nil {
		t.Errorf("it has checksums: %v, %v", is, err)
	}
	if is := contents(t.Context(), db); is != want {
		t.Errorf("with checksums it holds %.100s", is)
	}
	if n, err := sqlite.BrokenPage(path); n != 0 || err != nil {
		t.Errorf("page %d has none, %v", n, err)
	}
}

// TestHeaderFlippedUnderALog flips the byte that says that there are checksums, while a log
// has the page that it is in. Pages go on to be compared, and those that are written to have
// theirs.
func TestHeaderFlippedUnderALog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	filled(t, path)
	db := open(t, path)
	exec(t, db, "CREATE TABLE more (id INTEGER PRIMARY KEY)")
	want := contents(t.Context(), db)
	other := filepath.Join(dir, "b.db")
	b := read(t, path)
	b[20] = 0
	overwrite(t, other, b)
	overwrite(t, other+"-wal", read(t, path+"-wal"))
	worse := filepath.Join(dir, "c.db")
	overwrite(t, worse+"-wal", read(t, path+"-wal"))
	at := bytes.LastIndex(b, []byte(strings.Repeat("59", 100)))
	b[at] ^= 1
	overwrite(t, worse, b)
	if is := contents(t.Context(), open(t, worse)); !strings.Contains(is, "(8202)") {
		t.Errorf("with another byte changed it holds %.100s", is)
	}
	spoilt := open(t, other)
	if is := contents(t.Context(), spoilt); is != want {
		t.Errorf("it holds %.100s", is)
	}
	if err := spoilt.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := sqlite.BrokenPage(other); n != 0 || err != nil || read(t, other)[20] != 8 {
		t.Errorf("page %d has no checksum, %v", n, err)
	}
}

// TestVersions opens databases that say of themselves what Behalf's do not.
func TestVersions(t *testing.T) {
	for name, c := range map[string]struct{ change, want string }{
		"another application": {"PRAGMA application_id = 7", "not Behalf's: its application id is 0x7"},
		"no application":      {"PRAGMA application_id = 0", "not Behalf's: its application id is 0x0"},
		"a newer release":     {"PRAGMA user_version = 9999; INSERT INTO migration VALUES (9999, 'later', 9999, 0)", "use a newer release"},
		"another version":     {"PRAGMA user_version = 2", "no release"},
		"before the first":    {"PRAGMA user_version = -1", "no release"},
		"tables of nobody":    {"PRAGMA user_version = 0", "no release"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			db := open(t, path)
			if err := sqlite.Migrate(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			if err := sqlite.CheckVersion(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			exec(t, db, c.change)
			for _, err := range []error{sqlite.Migrate(t.Context(), db), sqlite.CheckVersion(t.Context(), db)} {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("it says %v, want %q", err, c.want)
				}
			}
		})
	}
}

// TestCreationCutOff goes on with what a first start can leave.
func TestCreationCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	for name, leave := range map[string]func(){
		"nothing":      func() {},
		"an empty one": func() { overwrite(t, path, nil) },
		"a first page": func() { // and not yet its log
			db := open(t, path)
			exec(t, db, "PRAGMA journal_mode = DELETE")
			_ = db.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			leave()
			db := open(t, path)
			if err := sqlite.Migrate(t.Context(), db); err != nil {
				t.Error(err)
			}
			if is, err := sqlite.Sealed(t.Context(), db); !is || err != nil {
				t.Errorf("its pages have checksums: %v, %v", is, err)
			}
		})
	}
}

// TestStateWhileMigrating looks again and again how far a database has come while another
// connection migrates it, which never leaves it as no release would.
func TestStateWhileMigrating(t *testing.T) {
	list, err := migrations.OfSQLite()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		path := filepath.Join(t.TempDir(), "a.db")
		writer, looker := open(t, path), open(t, path)
		migrated := make(chan error, 1)
		go func() { migrated <- sqlite.Apply(t.Context(), writer, list) }()
		for done := false; !done; {
			select {
			case err := <-migrated:
				if err != nil {
					t.Fatal(err)
				}
				done = true
			default:
			}
			if _, err := sqlite.State(t.Context(), looker); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestNoWayRoundTheChecksums asks SQLite to map the file into memory, and to read texts that
// take pages of their own past its cache.
func TestNoWayRoundTheChecksums(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	filled(t, path)
	db := open(t, path)
	exec(t, db, "INSERT INTO thing (id, body) VALUES (100, ?)", strings.Repeat("z", 50_000))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole := read(t, path)
	last := bytes.LastIndex(whole, []byte(strings.Repeat("z", 4000)))
	whole[last] ^= 1
	overwrite(t, path, whole)
	for _, size := range []int{0, 1 << 28} {
		if err := readBody(t, path, size); !sqlite.IsBroken(err) || !strings.Contains(err.Error(), "(8202)") {
			t.Errorf("with so much mapped: %d, it is read: %v", size, err)
		}
	}
}

// readBody reads the longest body, with so much of the file mapped into memory.
func readBody(t *testing.T, path string, size int) error {
	t.Helper()
	db, err := sqlite.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it only read
	exec(t, db, fmt.Sprintf("PRAGMA mmap_size = %d", size))
	var body string
	return db.QueryRowContext(t.Context(), "SELECT body FROM thing WHERE id = 100").Scan(&body)
}

// TestReadWhileCopiedBack reads by several connections, new ones and ones without a cache,
// while another writes and its log is copied back all the time.
func TestReadWhileCopiedBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, path)
	exec(t, db, "PRAGMA wal_autocheckpoint = 3; CREATE TABLE thing (id INTEGER PRIMARY KEY, body TEXT)")
	done := make(chan struct{})
	faults := make(chan error, 3)
	reading := func(fresh bool) error {
		for n := 0; ; {
			readers, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
			if err != nil {
				return err
			}
			for range 10 {
				if _, err := readers.ExecContext(context.Background(), "PRAGMA cache_size = 0"); err != nil {
					return errors.Join(err, readers.Close())
				}
				var said, is string
				err := readers.QueryRowContext(context.Background(), "SELECT count(*), coalesce(sum(length(body)), 0) FROM thing").Scan(&said, &is)
				if err != nil {
					return errors.Join(err, readers.Close())
				}
				n++
				if fresh {
					break
				}
			}
			if err := readers.Close(); err != nil {
				return err
			}
			select {
			case <-done:
				if n < 2 {
					return fmt.Errorf("only %d reads", n)
				}
				return nil
			default:
			}
		}
	}
	for n := range cap(faults) {
		go func() { faults <- reading(n == 0) }()
	}
	for i := range 300 {
		exec(t, db, "INSERT INTO thing (body) VALUES (?)", strings.Repeat(fmt.Sprint(i), 1+10*(i%300)))
		if i%3 == 0 {
			exec(t, db, "DELETE FROM thing WHERE id = ?", i/2)
		}
	}
	close(done)
	for range cap(faults) {
		if err := <-faults; err != nil {
			t.Error(err)
		}
	}
}
