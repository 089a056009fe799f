package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authzed/spicedb/pkg/datastore"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// flips is how many bytes are flipped. In full: go test -run '^TestFlippedBytes$' -flips 200.

var flips = flag.Int("flips", 50, "how many bytes are flipped in TestFlippedBytes")

// page is the size of a page of the file.
const page = 4096

// furnish writes some of everything that a file can hold: live and ended relationships of
// all shapes, two schemas, counters, and rows of records.
func furnish(t *testing.T, s *store.Store) {
	t.Helper()
	if _, err := writeSchema(t.Context(), s, "first", "user", "party"); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		var updates []tuple.RelationshipUpdate
		for j := range 20 {
			n := 20*i + j
			updates = append(updates, touch(fmt.Sprintf("party:%d#dagl@user:%d", n, n)),
				touch(fmt.Sprintf(`party:%d#lede@user:%d[never:{"of":%d}]`, n, n+1, n)),
				touch(fmt.Sprintf("party:%d#regn_org@party:%d#member[expiration:2321-01-01T00:00:00Z]", n, n+2)))
		}
		write(t, s, updates...)
		write(t, s, remove(fmt.Sprintf("party:%d#dagl@user:%d", 20*i, 20*i)), touch(fmt.Sprintf("party:%d#dagl@user:%d", 20*i, 7)))
		if _, err := s.Write(t.Context(), records(20*i)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.ReadWriteTx(t.Context(), func(ctx context.Context, w datastore.ReadWriteTransaction) error {
		return w.RegisterCounter(ctx, "parties", &core.RelationshipFilter{ResourceType: "party"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writeSchema(t.Context(), s, "second", "user", "party", "group", "document"); err != nil {
		t.Fatal(err)
	}
}

// records writes rows that are not the store's.
func records(from int) func(ctx context.Context, tx *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		for n := from + 1; n <= from+20; n++ {
			hash := sha256.Sum256([]byte{byte(n)})
			for _, c := range []struct {
				text string
				args []any
			}{
				{`INSERT INTO party (id, uuid, kind, name, org_number, unit_type, main_unit, deleted_on, birth_date, died_on, user_id, login, created_by)
					VALUES (?, ?, 2, ?, ?, 'AS', NULL, '', '', '', NULL, 0, 'test')`,
					[]any{n, fmt.Sprintf("00000000-0000-4000-8000-%012d", n), fmt.Sprintf("Name of %d", n), fmt.Sprintf("%09d", n)}},
				{`INSERT INTO assignment (from_id, role, to_id, to_user, source, expires) VALUES (?, 'dagl', ?, ?, 'test', NULL)`, []any{n, n + 1, n}},
				{`INSERT INTO api_key (id, name, hash, scopes, created, expires) VALUES (?, 'key', ?, 'behalf:check', 1, NULL)`, []any{fmt.Sprintf("key-%d", n), hash[:]}},
			} {
				statement, err := tx.Statement(c.text)
				if err != nil {
					return err
				}
				if _, err := statement.ExecContext(ctx, c.args...); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// contents are all rows of a file as texts, by table and, of those that have a history, by
// whether they are live.
var contents = map[string]string{
	"party":            "SELECT * FROM party NOT INDEXED ORDER BY id",
	"party_source":     "SELECT * FROM party_source ORDER BY source, party_id, source_key",
	"assignment":       "SELECT * FROM assignment ORDER BY from_id, role, to_id, source",
	"sequence":         "SELECT * FROM sequence ORDER BY name",
	"api_key":          "SELECT * FROM api_key ORDER BY id",
	"store":            "SELECT * FROM store ORDER BY name",
	"relation_word":    "SELECT * FROM relation_word NOT INDEXED ORDER BY id",
	"tuple":            "SELECT * FROM tuple NOT INDEXED WHERE deleted IS NULL ORDER BY id",
	"ended tuple":      "SELECT * FROM tuple NOT INDEXED WHERE deleted IS NOT NULL ORDER BY id",
	"definition":       "SELECT * FROM definition WHERE deleted IS NULL ORDER BY kind, name, created",
	"ended definition": "SELECT * FROM definition WHERE deleted IS NOT NULL ORDER BY kind, name, created",
	"revision":         "SELECT * FROM revision ORDER BY revision DESC LIMIT 1",
	"earlier revision": "SELECT * FROM revision ORDER BY revision DESC LIMIT -1 OFFSET 1",
	"index":            "PRAGMA integrity_check", // what is no row
}

// held is what an open store has in memory, and in its file.
func held(t *testing.T, s *store.Store) map[string][]string {
	t.Helper()
	all := map[string][]string{"graph": tuples(t, s, head(t, s))}
	for name, query := range contents {
		rows, err := texts(t.Context(), s.Read(), query)
		if err != nil {
			rows = []string{err.Error()}
		}
		all[name] = rows
	}
	return all
}

// texts returns the rows of a query.
func texts(ctx context.Context, db *sql.DB, query string) (all []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	row, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		targets[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		all = append(all, fmt.Sprintf("%q", row))
	}
	return all, rows.Err()
}

// TestFlippedBytes flips one byte at a time in random places of a file. Either the store
// refuses to open and names file, table and page, or all that it holds is what it was.
func TestFlippedBytes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	furnish(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "behalf.db"))
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	want, owner := held(t, s), owners(t, s.Read())
	random := rand.New(rand.NewPCG(*seed, 4))
	census := make(map[string]int)
	for range *flips {
		at, by := random.IntN(len(whole)), byte(1+random.IntN(255))
		spoilt := bytes.Clone(whole)
		spoilt[at] ^= by
		changed, refusal := flipped(t, spoilt, at, want)
		outcome := "without effect"
		switch {
		case refusal != nil:
			outcome = "refused"
		case len(changed) > 0:
			outcome = "unnoticed in " + strings.Join(changed, ", ")
		}
		census[outcome]++
		for _, name := range changed {
			t.Errorf("seed %d: byte %d, of %s, changed by %#x, goes unnoticed in %s", *seed, at, owner[at/page+1], by, name)
		}
	}
	for _, outcome := range slices.Sorted(maps.Keys(census)) {
		t.Logf("%4d %s", census[outcome], outcome)
	}
}

// owners returns the table or index of each page.
func owners(t *testing.T, db *sql.DB) map[int]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT pageno, name FROM dbstat")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	all := make(map[int]string)
	for rows.Next() {
		var (
			page int
			name string
		)
		if err := rows.Scan(&page, &name); err != nil {
			t.Fatal(err)
		}
		all[page] = name
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// flipped opens a spoilt file, and returns why it is refused, or what of it is not as it was.
func flipped(t *testing.T, spoilt []byte, at int, want map[string][]string) (changed []string, refusal error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "behalf.db")
	if err := os.WriteFile(path, spoilt, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		if !strings.Contains(err.Error(), path) {
			t.Errorf("a refusal does not name the file: %v", err)
		}
		if !namesPlace(err, at/page+1) {
			t.Errorf("a refusal of page %d does not name it and a table: %v", at/page+1, err)
		}
		return nil, err
	}
	defer func() { _ = s.Close() }() // it may well fail
	is := held(t, s)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(is[name], want[name]) {
			changed = append(changed, name)
		}
	}
	return changed, nil
}

// namesPlace reports whether a refusal says in which table and page something is wrong. A file
// whose first bytes are wrong is no database, to which no table belongs.
func namesPlace(err error, page int) bool {
	damaged, ok := errors.AsType[*store.DamagedError](err)
	return ok && damaged.Table != "" && damaged.Page == int64(page)
}
