package replica_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/jackc/pgx/v5"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/engine/migration"
	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/replica"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// database is a migrated database with SpiceDB's engine over it.
type database struct {
	datastore.Datastore
	uri string
}

func newDatabase(t testing.TB) database {
	t.Helper()
	uri := pg.Clone(t, "spicedb", migration.Postgres)
	store, err := engine.OpenPostgres(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return database{store, uri}
}

func (d database) execute(t testing.TB, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.uri)
	if err == nil {
		_, err = conn.Exec(t.Context(), statement)
		err = errors.Join(err, conn.Close(t.Context()))
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// write writes relationships, in SpiceDB's notation.
func (d database) write(t testing.TB, operation tuple.UpdateOperation, texts ...string) datastore.Revision {
	t.Helper()
	r, err := d.ReadWriteTx(t.Context(), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		var updates []tuple.RelationshipUpdate
		for _, text := range texts {
			updates = append(updates, tuple.RelationshipUpdate{Operation: operation, Relationship: tuple.MustParse(text)})
		}
		return tx.WriteRelationships(ctx, updates)
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// replicate returns a replica that runs until the test ends.
func (d database) replicate(t testing.TB, c replica.Config) *replica.Replica {
	t.Helper()
	c.URI, c.Datastore = d.uri, d.Datastore
	c.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	if c.Patience == 0 {
		c.Patience = time.Minute // this machine may be busy
	}
	r, err := replica.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, r.Close()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// has fails unless the replica has the relationships and no others.
func has(t *testing.T, r *replica.Replica, want ...string) {
	t.Helper()
	var state *replica.State
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if state, err = r.Fresh(t.Context(), true); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	var got []string
	for found := range state.Snapshot.Query(graph.Query{}) {
		got = append(got, found.String())
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the replica has %q, want %q", got, want)
	}
}

// TestFollow follows writes and removals, of which several may come between two looks.
func TestFollow(t *testing.T) {
	d := newDatabase(t)
	d.write(t, tuple.UpdateOperationTouch, "party:0#dagl@user:0", "party:0#regn@party:1#key_holder", "party:0#esek@user:*")
	r := d.replicate(t, replica.Config{Poll: time.Hour})
	has(t, r, "party:0#dagl@user:0", "party:0#esek@user:*", "party:0#regn@party:1#key_holder")
	d.write(t, tuple.UpdateOperationTouch, "party:1#dagl@user:1")
	d.write(t, tuple.UpdateOperationDelete, "party:1#dagl@user:1", "party:0#dagl@user:0")
	d.write(t, tuple.UpdateOperationTouch, "party:1#dagl@user:1", "party:2#dagl@user:2")
	d.write(t, tuple.UpdateOperationDelete, "party:2#dagl@user:2", "party:0#esek@user:*")
	d.write(t, tuple.UpdateOperationTouch, "party:1#dagl@user:1[expiration:2099-01-01T00:00:00Z]")
	has(t, r, "party:0#regn@party:1#key_holder", "party:1#dagl@user:1")
	has(t, r, "party:0#regn@party:1#key_holder", "party:1#dagl@user:1")
}

// TestOpenTransaction looks while a transaction is open that began before others ended.
func TestOpenTransaction(t *testing.T) {
	d := newDatabase(t)
	r := d.replicate(t, replica.Config{})
	_, err := d.ReadWriteTx(t.Context(), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		err := tx.WriteRelationships(ctx, []tuple.RelationshipUpdate{tuple.Touch(tuple.MustParse("party:1#dagl@user:1"))})
		d.write(t, tuple.UpdateOperationTouch, "party:2#dagl@user:2")
		has(t, r, "party:2#dagl@user:2")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	d.write(t, tuple.UpdateOperationTouch, "party:3#dagl@user:3")
	has(t, r, "party:1#dagl@user:1", "party:2#dagl@user:2", "party:3#dagl@user:3")
}

// TestRevisions gives out revisions that are at least every one that a write was given, and
// knows them again.
func TestRevisions(t *testing.T) {
	d := newDatabase(t)
	r := d.replicate(t, replica.Config{})
	for i := range 30 {
		written := d.write(t, tuple.UpdateOperationTouch, fmt.Sprintf("party:%d#dagl@user:1", i))
		state, err := r.Fresh(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		if head := state.Head.Revision; written.GreaterThan(head) || !head.GreaterThan(written) && !head.Equal(written) {
			t.Errorf("write %d: %s is not at least %s", i, head, written)
		}
		text, err := d.RevisionFromString(state.Head.Revision.String())
		if err != nil {
			t.Fatal(err)
		}
		if again, ok := r.At(text); !ok || again.Snapshot.Tuples() != i+1 {
			t.Errorf("write %d: its state is not remembered", i)
		}
	}
}

// TestTooOld has the database forget what ended while nobody asked: the graph is loaded
// again. Where it has forgotten nothing, it is not.
func TestTooOld(t *testing.T) {
	d := newDatabase(t)
	d.write(t, tuple.UpdateOperationTouch, "party:1#dagl@user:1", "party:2#dagl@user:2")
	r := d.replicate(t, replica.Config{Poll: time.Hour})
	has(t, r, "party:1#dagl@user:1", "party:2#dagl@user:2")
	r.Unasked(time.Hour)
	d.write(t, tuple.UpdateOperationTouch, "party:3#dagl@user:3")
	if _, err := r.Fresh(t.Context(), true); err != nil {
		t.Errorf("nothing was forgotten: %v", err)
	}
	d.write(t, tuple.UpdateOperationDelete, "party:1#dagl@user:1")
	d.execute(t, `UPDATE relation_tuple_transaction SET timestamp = timestamp - interval '2 days';
		DELETE FROM relation_tuple WHERE deleted_xid < '9223372036854775807'::xid8`)
	d.write(t, tuple.UpdateOperationTouch, "party:4#dagl@user:4")
	r.Unasked(48 * time.Hour)
	if _, err := r.Fresh(t.Context(), true); !errors.Is(err, replica.ErrLoading) {
		t.Errorf("after what ended was forgotten: %v", err)
	}
	has(t, r, "party:2#dagl@user:2", "party:3#dagl@user:3", "party:4#dagl@user:4")
}

// TestBehind finds the database behind where it was.
func TestBehind(t *testing.T) {
	d := newDatabase(t)
	r := d.replicate(t, replica.Config{Poll: time.Hour})
	r.Ahead(1000)
	if _, err := r.Fresh(t.Context(), true); !errors.Is(err, replica.ErrLoading) {
		t.Errorf("behind: %v", err)
	}
	has(t, r)
}

// TestRestart crashes the database. Nothing is proved meanwhile, and the graph is loaded
// again afterwards.
func TestRestart(t *testing.T) {
	d := newDatabase(t)
	r := d.replicate(t, replica.Config{Poll: time.Hour})
	d.write(t, tuple.UpdateOperationTouch, "party:1#dagl@user:1")
	has(t, r, "party:1#dagl@user:1")
	pg.Restart(t)
	if _, err := r.Fresh(t.Context(), true); err == nil {
		t.Error("the first question after a crash was answered")
	}
	if _, err := r.Fresh(t.Context(), true); !errors.Is(err, replica.ErrLoading) {
		t.Errorf("the second question after a crash: %v", err)
	}
	has(t, r, "party:1#dagl@user:1")
}

// TestCrashedProcess has a process of the database die. The server survives that, but what
// was not in its log does not: nothing is proved until all is loaded again.
func TestCrashedProcess(t *testing.T) {
	d := newDatabase(t)
	r := d.replicate(t, replica.Config{Poll: time.Hour})
	d.write(t, tuple.UpdateOperationTouch, "party:1#dagl@user:1")
	has(t, r, "party:1#dagl@user:1")
	conn, err := pgx.Connect(t.Context(), d.uri)
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(int(conn.PgConn().PID()))
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lost := false; !errors.Is(err, replica.ErrLoading); lost = lost || err != nil {
		if _, err = r.Fresh(t.Context(), true); err == nil && lost {
			t.Fatal("the replica went on after the crash of a process")
		}
	}
	has(t, r, "party:1#dagl@user:1")
	pg.Restart(t) // the server's own connections are lost too
}

// TestSweep removes what has expired, of which the database says nothing.
func TestSweep(t *testing.T) {
	d := newDatabase(t)
	r := d.replicate(t, replica.Config{})
	d.write(t, tuple.UpdateOperationTouch, "party:1#dagl@user:1", "party:2#dagl@user:2[expiration:2099-01-01T00:00:00Z]")
	has(t, r, "party:1#dagl@user:1", "party:2#dagl@user:2")
	r.SweepAt(t.Context(), time.Date(2099, 1, 1, 0, 59, 0, 0, time.UTC))
	has(t, r, "party:1#dagl@user:1", "party:2#dagl@user:2")
	r.SweepAt(t.Context(), time.Date(2099, 1, 1, 1, 1, 0, 0, time.UTC))
	has(t, r, "party:1#dagl@user:1")
	d.write(t, tuple.UpdateOperationTouch, "party:2#dagl@user:2")
	has(t, r, "party:1#dagl@user:1", "party:2#dagl@user:2")
}

// TestSweepBeside has the replica follow writes while a sweep goes through the graph: what is
// written again then stays.
func TestSweepBeside(t *testing.T) {
	d := newDatabase(t)
	r := d.replicate(t, replica.Config{})
	const end = "[expiration:2099-01-01T00:00:00Z]"
	d.write(t, tuple.UpdateOperationTouch, "party:1#dagl@user:1"+end, "party:2#dagl@user:2"+end, "party:3#dagl@user:3"+end,
		"party:4#regn@party:4"+end, "party:4#regn@party:4#key_holder"+end)
	has(t, r, "party:1#dagl@user:1", "party:2#dagl@user:2", "party:3#dagl@user:3", "party:4#regn@party:4", "party:4#regn@party:4#key_holder")
	r.SweepAround(t.Context(), time.Date(2099, 1, 1, 2, 0, 0, 0, time.UTC), func() {
		d.write(t, tuple.UpdateOperationTouch, "party:1#dagl@user:1", "party:2#dagl@user:2[expiration:2099-01-01T01:30:00Z]", "party:4#regn@party:4")
		d.write(t, tuple.UpdateOperationDelete, "party:3#dagl@user:3")
		has(t, r, "party:1#dagl@user:1", "party:2#dagl@user:2", "party:4#regn@party:4", "party:4#regn@party:4#key_holder")
	})
	has(t, r, "party:1#dagl@user:1", "party:2#dagl@user:2", "party:4#regn@party:4")
}

// TestHorizons compares what horizons say of each other with what SpiceDB does of the
// revisions that they make.
func TestHorizons(t *testing.T) {
	d := newDatabase(t)
	random := rand.New(rand.NewPCG(1, 1))
	type pair struct {
		horizon  replica.Horizon
		revision datastore.Revision
	}
	var all []pair
	for range 60 {
		low := 100 + random.Uint64N(4)
		next := low + random.Uint64N(5)
		var open []string
		for n := low; n < next; n++ {
			if n == low || random.IntN(2) == 0 {
				open = append(open, fmt.Sprint(n))
			}
		}
		h, err := replica.MakeHorizon(fmt.Sprintf("%d:%d:%s", low, next, strings.Join(open, ",")))
		if err != nil {
			t.Fatal(err)
		}
		text, err := h.Revision()
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.RevisionFromString(text)
		if err != nil {
			t.Fatal(err)
		}
		again, ok := replica.HorizonOf(r)
		if !ok || !again.Within(h) || !h.Within(again) {
			t.Fatalf("%v became %v", h, again)
		}
		all = append(all, pair{h, r})
	}
	for _, a := range all {
		for _, b := range all {
			in, has := a.horizon.Within(b.horizon), b.horizon.Within(a.horizon)
			if (in && has) != a.revision.Equal(b.revision) || (in && !has) != a.revision.LessThan(b.revision) || (!in && has) != a.revision.GreaterThan(b.revision) {
				t.Errorf("%v and %v: within %v, %v", a.horizon, b.horizon, in, has)
			}
		}
	}
	for _, bad := range []string{"", "1", "1:2", "a:2:", "1:b:", "1:2:c", "1:2:3:4"} {
		if h, err := replica.MakeHorizon(bad); err == nil {
			t.Errorf("%q is %v", bad, h)
		}
	}
}

// TestForeignRevisions asks for states of revisions that are none of Postgres'.
func TestForeignRevisions(t *testing.T) {
	d := newDatabase(t)
	r := d.replicate(t, replica.Config{})
	for _, text := range []string{"", "1", "1700000000.0000000001", "CAES", "CICAgICAgICAgIAB"} {
		if revision, err := d.RevisionFromString(text); err == nil {
			if _, ok := r.At(revision); ok {
				t.Errorf("%q is a state", text)
			}
		}
	}
}
