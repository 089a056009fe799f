package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

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
