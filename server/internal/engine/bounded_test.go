package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// turning is a schema in which much can be reached from itself: groups by their members, documents
// by their parents, and the turns by name alone.
const turning = `caveat open(hour int) {
	hour > 8
}

definition user {}

definition group {
	relation member: user | user with open | group#member
	relation deputy: group#member
	permission all = member + deputy
}

definition doc {
	relation reader: user | user with open | group#member
	relation parent: doc
	relation other: doc
	permission read = reader + parent->read + other->read
	permission turn = turn + turn_back + reader
	permission turn_back = turn + parent->turn
	permission allowed = reader - turn
}

definition ring {
	permission first = second + third
	permission second = first + third
	permission third = first + second
}`

// turn is an engine over turning, with its metrics.
func turn(t *testing.T, tuples ...string) (*engine.Engine, *prometheus.Registry) {
	t.Helper()
	data, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "behalf.db")})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	e, err := engine.New(engine.Config{Logger: slog.New(slog.DiscardHandler), Datastore: data, Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(e.Close(), data.Close()); err != nil {
			t.Error(err)
		}
	})
	if _, err := e.Services().Schema.WriteSchema(e.Context(t.Context()), &v1.WriteSchemaRequest{Schema: turning}); err != nil {
		t.Fatal(err)
	}
	write(t, e, updates(relation.Touch, tuples...))
	return e, registry
}

