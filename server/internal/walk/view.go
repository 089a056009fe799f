package walk

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// View is a schema over a snapshot: what its questions are answered from.
type View struct {
	snap  *graph.Snapshot
	bound *bound
}

// Over returns the schema over a published snapshot of the graph that it is used with; one
// schema is for one graph.
func (s *Schema) Over(snap *graph.Snapshot) View { return View{snap, s.at(snap)} }

// Schema returns the schema.
func (v View) Schema() *Schema { return v.bound.schema }

// Snapshot returns the snapshot.
func (v View) Snapshot() *graph.Snapshot { return v.snap }

// The numbers that stand for objects which the graph does not know: the object of a
// question, and its subject when that is another one.
const (
	unknownObject  = ^graph.Node(0)
	unknownSubject = unknownObject - 1
)

// everybody is the id of the subject that stands for all objects of its type.
const everybody = "*"

// walker is the scratch of one question. What it grows it keeps for the next one.
type walker struct {
	View
	ctx  context.Context //nolint:containedctx // lives as long as the call that brings it
	now  time.Time
	done bool // ctx is; or anything else that ends the walk
	why  Reason

	asker
	subject   graph.Node
	wild      graph.Node // once it is known: who stands for all of the subject's type
	wildKnown bool

	path    [MaxDepth]state // the programs on the way from the root to here
	hops    int             // how many there are on it
	steps   int             // since the context was looked at
	walked  int             // hops made to what leads on
	worked  int             // looks at an object for this root
	deepest int             // the deepest level seen since it was last set
	settled table           // programs of objects that are decided: see note
	looped  bool            // an object was reached from itself
	unclear table           // the programs of objects that this look left open
	learned bool            // this look decided one that was not
	lax     bool            // caveats are taken to hold: see Loops
	edges   []graph.Edge
	states  table  // of a list
	shared  shared // of a list of subjects
	proof   *Proof // what the answer rests on is written down here, unless it is nil
}

// state is a program of an object.
type state struct {
	node graph.Node
	prog int32
}

func (s state) key() uint64 { return uint64(s.node)<<32 | uint64(s.prog+1) }

// MaxDepth is how many of SpiceDB's dispatches may lie within one another before it gives up.
const MaxDepth = 50

// pollSteps is how many edges are looked at between two looks at the context.
const pollSteps = 4096

// asker is a kind of subject.
type asker struct {
	kind        graph.Rel // of the subject; noRel when no tuple has it
	subjectKind graph.Rel // of its type
	asked       int32     // the program of a subject with a relation, -1 without
}

// asker returns a kind of subject. ok is false when the schema does not know it.
func (b *bound) asker(typ, rel string) (a asker, ok bool) {
	def, known := b.defs[typ]
	if !known {
		return asker{}, false
	}
	if rel == "" {
		return asker{def.kind, def.kind, -1}, true
	}
	p := b.schema.program(typ, rel)
	if p == nil {
		return asker{}, false
	}
	return asker{b.rels[p.index], def.kind, p.index}, true
}

// node returns the number of an object, or a number that stands for one that the graph does
// not know. ok is false for an id that a question may not name.
func (v View) node(o relation.Object, unknown graph.Node) (n graph.Node, ok bool) {
	return v.nodeOf(typeOf(v.snap, o.Type), o.ID, unknown)
}

// nodeOf is node for a definition that was looked up before.
func (v View) nodeOf(typ graph.Type, id string, unknown graph.Node) (n graph.Node, ok bool) {
	if id == everybody {
		return 0, false
	}
	if n, ok := v.snap.NodeOf(typ, id); ok {
		return n, true
	}
	return unknown, ValidID(id)
}

// walker returns a scratch for a question about a subject.
func (v View) walker(ctx context.Context, now time.Time, a asker, subject graph.Node) *walker {
	w, _ := v.bound.schema.walkers.Get().(*walker)
	if w == nil {
		w = new(walker)
	}
	w.View, w.ctx, w.now, w.asker, w.subject = v, ctx, now, a, subject
	w.done, w.why, w.wildKnown = false, Answered, false
	w.proof, w.looped, w.lax = nil, false, false
	w.hops, w.walked, w.worked, w.deepest = 0, 0, 0, 0
	return w
}

// release gives the scratch back.
func (w *walker) release() {
	w.settled.empty()
	w.unclear.empty()
	w.states.empty()
	w.shared.empty()
	pool := &w.bound.schema.walkers
	w.View, w.ctx, w.proof = View{}, nil, nil // it keeps no snapshot alive
	pool.Put(w)
}

// stop ends the walk without an answer.
func (w *walker) stop(why Reason) {
	if !w.done {
		w.done, w.why = true, why
	}
}

// poll looks at the context now and then.
func (w *walker) poll(edges int) {
	w.steps += edges + 1
	if w.steps < pollSteps {
		return
	}
	w.steps = 0
	if w.ctx.Err() != nil {
		w.stop(Canceled)
	}
}

// mostWork is how many looks at an object a walk takes for one root. It is for what takes so many
// only since the same is come by again and again: where the terms of a schema double with each
// permission, or subjects that are sets of each other's are in terms that are no unions.
const mostWork = 1 << 22

// work counts a look at an object, and stops when there were too many.
func (w *walker) work() (ok bool) {
	if w.worked++; w.worked > mostWork {
		w.stop(TooMuch)
	}
	return !w.done
}

// holds judges the tuple of an edge. One that holds under a caveat ends the walk.
func (w *walker) holds(l graph.List, e graph.Edge) bool {
	if e.Unconditional() {
		return true
	}
	return w.judge(l.Payload(e), e)
}

func (w *walker) judge(p *graph.Payload, e graph.Edge) bool {
	if w.proof != nil && p != nil {
		w.proof.judged(p.Expires, w.now)
	}
	if !p.Holds(w.now) {
		return false
	}
	if e.Caveated() && !w.lax {
		w.stop(Caveated)
		return false
	}
	return true
}

// wildcard returns the node that stands for all objects of the subject's type, if there is
// one.
func (w *walker) wildcard() (graph.Node, bool) {
	if !w.wildKnown {
		w.wildKnown = true
		w.wild = unknownObject
		// The schema may be bound to words that are newer than the snapshot, in which nobody has them.
		if w.subjectKind != noRel && int(w.subjectKind) < w.snap.Rels() {
			typ, _ := w.snap.RelName(w.subjectKind)
			if n, ok := w.snap.Node(typ, everybody); ok {
				w.wild = n
			}
		}
	}
	return w.wild, w.wild != unknownObject
}

// ValidID reports whether a text can be the id of an object: what SpiceDB's API takes.
func ValidID(id string) bool {
	if id == "" || len(id) > 1024 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '/' || c == '_' || c == '|' || c == '-' || c == '=' || c == '+':
		default:
			return false
		}
	}
	return true
}
