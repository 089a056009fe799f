package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/middleware/consistency"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
	"github.com/behalf-authz/behalf/server/internal/walk/zed"
)

// walkable is a datastore whose relationships lie in a graph of this process.
type walkable interface {
	// Walkable returns the snapshot of a revision and its schema, always the same value for
	// the same schema. ok is false for a revision that cannot be walked.
	Walkable(r datastore.Revision) (snapshot *graph.Snapshot, schema *datastore.ReadOnlyStoredSchema, ok bool)
}

// walks answers from the graph what it can.
type walks struct {
	store   walkable // nil when there is no graph
	newest  atomic.Pointer[walked]
	compile sync.Mutex
	kept    []*walked // compiled schemas, the newest last
	lists   *lists
	counts  [questions][]prometheus.Counter
	past    [questions]prometheus.Counter
	again   [questions]prometheus.Counter
}

// walked is a schema with what it was compiled to.
type walked struct {
	of    *datastore.ReadOnlyStoredSchema
	to    *walk.Schema
	words vocabulary
}

// keptSchemas is how many compiled schemas are kept: reads of older revisions may need those
// from before a change.
const keptSchemas = 4

// The kinds of questions, for the metric.
const (
	checks = iota
	resourceLists
	subjectLists
	questions
)

// newWalks returns the walks over a datastore, and registers their metric.
func newWalks(store datastore.Datastore, registry *prometheus.Registry) (*walks, error) {
	w := &walks{lists: newLists()}
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

// over returns what a revision is walked with. ok is false when it cannot be.
func (w *walks) over(r datastore.Revision) (view walk.View, ok bool) {
	if w.store == nil {
		return walk.View{}, false
	}
	snapshot, schema, ok := w.store.Walkable(r)
	if !ok {
		return walk.View{}, false
	}
	return w.schema(schema).Over(snapshot), true
}

// schema returns the compiled schema.
func (w *walks) schema(of *datastore.ReadOnlyStoredSchema) *walk.Schema { return w.compiled(of).to }

func (w *walks) compiled(of *datastore.ReadOnlyStoredSchema) *walked {
	if have := w.newest.Load(); have != nil && have.of == of {
		return have
	}
	w.compile.Lock()
	defer w.compile.Unlock()
	for _, have := range w.kept {
		if have.of == of {
			w.newest.Store(have)
			return have
		}
	}
	definitions := zed.Definitions(of.Get().GetV1().GetNamespaceDefinitions())
	made := &walked{of, walk.Compile(definitions), vocabularyOf(definitions)}
	if len(w.kept) == keptSchemas {
		w.kept = w.kept[1:]
	}
	w.kept = append(w.kept, made)
	w.newest.Store(made)
	return made
}

// Walk answers questions from the graph, all at the revision and the instant of one call.
// What it does not answer is for SpiceDB, at the same revision. The zero Walk answers
// nothing.
type Walk struct {
	walks *walks
	view  walk.View
	now   time.Time
	ok    bool
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
	if w.now, w.ok = relation.Instant(ctx); w.ok { // SpiceDB judges expiry at the same one
		w.view, w.ok = e.walks.over(revision)
	}
	return w
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
	q.schema = w.view.Schema()
	if k := w.walks.lists.find(q, w.view.Snapshot(), w.now); k != nil {
		w.walks.again[question].Inc()
		return k
	}
	k := &keptList{asked: q}
	nodes, everyone, why := walked(&k.proof)
	w.count(question, why)
	if why != walk.Answered {
		return nil
	}
	k.listed, k.everyone = relation.NewListed(w.ids(nodes)), everyone
	w.walks.lists.keep(k)
	return k
}

func (w Walk) ids(nodes []graph.Node) []string {
	if len(nodes) == 0 {
		return nil
	}
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = w.view.Snapshot().ID(n)
	}
	return ids
}
