package engine

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/middleware/consistency"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

// walkable is a datastore whose relationships lie in a graph of this process.
type walkable interface {
	// Walkable returns the snapshot of a revision and its schema, always the same value for
	// the same schema of the same graph. ok is false for a revision that cannot be walked.
	Walkable(r datastore.Revision) (snapshot *graph.Snapshot, schema *datastore.ReadOnlyStoredSchema, ok bool)
}

// walks answers from the graph what it can.
type walks struct {
	store   walkable // nil when there is no graph
	live    schemas  // of the graph that changes
	rebuilt schemas  // of states of the past that were rebuilt, each a graph of its own
	lists   *lists
	counts  [questions][]prometheus.Counter
	past    [questions]prometheus.Counter
	again   [questions]prometheus.Counter
}

// The kinds of questions, for the metric.
const (
	checks = iota
	resourceLists
	subjectLists
	questions
)

// newWalks returns the walks over a datastore, and registers their metric.
func newWalks(store datastore.Datastore, registry *prometheus.Registry, log *slog.Logger) (*walks, error) {
	w := &walks{lists: newLists(), live: schemas{log: log}}
	w.store, _ = store.(walkable)
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "behalf_walks_total",
		Help: "Questions about relations, by kind and by what became of the walk: answered by it, or by an earlier one that still holds (kept), or why SpiceDB was asked.",
	}, []string{"question", "outcome"})
	if err := registry.Register(counter); err != nil {
		return nil, fmt.Errorf("register the metric of walks: %w", err)
	}
	for i, name := range [questions]string{"check", "resources", "subjects"} {
		for _, r := range walk.Reasons() {
			w.counts[i] = append(w.counts[i], counter.WithLabelValues(name, r.String()))
		}
		w.past[i] = counter.WithLabelValues(name, "past")
		w.again[i] = counter.WithLabelValues(name, "kept")
	}
	return w, nil
}

// ground is what a revision is answered from without SpiceDB.
type ground struct {
	snapshot *graph.Snapshot
	schema   *walked
	rebuilt  bool // its graph is no other revision's
}

// ground returns what a revision is answered from. ok is false when there is nothing, as for a
// moment of the past that was not made ready. One that was is answered from the graph that
// changes while that has its revision, and else from the one that was made for it.
func (w *walks) ground(r datastore.Revision) (on ground, ok bool) {
	if w.store == nil {
		return ground{}, false
	}
	snapshot, schema, ok := w.store.Walkable(r)
	if !ok {
		return ground{}, false
	}
	if moment, past := r.(dated); past {
		live, of, ok := w.store.Walkable(moment.Made())
		if !ok {
			return ground{snapshot, w.rebuilt.compiled(schema), true}, true
		}
		snapshot, schema = live, of
	}
	return ground{snapshot: snapshot, schema: w.live.compiled(schema)}, true
}

// instantOf returns when expiry is judged for a call at a revision, as the datastore judges it:
// at a moment of the past, or else at the call's own instant. ok is false when it has none.
func instantOf(ctx context.Context, r datastore.Revision) (at time.Time, ok bool) {
	if moment, past := r.(dated); past {
		return moment.Instant(), true
	}
	return relation.Instant(ctx)
}

// Walk answers questions from the graph, all at the revision and the instant of one call.
// What it does not answer is for SpiceDB, at the same revision. The zero Walk answers
// nothing.
type Walk struct {
	walks   *walks
	view    walk.View
	now     time.Time
	rebuilt bool // see ground
	ok      bool
}

// Walk returns what answers the questions of a call in whose context a revision was chosen.
func (e *Engine) Walk(ctx context.Context) Walk {
	if e.walks.store == nil {
		return Walk{}
	}
	revision, _, _, err := consistency.RevisionFromContext(ctx)
	if err != nil {
		return Walk{}
	}
	return e.walkAt(ctx, revision)
}

func (e *Engine) walkAt(ctx context.Context, revision datastore.Revision) Walk {
	w := Walk{walks: e.walks}
	if w.now, w.ok = instantOf(ctx, revision); w.ok {
		w.stand(revision)
	}
	return w
}

