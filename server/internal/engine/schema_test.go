package engine_test

import (
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

func live(t *testing.T, e *engine.Engine) string {
	t.Helper()
	r, err := e.Services().Schema.ReadSchema(e.Context(t.Context()), &v1.ReadSchemaRequest{})
	if err != nil {
		t.Fatalf("ReadSchema: %v", err)
	}
	return r.GetSchemaText()
}

func TestCompare(t *testing.T) {
	const own = `use expiration
definition user {}
definition party {
	relation dagl: user | user with expiration
	relation main_unit: party
	permission represent = dagl + main_unit->represent
}`
	cases := []struct{ name, text, lacking, changed string }{
		{"the same", own, "", ""},
		{"reformatted, reordered, commented, extended", `use expiration
/** what people added */
definition folder {
	relation owner: party#represent
}
definition party {
	// who runs it
	permission represent = dagl + main_unit->represent
	relation main_unit: party
	relation dagl: user with expiration | user
}
definition user {}`, "", ""},
		{"lacks", "definition user {}", "party", ""},
		{"empty", "", "user party", ""},
		{"a relation more", strings.Replace(own, "relation main_unit", "relation more: user\nrelation main_unit", 1), "", "party"},
		{"a relation less", strings.Replace(own, "definition user {}", "definition user {\nrelation friend: user\n}", 1), "", "user"},
		{"no expiration", strings.Replace(own, " | user with expiration", "", 1), "", "party"},
		{"another type", strings.Replace(own, "main_unit: party", "main_unit: party | user", 1), "", "party"},
		{"a wildcard", strings.Replace(own, "dagl: user", "dagl: user:* | user", 1), "", "party"},
		{"another term", strings.Replace(own, "main_unit->represent", "main_unit->dagl", 1), "", "party"},
		{"another operator", strings.Replace(own, "dagl + main", "dagl & main", 1), "", "party"},
		{"a caveat", "caveat later(x int) { x > 1 }\n" + strings.Replace(own, "dagl: user |", "dagl: user with later | user |", 1), "", "party"},
		{"a permission for a relation", strings.Replace(own, "relation main_unit: party", "relation unit_up: party\npermission main_unit = unit_up", 1), "", "party"},
	}
	wanted, err := engine.ParseSchema(own)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		text := c.text
		if c.name == "a caveat" {
			text = strings.Replace(text, "use expiration\n", "", 1)
			text = "use expiration\n" + text
		}
		got, err := engine.ParseSchema(text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		lacking, changed := got.Compare(wanted)
		if l, ch := strings.Join(lacking, " "), strings.Join(changed, " "); l != c.lacking || ch != c.changed {
			t.Errorf("%s: lacking %q, changed %q; want %q and %q", c.name, l, ch, c.lacking, c.changed)
		}
	}
}

func TestEnsureSchemaKeepsOthers(t *testing.T) {
	const others = `
/** kept by its owners */
definition folder {
	relation owner: party#represent | user
	permission open = owner
}
caveat in_hours(hour int) { hour > 8 && hour < 16 }
definition desk {
	relation sits: user with in_hours
}`
	e := start(t, world)
	_, err := e.Services().Schema.WriteSchema(e.Context(t.Context()), &v1.WriteSchemaRequest{Schema: world + others})
	if err != nil {
		t.Fatal(err)
	}
	before := live(t, e)
	if err := e.EnsureSchema(t.Context(), "// only a comment more\n"+world); err == nil {
		if got := live(t, e); got != before {
			t.Errorf("a schema of the same meaning was written again:\n%s", got)
		}
	} else {
		t.Errorf("EnsureSchema of the same: %v", err)
	}
	newer := strings.Replace(world, "relation self: user", "relation self: user\nrelation lede: user", 1)
	if err := e.EnsureSchema(t.Context(), newer); err != nil {
		t.Fatalf("EnsureSchema of a newer: %v", err)
	}
	after, err := engine.ParseSchema(live(t, e))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{newer, world + others} {
		wanted, err := engine.ParseSchema(text)
		if err != nil {
			t.Fatal(err)
		}
		lacking, changed := after.Compare(wanted)
		if text == newer && len(lacking)+len(changed) > 0 {
			t.Errorf("of the newer schema %q is lacking, %q differs", lacking, changed)
		}
		if text != newer && (len(lacking) > 0 || strings.Join(changed, " ") != "party") {
			t.Errorf("of the older schema %q is lacking, %q differs; only party should", lacking, changed)
		}
	}
	if !strings.Contains(live(t, e), "kept by its owners") {
		t.Error("the comment of another definition is gone")
	}
}

func TestEnsureSchemaRefuses(t *testing.T) {
	e := start(t, world)
	write(t, e, updates(relation.Touch, "party:1#dagl@user:7"))
	orphaning := strings.NewReplacer("	relation dagl: user | user with expiration\n", "", "dagl", "self").Replace(world)
	orphaning = strings.Replace(orphaning, "self + self", "self", 1)
	before := live(t, e)
	wantFault(t, "orphaned tuples", e.EnsureSchema(t.Context(), orphaning), fault.Precondition, engine.ReasonSchemaConflict)
	_, err := e.Services().Schema.WriteSchema(e.Context(t.Context()), &v1.WriteSchemaRequest{
		Schema: before + "\ndefinition folder {\nrelation owner: party#key_holder\n}",
	})
	if err != nil {
		t.Fatal(err)
	}
	before = live(t, e)
	needed := strings.Replace(world, "	permission key_holder = dagl\n", "", 1)
	needed = strings.Replace(needed, "regn_org->key_holder", "regn_org->dagl", 1)
	wantFault(t, "what others refer to", e.EnsureSchema(t.Context(), needed), fault.Precondition, engine.ReasonSchemaConflict)
	if got := live(t, e); got != before {
		t.Errorf("a refused schema was written:\n%s", got)
	}
	if err := e.EnsureSchema(t.Context(), "definition {"); err == nil {
		t.Error("a schema that does not compile was taken")
	}
}

func TestNoSchemaYet(t *testing.T) {
	e := start(t, "")
	answers, _, err := e.Check(t.Context(), relation.At{}, question("party:1#dagl@user:7"))
	if err == nil {
		err = answers[0].Err
	}
	wantFault(t, "check", err, fault.Precondition, fault.ReasonUnknownRelation)
	_, err = e.Write(t.Context(), updates(relation.Touch, "party:1#dagl@user:7"))
	wantFault(t, "write", err, fault.Precondition, fault.ReasonUnknownRelation)
	if err := e.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
}

func TestCaveats(t *testing.T) {
	e := start(t, `caveat later(hour int) { hour > 8 }
definition user {}
definition desk {
	relation sits: user with later
}`)
	_, err := e.Services().Permissions.WriteRelationships(e.Context(t.Context()), &v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{{
		Operation: v1.RelationshipUpdate_OPERATION_TOUCH,
		Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: "desk", ObjectId: "1"}, Relation: "sits",
			Subject:        &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: "7"}},
			OptionalCaveat: &v1.ContextualizedCaveat{CaveatName: "later"},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	answers, _, err := e.Check(t.Context(), relation.At{}, question("desk:1#sits@user:7"))
	if err != nil || answers[0].Allowed {
		t.Fatalf("Check: %v, %v", answers, err)
	}
	wantFault(t, "conditional", answers[0].Err, fault.Precondition, engine.ReasonContextRequired)
	if ids, _, err := e.Resources(t.Context(), relation.At{}, "desk", "sits", subject("user:7")); err != nil || len(ids) > 0 {
		t.Errorf("Resources under a caveat: %q, %v", ids, err)
	}
	if ids, _, err := e.Subjects(t.Context(), relation.At{}, object("desk:1"), "sits", "user"); err != nil || len(ids) > 0 {
		t.Errorf("Subjects under a caveat: %q, %v", ids, err)
	}
	if rs, _, err := e.Read(t.Context(), relation.At{}, relation.Filter{ResourceType: "desk"}); err != nil || len(rs) > 0 {
		t.Errorf("Read under a caveat: %v, %v", rs, err)
	}
}
