package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
)

const documents = `definition folder {
	relation owner: party
	permission view = owner->represent
}
definition document {
	relation folder: folder
	relation reader: user | party#represent
	permission view = reader + folder->view
}
`

// TestSchemaApply applies definitions of a user's own to a live server, asks by them, and
// is refused a change that has relationships in its way.
func TestSchemaApply(t *testing.T) {
	i := start(t)
	loadDemo(t, i)
	file := filepath.Join(t.TempDir(), "documents.zed")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(documents)
	if said := i.run(t, "schema", "diff", file); !strings.Contains(said, "definition added document\n") {
		t.Errorf("diff: %s", said)
	}
	if said := i.run(t, "schema", "apply", file); !strings.Contains(said, "applied: 2 changes") {
		t.Errorf("apply: %s", said)
	}
	if said := i.run(t, "schema", "apply", file); said != "nothing differs from what is live\n" {
		t.Errorf("again: %s", said)
	}
	ctx, permissions := as(t.Context(), i.admin), v1.NewPermissionsServiceClient(i.conn)
	document := &v1.ObjectReference{ObjectType: "document", ObjectId: "1"}
	_, err := permissions.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{{
		Operation: v1.RelationshipUpdate_OPERATION_TOUCH,
		Relationship: &v1.Relationship{Resource: document, Relation: "reader", Subject: &v1.SubjectReference{
			Object: &v1.ObjectReference{ObjectType: "party", ObjectId: "50010001"}, OptionalRelation: "represent",
		}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := permissions.CheckPermission(ctx, &v1.CheckPermissionRequest{
		Resource: document, Permission: "view", Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: "20010001"}},
		Consistency: &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
	})
	if err != nil || answer.GetPermissionship() != v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION {
		t.Errorf("a user who represents the reader: %v, %v", answer.GetPermissionship(), err)
	}
	for text, want := range map[string]string{
		strings.Replace(documents, " | party#represent", "", 1): "relation subject type removed document#reader party#represent: 1 live relationships, 1 without a place",
		"": "definition removed document: 1 live relationships, 1 without a place",
	} {
		write(text)
		code, out, said := behalf(t, i.reach([]string{"schema", "apply", file})...)
		if code != 1 || !strings.Contains(out, want) || !strings.Contains(said, "1 live relationships would be left without a place; nothing was changed") {
			t.Errorf("exit code %d, %s%s; want %q", code, out, said, want)
		}
	}
	write(strings.Replace(documents, "relation folder: folder\n", "relation folder: folder\n\trelation writer: user\n", 1))
	if said := i.run(t, "schema", "apply", file); !strings.Contains(said, "relation added document#writer") {
		t.Errorf("a change that loses nothing: %s", said)
	}
	viewer := strings.Replace(strings.Replace(documents, "relation reader", "relation viewer", 1), "view = reader", "view = viewer", 1)
	write(viewer)
	if code, _, said := behalf(t, i.reach([]string{"schema", "apply", file, "--rename", "document=viewer"})...); code != 2 || !strings.Contains(said, "definition#old=new") {
		t.Errorf("a rename that names nothing: exit code %d, %s", code, said)
	}
	code, out, said := behalf(t, i.reach([]string{"schema", "apply", file, "--rename", "document#reader=viewer"})...)
	if code != 0 || !strings.Contains(out, "relation renamed document#reader=viewer: 1 live relationships\n") {
		t.Errorf("a rename: exit code %d, %s%s", code, out, said)
	}
	answer, err = permissions.CheckPermission(ctx, &v1.CheckPermissionRequest{
		Resource: document, Permission: "view", Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: "20010001"}},
		Consistency: &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
	})
	if err != nil || answer.GetPermissionship() != v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION {
		t.Errorf("through the renamed relation: %v, %v", answer.GetPermissionship(), err)
	}
}

// TestSchemaDiffOfCatalogue compares what the role catalogue compiles to with what is live.
func TestSchemaDiffOfCatalogue(t *testing.T) {
	i := start(t)
	if said := i.run(t, "schema", "diff"); said != "nothing differs from what is live\n" {
		t.Errorf("diff: %s", said)
	}
	if said := i.run(t, "schema", "diff", "-o", "json"); !strings.Contains(said, `"changes": []`) {
		t.Errorf("as JSON: %s", said)
	}
}
