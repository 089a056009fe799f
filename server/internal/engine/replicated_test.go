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
	"github.com/prometheus/client_golang/prometheus"
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

// node is an engine on a replica with its metrics.
type node struct {
	*engine.Engine
	store    datastore.Datastore
	registry *prometheus.Registry
}

func startNode(t testing.TB, uri string, c engine.ReplicaConfig) node {
	t.Helper()
	n := node{registry: prometheus.NewRegistry()}
	c.Registry = n.registry
	n.store = openWith(t, uri, c)
	var err error
	if n.Engine, err = engine.New(engine.Config{Datastore: n.store, Registry: n.registry}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if err := n.EnsureSchema(t.Context(), world); err != nil {
		t.Fatal(err)
	}
	return n
}

// count returns the sum of a metric's values whose labels have the values.
func (n node) count(t testing.TB, name string, labels ...string) (sum float64) {
	t.Helper()
	families, err := n.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			found := 0
			for _, l := range m.GetLabel() {
				if slices.Contains(labels, l.GetValue()) {
					found++
				}
			}
			if found == len(labels) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// TestReplicaNodes writes on one server and asks another at once, again and again. All is
// answered by walks of the replica.
func TestReplicaNodes(t *testing.T) {
	uri := database(t)
	nodes := []node{startNode(t, uri, engine.ReplicaConfig{}), startNode(t, uri, engine.ReplicaConfig{})}
	const rounds = 300
	var waited time.Duration
	for i := range rounds {
		text, op := fmt.Sprintf("party:%d#dagl@user:7", i/2), relation.Touch
		if i%2 == 1 {
			op = relation.Delete
		}
		revision := write(t, nodes[i%2].Engine, updates(op, text))
		at := relation.At{}
		if i%3 == 0 {
			at.AtLeast = revision
		}
		began := time.Now()
		if got := allowed(t, nodes[1-i%2].Engine, at, text); got != (op == relation.Touch) {
			t.Fatalf("write %d was not seen by the other server", i)
		}
		waited += time.Since(began)
	}
	walked := 0.0
	for _, n := range nodes {
		walked += n.count(t, "behalf_walks_total", "check", "answered")
		if lost := n.count(t, "behalf_replica_fallbacks_total"); lost > rounds/20 {
			t.Errorf("SpiceDB was asked %v times", lost)
		}
	}
	if walked < rounds*19/20 {
		t.Errorf("%v of %d checks were answered by walks", walked, rounds)
	}
	t.Logf("the first read after a write of another server took %s on average", waited/rounds)
}

// TestReplicaTooSlow has readers wait for nothing: SpiceDB answers, as rightly.
func TestReplicaTooSlow(t *testing.T) {
	uri := database(t)
	writer, slow := startNode(t, uri, engine.ReplicaConfig{}), startNode(t, uri, engine.ReplicaConfig{Patience: time.Nanosecond})
	for i := range 20 {
		text := fmt.Sprintf("party:%d#dagl@user:7", i)
		revision := write(t, writer.Engine, updates(relation.Touch, text))
		for _, at := range []relation.At{{}, {AtLeast: revision}} {
			if !allowed(t, slow.Engine, at, text) {
				t.Errorf("write %d was not seen at %q", i, at.AtLeast)
			}
		}
	}
	if n := slow.count(t, "behalf_replica_fallbacks_total", "slow"); n < 20 {
		t.Errorf("SpiceDB answered %v times", n)
	}
}

// TestMaxStaleness allows answers that are old. A revision is answered at no less all the
// same, and a server sees what it has written itself.
func TestMaxStaleness(t *testing.T) {
	uri := database(t)
	fresh, stale := startNode(t, uri, engine.ReplicaConfig{}), startNode(t, uri, engine.ReplicaConfig{MaxStaleness: time.Hour})
	allowed(t, stale.Engine, relation.At{}, "party:1#dagl@user:7")
	old := 0
	for i := range 20 {
		text := fmt.Sprintf("party:%d#dagl@user:7", i)
		revision := write(t, fresh.Engine, updates(relation.Touch, text))
		if !allowed(t, stale.Engine, relation.At{}, text) {
			old++
		}
		if !allowed(t, stale.Engine, relation.At{AtLeast: revision}, text) {
			t.Errorf("write %d was not seen at its own revision", i)
		}
		own := fmt.Sprintf("party:%d#dagl@user:8", i)
		write(t, stale.Engine, updates(relation.Touch, own))
		if !allowed(t, stale.Engine, relation.At{}, own) {
			t.Errorf("write %d was not seen by the server that wrote it", i)
		}
	}
	if old == 0 {
		t.Error("no answer was old: nothing was tested")
	}
}

// TestReplicaSchema changes the schema on one server while others read there and elsewhere.
func TestReplicaSchema(t *testing.T) {
	uri := database(t)
	nodes := []node{startNode(t, uri, engine.ReplicaConfig{}), startNode(t, uri, engine.ReplicaConfig{})}
	write(t, nodes[0].Engine, updates(relation.Touch, "party:1#dagl@user:7"))
	ctx, cancel := context.WithCancel(t.Context())
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range nodes {
		group.Go(func() error {
			for ctx.Err() == nil {
				answers, _, err := n.Check(ctx, relation.At{}, question("party:1#represent@user:7"))
				if err == nil && (answers[0].Err != nil || !answers[0].Allowed) {
					return fmt.Errorf("while the schema changes: %v", answers)
				}
				if err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
	for i := range 15 {
		own := fmt.Sprintf("definition thing_%d {\n\trelation owner: user\n\tpermission use = owner\n}", i)
		if err := nodes[i%2].EnsureSchema(t.Context(), own); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("thing_%d:x#owner@user:7", i)
		write(t, nodes[i%2].Engine, updates(relation.Touch, text))
		asked := fmt.Sprintf("thing_%d:x#use@user:7", i)
		for k, n := range nodes {
			if !allowed(t, n.Engine, relation.At{}, asked) {
				t.Errorf("server %d does not know definition %d", k, i)
			}
		}
	}
	cancel()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestReplicaPages reads on at a revision that was given before other writes.
func TestReplicaPages(t *testing.T) {
	uri := database(t)
	n := startNode(t, uri, engine.ReplicaConfig{})
	var states []datastore.Revision
	for i := range 50 {
		write(t, n.Engine, updates(relation.Touch, fmt.Sprintf("party:%d#dagl@user:7", i)))
		head, err := n.store.HeadRevision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		again, err := n.store.RevisionFromString(head.Revision.String())
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, again)
	}
	for i, revision := range states {
		snapshot, _, ok := n.store.(walkable).Walkable(revision)
		if !ok || snapshot.Tuples() != i+1 {
			t.Errorf("state %d: remembered %v, %v", i, ok, snapshot)
		}
	}
}
