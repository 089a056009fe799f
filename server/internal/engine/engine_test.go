package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// world is a small schema of the shape that Behalf's own has.
const world = `use expiration

definition user {}

definition party {
	relation self: user
	relation main_unit: party
	relation dagl: user | user with expiration
	relation regn_org: party
	relation unit_esek: user:*
	permission key_holder = dagl
	permission represent = self + dagl + regn_org->key_holder + main_unit->represent
	permission esek_dagl = dagl & unit_esek
}`

// start returns a running engine with the schema.
func start(t testing.TB, schema string) *engine.Engine {
	t.Helper()
	return startOn(t, datastoreOf(t), schema)
}

// startOn returns a running engine on the datastore, nil for the memory engine.
func startOn(t testing.TB, store datastore.Datastore, schema string) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Config{
		Logger:    slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		Datastore: store,
	})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if schema != "" {
		if err := e.EnsureSchema(t.Context(), schema); err != nil {
			t.Fatalf("EnsureSchema: %v", err)
		}
	}
	return e
}

// object reads type:id.
func object(text string) relation.Object {
	typ, id, _ := strings.Cut(text, ":")
	return relation.Object{Type: typ, ID: id}
}

// subject reads type:id or type:id#relation.
func subject(text string) relation.Subject {
	o, rel, _ := strings.Cut(text, "#")
	return relation.Subject{Object: object(o), Relation: rel}
}

// tuple reads resource#relation@subject.
func tuple(text string) relation.Relationship {
	left, right, _ := strings.Cut(text, "@")
	resource, rel, _ := strings.Cut(left, "#")
	return relation.Relationship{Resource: object(resource), Relation: rel, Subject: subject(right)}
}

// question reads resource#permission@subject.
func question(text string) relation.Question {
	r := tuple(text)
	return relation.Question{Object: r.Resource, Permission: r.Relation, Subject: r.Subject}
}

func updates(op relation.Op, tuples ...string) []relation.Update {
	out := make([]relation.Update, len(tuples))
	for i, text := range tuples {
		out[i] = relation.Update{Op: op, Relationship: tuple(text)}
	}
	return out
}

func write(t testing.TB, e *engine.Engine, us []relation.Update) relation.Revision {
	t.Helper()
	revision, err := e.Write(t.Context(), us)
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
	return revision
}

func allowed(t testing.TB, e *engine.Engine, at relation.At, text string) bool {
	t.Helper()
	answers, _, err := e.Check(t.Context(), at, question(text))
	if err != nil || answers[0].Err != nil {
		t.Fatalf("Check(%s): %v, %v", text, answers, err)
	}
	return answers[0].Allowed
}

// wantFault fails unless err is a fault of the kind and reason.
func wantFault(t testing.TB, what string, err error, kind fault.Kind, reason fault.Reason) {
	t.Helper()
	f, ok := err.(*fault.Error) //nolint:errorlint // the engine returns faults as they are
	if !ok || f.Kind != kind || f.Reason != reason {
		t.Errorf("%s: %v, want a fault of kind %d and reason %s", what, err, kind, reason)
	}
}

func TestCheck(t *testing.T) {
	e := start(t, world)
	write(t, e, updates(relation.Touch,
		"party:1#dagl@user:7",
		"party:2#main_unit@party:1",
		"party:3#regn_org@party:1",
		"party:4#regn_org@party:3",
		"party:1#unit_esek@user:*",
	))
	cases := []struct {
		text string
		want bool
	}{
		{"party:1#represent@user:7", true},
		{"party:2#represent@user:7", true},  // from the main unit down
		{"party:3#represent@user:7", true},  // key holder of the accountant
		{"party:4#represent@user:7", false}, // one hop only
		{"party:1#represent@user:8", false},
		{"party:1#esek_dagl@user:7", true},
		{"party:9#represent@user:7", false},
	}
	questions := make([]relation.Question, 0, len(cases)+2)
	for _, c := range cases {
		if got := allowed(t, e, relation.At{}, c.text); got != c.want {
			t.Errorf("Check(%s) = %v, want %v", c.text, got, c.want)
		}
		questions = append(questions, question(c.text))
	}
	// In bulk, a bad question and an unknown relation spoil no other.
	questions = append(questions, question("party:#represent@user:7"), question("party:1#no_such@user:7"), question(cases[0].text))
	answers, revision, err := e.Check(t.Context(), relation.At{}, questions...)
	if err != nil || revision == "" || len(answers) != len(questions) {
		t.Fatalf("Check: %d answers at %q, %v", len(answers), revision, err)
	}
	for i, c := range cases {
		if answers[i].Allowed != c.want || answers[i].Err != nil {
			t.Errorf("bulk Check(%s) = %+v, want %v", c.text, answers[i], c.want)
		}
	}
	wantFault(t, "empty object id", answers[len(cases)].Err, fault.Invalid, fault.ReasonInvalidArgument)
	wantFault(t, "unknown relation", answers[len(cases)+1].Err, fault.Precondition, fault.ReasonUnknownRelation)
	if !answers[len(cases)+2].Allowed {
		t.Errorf("the repeated question was denied: %+v", answers[len(cases)+2])
	}
}

