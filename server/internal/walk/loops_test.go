package walk_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

// circular is documents with permissions that come back to themselves by name.
func circular() *walk.Schema {
	computed := func(name string) *walk.Expr { return &walk.Expr{Op: walk.Computed, Relation: name} }
	of := func(op walk.Op, kids ...*walk.Expr) *walk.Expr { return &walk.Expr{Op: op, Kids: kids} }
	users := []walk.SubjectType{{Type: "user"}}
	return walk.Compile([]walk.Definition{
		{Name: "user"},
		{Name: "doc", Relations: []walk.Relation{
			{Name: "reader", Subjects: users},
			{Name: "writer", Subjects: users},
			{Name: "parent", Subjects: []walk.SubjectType{{Type: "doc"}}},
			{Name: "read", Expr: of(walk.Union, computed("read"), computed("reader"))},
			{Name: "first", Expr: of(walk.Union, computed("second"), computed("reader"))},
			{Name: "second", Expr: of(walk.Union, computed("first"), computed("writer"))},
			{Name: "both", Expr: of(walk.Intersection, computed("both"), computed("reader"))},
			{Name: "without", Expr: of(walk.Exclusion, computed("reader"), computed("without"))},
			{Name: "outside", Expr: of(walk.Union, computed("writer"), computed("read"))},
			{Name: "forth", Expr: of(walk.Union, computed("back"), of(walk.Intersection, computed("reader"), computed("reader")))},
			{Name: "back", Expr: of(walk.Union, computed("forth"), &walk.Expr{Op: walk.Nil})},
			{Name: "there", Expr: of(walk.Intersection, computed("forth"), computed("back"))},
			{Name: "above", Expr: of(walk.Union, &walk.Expr{Op: walk.Arrow, Relation: "parent", Target: "read"}, computed("reader"))},
			{Name: "recursive", Expr: of(walk.Union, &walk.Expr{Op: walk.Arrow, Relation: "parent", Target: "recursive"}, computed("reader"))},
		}},
	})
}

