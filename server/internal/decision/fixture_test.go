package decision_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/role"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// world is a service over a real relation graph, a real directory and real roles; what
// other services tell is what the test says they tell.
type world struct {
	*decision.Service
	t         testing.TB
	engine    *engine.Engine
	directory *party.Directory

	policies  map[string]*xacml.Policy // by app_<org>_<app>, resource or type
	instances map[string]decision.Instance
	rights    map[decision.Right]string // to whom each is delegated
	gated     map[string]bool           // resources that no party is on a list of
	records   []decision.Record
	fails     error // of every source
	deaf      bool  // the auditor
}

func newWorld(t testing.TB) *world {
	t.Helper()
	e, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if err := e.EnsureSchema(context.Background(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	c, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	held, err := role.New(role.Config{Relations: e, Catalogue: c})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, engine: e, directory: party.NewDirectory(),
		policies: map[string]*xacml.Policy{}, instances: map[string]decision.Instance{}, rights: map[decision.Right]string{},
	}
	w.Service, err = decision.New(decision.Config{
		Relations: e, Catalogue: c, Policies: w, Parties: w.directory, Roles: held, Packages: w, Delegations: w,
		AccessLists: w, Instances: w, Paths: held, Auditor: w,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// tuple writes a relationship of a user on a party.
func (w *world) tuple(on int64, name string, user int64) {
	w.t.Helper()
	w.write(relation.Touch, relation.Relationship{Resource: relation.Party(on), Relation: name, Subject: relation.User(user)})
}

func (w *world) write(op relation.Op, r relation.Relationship) {
	w.t.Helper()
	if _, err := w.engine.Write(context.Background(), []relation.Update{{Op: op, Relationship: r}}); err != nil {
		w.t.Fatal(err)
	}
}

// policy puts a policy of a text.
func (w *world) policy(of, text string) {
	w.t.Helper()
	p, err := xacml.Parse([]byte(text), xacml.ParseOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.policies[of] = p
}

// Policy implements decision.Policies.
func (w *world) Policy(_ context.Context, of decision.Resource) (decision.Policy, error) {
	name := of.ID
	if name == "" {
		name = of.Type
	}
	p := w.policies[name]
	switch {
	case w.fails != nil:
		return decision.Policy{}, w.fails
	case p == nil:
		return decision.Policy{}, fault.New(fault.NotFound, "POLICY_NOT_FOUND", "no policy")
	}
	return decision.Policy{Hash: "hash-of-" + name, Compiled: p}, nil
}

// Packages implements decision.Packages by the relation graph.
func (w *world) Packages(ctx context.Context, of party.ID, who relation.Subject, wanted []roles.Package) ([]roles.Package, error) {
	var held []roles.Package
	for _, p := range wanted {
		answers, _, err := w.engine.Check(ctx, relation.At{}, relation.Question{
			Object: relation.Party(int64(of)), Permission: "has_pkg_" + p.Relation, Subject: who,
		})
		if err = errors.Join(err, answers[0].Err); err != nil {
			return nil, err
		}
		if answers[0].Allowed {
			held = append(held, p)
		}
	}
	return held, nil
}

// PackagePath implements decision.Packages.
func (w *world) PackagePath(_ context.Context, of party.ID, who relation.Subject, p roles.Package) ([]string, bool, error) {
	return []string{fmt.Sprintf("party:%d#pkg_%s@%s", of, p.Relation, who)}, true, nil
}

// Delegated implements decision.Delegations.
func (w *world) Delegated(_ context.Context, r decision.Right, subjects []relation.Subject) ([]string, bool, error) {
	for _, s := range subjects {
		if w.rights[r] == s.String() {
			return []string{"right#user@" + s.String()}, true, nil
		}
	}
	return nil, false, nil
}

// Admits implements decision.AccessLists.
func (w *world) Admits(_ context.Context, resource string, _ party.Party, _ string) (gated, admitted bool, err error) {
	return w.gated[resource], false, nil
}

// ListsOf implements decision.AccessLists.
func (w *world) ListsOf(context.Context, party.ID) ([]string, error) {
	return []string{"ttd:godkjentebanker"}, nil
}

// Instance implements decision.Instances.
func (w *world) Instance(_ context.Context, id string) (decision.Instance, bool, error) {
	i, ok := w.instances[id]
	return i, ok, w.fails
}

// Record implements decision.Auditor.
func (w *world) Record(_ context.Context, records []decision.Record) error {
	if w.deaf {
		return errors.New("the disk of the records is full")
	}
	w.records = append(w.records, records...)
	return nil
}

// ask makes a request of attributes: those that begin with s. are the subject's, r. the
// resource's, a. the action's.
func ask(pairs ...string) *xacml.Request {
	r := &xacml.Request{}
	byCategory := map[byte]string{'s': xacml.SubjectCategory, 'r': xacml.ResourceCategory, 'a': xacml.ActionCategory}
	at := map[byte]int{}
	for i := 0; i < len(pairs); i += 2 {
		key := pairs[i][0]
		if _, known := at[key]; !known {
			at[key] = len(r.Categories)
			r.Categories = append(r.Categories, xacml.Attributes{Category: byCategory[key]})
		}
		c := &r.Categories[at[key]]
		c.Attributes = append(c.Attributes, xacml.Attribute{ID: pairs[i][2:], Values: []xacml.AttributeValue{xacml.StringValue(pairs[i+1])}})
	}
	return r
}

// one decides a request of one question.
func (w *world) one(d decision.Door, r *xacml.Request) decision.Answer {
	w.t.Helper()
	response, err := w.Decide(context.Background(), decision.Request{XACML: r, Door: d})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(response.Answers) != 1 {
		w.t.Fatalf("%d answers", len(response.Answers))
	}
	return response.Answers[0]
}
