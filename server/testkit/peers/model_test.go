package main

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	openfgav1 "github.com/openfga/api/proto/openfga/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/behalf-authz/behalf/schema/relations"
)

const example = `use expiration

definition user {}

definition systemuser {}

definition group {
	relation member: user | group#member
}

definition party {
	relation self: user
	relation main_unit: party
	relation dagl: user | user with expiration | group#member
	relation dagl_org: party | party with expiration
	relation lede: user
	relation unit_nuf: user:*
	relation owner: systemuser
	relation a_relation_whose_name_is_longer_than_openfga_allows_it: user

	permission nobody = nil
	permission key_holder = dagl + lede
	permission has_dagl = dagl + dagl_org->key_holder + nobody + owner->member + main_unit->has_dagl
	permission here = (has_dagl & unit_nuf) + (dagl & nobody) + self
	permission less = dagl - lede - nobody
	permission named = a_relation_whose_name_is_longer_than_openfga_allows_it + dagl
	permission all = dagl_org.all(key_holder)
	permission not_asked = lede + owner
}
`

// in writes a set as OpenFGA's language does.
func in(u *openfgav1.Userset) string {
	join := func(sets *openfgav1.Usersets, by string) string {
		var all []string
		for _, s := range sets.GetChild() {
			all = append(all, in(s))
		}
		return "(" + strings.Join(all, by) + ")"
	}
	switch s := u.GetUserset().(type) {
	case *openfgav1.Userset_This:
		return "this"
	case *openfgav1.Userset_ComputedUserset:
		return s.ComputedUserset.GetRelation()
	case *openfgav1.Userset_TupleToUserset:
		return s.TupleToUserset.GetComputedUserset().GetRelation() + " from " + s.TupleToUserset.GetTupleset().GetRelation()
	case *openfgav1.Userset_Union:
		return join(s.Union, " or ")
	case *openfgav1.Userset_Intersection:
		return join(s.Intersection, " and ")
	case *openfgav1.Userset_Difference:
		return "(" + in(s.Difference.GetBase()) + " but not " + in(s.Difference.GetSubtract()) + ")"
	}
	return "?"
}

// of writes the types of a relation's subjects.
func of(m *openfgav1.RelationMetadata) string {
	var all []string
	for _, r := range m.GetDirectlyRelatedUserTypes() {
		switch {
		case r.GetWildcard() != nil:
			all = append(all, r.GetType()+":*")
		case r.GetRelation() != "":
			all = append(all, r.GetType()+"#"+r.GetRelation())
		default:
			all = append(all, r.GetType())
		}
	}
	return strings.Join(all, " ")
}

