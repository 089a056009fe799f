package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/engine/migration"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/outbox"
	"github.com/behalf-authz/behalf/server/internal/party"
	behalfpostgres "github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) {
	if os.Getenv(victimKey) != "" {
		die()
	}
	os.Exit(pg.Run(m))
}

const world = `definition user {}
definition party {
	relation dagl: user
}`

// node is a server's part in a write.
type node struct {
	outbox  *outbox.Outbox
	records *records.Store
	graph   outbox.Graph
	engine  *engine.Engine
	close   func() error
}

func newNode(ctx context.Context, uri string, stepped func(int)) (*node, error) {
	logger := slog.New(slog.DiscardHandler)
	store, err := engine.OpenPostgres(ctx, uri)
	if err != nil {
		return nil, err
	}
	e, err := engine.New(engine.Config{Logger: logger, Datastore: store})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	n := &node{engine: e, close: func() error { return errors.Join(e.Close(), store.Close()) }}
	if err := e.EnsureSchema(ctx, world); err != nil {
		return nil, errors.Join(err, n.close())
	}
	n.outbox, err = outbox.Open(ctx, outbox.Config{URI: uri, Graph: e, Logger: logger, Stepped: stepped, Atomic: engine.Atomic})
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	n.records, n.graph = records.In(n.outbox), n.outbox.Joined()
	n.close = func() error { return errors.Join(n.outbox.Close(), e.Close(), store.Close()) }
	return n, nil
}

