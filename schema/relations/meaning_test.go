package relations_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/authzed/spicedb/pkg/development"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
)

// partySchema is the definition of party as SpiceDB understands it.
type partySchema map[string]*core.Relation

func compiled(t *testing.T) (partySchema, []string) {
	t.Helper()
	schema, fault, err := development.CompileSchema(relations.Schema)
	if err != nil || fault != nil {
		t.Fatalf("compile: %v %v", fault, err)
	}
	party := partySchema{}
	var names []string
	for _, d := range schema.ObjectDefinitions {
		names = append(names, d.GetName())
		for _, r := range d.GetRelation() {
			if d.GetName() == "party" {
				party[r.GetName()] = r
			}
		}
	}
	return party, names
}

func catalogue(t *testing.T) *roles.Catalogue {
	t.Helper()
	c, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// holds evaluates a relation or permission for a subject of whom the terms are true:
// relations (dagl) and arrows (regn_org->key_holder).
func (p partySchema) holds(name string, terms map[string]bool) bool {
	rewrite := p[name].GetUsersetRewrite()
	if rewrite == nil {
		return terms[name]
	}
	return p.rewrite(rewrite, terms)
}

func (p partySchema) rewrite(r *core.UsersetRewrite, terms map[string]bool) bool {
	one := func(c *core.SetOperation_Child) bool {
		switch {
		case c.GetComputedUserset() != nil:
			return p.holds(c.GetComputedUserset().GetRelation(), terms)
		case c.GetTupleToUserset() != nil:
			return terms[arrow(c)]
		case c.GetUsersetRewrite() != nil:
			return p.rewrite(c.GetUsersetRewrite(), terms)
		}
		return false // nil
	}
	if r.GetIntersection() != nil {
		return !slices.ContainsFunc(r.GetIntersection().GetChild(), func(c *core.SetOperation_Child) bool { return !one(c) })
	}
	return slices.ContainsFunc(r.GetUnion().GetChild(), one)
}

func arrow(c *core.SetOperation_Child) string {
	a := c.GetTupleToUserset()
	return a.GetTupleset().GetRelation() + "->" + a.GetComputedUserset().GetRelation()
}

func TestDefinitionsAreTheSchemas(t *testing.T) {
	party, names := compiled(t)
	if diff := cmp.Diff(relations.Definitions, names); diff != "" {
		t.Errorf("definitions (-declared +compiled):\n%s", diff)
	}
	for name := range party {
		if len(name) > 64 {
			t.Errorf("%s is too long for SpiceDB", name)
		}
	}
	for _, r := range catalogue(t).Roles() {
		if party["has_"+r.Relation] == nil {
			t.Errorf("role %s has no permission", r.Code)
		}
	}
	for _, p := range catalogue(t).Packages() {
		if party["has_pkg_"+p.Relation] == nil || party["may_delegate_pkg_"+p.Relation] == nil {
			t.Errorf("package %s has no permission", p.Code)
		}
	}
}

// Whoever has anything in a party represents it: each operand of each permission of party
// is one of represent's, or a permission of which the same is shown.
func TestRepresentCoversEveryPermission(t *testing.T) {
	party, _ := compiled(t)
	covered := map[string]bool{}
	for _, c := range party["represent"].GetUsersetRewrite().GetUnion().GetChild() {
		if c.GetTupleToUserset() != nil {
			covered[arrow(c)] = true
		} else {
			covered[c.GetComputedUserset().GetRelation()] = true
		}
	}
	if !covered["main_unit->represent"] {
		t.Fatal("represent does not come from the main unit")
	}
	var check func(c *core.SetOperation_Child) bool
	check = func(c *core.SetOperation_Child) bool {
		if _, ok := c.GetChildType().(*core.SetOperation_Child_XNil); ok {
			return true // nobody
		}
		switch {
		case c.GetComputedUserset() != nil:
			name := c.GetComputedUserset().GetRelation()
			return covered[name] || party[name].GetUsersetRewrite() != nil
		case c.GetTupleToUserset() != nil:
			a := c.GetTupleToUserset()
			return covered[arrow(c)] || covered["delegated"] && arrow(c) == "right->exercise" ||
				covered["client_delegation->use"] && strings.HasPrefix(arrow(c), "client_delegation->use_pkg_") ||
				a.GetTupleset().GetRelation() == "main_unit" && party[a.GetComputedUserset().GetRelation()].GetUsersetRewrite() != nil
		default:
			return slices.ContainsFunc(c.GetUsersetRewrite().GetIntersection().GetChild(), check)
		}
	}
	permissions := 0
	for name, p := range party {
		if p.GetUsersetRewrite() == nil || strings.HasPrefix(name, "served_") {
			continue // served_ says who works for whom, and is one side of an intersection
		}
		permissions++
		if p.GetUsersetRewrite().GetUnion() == nil {
			t.Errorf("%s is no union", name)
		}
		for _, c := range p.GetUsersetRewrite().GetUnion().GetChild() {
			if !check(c) {
				t.Errorf("%s: %v does not represent", name, c)
			}
		}
	}
	if permissions < 500 {
		t.Errorf("only %d permissions seen", permissions)
	}
}

// What the catalogue says follows from a tuple is what the schema makes of it.
func TestClosureIsTheSchemas(t *testing.T) {
	party, _ := compiled(t)
	c := catalogue(t)
	tried := 0
	for name, r := range party {
		if r.GetUsersetRewrite() != nil {
			continue
		}
		terms := map[string]bool{name: true, name + "->key_holder": true}
		var want, got []string
		for _, role := range c.Roles() {
			if party.holds("has_"+role.Relation, terms) {
				want = append(want, role.Code)
			}
		}
		for _, role := range c.Closure([]string{name}) {
			got = append(got, role.Code)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-schema +catalogue):\n%s", name, diff)
		}
		if _, key, _ := c.Held(name); key != party.holds("key_holder", terms) {
			t.Errorf("%s: key role is %v in the catalogue", name, key)
		}
		if len(want) > 0 {
			tried++
		}
	}
	if tried < 200 {
		t.Errorf("only %d relations give a role", tried)
	}
}