func TestTranslate(t *testing.T) {
	m, err := translate(example, []string{"here", "less", "named"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range m.definitions() {
		got[d.GetType()] = ""
		for relation, u := range d.GetRelations() {
			text := in(u)
			if text == "this" {
				text = "[" + of(d.GetMetadata().GetRelations()[relation]) + "]"
			}
			got[d.GetType()+"#"+relation] = text
		}
	}
	const long = "a_relation_whose_name_is_longer_than_openf"
	want := map[string]string{
		"user": "", "group": "", "party": "", "systemuser": "",
		"group#member":    "[user group#member]",
		"party#self_":     "[user]",
		"party#main_unit": "[party]",
		"party#dagl":      "[user group#member]",
		"party#dagl_org":  "[party]",
		"party#lede":      "[user]",
		"party#unit_nuf":  "[user:*]",
		"party#owner":     "[systemuser]",

		"party#key_holder": "(dagl or lede)",
		"party#has_dagl":   "(dagl or key_holder from dagl_org or has_dagl from main_unit)",
		"party#here":       "((has_dagl and unit_nuf) or self_)",
		"party#less":       "(dagl but not lede)",
	}
	for relation, text := range got {
		if name, ok := strings.CutPrefix(relation, "party#"+long[:41]); ok && len(name) == 9 {
			if text != "[user]" || got["party#named"] != "("+long[:41]+name+" or dagl)" {
				t.Errorf("%s is %s, and named is %s", relation, text, got["party#named"])
			}
			want[relation], want["party#named"] = text, got["party#named"]
		}
	}
	for relation, text := range want {
		if got[relation] != text {
			t.Errorf("%s is %q, want %q", relation, got[relation], text)
		}
	}
	for relation, text := range got {
		if _, ok := want[relation]; !ok {
			t.Errorf("nobody asked for %s, which is %q", relation, text)
		}
	}
}

// TestTranslateBehalf translates Behalf's own schema, as far as it is compared: all names are
// such as OpenFGA takes, and all that is named is there.
func TestTranslateBehalf(t *testing.T) {
	m, err := translate(relations.Schema, []string{"represent", "has_dagl"})
	if err != nil {
		t.Fatal(err)
	}
	dagl := in(m.types["party"].GetRelations()["has_dagl"])
	if want := "(dagl or key_holder from dagl_org or has_hovedadministrator or has_dagl from main_unit)"; dagl != want {
		t.Errorf("has_dagl is %s, want %s", dagl, want)
	}
	size, all := 0, m.types["party"].GetRelations()
	for _, d := range m.definitions() {
		size += proto.Size(d)
		for relation := range d.GetRelations() {
			if len(relation) > 50 || relation == "self" || relation == "this" {
				t.Errorf("OpenFGA takes no relation %s", relation)
			}
		}
	}
	for _, term := range all["represent"].GetUnion().GetChild() {
		relation := term.GetComputedUserset().GetRelation()
		if arrow := term.GetTupleToUserset(); arrow != nil {
			relation = arrow.GetTupleset().GetRelation()
		}
		if all[relation] == nil {
			t.Errorf("represent needs %q, which is not there", relation)
		}
	}
	if n := len(all["represent"].GetUnion().GetChild()); n < 100 || size > 1<<20 {
		t.Errorf("represent has %d terms, and the model %d bytes", n, size)
	}
}

func TestTranslateRefuses(t *testing.T) {
	for _, permission := range []string{"nobody", "no_such", "all", "self"} {
		if _, err := translate(example, []string{permission}); err == nil {
			t.Errorf("%s is translated", permission)
		}
	}
	if _, err := translate("definition", []string{"here"}); err == nil {
		t.Error("what is no schema is translated")
	}
}

func TestTuple(t *testing.T) {
	m, err := translate(example, []string{"here"})
	if err != nil {
		t.Fatal(err)
	}
	relationship := func(relation, typ, id, set string, expires time.Time) *v1.Relationship {
		r := &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: "party", ObjectId: "1"}, Relation: relation,
			Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: typ, ObjectId: id}, OptionalRelation: set},
		}
		if !expires.IsZero() {
			r.OptionalExpiresAt = timestamppb.New(expires)
		}
		return r
	}
	for _, tc := range []struct {
		r    *v1.Relationship
		want string
	}{
		{relationship("dagl", "user", "7", "", time.Time{}), "party:1#dagl@user:7"},
		{relationship("dagl", "group", "g", "member", time.Time{}), "party:1#dagl@group:g#member"},
		{relationship("unit_nuf", "user", "*", "", time.Time{}), "party:1#unit_nuf@user:*"},
		{relationship("self", "user", "7", "", time.Time{}), "party:1#self_@user:7"},
		{relationship("dagl", "user", "7", "", time.Now().Add(time.Hour)), "party:1#dagl@user:7"},
		{relationship("dagl", "user", "7", "", time.Now().Add(-time.Hour)), ""},
		{relationship("lede", "user", "7", "", time.Time{}), "party:1#lede@user:7"},
		{relationship("a_relation_whose_name_is_longer_than_openfga_allows_it", "user", "7", "", time.Time{}), ""},
		{relationship("has_dagl", "user", "7", "", time.Time{}), ""},
	} {
		got := ""
		if k := m.tuple(tc.r); k != nil {
			got = k.GetObject() + "#" + k.GetRelation() + "@" + k.GetUser()
		}
		if got != tc.want {
			t.Errorf("%v is %q, want %q", tc.r, got, tc.want)
		}
	}
}
