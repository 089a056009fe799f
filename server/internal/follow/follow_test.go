package follow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/follow"
	"github.com/behalf-authz/behalf/server/internal/outbox"
	"github.com/behalf-authz/behalf/server/internal/party"
	behalfpostgres "github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// noGraph is the graph of tests that write none.
type noGraph struct{}

func (noGraph) Write(context.Context, []relation.Update) (relation.Revision, error) {
	return "", errors.New("the records wrote a graph")
}

func (noGraph) Head(context.Context) (relation.Revision, error) { return "", nil }

// node is a server's records and what follows them.
type node struct {
	outbox    *outbox.Outbox
	records   *records.Store
	directory *party.Directory
	follower  *follow.Follower
	keys      int // how often it was told that keys have changed
}

func start(t *testing.T, uri string) *node {
	t.Helper()
	o, err := outbox.Open(t.Context(), outbox.Config{URI: uri, Graph: noGraph{}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	n := &node{outbox: o, records: records.In(o), directory: party.NewDirectory()}
	n.follower, err = follow.New(follow.Config{DB: o.Read(), Records: n.records, Directory: n.directory})
	if err == nil {
		err = n.follower.Start(t.Context(), func(context.Context) error {
			n.keys++
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func database(t *testing.T) string {
	t.Helper()
	return pg.Clone(t, "behalf", func(ctx context.Context, uri string) error {
		db, err := behalfpostgres.Open(uri, behalfpostgres.Options{Conns: 2})
		if err != nil {
			return err
		}
		return errors.Join(behalfpostgres.Migrate(ctx, db), db.Close())
	})
}

func (n *node) write(t *testing.T, f func(ctx context.Context, tx *records.Tx) error) {
	t.Helper()
	if err := n.records.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func (n *node) put(t *testing.T, id party.ID, name string) {
	t.Helper()
	n.write(t, func(ctx context.Context, tx *records.Tx) error {
		return tx.PutParty(ctx, party.Party{ID: id, UUID: fmt.Sprint("u", id), Kind: party.Organisation, Name: name}, "test")
	})
}

// wantName fails unless the server, brought up to date, knows the party by the name; an
// empty one says that it does not know it.
func (n *node) wantName(t *testing.T, id party.ID, name string) {
	t.Helper()
	if err := n.follower.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, _ := n.directory.Get(id); p.Name != name {
		t.Errorf("party %d is %q, want %q", id, p.Name, name)
	}
}

func TestCatchUp(t *testing.T) {
	uri := database(t)
	a := start(t, uri)
	a.put(t, 1, "before")
	b := start(t, uri)
	b.wantName(t, 1, "before")
	a.put(t, 1, "after")
	a.put(t, 2, "new")
	for _, n := range []*node{a, b} { // a has followed itself no further
		n.wantName(t, 1, "after")
		n.wantName(t, 2, "new")
	}
	b.write(t, func(ctx context.Context, tx *records.Tx) error { return tx.DeleteParty(ctx, 2) })
	a.wantName(t, 2, "")
	if a.keys != 0 {
		t.Errorf("told %d times of keys that have not changed", a.keys)
	}
	if err := b.records.PutAPIKey(t.Context(), authn.APIKey{ID: "k", Name: "K"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.records.DeleteAPIKey(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	a.wantName(t, 1, "after")
	if a.keys != 1 {
		t.Errorf("told %d times of keys that have changed, want once", a.keys)
	}
}

// TestForgotten shortens the log past what a server has followed: it reads all anew.
func TestForgotten(t *testing.T) {
	uri := database(t)
	a, b := start(t, uri), start(t, uri)
	for id := range party.ID(20) {
		a.put(t, id+1, "old")
	}
	b.wantName(t, 1, "old")
	a.put(t, 1, "new")
	a.write(t, func(ctx context.Context, tx *records.Tx) error { return tx.DeleteParty(ctx, 2) })
	for range 2 { // nothing is left to forget the second time
		if err := a.outbox.Forget(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	b.wantName(t, 1, "new")
	b.wantName(t, 2, "")
	b.wantName(t, 3, "old")
	if b.keys != 1 {
		t.Errorf("told %d times of keys that may have changed, want once", b.keys)
	}
	a.put(t, 4, "later")
	b.wantName(t, 4, "later")
}

// TestManyAtOnce has many callers catch up beside a writer: each finds at least what was
// acknowledged before he asked.
func TestManyAtOnce(t *testing.T) {
	uri := database(t)
	a, b := start(t, uri), start(t, uri)
	var (
		mu    sync.Mutex
		acked party.ID
		group sync.WaitGroup
	)
	last := func() party.ID {
		mu.Lock()
		defer mu.Unlock()
		return acked
	}
	const writes = 60
	group.Go(func() {
		for id := range party.ID(writes) {
			a.put(t, id+1, "x")
			mu.Lock()
			acked = id + 1
			mu.Unlock()
		}
	})
	for range 8 {
		group.Go(func() {
			for last() < writes {
				id := last()
				if err := b.follower.CatchUp(t.Context()); err != nil {
					t.Error(err)
					return
				}
				if _, found := b.directory.Get(id); id > 0 && !found {
					t.Errorf("party %d is not known after it was acknowledged", id)
				}
			}
		})
	}
	group.Wait()
}

// TestAway closes the door while the database cannot be reached.
func TestAway(t *testing.T) {
	n := start(t, database(t))
	if err := n.outbox.Close(); err != nil {
		t.Fatal(err)
	}
	if err := n.follower.CatchUp(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("without a database: %v", err)
	}
}