// How many packages a role brings, in a party of no special unit type and in others.
func TestPackagesOfRoles(t *testing.T) {
	party, _ := compiled(t)
	for _, tc := range []struct {
		terms     string
		use, pass int
	}{
		{"dagl", 133, 133},
		{"dagl_org->key_holder", 133, 133},
		{"dtso", 133, 133},
		{"dtpr", 133, 133},
		{"dtpr_nokey", 133, 133},
		{"lede", 132, 132},
		{"innh", 131, 131},
		{"komp", 131, 131},
		{"bobe", 126, 126},
		{"best", 115, 115},
		{"priv", 35, 35},
		{"repr", 10, 10},
		{"regn", 3, 0},
		{"revi", 2, 0},
		{"hovedadministrator", 0, 134},
		{"hovedadministrator unit_nuf", 0, 135},
		{"knuf", 12, 12},
		{"knuf unit_nuf", 13, 13},
		{"ffor", 0, 0},
		{"ffor unit_esek", 1, 0},
		{"ffor unit_brl", 1, 0},
		{"ffor unit_nuf", 10, 10},
		{"utinn", 0, 0},
		{"unit_nuf unit_brl unit_esek", 0, 0},
	} {
		terms := map[string]bool{}
		for _, term := range strings.Fields(tc.terms) {
			terms[term] = true
		}
		use, pass := 0, 0
		for _, p := range catalogue(t).Packages() {
			if party.holds("has_pkg_"+p.Relation, terms) {
				use++
			}
			if party.holds("may_delegate_pkg_"+p.Relation, terms) {
				pass++
			}
		}
		if use != tc.use || pass != tc.pass {
			t.Errorf("%s: uses %d and passes on %d, want %d and %d", tc.terms, use, pass, tc.use, tc.pass)
		}
	}
}
