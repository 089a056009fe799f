package role_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/role"
)

// world is a service over a running engine without tuples.
type world struct {
	*role.Service
	t         *testing.T
	engine    *engine.Engine
	catalogue *roles.Catalogue
}

func newWorld(t *testing.T) *world {
	t.Helper()
	e, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if err := e.EnsureSchema(t.Context(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	c, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := role.New(role.Config{Relations: e, Catalogue: c})
	if err != nil {
		t.Fatal(err)
	}
	return &world{Service: s, t: t, engine: e, catalogue: c}
}

// tuple is a relationship on a party: by a user, or by a party when user is 0.
type tuple struct {
	on       int64
	relation string
	user     int64
	party    int64
	expires  time.Time
}

func (w *world) write(op relation.Op, tuples ...tuple) {
	w.t.Helper()
	var updates []relation.Update
	for _, t := range tuples {
		r := relation.Relationship{Resource: relation.Party(t.on), Relation: t.relation, Subject: relation.User(t.user), Expires: t.expires}
		if t.user == 0 {
			r.Subject = relation.Subject{Object: relation.Party(t.party)}
		}
		updates = append(updates, relation.Update{Op: op, Relationship: r})
	}
	if _, err := w.engine.Write(w.t.Context(), updates); err != nil {
		w.t.Fatal(err)
	}
}

// codes returns the codes of a user's roles for a party.
func (w *world) codes(on, user int64) []string {
	w.t.Helper()
	held, revision, err := w.Roles(w.t.Context(), relation.At{}, party.ID(on), party.UserID(user))
	if err != nil || revision == "" {
		w.t.Fatalf("roles of user %d for party %d: revision %q, %v", user, on, revision, err)
	}
	codes := make([]string, len(held))
	for i, r := range held {
		codes[i] = r.Code
	}
	return codes
}

// checked returns the same by one check of has_<relation> per role.
func (w *world) checked(on, user int64) []string {
	w.t.Helper()
	all := w.catalogue.Roles()
	questions := make([]relation.Question, len(all))
	for i, r := range all {
		questions[i] = relation.Question{Object: relation.Party(on), Permission: "has_" + r.Relation, Subject: relation.User(user)}
	}
	answers, _, err := w.engine.Check(w.t.Context(), relation.At{}, questions...)
	if err != nil {
		w.t.Fatal(err)
	}
	codes := []string{}
	for i, a := range answers {
		if a.Err != nil {
			w.t.Fatalf("%s: %v", questions[i].Permission, a.Err)
		}
		if a.Allowed {
			codes = append(codes, all[i].Code)
		}
	}
	return codes
}

func TestRoles(t *testing.T) {
	w := newWorld(t)
	w.write(relation.Touch,
		tuple{on: 1, relation: "dagl", user: 100},
		tuple{on: 2, relation: "main_unit", party: 1},
		tuple{on: 3, relation: "regn_org", party: 1},  // client
		tuple{on: 4, relation: "main_unit", party: 3}, // sub-unit of the client
		tuple{on: 5, relation: "regn_org", party: 3},  // client of the client: two hops
		tuple{on: 6, relation: "enk", party: 7},       // sole trader and his business
		tuple{on: 7, relation: "revi_org", party: 1},
		tuple{on: 7, relation: "innh", user: 106},
		tuple{on: 6, relation: "priv", user: 106},
		tuple{on: 8, relation: "dtpr_nokey", user: 108},
		tuple{on: 9, relation: "regn_org", party: 8},
		tuple{on: 10, relation: "revi", user: 100, expires: time.Now().Add(-time.Minute)},
		tuple{on: 10, relation: "regn", user: 100, expires: time.Now().Add(time.Hour)},
		tuple{on: 11, relation: "pkg_jordbruk", user: 100}, // a package is no role
		tuple{on: 12, relation: "dagl_org", party: 1},      // an organisation makes nobody a key holder
		tuple{on: 13, relation: "org_level", party: 1},
	)
	for _, c := range []struct {
		name          string
		party, user   int64
		with, without []string
	}{
		{"own, implied and key role", 1, 100, []string{"DAGL", "UTINN", "ECKEYROLE"}, []string{"REGN"}},
		{"main unit", 2, 100, []string{"DAGL", "UTINN", "ECKEYROLE"}, nil},
		{"client", 3, 100, []string{"REGN"}, []string{"DAGL", "ECKEYROLE"}},
		{"client's sub-unit", 4, 100, []string{"REGN"}, []string{"ECKEYROLE"}},
		{"two hops", 5, 100, nil, []string{"REGN"}},
		{"trader through his business", 6, 100, []string{"REVI"}, []string{"INNH"}},
		{"trader himself", 6, 106, []string{"PRIV"}, []string{"INNH", "ECKEYROLE"}},
		{"no key role in an IKS", 8, 108, []string{"DTPR"}, []string{"ECKEYROLE"}},
		{"nor for its clients", 9, 108, nil, []string{"REGN"}},
		{"expired", 10, 100, []string{"REGN"}, []string{"REVI"}},
		{"package", 11, 100, nil, []string{"DAGL"}},
		{"organisation in a key role", 12, 100, []string{"DAGL"}, []string{"ECKEYROLE"}},
		{"level of a public body", 13, 100, nil, []string{"DAGL"}},
		{"unknown party", 99, 100, nil, []string{"DAGL"}},
		{"unknown user", 1, 999, nil, []string{"DAGL"}},
	} {
		got := w.codes(c.party, c.user)
		for _, code := range c.with {
			if !slices.Contains(got, code) {
				t.Errorf("%s: %v lacks %s", c.name, got, code)
			}
		}
		for _, code := range c.without {
			if slices.Contains(got, code) {
				t.Errorf("%s: %v has %s", c.name, got, code)
			}
		}
		if len(c.with) == 0 && len(got) != 0 {
			t.Errorf("%s: %v, want none", c.name, got)
		}
		if diff := cmp.Diff(w.checked(c.party, c.user), got); diff != "" {
			t.Errorf("%s (-checks +roles):\n%s", c.name, diff)
		}
	}
	w.write(relation.Delete, tuple{on: 1, relation: "dagl", user: 100})
	if got := w.codes(4, 100); len(got) != 0 {
		t.Errorf("after the key role is gone: %v", got)
	}
	_, _, err := w.Roles(t.Context(), relation.At{AtLeast: "x"}, 1, 100)
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != fault.Invalid || e.Reason != fault.ReasonInvalidRevision {
		t.Errorf("bad revision: %v", err)
	}
}

// A hierarchy that the data bends into a circle has an answer, and the call an end.
func TestRolesInACircle(t *testing.T) {
	w := newWorld(t)
	w.write(relation.Touch,
		tuple{on: 1, relation: "main_unit", party: 2},
		tuple{on: 2, relation: "main_unit", party: 3},
		tuple{on: 3, relation: "main_unit", party: 1},
		tuple{on: 1, relation: "enk", party: 3},
		tuple{on: 2, relation: "regn", user: 100},
	)
	for on := range int64(3) {
		if got := w.codes(on+1, 100); !slices.Contains(got, "REGN") {
			t.Errorf("party %d: %v", on+1, got)
		}
	}
}