func TestCheckUnknownNames(t *testing.T) {
	e := start(t, world)
	for text, meta := range map[string]map[string]string{
		"party:1#no_such@user:7":     {"definition_name": "party", "relation_or_permission_name": "no_such"},
		"nothing:1#represent@user:7": {"definition_name": "nothing"},
		"party:1#represent@ghost:7":  {"definition_name": "ghost"},
	} {
		answers, _, err := e.Check(t.Context(), relation.At{}, question(text))
		if err != nil {
			t.Fatalf("Check(%s): %v", text, err)
		}
		wantFault(t, text, answers[0].Err, fault.Precondition, fault.ReasonUnknownRelation)
		if f, ok := answers[0].Err.(*fault.Error); ok { //nolint:errorlint // see wantFault
			if diff := gocmp.Diff(meta, f.Meta); diff != "" {
				t.Errorf("%s: metadata: %s", text, diff)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	e := start(t, world)
	long := strings.Repeat("a", 1025)
	for _, text := range []string{
		":1#represent@user:7", "party:#represent@user:7", "party:1#represent@:7", "party:1#represent@user:",
		"party:*#represent@user:7", "party:1#represent@user:*#self", "PARTY:1#represent@user:7", "party:a b#represent@user:7",
		"party:" + long + "#represent@user:7",
	} {
		answers, _, err := e.Check(t.Context(), relation.At{}, question(text))
		if err != nil {
			t.Errorf("Check(%.40s): %v", text, err)
			continue
		}
		wantFault(t, fmt.Sprintf("Check(%.40s)", text), answers[0].Err, fault.Invalid, fault.ReasonInvalidArgument)
		_, err = e.Write(t.Context(), updates(relation.Touch, text))
		wantFault(t, fmt.Sprintf("Write(%.40s)", text), err, fault.Invalid, fault.ReasonInvalidArgument)
	}
	_, err := e.Write(t.Context(), []relation.Update{{Relationship: tuple("party:1#dagl@user:7")}})
	wantFault(t, "Write without op", err, fault.Invalid, fault.ReasonInvalidArgument)
	_, _, err = e.Read(t.Context(), relation.At{}, relation.Filter{})
	wantFault(t, "Read without a type", err, fault.Invalid, fault.ReasonInvalidArgument)
	_, _, err = e.Read(t.Context(), relation.At{}, relation.Filter{ResourceType: "party", SubjectID: "7"})
	wantFault(t, "Read by subject id alone", err, fault.Invalid, fault.ReasonInvalidArgument)
	_, _, err = e.Resources(t.Context(), relation.At{}, "", "represent", subject("user:7"))
	wantFault(t, "Resources without a type", err, fault.Invalid, fault.ReasonInvalidArgument)
	_, _, err = e.Resources(t.Context(), relation.At{}, "party", "no_such", subject("user:7"))
	wantFault(t, "Resources of an unknown permission", err, fault.Precondition, fault.ReasonUnknownRelation)
	_, _, err = e.Subjects(t.Context(), relation.At{}, relation.Object{}, "represent", "user")
	wantFault(t, "Subjects of nothing", err, fault.Invalid, fault.ReasonInvalidArgument)
	_, err = e.Write(t.Context(), updates(relation.Touch, "party:1#represent@user:7"))
	if fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.Precondition {
		t.Errorf("Write of a permission: %v", err)
	}
	_, err = e.Write(t.Context(), updates(relation.Touch, "party:1#no_such@user:7"))
	wantFault(t, "Write of an unknown relation", err, fault.Precondition, fault.ReasonUnknownRelation)
	// Nothing of a refused write is there, the good updates in it included.
	_, err = e.Write(t.Context(), updates(relation.Touch, "party:1#dagl@user:7", "party:1#dagl@party:2"))
	if err == nil {
		t.Error("a write with a subject of a wrong type was taken")
	}
	if allowed(t, e, relation.At{}, "party:1#dagl@user:7") {
		t.Error("half a refused write is there")
	}
}

func TestRevisions(t *testing.T) {
	e, other := start(t, world), start(t, world)
	first := write(t, e, updates(relation.Touch, "party:1#dagl@user:7"))
	foreign := write(t, other, updates(relation.Touch, "party:1#dagl@user:7"))
	if !allowed(t, e, relation.At{AtLeast: first}, "party:1#dagl@user:7") {
		t.Error("a read at the revision of a write does not see it")
	}
	for name, revision := range map[string]relation.Revision{
		"garbage": "garbage!", "not a token": "AAAA", "another datastore's": foreign, "cut": first[:len(first)/2],
	} {
		_, _, err := e.Check(t.Context(), relation.At{AtLeast: revision}, question("party:1#dagl@user:7"))
		wantFault(t, name, err, fault.Invalid, fault.ReasonInvalidRevision)
		_, _, err = e.Read(t.Context(), relation.At{AtLeast: revision}, relation.Filter{ResourceType: "party"})
		wantFault(t, name, err, fault.Invalid, fault.ReasonInvalidRevision)
	}
	head, err := e.Head(t.Context())
	if err != nil || head == "" {
		t.Fatalf("Head: %q, %v", head, err)
	}
	if empty, err := e.Write(t.Context(), nil); err != nil || empty != head {
		t.Errorf("an empty write = %q, %v; want the head %q", empty, err, head)
	}
}

// Every acknowledged write is seen by the next read, with many readers and writers, and
// with and without naming its revision.
func TestReadYourWrites(t *testing.T) {
	e := start(t, world)
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			for i := range 25 {
				text := fmt.Sprintf("party:%d#dagl@user:%d", i, w)
				for _, op := range []relation.Op{relation.Touch, relation.Delete} {
					revision, err := e.Write(t.Context(), updates(op, text))
					if err != nil {
						t.Errorf("Write: %v", err)
						return
					}
					for _, at := range []relation.At{{}, {AtLeast: revision}} {
						answers, _, err := e.Check(t.Context(), at, question(text))
						if err != nil || answers[0].Allowed != (op == relation.Touch) {
							t.Errorf("after op %d of %s: %v, %v", op, text, answers, err)
						}
					}
				}
			}
		})
	}
	workers.Wait()
}

