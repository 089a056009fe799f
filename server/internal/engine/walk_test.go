package engine_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

var (
	walkTime   = flag.Duration("walktime", 15*time.Second, "how long TestWalkAgrees compares walks with SpiceDB")
	walkSeed   = flag.Uint64("walkseed", 1, "the first world of TestWalkAgrees; 0 for one that nobody has seen")
	walkCycles = flag.Bool("walkcycles", true, "whether worlds of TestWalkAgrees may reach things from themselves")
)

// A full run takes fullTime at least, and compares fullRun answers.
const (
	fullTime = 10 * time.Minute
	fullRun  = 1_000_000
)

// startFile returns an engine over a new file.
func startFile(t testing.TB) *engine.Engine {
	t.Helper()
	data, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "behalf.db")})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Config{Logger: slog.New(slog.DiscardHandler), Datastore: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// proof compares walks with SpiceDB and counts.
type proof struct {
	compared int
	slowHere int // in this world
	outcomes map[string]int
}

// TestWalkAgrees compares the answers of walks with SpiceDB's on random schemas, tuples and
// changes, at every revision.
func TestWalkAgrees(t *testing.T) {
	seed := *walkSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	p := &proof{outcomes: map[string]int{}}
	worlds := 0
	for start := time.Now(); time.Since(start) < *walkTime && !t.Failed(); seed++ {
		if t.Run(fmt.Sprint(seed), func(t *testing.T) { p.world(t, seed) }) {
			worlds++
		}
	}
	t.Logf("%d worlds, %d comparisons: %v", worlds, p.compared, p.outcomes)
	if *walkTime >= fullTime && p.compared < fullRun && !t.Failed() {
		t.Errorf("%d comparisons in %s; a full run makes %d", p.compared, *walkTime, fullRun)
	}
	if worlds >= 20 && p.outcomes["check left"] > p.outcomes["check"] {
		t.Error("walks leave most checks to SpiceDB: nothing is shown")
	}
	if worlds >= 20 && p.outcomes["lists kept"] == 0 {
		t.Error("no list was given again: nothing is shown of kept ones")
	}
}

// world makes a world, changes it and compares all answers after each change.
func (p *proof) world(t *testing.T, seed uint64) {
	p.slowHere = 0
	w := newWalkWorld(seed)
	e := startFile(t)
	e.KeepAllLists()
	defer func() { p.outcomes["lists kept"] += e.ListsGivenAgain(t) }()
	ctx := t.Context()
	if _, err := e.Services().Schema.WriteSchema(e.Context(ctx), &v1.WriteSchemaRequest{Schema: w.schema}); err != nil {
		p.outcomes["schemas refused"]++
		return
	}
	defer func() {
		if t.Failed() {
			t.Logf("schema of seed %d:\n%s", seed, w.schema)
		}
	}()
	now := time.Now()
	changes := 4
	if !w.ordered {
		changes = 1
	}
	var first relation.Revision
	for i := range changes {
		w.change(t, e, now, i > 0)
		for _, at := range []time.Duration{0, 150 * time.Minute} {
			pinned, revision, err := e.Pin(relation.WithInstant(ctx, now.Add(at)), relation.At{})
			if err != nil {
				t.Fatal(err)
			}
			p.compare(t, pinned, e, w)
			if t.Failed() {
				return
			}
			if i == 0 {
				first = revision
			}
		}
	}
	then, _, err := e.Pin(relation.WithInstant(ctx, now.Add(150*time.Minute)), relation.At{Exact: first})
	if err != nil {
		t.Fatal(err)
	}
	p.compare(t, then, e, w) // as of when it was made
}

// change writes and removes some tuples, or only a few, so that most lists stay the same.
func (w *walkWorld) change(t *testing.T, e *engine.Engine, now time.Time, few bool) {
	t.Helper()
	request := &v1.WriteRelationshipsRequest{}
	seen := map[string]bool{}
	n := 5 + w.rnd.IntN(25)
	if !w.ordered {
		n = 2 + w.rnd.IntN(5) // SpiceDB's time doubles with each way back
	}
	if few && w.rnd.IntN(3) > 0 {
		n = 1 + w.rnd.IntN(3)
	}
	for range n {
		r, caveated := w.tuple(now)
		key := fmt.Sprint(r.Resource, r.Relation, r.Subject)
		if seen[key] {
			continue
		}
		seen[key] = true
		u := &v1.RelationshipUpdate{Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: r.Resource.Type, ObjectId: r.Resource.ID}, Relation: r.Relation, Subject: v1Subject(r.Subject),
		}}
		if w.rnd.IntN(4) == 0 {
			u.Operation = v1.RelationshipUpdate_OPERATION_DELETE
		} else {
			if !r.Expires.IsZero() {
				u.Relationship.OptionalExpiresAt = timestamppb.New(r.Expires)
			}
			if caveated {
				u.Relationship.OptionalCaveat = &v1.ContextualizedCaveat{CaveatName: "open"}
			}
		}
		request.Updates = append(request.Updates, u)
	}
	if _, err := e.Services().Permissions.WriteRelationships(e.Context(t.Context()), request); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func v1Subject(s relation.Subject) *v1.SubjectReference {
	return &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: s.Type, ObjectId: s.ID}, OptionalRelation: s.Relation}
}