func start(t *testing.T, uri string, stepped func(int)) *node {
	t.Helper()
	n, err := newNode(t.Context(), uri, stepped)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func database(t *testing.T) string {
	t.Helper()
	return pg.Clone(t, "behalf", func(ctx context.Context, uri string) error {
		db, err := behalfpostgres.Open(uri, behalfpostgres.Options{Conns: 2})
		if err != nil {
			return err
		}
		return errors.Join(behalfpostgres.Migrate(ctx, db), db.Close(), migration.Postgres(ctx, uri))
	})
}

func firm(id party.ID) party.Party {
	return party.Party{ID: id, UUID: fmt.Sprint("u", id), Kind: party.Organisation, Name: "F", UnitType: "AS"}
}

func dagl(id party.ID) relation.Relationship {
	return relation.Relationship{Resource: relation.Party(int64(id)), Relation: "dagl", Subject: relation.User(7)}
}

// put writes a party with a relation, and remove takes both away.
func (n *node) put(ctx context.Context, id party.ID) error {
	return n.records.Write(ctx, func(ctx context.Context, tx *records.Tx) error {
		if err := tx.PutParty(ctx, firm(id), "test"); err != nil {
			return err
		}
		_, err := n.graph.Write(ctx, []relation.Update{{Op: relation.Touch, Relationship: dagl(id)}})
		return err
	})
}

func (n *node) remove(ctx context.Context, id party.ID) error {
	return n.records.Write(ctx, func(ctx context.Context, tx *records.Tx) error {
		if err := tx.DeleteParty(ctx, id); err != nil {
			return err
		}
		_, err := n.graph.Write(ctx, []relation.Update{{Op: relation.Delete, Relationship: dagl(id)}})
		return err
	})
}

// seen is what a reader finds: the parties that have a record, and those with a relation.
func (n *node) seen(t *testing.T) (rows, tuples []party.ID) {
	t.Helper()
	err := n.records.Parties(t.Context(), func(p party.Party) error {
		rows = append(rows, p.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := n.engine.Read(t.Context(), relation.At{}, relation.Filter{ResourceType: "party"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range found {
		number, _ := r.Resource.Number()
		tuples = append(tuples, party.ID(number))
	}
	slices.Sort(tuples)
	return rows, tuples
}

func (n *node) want(t *testing.T, what string, rows, tuples []party.ID) {
	t.Helper()
	gotRows, gotTuples := n.seen(t)
	if !slices.Equal(gotRows, rows) || !slices.Equal(gotTuples, tuples) {
		t.Errorf("%s: rows of %v and tuples of %v; want %v and %v", what, gotRows, gotTuples, rows, tuples)
	}
}

// one runs a query that answers with one value.
func one[T any](t *testing.T, uri, query string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var v T
	if err := conn.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func intents(t *testing.T, uri string) int {
	t.Helper()
	return one[int](t, uri, "SELECT count(*) FROM behalf.intent")
}

func TestWrite(t *testing.T) {
	uri := database(t)
	n := start(t, uri, nil)
	if err := errors.Join(n.put(t.Context(), 1), n.put(t.Context(), 2), n.remove(t.Context(), 1)); err != nil {
		t.Fatal(err)
	}
	n.want(t, "after three writes", []party.ID{2}, []party.ID{2})
	if left := intents(t, uri); left != 0 {
		t.Errorf("%d intents are left", left)
	}
	named := one[int](t, uri, "SELECT count(DISTINCT metadata ->> '"+engine.OperationKey+"') FROM relation_tuple_transaction")
	if named != 3 {
		t.Errorf("%d transactions of relationships say which write they are, want 3", named)
	}
}

// TestRefused has the graph and the function refuse: nothing is written, nothing is left.
func TestRefused(t *testing.T) {
	uri := database(t)
	n := start(t, uri, nil)
	err := n.records.Write(t.Context(), func(ctx context.Context, tx *records.Tx) error {
		unknown := dagl(1)
		unknown.Relation = "nope"
		_, err := n.graph.Write(ctx, []relation.Update{{Op: relation.Touch, Relationship: dagl(1)}, {Op: relation.Touch, Relationship: unknown}})
		return errors.Join(err, tx.PutParty(ctx, firm(1), "test"))
	})
	if fault.KindOf(err) != fault.Precondition {
		t.Errorf("a write of an unknown relation: %v", err)
	}
	boom := errors.New("boom")
	err = n.records.Write(t.Context(), func(ctx context.Context, tx *records.Tx) error {
		_, err := n.graph.Write(ctx, []relation.Update{{Op: relation.Touch, Relationship: dagl(1)}})
		return errors.Join(err, tx.PutParty(ctx, firm(1), "test"), boom)
	})
	if !errors.Is(err, boom) {
		t.Errorf("a function that fails: %v", err)
	}
	n.want(t, "after refused writes", nil, nil)
	if left := intents(t, uri); left != 0 {
		t.Errorf("%d intents are left", left)
	}
}

// TestNodesTakeTurns has two servers count, each reading what the other wrote.
func TestNodesTakeTurns(t *testing.T) {
	uri := database(t)
	nodes := []*node{start(t, uri, nil), start(t, uri, nil)}
	const each = 15
	group, ctx := errgroup.WithContext(t.Context())
	for w := range 4 {
		n := nodes[w%2]
		group.Go(func() error {
			for range each {
				err := n.records.Write(ctx, func(ctx context.Context, tx *records.Tx) error {
					next, _, _, err := tx.Numbers(ctx)
					if err != nil {
						return err
					}
					next.Write++
					id := party.ID(next.Write)
					if err := errors.Join(tx.SetNumbers(ctx, next), tx.PutParty(ctx, firm(id), "test")); err != nil {
						return err
					}
					_, err = n.graph.Write(ctx, []relation.Update{{Op: relation.Touch, Relationship: dagl(id)}})
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	rows, tuples := nodes[0].seen(t)
	if len(rows) != 4*each || !slices.Equal(rows, tuples) {
		t.Errorf("%d rows and %d tuples, want %d of each", len(rows), len(tuples), 4*each)
	}
}

// TestLeaseLost takes the lease from a server between its steps, as a broken connection
// does, and has another finish its write and undo it: the first must not write it again.
func TestLeaseLost(t *testing.T) {
	uri := database(t)
	other := start(t, uri, nil)
	n := start(t, uri, func(step int) {
		if step != 1 {
			return
		}
		if !one[bool](t, uri, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 3 AND granted") {
			t.Error("nobody has the lease")
		}
		if err := other.remove(t.Context(), 1); err != nil {
			t.Errorf("the other's write: %v", err)
		}
		other.want(t, "after the other's write", nil, nil)
	})
	if err := n.put(t.Context(), 1); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a write without its lease: %v", err)
	}
	n.want(t, "in the end", nil, nil)
	if left := intents(t, uri); left != 0 {
		t.Errorf("%d intents are left", left)
	}
}
