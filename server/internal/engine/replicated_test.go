package engine_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	spicetuple "github.com/authzed/spicedb/pkg/tuple"
	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// replicaTime is how long TestReplicaAgrees writes.
var replicaTime = flag.Duration("replica-time", 3*time.Second, "how long the replica is compared with its source under writers")

// walkable is what a store with a graph can do.
type walkable interface {
	Walkable(datastore.Revision) (*graph.Snapshot, *datastore.ReadOnlyStoredSchema, bool)
}

// relationships returns all of party, as a store has them at a revision.
func relationships(ctx context.Context, store datastore.Datastore, r datastore.Revision) ([]string, error) {
	found, err := store.SnapshotReader(r).QueryRelationships(ctx, datastore.RelationshipsFilter{OptionalResourceType: "party"})
	if err != nil {
		return nil, err
	}
	var all []string
	for r, err := range found {
		if err != nil {
			return nil, err
		}
		text, err := spicetuple.String(r)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all, nil
}

// agree compares a replica with its source at the revision that it gives out now, and says
// whether that was the replica's.
func agree(ctx context.Context, replicated, source datastore.Datastore) (walked bool, n int, err error) {
	head, err := replicated.HeadRevision(ctx)
	if err != nil {
		return false, 0, err
	}
	_, _, walked = replicated.(walkable).Walkable(head.Revision)
	got, err := relationships(ctx, replicated, head.Revision)
	if err != nil {
		return false, 0, err
	}
	want, err := relationships(ctx, source, head.Revision)
	if err != nil {
		return false, 0, err
	}
	if !slices.Equal(got, want) {
		return walked, len(want), &disagreement{head.Revision.String(), got, want}
	}
	return walked, len(want), nil
}

type disagreement struct {
	at        string
	got, want []string
}

// Error says by what the two differ.
func (d *disagreement) Error() string {
	have, should := make(map[string]bool), make(map[string]bool)
	for _, r := range d.got {
		have[r] = true
	}
	for _, r := range d.want {
		should[r] = true
	}
	maps.DeleteFunc(have, func(r string, _ bool) bool { return should[r] })
	for _, r := range d.got {
		delete(should, r)
	}
	return fmt.Sprintf("at %s the replica has %d relationships and the source %d; too much %q, too little %q",
		d.at, len(d.got), len(d.want), slices.Collect(maps.Keys(have)), slices.Collect(maps.Keys(should)))
}

// churn writes small random changes until ctx is done, and says how many were acknowledged.
// Errors are for while the database is restarted.
func churn(ctx context.Context, e *engine.Engine, seed uint64, done *atomic.Int64) error {
	random := rand.New(rand.NewPCG(seed, 0))
	for ctx.Err() == nil {
		var us []relation.Update
		for range 1 + random.IntN(5) {
			u := relation.Update{Op: relation.Touch, Relationship: tuple(fmt.Sprintf("party:%d#dagl@user:%d", random.IntN(40), random.IntN(10)))}
			switch random.IntN(8) {
			case 0, 1, 2:
				u.Op = relation.Delete
			case 3:
				u.Relationship.Expires = time.Now().Add(time.Duration(random.IntN(3)) * time.Hour).Truncate(time.Second)
				if random.IntN(2) == 0 {
					u.Relationship.Expires = time.Now().Add(time.Hour).Truncate(time.Second)
				}
			}
			us = append(us, u)
		}
		if _, err := e.Write(ctx, us); err == nil {
			done.Add(1)
		}
	}
	return nil
}

// TestReplicaAgrees compares a replica with its source again and again, at the same
// revisions, while four writers write through two servers and the database is restarted.
func TestReplicaAgrees(t *testing.T) {
	uri := database(t)
	stores := []datastore.Datastore{open(t, uri), open(t, uri)}
	nodes := []*engine.Engine{startOn(t, stores[0], world), startOn(t, stores[1], world)}
	source := openBare(t, uri)
	var written atomic.Int64
	compared, walked := 0, 0
	for half := range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), *replicaTime/2)
		group, writing := errgroup.WithContext(ctx)
		for i := range uint64(4) {
			group.Go(func() error { return churn(writing, nodes[i%2], uint64(half)<<8|i, &written) })
		}
		for ctx.Err() == nil {
			ok, _, err := agree(t.Context(), stores[compared%2], source)
			if d, differ := err.(*disagreement); differ { //nolint:errorlint // as agree makes it
				t.Fatal(d)
			}
			if err == nil {
				compared++
			}
			if ok {
				walked++
			}
		}
		if half == 0 {
			pg.Restart(t) // amid the writers
		}
		cancel()
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "the replicas to be loaded again", func() bool {
		for _, s := range stores {
			if ok, _, err := agree(t.Context(), s, source); err != nil || !ok {
				return false
			}
		}
		return true
	})
	t.Logf("%d writes, %d comparisons, %d of them of the replica", written.Load(), compared, walked)
	if walked*2 < compared || walked == 0 {
		t.Errorf("%d of %d comparisons were of the replica", walked, compared)
	}
	head, err := source.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := relationships(t.Context(), source, head.Revision)
	if err != nil || len(want) == 0 {
		t.Fatalf("at the end: %d relationships, %v", len(want), err)
	}
	for i, s := range stores {
		head, err := s.HeadRevision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := relationships(t.Context(), s, head.Revision); err != nil || !slices.Equal(got, want) {
			t.Errorf("at the end replica %d has %d relationships and the source %d, %v", i, len(got), len(want), err)
		}
	}
}

// await waits for a condition that nothing announces.
func await(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestReplicaAgainstWatch replays what SpiceDB's Watch tells of concurrent writers and
// compares the end with the replica.
func TestReplicaAgainstWatch(t *testing.T) {
	uri := database(t)
	store := open(t, uri)
	e, source := startOn(t, store, world), openBare(t, uri)
	start, err := source.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	changes, faults := source.Watch(t.Context(), start.Revision, datastore.WatchOptions{Content: datastore.WatchRelationships})
	var written atomic.Int64
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for i := range uint64(4) {
		group.Go(func() error { return churn(ctx, e, i, &written) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	write(t, e, updates(relation.Touch, "party:last#dagl@user:7"))
	replayed := make(map[string]string)
	for last := false; !last; {
		select {
		case change := <-changes:
			for _, u := range change.RelationshipChanges {
				key := spicetuple.StringWithoutCaveatOrExpiration(u.Relationship)
				last = last || u.Relationship.Resource.ObjectID == "last"
				delete(replayed, key)
				expires := u.Relationship.OptionalExpiration
				if u.Operation != spicetuple.UpdateOperationDelete && (expires == nil || expires.After(time.Now())) {
					replayed[key] = spicetuple.MustString(u.Relationship)
				}
			}
		case err := <-faults:
			t.Fatal(err)
		case <-t.Context().Done():
			t.Fatal("the last write did not come")
		}
	}
	head, err := store.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := store.(walkable).Walkable(head.Revision); !ok {
		t.Error("the head is not the replica's")
	}
	got, err := relationships(t.Context(), store, head.Revision)
	if want := slices.Sorted(maps.Values(replayed)); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v: %v", err, &disagreement{"the end", got, want})
	}
	t.Logf("%d writes, %d relationships", written.Load(), len(got))
}
