package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/engine/migration"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// TestOnPostgres runs the tests that say nothing of one datastore on Postgres too.
func TestOnPostgres(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"Check": TestCheck, "CheckUnknownNames": TestCheckUnknownNames, "Malformed": TestMalformed, "Revisions": TestRevisions,
		"ReadYourWrites": TestReadYourWrites, "GoneCaller": TestGoneCaller, "Life": TestLife, "OwnSchema": TestOwnSchema,
		"EnsureSchemaKeepsOthers": TestEnsureSchemaKeepsOthers, "EnsureSchemaRefuses": TestEnsureSchemaRefuses,
		"NoSchemaYet": TestNoSchemaYet, "Caveats": TestCaveats, "ReadAndExpiry": TestReadAndExpiry,
		"LargeResults": TestLargeResults, "Subjects": TestSubjects, "LargeWrite": TestLargeWrite,
	} {
		t.Run(name, test)
	}
}

// datastoreOf returns the datastore that a test is to run on: nil, the memory engine, for
// all but those of TestOnPostgres.
func datastoreOf(t testing.TB) datastore.Datastore {
	if !strings.HasPrefix(t.Name(), "TestOnPostgres/") {
		return nil
	}
	return open(t, database(t))
}

// database returns a new migrated database.
func database(t testing.TB) string {
	t.Helper()
	uri := pg.Clone(t, "spicedb", migration.Postgres)
	execute(t, uri, "UPDATE metadata SET unique_id = gen_random_uuid()") // no copy of another
	return uri
}

// open opens a database with a replica in memory.
func open(t testing.TB, uri string) datastore.Datastore {
	t.Helper()
	return openWith(t, uri, engine.ReplicaConfig{})
}

func openWith(t testing.TB, uri string, c engine.ReplicaConfig) datastore.Datastore {
	t.Helper()
	c.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	if c.Patience == 0 {
		c.Patience = time.Minute // this machine may be busy
	}
	store, err := engine.OpenReplicated(t.Context(), uri, c)
	return opened(t, store, err)
}

// openBare opens a database without one.
func openBare(t testing.TB, uri string) datastore.Datastore {
	t.Helper()
	store, err := engine.OpenPostgres(t.Context(), uri)
	return opened(t, store, err)
}

func opened(t testing.TB, store datastore.Datastore, err error) datastore.Datastore {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the datastore: %v", err)
		}
	})
	return store
}

func execute(t testing.TB, uri, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err == nil {
		_, err = conn.Exec(t.Context(), statement)
		err = errors.Join(err, conn.Close(t.Context()))
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestOpenPostgresRefuses opens what is not ready, and finds what to do in the error.
func TestOpenPostgresRefuses(t *testing.T) {
	uri := pg.Database(t)
	if _, err := engine.OpenPostgres(t.Context(), uri); !errors.Is(err, engine.ErrNotMigrated) {
		t.Errorf("an empty database: %v", err)
	}
	if _, err := engine.OpenPostgres(t.Context(), "postgres://behalf:geheim@127.0.0.1:1/none"); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("no server: %v", err)
	}
	// Several nodes may migrate at once, and again.
	group, ctx := errgroup.WithContext(t.Context())
	for range 3 {
		group.Go(func() error { return migration.Postgres(ctx, uri) })
	}
	if err := group.Wait(); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	open(t, uri)
	execute(t, uri, "UPDATE alembic_version SET version_num = 'add-expiration-support'")
	if _, err := engine.OpenPostgres(t.Context(), uri); !errors.Is(err, engine.ErrNotMigrated) {
		t.Errorf("an older database: %v", err)
	}
}

// TestNodes has two engines on one database serve each other's writes, at the revision of
// the write and at none, and replace the schema at once without losing a definition.
func TestNodes(t *testing.T) {
	uri := database(t)
	nodes := []*engine.Engine{startOn(t, open(t, uri), world), startOn(t, open(t, uri), world)}
	for i := range 40 {
		text := fmt.Sprintf("party:%d#dagl@user:7", i)
		revision := write(t, nodes[i%2], updates(relation.Touch, text))
		for _, at := range []relation.At{{}, {AtLeast: revision}} {
			for n, e := range nodes {
				if !allowed(t, e, at, text) {
					t.Errorf("node %d does not see write %d at %q", n, i, at.AtLeast)
				}
			}
		}
	}
	group, ctx := errgroup.WithContext(t.Context())
	for n, e := range nodes {
		for i := range 4 {
			group.Go(func() error {
				return e.EnsureSchema(ctx, fmt.Sprintf("definition mine_%d_%d {}", n, i))
			})
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatalf("EnsureSchema: %v", err)
	}
	for n, e := range nodes {
		text := live(t, e)
		for i := range 8 {
			if name := fmt.Sprintf("mine_%d_%d", i%2, i/2); !strings.Contains(text, name) {
				t.Errorf("node %d does not know %s", n, name)
			}
		}
	}
}

// TestPostgresRestarts crashes Postgres under an engine: what was acknowledged is there,
// and the engine answers again by itself.
func TestPostgresRestarts(t *testing.T) {
	e := startOn(t, open(t, database(t)), world)
	revision := write(t, e, updates(relation.Touch, "party:1#dagl@user:7"))
	pg.Restart(t)
	if _, err := e.Write(t.Context(), updates(relation.Touch, "party:2#dagl@user:7")); err != nil {
		wantFault(t, "write over a lost connection", err, fault.Unavailable, fault.ReasonUnavailable)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		answers, _, err := e.Check(ctx, relation.At{AtLeast: revision}, question("party:1#dagl@user:7"))
		if err == nil && answers[0].Err == nil {
			if !answers[0].Allowed {
				t.Error("an acknowledged write is gone")
			}
			return
		}
		if err != nil {
			wantFault(t, "check while Postgres is away", err, fault.Unavailable, fault.ReasonUnavailable)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it does not answer again")
		}
	}
}