func TestGoneCaller(t *testing.T) {
	e := start(t, world)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := e.Check(ctx, relation.At{}, question("party:1#dagl@user:7"), question("party:2#dagl@user:7"))
	wantFault(t, "canceled check", err, fault.Canceled, engine.ReasonCanceled)
	late, done := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer done()
	_, err = e.Write(late, updates(relation.Touch, "party:1#dagl@user:7"))
	if k := fault.KindOf(err); err != nil && k != fault.Deadline {
		t.Errorf("late write: %v", err)
	}
}

func TestLife(t *testing.T) {
	e := start(t, world)
	if err := e.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- e.Run(ctx) }()
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("Run: %v", err)
	}
	if !allowedAfterRun(t, e) {
		t.Error("the engine does not answer after Run, before Close")
	}
	if err := e.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	_, _, err := e.Check(t.Context(), relation.At{}, question("party:1#dagl@user:7"))
	wantFault(t, "check after close", err, fault.Unavailable, fault.ReasonUnavailable)
	wantFault(t, "ready after close", e.Ready(t.Context()), fault.Unavailable, fault.ReasonUnavailable)
}

func allowedAfterRun(t *testing.T, e *engine.Engine) bool {
	write(t, e, updates(relation.Touch, "party:1#dagl@user:7"))
	return allowed(t, e, relation.At{}, "party:1#dagl@user:7")
}