// caveated lets a user read, or be a member, under a caveat.
func caveated(t *testing.T, e *engine.Engine, text string) {
	t.Helper()
	r := tuple(text)
	_, err := e.Services().Permissions.WriteRelationships(e.Context(t.Context()), &v1.WriteRelationshipsRequest{
		Updates: []*v1.RelationshipUpdate{{Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: r.Resource.Type, ObjectId: r.Resource.ID}, Relation: r.Relation,
			Subject: v1Subject(r.Subject), OptionalCaveat: &v1.ContextualizedCaveat{CaveatName: "open"},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// refused returns how many questions of a kind were refused for a reason.
func refused(t *testing.T, registry *prometheus.Registry, question, why string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if labels := m.GetLabel(); f.GetName() == "behalf_questions_refused_total" && labels[0].GetValue() == question && labels[1].GetValue() == why {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no count of %s refused for %s", question, why)
	return 0
}

// TestRestsOnItself asks what rests on itself. All of it ends: what is decided all the same is
// answered, and the rest is refused as too deep; nothing is allowed that nothing allows.
func TestRestsOnItself(t *testing.T) {
	e, registry := turn(t,
		"group:a#member@group:b#member", "group:b#member@group:a#member", "group:a#deputy@group:b#member", "group:b#member@user:1",
		"doc:x#reader@group:a#member", "doc:x#reader@group:b#member", "doc:x#reader@user:2",
		"doc:y#parent@doc:z", "doc:z#parent@doc:y", "doc:y#other@doc:z", "doc:z#other@doc:y", "doc:z#reader@user:2",
		"doc:w#reader@user:2")
	caveated(t, e, "group:a#member@user:7")
	caveated(t, e, "doc:y#reader@user:7")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for text, want := range map[string]string{
		"group:a#member@user:1":  "true",
		"group:a#all@user:1":     "true",
		"group:a#all@user:3":     "refused",
		"group:a#all@user:7":     "refused", // under a caveat or round and round
		"doc:x#read@user:1":      "true",
		"doc:x#read@user:2":      "true",
		"doc:x#read@user:3":      "refused",
		"doc:y#read@user:2":      "true",
		"doc:y#read@user:3":      "refused",
		"doc:y#read@user:7":      "refused",
		"doc:y#reader@user:7":    "CONTEXT_REQUIRED", // nothing round about it
		"doc:w#read@user:3":      "false",
		"doc:w#turn@user:2":      "true",
		"doc:w#turn@user:3":      "refused",
		"doc:v#turn@user:3":      "refused",
		"doc:w#turn_back@user:2": "true",
		"doc:w#allowed@user:2":   "false", // since he has the turn
		"doc:w#allowed@user:3":   "false", // since he is no reader
		"doc:w#turn@ghost:3":     "UNKNOWN_RELATION",
	} {
		answers, _, err := e.Check(ctx, relation.At{}, question(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got := fmt.Sprint(answers[0].Allowed)
		if f, ok := errors.AsType[*fault.Error](answers[0].Err); ok {
			if got = string(f.Reason); f.Kind == fault.Exhausted && f.Reason == reasonDepth {
				got = "refused"
			}
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", text, got, answers[0].Err, want)
		}
	}
	if n := refused(t, registry, "check", "loop"); n != 7 {
		t.Errorf("%v checks were refused, want 7", n)
	}
	answer, _, err := e.CheckWith(ctx, relation.At{}, question("doc:y#read@user:7"), map[string]any{"hour": 9})
	if err != nil || answer.Allowed {
		t.Errorf("with a context: %+v, %v", answer, err)
	}
	wantFault(t, "with a context", answer.Err, fault.Exhausted, reasonDepth)
	_, _, err = e.Resources(ctx, relation.At{}, "doc", "read", subject("user:2"))
	wantFault(t, "what user 2 reads", err, fault.Exhausted, reasonDepth)
	_, _, err = e.Subjects(ctx, relation.At{}, object("doc:x"), "read", "user")
	wantFault(t, "who reads x", err, fault.Exhausted, reasonDepth)
	_, _, err = e.Subjects(ctx, relation.At{}, object("doc:w"), "turn", "user")
	wantFault(t, "who has the turn of w", err, fault.Exhausted, reasonDepth)
	if ids, _, err := e.Resources(ctx, relation.At{}, "doc", "turn", subject("user:3")); err != nil || len(ids) != 0 {
		t.Errorf("what user 3 has the turn of: %v, %v", ids, err)
	}
	_, err = e.Services().Permissions.ExpandPermissionTree(pinnedHead(t, ctx, e), &v1.ExpandPermissionTreeRequest{
		Resource: &v1.ObjectReference{ObjectType: "doc", ObjectId: "y"}, Permission: "read",
	})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("expand what goes round by arrows: %v", err)
	}
	_, err = e.Services().Permissions.ExpandPermissionTree(pinnedHead(t, ctx, e), &v1.ExpandPermissionTreeRequest{
		Resource: &v1.ObjectReference{ObjectType: "group", ObjectId: "a"}, Permission: "all",
	})
	if err != nil {
		t.Errorf("expand sets that are not looked into: %v", err)
	}
	for question, want := range map[string]float64{"resources": 1, "subjects": 2, "expand": 1} {
		if n := refused(t, registry, question, "loop"); n != want {
			t.Errorf("%v questions for %s were refused, want %v", n, question, want)
		}
	}
}

// pinnedHead returns a context for calls to the services at the head.
func pinnedHead(t *testing.T, ctx context.Context, e *engine.Engine) context.Context {
	t.Helper()
	pinned, _, err := e.Pin(ctx, relation.At{})
	if err != nil {
		t.Fatal(err)
	}
	return pinned
}

// TestManyRestOnThemselves asks many at once what would wait for one another without end, alone
// and among others.
func TestManyRestOnThemselves(t *testing.T) {
	e, _ := turn(t, "group:a#member@group:b#member", "group:b#member@group:a#member", "group:a#deputy@group:b#member", "group:b#deputy@group:a#member",
		"group:c#member@group:a#member", "group:c#deputy@group:b#member", "group:d#member@user:1")
	for _, g := range []string{"a", "b", "d"} {
		caveated(t, e, "group:"+g+"#member@user:7")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var askers sync.WaitGroup
	for range 16 {
		askers.Go(func() {
			for range 20 {
				answers, _, err := e.Check(ctx, relation.At{},
					question("group:a#all@user:7"), question("group:b#all@user:7"), question("group:c#all@user:7"), question("group:d#all@user:1"), question("group:d#all@user:7"))
				if err != nil {
					t.Error(err)
					return
				}
				for i, want := range []fault.Reason{reasonDepth, reasonDepth, reasonDepth, "", engine.ReasonContextRequired} {
					f, failed := errors.AsType[*fault.Error](answers[i].Err)
					if failed != (want != "") || failed && f.Reason != want || answers[i].Allowed != (want == "") {
						t.Errorf("question %d: %+v, want %q", i, answers[i], want)
						return
					}
				}
			}
		})
	}
	askers.Wait()
}

// TestTooMuchWork lists what can be reached over ways whose number doubles with each step, though
// nothing is reached from itself.
func TestTooMuchWork(t *testing.T) {
	var ladder []string
	for i := range 30 {
		ladder = append(ladder, fmt.Sprintf("doc:%d#parent@doc:%d", i, i+1), fmt.Sprintf("doc:%d#other@doc:%d", i, i+1))
	}
	e, registry := turn(t, append(ladder, "doc:30#reader@user:1")...)
	caveated(t, e, "doc:30#reader@user:7") // which is SpiceDB's
	e.LimitReads(2000)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	_, _, err := e.Subjects(ctx, relation.At{}, object("doc:0"), "read", "user")
	wantFault(t, "who reads the first", err, fault.Exhausted, engine.ReasonExhausted)
	if n := refused(t, registry, "subjects", "work"); n != 1 {
		t.Errorf("%v lists were refused, want 1", n)
	}
	if ids, _, err := e.Subjects(ctx, relation.At{}, object("doc:26"), "read", "user"); err != nil || len(ids) != 1 {
		t.Errorf("who reads one near the last: %v, %v", ids, err)
	}
	canceled, end := context.WithCancel(ctx)
	end()
	_, _, err = e.Subjects(canceled, relation.At{}, object("doc:0"), "read", "user")
	wantFault(t, "nobody waits", err, fault.Canceled, engine.ReasonCanceled)
}

// TestRoundByNames has SpiceDB itself list who has a permission that names others, which name it,
// so that there is no relationship to read on the way round.
func TestRoundByNames(t *testing.T) {
	e, _ := turn(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := e.SpiceDB().LookupSubjects(
		&v1.LookupSubjectsRequest{Resource: &v1.ObjectReference{ObjectType: "ring", ObjectId: "x"}, Permission: "first", SubjectObjectType: "user"},
		&collected[v1.LookupSubjectsResponse]{ctx: engine.WithBudget(pinnedHead(t, ctx, e), 2000), each: func(r *v1.LookupSubjectsResponse) {
			t.Errorf("%v has the permission", r.GetSubject())
		}})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a list round and round: %v, want %s", err, codes.ResourceExhausted)
	}
}
