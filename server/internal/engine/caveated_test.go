package engine_test

import (
	"slices"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// What a list may hold: what caveats leave open is in it, what the context refutes is not,
// and a subject that stands for everybody is told of.
func TestCandidates(t *testing.T) {
	e := start(t, `caveat grown(subject map<any>) { "age" in subject && subject.age >= 18.0 }
definition user {}
definition desk {
	relation sits: user | user:* with grown
	relation owns: user
	permission use = sits
}`)
	write(t, e, updates(relation.Touch, "desk:1#sits@user:7", "desk:2#owns@user:8"))
	_, err := e.Services().Permissions.WriteRelationships(e.Context(t.Context()), &v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{{
		Operation: v1.RelationshipUpdate_OPERATION_TOUCH,
		Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: "desk", ObjectId: "2"}, Relation: "sits",
			Subject:        &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: "*"}},
			OptionalCaveat: &v1.ContextualizedCaveat{CaveatName: "grown"},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	grown, child := map[string]any{"subject": map[string]any{"age": 20}}, map[string]any{"subject": map[string]any{"age": 2}}
	for _, c := range []struct {
		name    string
		caveats map[string]any
		allowed bool
		desks   []string
	}{
		{"grown", grown, true, []string{"1", "2"}},
		{"child", child, false, []string{"1"}},
		{"open", nil, false, []string{"1", "2"}},
	} {
		answer, _, err := e.CheckWith(t.Context(), relation.At{}, question("desk:2#use@user:7"), c.caveats)
		if err != nil || answer.Allowed != c.allowed || (answer.Err != nil) != (c.caveats == nil) {
			t.Errorf("%s: CheckWith = %+v, %v", c.name, answer, err)
		}
		found, _, err := e.CandidateResources(t.Context(), relation.At{}, "desk", "use", subject("user:7"), c.caveats)
		if slices.Sort(found.IDs); err != nil || !slices.Equal(found.IDs, c.desks) {
			t.Errorf("%s: CandidateResources = %+v, %v, want %q", c.name, found, err, c.desks)
		}
		who, _, err := e.CandidateSubjects(t.Context(), relation.At{}, object("desk:2"), "use", "user", c.caveats)
		if err != nil || who.Everyone != (c.name != "child") {
			t.Errorf("%s: CandidateSubjects = %+v, %v", c.name, who, err)
		}
	}
	ids, _, err := e.Objects(t.Context(), relation.At{}, "user")
	if slices.Sort(ids); err != nil || !slices.Equal(ids, []string{"7", "8"}) {
		t.Errorf("Objects = %q, %v", ids, err)
	}
	permissions, relations, ok, err := e.Permissions(t.Context(), relation.At{}, "desk")
	if err != nil || !ok || !slices.Equal(permissions, []string{"use"}) || len(relations) != 2 {
		t.Errorf("Permissions = %q, %q, %v, %v", permissions, relations, ok, err)
	}
	if _, _, ok, err := e.Permissions(t.Context(), relation.At{}, "des"); ok || err != nil {
		t.Errorf("of no definition: %v, %v", ok, err)
	}
}
