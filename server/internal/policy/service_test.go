package policy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// shared is the engine of all tests: writing the schema is what takes time. Each test is
// about apps of its own organisation.
var shared *engine.Engine

func TestMain(m *testing.M) { os.Exit(withEngine(m)) }

func withEngine(m *testing.M) (code int) {
	var err error
	if shared, err = engine.New(engine.Config{}); err == nil {
		if err = shared.EnsureSchema(context.Background(), relations.Schema); err == nil {
			code = m.Run()
		}
		err = errors.Join(err, shared.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		return 1
	}
	return code
}

func service(t *testing.T, c policy.Config) *policy.Service {
	t.Helper()
	var err error
	if c.Catalogue, err = roles.Load(); err != nil {
		t.Fatal(err)
	}
	if c.Records == nil {
		if c.Records, err = records.Open(t.Context(), records.Config{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Records.Close() })
	}
	c.Relations, c.Graph = shared, shared
	s, err := policy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// text is a policy of an app by which a role may do something.
func text(org, app, role, action string) []byte {
	return fmt.Appendf(nil, `<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:p" Version="1.0"
  RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides">
  <Description>about %[2]s</Description>
  <Target/>
  <Rule RuleId="urn:r" Effect="Permit"><Target>
    %[5]s
    <AnyOf><AllOf>%[6]s%[7]s</AllOf></AnyOf>
    %[8]s
  </Target></Rule>
</Policy>`, org, app, role, action,
		any1(match("urn:altinn:rolecode", xacml.SubjectCategory, role)),
		match("urn:altinn:org", xacml.ResourceCategory, org), match("urn:altinn:app", xacml.ResourceCategory, app),
		any1(match("urn:oasis:names:tc:xacml:1.0:action:action-id", xacml.ActionCategory, action)))
}

func any1(match string) string { return "<AnyOf><AllOf>" + match + "</AllOf></AnyOf>" }

func match(id, category, value string) string {
	const text = "http://www.w3.org/2001/XMLSchema#string"
	return fmt.Sprintf(`<Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal"><AttributeValue DataType="%[4]s">%[3]s</AttributeValue>`+
		`<AttributeDesignator AttributeId="%[1]s" Category="%[2]s" DataType="%[4]s" MustBePresent="false"/></Match>`, id, category, value, text)
}

// decide asks a policy whether a role may do something with an app.
func decide(p policy.Policy, org, app, role, action string) xacml.Decision {
	one := func(category string, pairs ...string) xacml.Attributes {
		a := xacml.Attributes{Category: category}
		for i := 0; i < len(pairs); i += 2 {
			a.Attributes = append(a.Attributes, xacml.Attribute{ID: pairs[i], Values: []xacml.AttributeValue{xacml.StringValue(pairs[i+1])}})
		}
		return a
	}
	return p.Compiled.Evaluate(&xacml.Request{Categories: []xacml.Attributes{
		one(xacml.SubjectCategory, "urn:altinn:rolecode", role),
		one(xacml.ResourceCategory, "urn:altinn:org", org, "urn:altinn:app", app),
		one(xacml.ActionCategory, "urn:oasis:names:tc:xacml:1.0:action:action-id", action),
	}}, xacml.Options{}).Decision
}

func TestLifeOfAPolicy(t *testing.T) {
	s, ref := service(t, policy.Config{}), policy.App("life", "app")
	put := func(text []byte) policy.Written {
		t.Helper()
		w, err := s.PutPolicy(t.Context(), policy.Upload{Ref: ref, Text: text, By: "test"})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	wantDecision := func(when string, at context.Context, want xacml.Decision) {
		t.Helper()
		p, _, err := s.Current(at, relation.At{}, ref)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if got := decide(p, "life", "app", "DAGL", "read"); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	_, revision, err := s.Current(t.Context(), relation.At{}, ref)
	if !is(err, fault.NotFound, policy.ReasonNotFound) || revision == "" {
		t.Fatalf("before the first: %v at %q", err, revision)
	}
	first := put(text("life", "app", "DAGL", "read"))
	if !first.Created || !first.Changed || first.Revision == "" {
		t.Errorf("the first put: %+v", first)
	}
	wantDecision("after the first put", t.Context(), xacml.Permit)
	pinned, _, err := shared.Pin(t.Context(), relation.At{})
	if err != nil {
		t.Fatal(err)
	}
	second := put(text("life", "app", "LEDE", "read"))
	if second.Created || !second.Changed || second.Version == first.Version {
		t.Errorf("the second put: %+v", second)
	}
	wantDecision("after the second put", t.Context(), xacml.NotApplicable)
	wantDecision("pinned before the second put", pinned, xacml.Permit)
	if again := put(text("life", "app", "LEDE", "read")); again.Changed || again.Version != second.Version || again.Revision == "" {
		t.Errorf("the same again: %+v", again)
	}
	back, err := s.RollBack(t.Context(), ref, "", policy.Expected{}, "test")
	if err != nil || back.Version != first.Version {
		t.Fatalf("roll back: %+v, %v", back, err)
	}
	wantDecision("rolled back", t.Context(), xacml.Permit)
	if _, err := s.DeletePolicy(t.Context(), ref, policy.Expected{}, "test"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Current(t.Context(), relation.At{}, ref); !is(err, fault.NotFound, policy.ReasonNotFound) {
		t.Errorf("deleted: %v", err)
	}
	wantDecision("pinned before the deletion", pinned, xacml.Permit)
	if _, err := s.DeletePolicy(t.Context(), ref, policy.Expected{}, "test"); !is(err, fault.NotFound, policy.ReasonNotFound) {
		t.Errorf("deleted again: %v", err)
	}
	if back, err = s.RollBack(t.Context(), ref, second.Version.ETag(), policy.Expected{}, "test"); err != nil || back.Version != second.Version {
		t.Errorf("roll back to the second: %+v, %v", back, err)
	}
	changes, more, err := s.History(t.Context(), ref, 0, 10)
	if err != nil || more {
		t.Fatal(more, err)
	}
	var said []string
	for _, c := range changes {
		said = append(said, fmt.Sprintf("%d %s %.6s by %s", c.Number, c.Kind, c.Version.Hash, c.By))
	}
	a, b := first.Version.Hash[:6], second.Version.Hash[:6]
	want := []string{"5 rollback " + b + " by test", "4 delete  by test", "3 rollback " + a + " by test", "2 put " + b + " by test", "1 put " + a + " by test"}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
	page, more, err := s.History(t.Context(), ref, 4, 2)
	if err != nil || !more || len(page) != 2 || page[0].Number != 3 {
		t.Errorf("a page of the history: %v, %v, %v", page, more, err)
	}
}

func is(err error, kind fault.Kind, reason fault.Reason) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Kind == kind && f.Reason == reason
}

func TestExpected(t *testing.T) {
	s, ref := service(t, policy.Config{}), policy.Resource("expected")
	one, two := text("expected", "a", "DAGL", "read"), text("expected", "a", "DAGL", "write")
	put := func(text []byte, e policy.Expected) (policy.Written, error) {
		return s.PutPolicy(t.Context(), policy.Upload{Ref: ref, Text: text, Expected: e})
	}
	refused := func(what string, err error) {
		t.Helper()
		if !is(err, fault.Precondition, fault.ReasonETagMismatch) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := put(one, policy.Expected{Match: "*"})
	refused("any policy, where there is none", err)
	first, err := put(one, policy.Expected{NoneMatch: "*"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = put(two, policy.Expected{NoneMatch: "*"})
	refused("no policy, where there is one", err)
	_, err = put(two, policy.Expected{Match: strings.Repeat("0", 64)})
	refused("another policy", err)
	_, err = put(two, policy.Expected{NoneMatch: first.Version.ETag()})
	refused("not this policy", err)
	_, err = s.DeletePolicy(t.Context(), ref, policy.Expected{Match: strings.Repeat("0", 64)}, "")
	refused("delete another", err)
	second, err := put(two, policy.Expected{Match: first.Version.ETag()})
	if err != nil || !second.Changed {
		t.Errorf("the policy that is there: %+v, %v", second, err)
	}
	if _, err := s.RollBack(t.Context(), ref, "", policy.Expected{Match: second.Version.ETag()}, ""); err != nil {
		t.Error(err)
	}
}

func TestUploadIsRefused(t *testing.T) {
	s := service(t, policy.Config{})
	good := string(text("o", "a", "DAGL", "read"))
	for name, c := range map[string]struct {
		text   string
		reason fault.Reason
		want   string
	}{
		"nothing":           {"", fault.ReasonInvalidArgument, "must not be empty"},
		"no XML":            {`{"policy": 1}`, policy.ReasonInvalid, "line 1"},
		"too long":          {strings.Repeat(" ", policy.MaxText+1), policy.ReasonTooLarge, "1048577 bytes"},
		"unknown algorithm": {strings.Replace(good, "deny-overrides", "nobody-overrides", 1), policy.ReasonInvalid, "line 1, Policy: no combining algorithm"},
		"unknown element":   {strings.Replace(good, "<Rule ", "\n<Rool/><Rule ", 1), policy.ReasonInvalid, "line 6, Policy/Rool: <Rool> does not belong into <Policy>"},
		"entity":            {`<!DOCTYPE Policy [<!ENTITY a "b">]>` + good, policy.ReasonInvalid, "line 1"},
	} {
		_, err := s.PutPolicy(t.Context(), policy.Upload{Ref: policy.App("refused", "a"), Text: []byte(c.text)})
		if !is(err, fault.Invalid, c.reason) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s and %q", name, err, c.reason, c.want)
		}
	}
	if _, _, err := s.Current(t.Context(), relation.At{}, policy.App("refused", "a")); !is(err, fault.NotFound, policy.ReasonNotFound) {
		t.Errorf("after refused uploads: %v", err)
	}
}

func TestAcceptAnything(t *testing.T) {
	store, err := records.Open(t.Context(), records.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	s, ref := service(t, policy.Config{Records: store, AcceptAnything: true}), policy.App("anything", "a")
	w, err := s.PutPolicy(t.Context(), policy.Upload{Ref: ref, Text: []byte(`{"policy": 1}`)})
	if err != nil || len(w.Invalid) != 1 {
		t.Fatalf("%+v, %v", w, err)
	}
	for name, s := range map[string]*policy.Service{"kept": s, "read again": service(t, policy.Config{Records: store})} {
		p, _, err := s.Current(t.Context(), relation.At{}, ref)
		if err != nil {
			t.Fatal(err)
		}
		if got := decide(p, "anything", "a", "DAGL", "read"); !got.Indeterminate() || p.Invalid == nil {
			t.Errorf("%s: %s, %v", name, got, p.Invalid)
		}
	}
}

// Several texts are current only when the relations API is used to make it so.
func TestAmbiguous(t *testing.T) {
	s, ref := service(t, policy.Config{}), policy.Type("ambiguous")
	if _, err := s.PutPolicy(t.Context(), policy.Upload{Ref: ref, Text: text("o", "a", "DAGL", "read")}); err != nil {
		t.Fatal(err)
	}
	_, err := shared.Write(t.Context(), []relation.Update{{Op: relation.Touch, Relationship: relation.Relationship{
		Resource: ref.Object(), Relation: "current",
		Subject: relation.Subject{Object: relation.Object{Type: relation.TypePolicyText, ID: strings.Repeat("0", 64)}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Current(t.Context(), relation.At{}, ref); !is(err, fault.Precondition, policy.ReasonAmbiguous) {
		t.Errorf("%v", err)
	}
	if _, err := s.PutPolicy(t.Context(), policy.Upload{Ref: ref, Text: text("o", "a", "DAGL", "read")}); err != nil {
		t.Error(err)
	}
	if _, _, err := s.Current(t.Context(), relation.At{}, ref); err != nil {
		t.Errorf("put again: %v", err)
	}
}

func TestAnyOfPerCategory(t *testing.T) {
	two := strings.Replace(string(text("anyof", "a", "DAGL", "read")), "<AnyOf>", any1(match("urn:altinn:rolecode", xacml.SubjectCategory, "LEDE"))+"<AnyOf>", 1)
	s := service(t, policy.Config{})
	for name, c := range map[string]struct {
		service *policy.Service
		anyOf   bool
		want    xacml.Decision
	}{
		"standard":         {s, false, xacml.NotApplicable},
		"this policy":      {s, true, xacml.Permit},
		"the whole server": {service(t, policy.Config{AnyOfPerCategory: true}), false, xacml.Permit},
	} {
		ref := policy.App("anyof", "a")
		w, err := c.service.PutPolicy(t.Context(), policy.Upload{Ref: ref, Text: []byte(two), AnyOf: c.anyOf})
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(w.Version.ETag(), "/altinn-anyof") != c.anyOf {
			t.Errorf("%s: ETag %s", name, w.Version.ETag())
		}
		p, _, err := c.service.Current(t.Context(), relation.At{}, ref)
		if err != nil {
			t.Fatal(err)
		}
		if got := decide(p, "anyof", "a", "DAGL", "read"); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