// compare asks all questions at the revision and instant of ctx.
func (p *proof) compare(t *testing.T, ctx context.Context, e *engine.Engine, w *walkWorld) {
	t.Helper()
	if !w.ordered {
		p.tangled(t, ctx, e, w)
		return
	}
	p.compareAll(t, ctx, e, w.rnd, w.all, w.objects, w.subjectsAsked())
}

// compareAll asks about relations, given as type#name, of all objects.
func (p *proof) compareAll(t *testing.T, ctx context.Context, e *engine.Engine, rnd *rand.Rand, relations []string, objects map[string][]string, asked []relation.Subject) {
	t.Helper()
	var questions []relation.Question
	kinds := slices.Sorted(maps.Keys(objects))
	for _, name := range relations {
		typ, permission, _ := strings.Cut(name, "#")
		for _, id := range append([]string{"nowhere"}, objects[typ]...) {
			for _, s := range asked {
				questions = append(questions, relation.Question{Object: relation.Object{Type: typ, ID: id}, Permission: permission, Subject: s})
			}
		}
		for _, s := range asked {
			p.resources(t, ctx, e, typ, permission, s)
		}
		for _, id := range objects[typ] {
			for _, kind := range kinds {
				p.subjects(t, ctx, e, relation.Object{Type: typ, ID: id}, permission, kind, "")
			}
			other, rel, _ := strings.Cut(pick(rnd, relations), "#")
			p.subjects(t, ctx, e, relation.Object{Type: typ, ID: id}, permission, other, rel)
		}
	}
	rnd.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	for chunk := range slices.Chunk(questions, 500) {
		p.checks(t, ctx, e, chunk)
	}
}

