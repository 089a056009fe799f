package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/cli"
	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

// datastoreFlag has all tests of this package run on Postgres:
//
//	go test ./cmd/behalf/internal/e2e -args -datastore postgres
var datastoreFlag = flag.String("datastore", server.DatastoreSQLite, "sqlite or postgres")

var pg postgres.Server

func TestMain(m *testing.M) {
	if os.Getenv(asBehalf) != "" { // a command that starts itself has started this test
		os.Exit(cli.Run(context.Background(), os.Args[1:], cli.Terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	flag.Parse()
	os.Exit(pg.Run(m))
}

// datastoreOf returns the datastore of a data directory. On Postgres each directory has a
// database, whose name is kept in it, so that a server that starts there again finds it.
func datastoreOf(t testing.TB, dir string) string {
	t.Helper()
	if *datastoreFlag == server.DatastoreSQLite {
		return server.DatastoreSQLite
	}
	name := filepath.Join(dir, "datastore")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		uri := pg.Database(t)
		if err := os.WriteFile(name, []byte(uri), 0o600); err != nil {
			t.Fatal(err)
		}
		return uri
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lastWrite returns the last transaction that wrote relations to a database.
func lastWrite(t testing.TB, uri string) (xid string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if err := conn.QueryRow(t.Context(), "SELECT max(xid)::text FROM relation_tuple_transaction").Scan(&xid); err != nil {
		t.Fatal(err)
	}
	return xid
}

// TestTwoNodes runs two servers on one Postgres. Each answers alike at every revision that
// the other has given, and without one knows what the other has acknowledged: parties,
// relations and keys.
func TestTwoNodes(t *testing.T) {
	uri := pg.Database(t)
	a := startOn(t, uri, t.TempDir(), nil)
	b := startOn(t, uri, t.TempDir(), nil)
	nodes := []*instance{a, b}
	ask := func(i *instance, path string) string {
		t.Helper()
		got := i.call(t, http.MethodGet, path, i.admin, "")
		if got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		return string(got.body)
	}
	write := func(i *instance, path, body string) string {
		t.Helper()
		got := i.call(t, http.MethodPost, path, i.admin, body)
		if got.status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", path, body, got.status, got.body)
		}
		var answer struct{ Revision string }
		got.decode(t, &answer)
		return answer.Revision
	}
	write(a, "/v1/register/parties", `{"source":"test","party":{"partyId":50000001,"kind":"PARTY_KIND_PERSON","name":"KARI","nationalId":"07124912037","userId":20000490,"login":true}}`)
	for n := range 12 {
		i, other := nodes[n%2], nodes[(n+1)%2]
		write(i, "/v1/register/parties", fmt.Sprintf(
			`{"source":"test","party":{"partyId":%d,"kind":"PARTY_KIND_ORGANISATION","name":"FIRMA %d","orgNumber":"%d","unitType":"AS"}}`,
			50000100+n, n, 910000100+n))
		revision := write(i, "/v1/register/assignments", fmt.Sprintf(
			`{"source":"test","assignment":{"from":"party:%d","role":"DAGL","to":"party:50000001"}}`, 50000100+n))
		for _, at := range []string{"", "&atLeastAsFresh=" + strings.ReplaceAll(revision, "+", "%2B")} {
			mine, its := parties(t, ask(i, "/v1/parties?userId=20000490"+at)), parties(t, ask(other, "/v1/parties?userId=20000490"+at))
			if mine != its || !strings.Contains(mine, fmt.Sprintf("FIRMA %d", n)) {
				t.Errorf("write %d: the nodes list\n%s\nand\n%s", n, mine, its)
			}
		}
	}
	got := a.call(t, http.MethodPost, "/v1/apikeys", a.admin, `{"name":"reader","scopes":["behalf:parties.read"]}`)
	var key struct {
		Secret string
		Key    struct{ ID string }
	}
	got.decode(t, &key)
	if got := b.call(t, http.MethodGet, "/v1/parties/50000100", key.Secret, ""); got.status != http.StatusOK {
		t.Errorf("a key that the other node made: %d %s", got.status, got.body)
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(key.Secret, "behalf_"), "_")
	if key.Key.ID != "" {
		id = key.Key.ID
	}
	if got := a.call(t, http.MethodDelete, "/v1/apikeys/"+id, a.admin, ""); got.status != http.StatusOK {
		t.Fatalf("revoke: %d %s", got.status, got.body)
	}
	if got := b.call(t, http.MethodGet, "/v1/parties/50000100", key.Secret, ""); got.status != http.StatusUnauthorized {
		t.Errorf("a key that the other node has revoked: %d %s", got.status, got.body)
	}
	write(b, "/v1/register/assignments:delete", `{"source":"test","assignment":{"from":"party:50000100","role":"DAGL","to":"party:50000001"}}`)
	for n, i := range nodes {
		if text := ask(i, "/v1/parties?userId=20000490"); strings.Contains(text, "50000100") {
			t.Errorf("node %d lists what was taken away", n)
		}
	}
}

// TestPostgresTools asks for a copy of a Postgres database, and is told what takes one.
func TestPostgresTools(t *testing.T) {
	i := startOn(t, pg.Database(t), t.TempDir(), nil)
	code, _, said := behalf(t, i.reach([]string{"backup", filepath.Join(t.TempDir(), "copy")})...)
	if code == 0 || !strings.Contains(said, "pg_dump") || !strings.Contains(said, "repair transaction-ids") {
		t.Errorf("backup: exit code %d, %s", code, said)
	}
}

// TestPostgresParked verifies a database that has a write put aside, and one that has none.
func TestPostgresParked(t *testing.T) {
	uri := pg.Database(t)
	startOn(t, uri, t.TempDir(), nil)
	if out := run(t, "verify", "--datastore", uri); out != "no write is parked\n" {
		t.Errorf("verify: %q", out)
	}
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	if _, err := conn.Exec(t.Context(), `INSERT INTO behalf.intent (operation, updates, statements, attempts, parked, why)
		VALUES ('X1', '[]', '{}', 8, now(), 'no table')`); err != nil {
		t.Fatal(err)
	}
	code, _, said := behalf(t, "verify", "--datastore", uri)
	if code != 1 || !strings.Contains(said, "operation X1") || !strings.Contains(said, "no table") {
		t.Errorf("verify: exit code %d, %s", code, said)
	}
}

// parties returns a list without its revision, which is each node's own.
func parties(t *testing.T, body string) string {
	t.Helper()
	list, _, found := strings.Cut(body, `"revision"`)
	if !found {
		t.Fatalf("no revision in %s", body)
	}
	return list
}