func TestCircular(t *testing.T) {
	want := []string{"doc#read", "doc#first", "doc#second", "doc#both", "doc#without", "doc#forth", "doc#back"}
	if got := circular().Circular(); !slices.Equal(got, want) {
		t.Errorf("circular are %v, want %v", got, want)
	}
	if got := schema().Circular(); got != nil {
		t.Errorf("circular are %v, want none", got)
	}
	view := circular().Over(head(t, "doc:a#reader@user:1", "doc:a#writer@user:2", "doc:b#parent@doc:a"))
	for question, want := range map[string]string{
		"doc:a#read@user:1":    "allowed",
		"doc:a#read@user:2":    "cycle",
		"doc:x#read@user:1":    "cycle",
		"doc:a#first@user:1":   "allowed",
		"doc:a#first@user:2":   "allowed",
		"doc:a#first@user:3":   "cycle",
		"doc:a#both@user:1":    "cycle",
		"doc:a#both@user:2":    "denied",
		"doc:a#without@user:1": "cycle",
		"doc:a#without@user:2": "denied",
		"doc:a#outside@user:1": "allowed",
		"doc:a#outside@user:2": "allowed",
		"doc:a#outside@user:3": "cycle",
		"doc:a#there@user:1":   "allowed", // the way back is open until the way forth is known
		"doc:a#there@user:2":   "cycle",
		"doc:b#above@user:1":   "allowed",
		"doc:b#above@user:2":   "cycle",
		"doc:a#above@user:2":   "denied",
		// A set is a member of itself, whatever it is made of.
		"doc:a#outside@doc:a#read": "allowed",
		"doc:a#read@doc:a#read":    "allowed",
	} {
		o, permission, s := parse(question)
		verdict, why := view.Check(t.Context(), relation.Question{Object: o, Permission: permission, Subject: s}, now)
		got := map[walk.Verdict]string{walk.Allowed: "allowed", walk.Denied: "denied", walk.Undecided: why.String()}[verdict]
		if got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
	for subject, want := range map[string]string{"user:1": "0 cycle", "user:3": "0 answered"} {
		_, _, s := parse("@" + subject)
		found, why := view.Resources(t.Context(), nil, nil, "doc", "read", s, now)
		if got := fmt.Sprintf("%d %s", len(found), why); got != want {
			t.Errorf("what %s reads: %s, want %s", subject, got, want)
		}
	}
	for object, want := range map[string]walk.Reason{"a": walk.Cyclic, "b": walk.Cyclic} {
		if _, _, why := view.Subjects(t.Context(), nil, relation.Object{Type: "doc", ID: object}, "read", "user", "", now); why != want {
			t.Errorf("who reads %s: %s, want %s", object, why, want)
		}
	}
}

// In a knot of groups, each a member of each, the ways have no number.
func TestKnot(t *testing.T) {
	const groups = 40
	var tuples []string
	for i := range groups {
		for j := range groups {
			tuples = append(tuples, fmt.Sprintf("group:%d#member@group:%d#member", i, j))
		}
	}
	view := over(t, append(tuples, "group:39#member@user:1", "group:39#member@user:2 caveat")...)
	for user, want := range map[string]string{"1": "2 answered", "2": "0 caveat", "3": "0 cycle"} {
		q := relation.Question{Object: relation.Object{Type: "group", ID: "0"}, Permission: "member", Subject: relation.Subject{Object: relation.Object{Type: "user", ID: user}}}
		verdict, why := view.Check(t.Context(), q, now)
		if got := fmt.Sprint(verdict, " ", why); got != want {
			t.Errorf("user %s: %s, want %s", user, got, want)
		}
	}
}

func TestLoops(t *testing.T) {
	view := over(t,
		"folder:a#parent@folder:b", "folder:b#parent@folder:c", "folder:c#parent@folder:b",
		"folder:d#viewer@group:g#member", "group:g#member@group:g#member caveat", "group:h#member@user:1",
		"folder:e#parent@folder:e -1s", "folder:e#viewer@user:1", "folder:c#viewer@user:2", "group:g#member@user:3")
	for question, want := range map[string]bool{
		"folder:a#view": true, "folder:b#view": true, "folder:a#parent": false, "folder:a#viewer": false,
		"folder:d#view": true, "group:g#member": true, "group:h#member": false, "folder:e#view": false,
		"folder:x#view": false, "folder:a#nothing": false, "folder:a#agreed": false,
	} {
		o, permission, _ := parse(question + "@")
		if got := view.Loops(t.Context(), o, permission, false, now); got != want {
			t.Errorf("%s loops: %v, want %v", question, got, want)
		}
	}
	for folder, want := range map[string]bool{"a": true, "d": false} { // by arrows alone
		if got := view.Loops(t.Context(), relation.Object{Type: "folder", ID: folder}, "view", true, now); got != want {
			t.Errorf("%s loops by arrows: %v, want %v", folder, got, want)
		}
	}
	for user, want := range map[string]bool{"1": false, "2": true, "3": true, "9": false} {
		s := relation.Subject{Object: relation.Object{Type: "user", ID: user}}
		if got := view.LoopsToward(t.Context(), "folder", "view", s, now); got != want {
			t.Errorf("user %s loops: %v, want %v", user, got, want)
		}
	}
	view = circular().Over(head(t, "doc:a#reader@user:1", "doc:b#parent@doc:a", "doc:b#reader@user:2"))
	for question, want := range map[string]bool{
		"doc:a#read": true, "doc:x#read": true, "doc:a#reader": false, "doc:a#outside": true, "doc:a#above": false, "doc:b#above": true,
	} {
		o, permission, _ := parse(question + "@")
		if got := view.Loops(t.Context(), o, permission, false, now); got != want {
			t.Errorf("%s loops: %v, want %v", question, got, want)
		}
	}
}
