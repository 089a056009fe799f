package check_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/rpc/check"
)

var (
	user    = caller.Caller{Kind: caller.User, UserID: 100}
	service = caller.Caller{Kind: caller.Service, Scopes: []caller.Scope{caller.Check}}
)

func newServer(t *testing.T) *check.Server {
	t.Helper()
	e, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if err := e.EnsureSchema(t.Context(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	_, err = e.Write(t.Context(), []relation.Update{
		{Op: relation.Touch, Relationship: relation.Relationship{Resource: relation.Party(1), Relation: "dagl", Subject: relation.User(100)}},
		{Op: relation.Touch, Relationship: relation.Relationship{Resource: relation.Party(2), Relation: "dagl", Subject: relation.User(200)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := check.New(check.Config{Checker: e})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func question(objectType, id, permission string, subject *behalfv1.SubjectReference) *behalfv1.CheckQuestion {
	return &behalfv1.CheckQuestion{Object: &behalfv1.ObjectReference{Type: objectType, Id: id}, Permission: permission, Subject: subject}
}

func named(objectType, id, relation string) *behalfv1.SubjectReference {
	return &behalfv1.SubjectReference{Type: objectType, Id: id, Relation: relation}
}

// cases are run by Check one by one and by BulkCheck all at once, which must agree.
var cases = []struct {
	name     string
	who      caller.Caller
	question *behalfv1.CheckQuestion
	allowed  bool
	kind     fault.Kind
	reason   fault.Reason
	field    string // of a single check
}{
	{"self, unnamed", user, question("party", "1", "represent", nil), true, 0, "", ""},
	{"self, named", user, question("party", "1", "has_dagl", named("user", "100", "")), true, 0, "", ""},
	{"self, denied", user, question("party", "2", "represent", nil), false, 0, "", ""},
	{"self, a relation", user, question("party", "1", "dagl", nil), true, 0, "", ""},
	{"no such object", user, question("party", "no-number", "represent", nil), false, 0, "", ""},
	{"somebody else", user, question("party", "2", "represent", named("user", "200", "")), false, fault.Denied, fault.ReasonOtherUser, ""},
	{"another type", user, question("party", "2", "represent", named("party", "100", "")), false, fault.Denied, fault.ReasonOtherUser, ""},
	{"a set", user, question("party", "2", "represent", named("group", "x", "member")), false, fault.Denied, fault.ReasonOtherUser, ""},
	{"a set of himself", user, question("party", "1", "represent", named("user", "100", "x")), false, fault.Denied, fault.ReasonOtherUser, ""},
	{"service", service, question("party", "2", "represent", named("user", "200", "")), true, 0, "", ""},
	{"service, denied", service, question("party", "1", "represent", named("user", "200", "")), false, 0, "", ""},
	{"service, no subject", service, question("party", "1", "represent", nil), false, fault.Invalid, fault.ReasonUserRequired, "question.subject"},
	{"nobody", caller.Caller{}, question("party", "1", "represent", named("user", "100", "")), false, fault.Unauthenticated, fault.ReasonCredentialsMissing, ""},
	{"unknown definition", user, question("document", "1", "view", nil), false, fault.Invalid, fault.ReasonUnknownRelation, "question.object.type"},
	{"unknown permission", user, question("party", "1", "has_nothing", nil), false, fault.Invalid, fault.ReasonUnknownRelation, "question.permission"},
	{"unknown subject", service, question("party", "1", "represent", named("robot", "1", "")), false, fault.Invalid, fault.ReasonUnknownRelation, "question.subject.type"},
	{"unknown set", service, question("party", "1", "represent", named("group", "1", "friend")), false, fault.Invalid, fault.ReasonUnknownRelation, "question.subject.relation"},
}

func TestCheck(t *testing.T) {
	s := newServer(t)
	for _, c := range cases {
		got, err := s.Check(caller.With(t.Context(), c.who), &behalfv1.CheckRequest{Question: c.question})
		if c.reason != "" {
			wantFault(t, c.name, err, c.kind, c.reason, c.field)
			continue
		}
		if err != nil || got.GetAllowed() != c.allowed || got.GetRevision() == "" {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.allowed)
		}
	}
	_, err := s.Check(caller.With(t.Context(), user), &behalfv1.CheckRequest{Question: cases[0].question, AtLeastAsFresh: "x"})
	wantFault(t, "bad revision", err, fault.Invalid, fault.ReasonInvalidRevision, "")
}

// One entry that cannot be answered spoils no other, and is not allowed.
func TestBulkCheck(t *testing.T) {
	s := newServer(t)
	for _, who := range []caller.Caller{user, service} {
		req := &behalfv1.BulkCheckRequest{}
		var want []*behalfv1.BulkCheckAnswer
		for _, c := range cases {
			if c.who.Kind == who.Kind {
				req.Questions = append(req.Questions, c.question)
				want = append(want, &behalfv1.BulkCheckAnswer{Allowed: c.allowed, Reason: string(c.reason)})
			}
		}
		got, err := s.BulkCheck(caller.With(t.Context(), who), req)
		if err != nil || got.GetRevision() == "" {
			t.Fatalf("%v: %v, %v", who, got, err)
		}
		for _, a := range got.GetAnswers() {
			if (a.GetReason() != "") != (a.GetMessage() != "") {
				t.Errorf("reason %q with message %q", a.GetReason(), a.GetMessage())
			}
		}
		ignore := protocmp.IgnoreFields(&behalfv1.BulkCheckAnswer{}, "message")
		if diff := cmp.Diff(want, got.GetAnswers(), protocmp.Transform(), ignore); diff != "" {
			t.Errorf("%v (-want +got):\n%s", who, diff)
		}
	}
	_, err := s.BulkCheck(t.Context(), &behalfv1.BulkCheckRequest{Questions: []*behalfv1.CheckQuestion{cases[0].question}})
	wantFault(t, "nobody", err, fault.Unauthenticated, fault.ReasonCredentialsMissing, "")
	_, err = s.BulkCheck(caller.With(t.Context(), user), &behalfv1.BulkCheckRequest{Questions: []*behalfv1.CheckQuestion{cases[5].question}, AtLeastAsFresh: "x"})
	wantFault(t, "bad revision", err, fault.Invalid, fault.ReasonInvalidRevision, "")
}

// broken is a checker whose faults are its own.
type broken struct{ answers []relation.Answer }

func (b broken) Check(context.Context, relation.At, ...relation.Question) ([]relation.Answer, relation.Revision, error) {
	return b.answers, "r", nil
}

// What a faulty checker says opens nothing and shows nothing.
func TestFaultyChecker(t *testing.T) {
	secret := errors.New("secret")
	ctx := caller.With(t.Context(), user)
	bulk := &behalfv1.BulkCheckRequest{Questions: []*behalfv1.CheckQuestion{cases[0].question}}

	s, _ := check.New(check.Config{Checker: broken{answers: []relation.Answer{{Allowed: true, Err: secret}}}})
	got, err := s.BulkCheck(ctx, bulk)
	want := []*behalfv1.BulkCheckAnswer{{Reason: "INTERNAL", Message: "the question could not be answered"}}
	if diff := cmp.Diff(want, got.GetAnswers(), protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("an answer with an error: %v (-want +got):\n%s", err, diff)
	}
	if got, err := s.Check(ctx, &behalfv1.CheckRequest{Question: cases[0].question}); !errors.Is(err, secret) {
		t.Errorf("an answer with an error: %v, %v", got, err)
	}

	s, _ = check.New(check.Config{Checker: broken{}})
	if got, err := s.Check(ctx, &behalfv1.CheckRequest{Question: cases[0].question}); err == nil {
		t.Errorf("no answer: %v", got)
	}
	if got, err := s.BulkCheck(ctx, bulk); err == nil {
		t.Errorf("no answer: %v", got)
	}
}

func wantFault(t *testing.T, what string, err error, kind fault.Kind, reason fault.Reason, field string) {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != kind || e.Reason != reason {
		t.Errorf("%s: %v, want kind %d reason %s", what, err, kind, reason)
		return
	}
	if field != "" && (len(e.Violations) != 1 || e.Violations[0].Field != field) {
		t.Errorf("%s: violations %+v, want one of field %s", what, e.Violations, field)
	}
}