// stand has the walk answer at a revision, if it can.
func (w *Walk) stand(at datastore.Revision) {
	var on ground
	if on, w.ok = w.walks.ground(at); w.ok {
		w.view, w.rebuilt = on.schema.to.Over(on.snapshot), on.rebuilt
	}
}

func (w Walk) count(question int, why walk.Reason) { w.walks.counts[question][why].Inc() }

// unwalked counts a question at a revision that cannot be walked.
func (w Walk) unwalked(question int) {
	if w.walks != nil {
		w.walks.past[question].Inc()
	}
}

// Check answers a check. answered is false when SpiceDB must be asked.
func (w Walk) Check(ctx context.Context, q relation.Question) (allowed, answered bool) {
	if !w.ok {
		w.unwalked(checks)
		return false, false
	}
	verdict, why := w.view.Check(ctx, q, w.now)
	w.count(checks, why)
	return verdict == walk.Allowed, verdict != walk.Undecided
}

// Resources returns the objects of a type on which a subject has a permission. answered is
// false when SpiceDB must be asked.
func (w Walk) Resources(ctx context.Context, typ, permission string, subject relation.Subject) (found *relation.Listed, answered bool) {
	q := asked{end: subject, typ: typ, name: permission}
	k := w.list(resourceLists, q, func(p *walk.Proof) (nodes []graph.Node, everyone bool, why walk.Reason) {
		nodes, why = w.view.Resources(ctx, nil, p, typ, permission, subject, w.now)
		return nodes, false, why
	})
	if k == nil {
		return nil, false
	}
	return k.listed, true
}

// Subjects returns the subjects of a type, and with a relation if one is given, that have a
// permission on an object; and whether everybody of the type has it. answered is false when
// SpiceDB must be asked.
func (w Walk) Subjects(ctx context.Context, object relation.Object, permission, typ, rel string) (found *relation.Listed, everyone, answered bool) {
	q := asked{subjects: true, end: relation.Subject{Object: object}, typ: typ, rel: rel, name: permission}
	k := w.list(subjectLists, q, func(p *walk.Proof) (nodes []graph.Node, everyone bool, why walk.Reason) {
		return w.view.Subjects(ctx, p, object, permission, typ, rel, w.now)
	})
	if k == nil {
		return nil, false, false
	}
	return k.listed, k.everyone, true
}

// list returns the answer to a question: one that is kept, or that of a walk. It is nil when
// there is none.
func (w Walk) list(question int, q asked, walked func(*walk.Proof) ([]graph.Node, bool, walk.Reason)) *keptList {
	if !w.ok {
		w.unwalked(question)
		return nil
	}
	k := &keptList{asked: q}
	k.schema = w.view.Schema()
	if w.rebuilt { // what is kept is for states of the graph that changes
		return w.listOnce(question, k, walked)
	}
	if have := w.walks.lists.find(k.asked, w.view.Snapshot(), w.now); have != nil {
		w.walks.again[question].Inc()
		return have
	}
	if k = w.listOnce(question, k, walked); k != nil {
		w.walks.lists.keep(k)
	}
	return k
}

// listOnce makes the answer to a question. It is nil when there is none.
func (w Walk) listOnce(question int, k *keptList, walked func(*walk.Proof) ([]graph.Node, bool, walk.Reason)) *keptList {
	nodes, everyone, why := walked(&k.proof)
	w.count(question, why)
	if why != walk.Answered {
		return nil
	}
	k.listed, k.everyone = relation.NewListed(w.ids(nodes)), everyone
	return k
}

// ids returns the ids of nodes. They lie one behind the other: those of the graph lie all over
// the memory, and who reads the many of a list that is kept would wait for each, each time.
func (w Walk) ids(nodes []graph.Node) []string {
	if len(nodes) == 0 {
		return nil
	}
	ids := make([]string, len(nodes))
	size := 0
	for i, n := range nodes {
		ids[i] = w.view.Snapshot().ID(n)
		size += len(ids[i])
	}
	var all strings.Builder
	all.Grow(size)
	for i, id := range ids {
		at := all.Len()
		all.WriteString(id)
		ids[i] = all.String()[at:]
	}
	return ids
}