func (p *proof) checks(t *testing.T, ctx context.Context, e *engine.Engine, questions []relation.Question) {
	t.Helper()
	if p.over() {
		return
	}
	request := &v1.CheckBulkPermissionsRequest{}
	var said []bool
	for _, q := range questions {
		allowed, answered := e.Walk(ctx).Check(ctx, q)
		if !answered {
			p.left("check")
			continue
		}
		said = append(said, allowed)
		request.Items = append(request.Items, &v1.CheckBulkPermissionsRequestItem{
			Resource:   &v1.ObjectReference{ObjectType: q.Object.Type, ObjectId: q.Object.ID},
			Permission: q.Permission, Subject: v1Subject(q.Subject),
		})
	}
	if len(said) == 0 {
		return
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	response, err := e.SpiceDB().CheckBulkPermissions(limited, request)
	if err != nil || limited.Err() != nil {
		p.slow(t, "check", limited, err)
		return
	}
	for i, pair := range response.GetPairs() {
		want, given := pair.GetItem().GetPermissionship(), status.ErrorProto(pair.GetError())
		if !p.outcome(t, fmt.Sprint("check ", pair.GetRequest()), given) {
			continue
		}
		if want == v1.CheckPermissionResponse_PERMISSIONSHIP_CONDITIONAL_PERMISSION ||
			said[i] != (want == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION) {
			t.Errorf("check %v: walk says %v, SpiceDB %s", pair.GetRequest(), said[i], want)
		}
	}
}

// patience is how long SpiceDB may take: where objects are reached from themselves over
// several ways, it needs time that doubles with each step.
const patience = 2 * time.Second

// slow counts a call that SpiceDB did not answer in time.
func (p *proof) slow(t *testing.T, what string, ctx context.Context, err error) {
	t.Helper()
	if ctx.Err() == nil {
		t.Fatal(err)
	}
	kind, _, _ := strings.Cut(what, " ")
	p.outcomes[kind+" too slow"]++
	t.Log("too slow: ", what)
	p.slowHere++
}

// over reports whether a world is given up, since SpiceDB is too slow in it.
func (p *proof) over() bool { return p.slowHere > 1 }

// left counts a question that the walk leaves to SpiceDB. It is not asked: there is nothing
// to compare, and where objects are reached from themselves it needs time without end.
func (p *proof) left(what string) { p.outcomes[what+" left"]++ }

// outcome counts an answer of a walk and reports whether SpiceDB has one. It may give up
// where a walk need not; it must have no other reason not to answer.
func (p *proof) outcome(t *testing.T, what string, err error) bool {
	t.Helper()
	kind, _, _ := strings.Cut(what, " ")
	if err == nil {
		p.compared++
		p.outcomes[kind]++
		return true
	}
	p.outcomes[kind+" where SpiceDB gave up"]++
	if s := status.Convert(err); s.Code() != codes.ResourceExhausted && !strings.Contains(s.Message(), "depth") {
		t.Errorf("%s: the walk answers, SpiceDB says %v", what, err)
	}
	return false
}

func (p *proof) resources(t *testing.T, ctx context.Context, e *engine.Engine, typ, permission string, s relation.Subject) {
	t.Helper()
	if p.over() {
		return
	}
	found, answered := e.Walk(ctx).Resources(ctx, typ, permission, s)
	if !answered {
		p.left("resources")
		return
	}
	what := fmt.Sprintf("resources %s#%s@%v", typ, permission, s)
	var want []string
	conditional := false
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := e.SpiceDB().LookupResources(
		&v1.LookupResourcesRequest{ResourceObjectType: typ, Permission: permission, Subject: v1Subject(s)},
		&collected[v1.LookupResourcesResponse]{ctx: limited, each: func(r *v1.LookupResourcesResponse) {
			want = append(want, r.GetResourceObjectId())
			conditional = conditional || r.GetPermissionship() != v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION
		}})
	if limited.Err() != nil {
		p.slow(t, what, limited, err)
		return
	}
	if p.outcome(t, what, err) {
		p.same(t, what, slices.Clone(found.IDs()), want, conditional)
	}
}

func (p *proof) subjects(t *testing.T, ctx context.Context, e *engine.Engine, o relation.Object, permission, typ, rel string) {
	t.Helper()
	if p.over() {
		return
	}
	found, everyone, answered := e.Walk(ctx).Subjects(ctx, o, permission, typ, rel)
	if !answered {
		p.left("subjects")
		return
	}
	what := fmt.Sprintf("subjects %v#%s@%s#%s", o, permission, typ, rel)
	var want []string
	conditional := false
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := e.SpiceDB().LookupSubjects(
		&v1.LookupSubjectsRequest{
			Resource:   &v1.ObjectReference{ObjectType: o.Type, ObjectId: o.ID},
			Permission: permission, SubjectObjectType: typ, OptionalSubjectRelation: rel,
		},
		&collected[v1.LookupSubjectsResponse]{ctx: limited, each: func(r *v1.LookupSubjectsResponse) {
			want = append(want, r.GetSubject().GetSubjectObjectId())
			conditional = conditional || r.GetSubject().GetPermissionship() != v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION ||
				len(r.GetExcludedSubjects()) > 0
		}})
	if limited.Err() != nil {
		p.slow(t, what, limited, err)
		return
	}
	got := slices.Clone(found.IDs())
	if everyone {
		got = append(got, "*")
	}
	if p.outcome(t, what, err) {
		p.same(t, what, got, want, conditional)
	}
}

// same fails unless two lists hold the same, and the walk's each once.
func (p *proof) same(t *testing.T, what string, got, want []string, conditional bool) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	want = slices.Compact(want)
	if !slices.Equal(got, want) || conditional {
		t.Errorf("%s: walk says %v, SpiceDB %v (conditional: %v)", what, got, want, conditional)
	}
}

// collected is a server stream whose messages go to a function.
type collected[T any] struct {
	grpc.ServerStream
	ctx  context.Context //nolint:containedctx // a stream hands its context out
	each func(*T)
}

func (c *collected[T]) Send(m *T) error              { c.each(m); return nil }
func (c *collected[T]) Context() context.Context     { return c.ctx }
func (c *collected[T]) SetHeader(metadata.MD) error  { return nil }
func (c *collected[T]) SendHeader(metadata.MD) error { return nil }
func (c *collected[T]) SetTrailer(metadata.MD)       {}
