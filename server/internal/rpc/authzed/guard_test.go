package authzed_test

import (
	"context"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/rpc/rpcstatus"
)

func reasonOf(err error) string { return rpcstatus.Reason(err) }

func metaOf(err error) map[string]string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetMetadata()
		}
	}
	return nil
}

func TestGuardTuples(t *testing.T) {
	e := startEngine(t)
	definitions := []string{"user", "party"}
	asWriter, asAdmin := dial(t, serve(t, e, definitions, writer())), dial(t, serve(t, e, definitions, admin()))
	if _, err := v1.NewSchemaServiceClient(asWriter).WriteSchema(t.Context(), &v1.WriteSchemaRequest{Schema: own + others}); err != nil {
		t.Fatalf("WriteSchema: %v", err)
	}
	ownTuple, theirs := rel(ref("party", "1"), "dagl", sub("user", "7")), rel(ref("folder", "1"), "owner", sub("party", "1"))
	perms, adminPerms := v1.NewPermissionsServiceClient(asWriter), v1.NewPermissionsServiceClient(asAdmin)
	if _, err := adminPerms.WriteRelationships(t.Context(), touch(ownTuple)); err != nil {
		t.Fatalf("an administrator's write: %v", err)
	}
	// A tuple of another definition may name a party.
	if _, err := perms.WriteRelationships(t.Context(), touch(theirs)); err != nil {
		t.Errorf("a write of another definition: %v", err)
	}
	remove := touch(ownTuple)
	remove.Updates[0].Operation = v1.RelationshipUpdate_OPERATION_DELETE
	for name, request := range map[string]*v1.WriteRelationshipsRequest{
		"own": touch(ownTuple), "own among others": touch(theirs, ownTuple), "own delete": remove,
	} {
		_, err := perms.WriteRelationships(t.Context(), request)
		wantStatus(t, name, err, codes.PermissionDenied, "SCOPE_MISSING")
		if m := metaOf(err); m["scope"] != "behalf:admin" || m["definition"] != "party" {
			t.Errorf("%s: metadata %v", name, m)
		}
	}
	ofUser := &v1.SubjectFilter{SubjectType: "user", OptionalSubjectId: "7"}
	for name, filter := range map[string]*v1.RelationshipFilter{
		"none": nil, "empty": {}, "own": {ResourceType: "party"},
		"by id only": {OptionalResourceId: "1"}, "by prefix only": {OptionalResourceIdPrefix: "1"},
		"by relation only": {OptionalRelation: "dagl"}, "by subject only": {OptionalSubjectFilter: ofUser},
		"own, by subject": {ResourceType: "party", OptionalSubjectFilter: ofUser},
	} {
		_, err := perms.DeleteRelationships(t.Context(), &v1.DeleteRelationshipsRequest{RelationshipFilter: filter})
		wantStatus(t, "delete "+name, err, codes.PermissionDenied, "SCOPE_MISSING")
	}
	if _, err := perms.DeleteRelationships(t.Context(), &v1.DeleteRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{ResourceType: "folder"}}); err != nil {
		t.Errorf("a delete of another definition: %v", err)
	}
	imports, err := perms.ImportBulkRelationships(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = imports.Send(&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{theirs}})
	_ = imports.Send(&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{rel(ref("party", "2"), "dagl", sub("user", "7"))}})
	_, err = imports.CloseAndRecv()
	wantStatus(t, "import", err, codes.PermissionDenied, "SCOPE_MISSING")
	oldImports, err := v1.NewExperimentalServiceClient(asWriter).BulkImportRelationships(t.Context()) //nolint:staticcheck // served as long as SpiceDB serves it
	if err != nil {
		t.Fatal(err)
	}
	_ = oldImports.Send(&v1.BulkImportRelationshipsRequest{Relationships: []*v1.Relationship{ownTuple}})
	_, err = oldImports.CloseAndRecv()
	wantStatus(t, "old import", err, codes.PermissionDenied, "SCOPE_MISSING")

	// Nothing that was refused has happened.
	checked, err := perms.CheckBulkPermissions(t.Context(), &v1.CheckBulkPermissionsRequest{Items: []*v1.CheckBulkPermissionsRequestItem{
		{Resource: ref("party", "1"), Permission: "dagl", Subject: sub("user", "7")},
		{Resource: ref("party", "2"), Permission: "dagl", Subject: sub("user", "7")},
		{Resource: ref("folder", "1"), Permission: "owner", Subject: sub("party", "1")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, false} {
		got := checked.GetPairs()[i].GetItem().GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
		if got != want {
			t.Errorf("tuple %d is there: %v, want %v", i, got, want)
		}
	}
	if _, err := adminPerms.DeleteRelationships(t.Context(), &v1.DeleteRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{OptionalResourceId: "1"}}); err != nil {
		t.Errorf("an administrator's delete by id: %v", err)
	}
}

// Not even an administrator changes an own definition by WriteSchema.
func TestGuardSchema(t *testing.T) {
	e := startEngine(t)
	schemas := v1.NewSchemaServiceClient(dial(t, serve(t, e, []string{"user", "party"}, admin())))
	refused := map[string]struct{ text, definition string }{
		"empty":                {"", "user"},
		"lacks party":          {"definition user {}", "party"},
		"a relation more":      {strings.Replace(own, "relation main_unit", "relation more: user\n\trelation main_unit", 1), "party"},
		"a permission differs": {strings.Replace(own, "dagl + main", "dagl & main", 1), "party"},
		"user changed":         {strings.Replace(own, "definition user {}", "definition user {\nrelation friend: user\n}", 1), "user"},
	}
	for name, c := range refused {
		_, err := schemas.WriteSchema(t.Context(), &v1.WriteSchemaRequest{Schema: c.text})
		wantStatus(t, name, err, codes.FailedPrecondition, "OWN_DEFINITION")
		if m := metaOf(err); m["definition"] != c.definition || m["command"] != "behalf migrate up" {
			t.Errorf("%s: metadata %v", name, m)
		}
		if text := status.Convert(err).Message(); !strings.Contains(text, c.definition) || !strings.Contains(text, "behalf migrate up") {
			t.Errorf("%s: %s", name, text)
		}
	}
	reformatted := others + "\n\n" + strings.NewReplacer("\t", "  ", "definition party", "// theirs\ndefinition party").Replace(strings.TrimPrefix(own, "use expiration\n"))
	if _, err := schemas.WriteSchema(t.Context(), &v1.WriteSchemaRequest{Schema: "use expiration\n" + reformatted}); err != nil {
		t.Errorf("a reformatted schema of the same meaning: %v", err)
	}
	_, err := schemas.WriteSchema(t.Context(), &v1.WriteSchemaRequest{Schema: "definition {"})
	wantStatus(t, "malformed", err, codes.InvalidArgument, "ERROR_REASON_SCHEMA_PARSE_ERROR")
}

// A later release has brought the own definitions along: this one keeps to those that are
// live, and not to its own.
func TestGuardLaterSchema(t *testing.T) {
	e := startEngine(t)
	schemas := v1.NewSchemaServiceClient(dial(t, serve(t, e, []string{"user", "party"}, admin())))
	later := strings.Replace(own, "relation main_unit", "relation more: user\n\trelation main_unit", 1)
	if err := e.EnsureSchema(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	_, err := schemas.WriteSchema(t.Context(), &v1.WriteSchemaRequest{Schema: own})
	wantStatus(t, "this release's", err, codes.FailedPrecondition, "OWN_DEFINITION")
	if _, err := schemas.WriteSchema(t.Context(), &v1.WriteSchemaRequest{Schema: later + "\n\ndefinition desk {}"}); err != nil {
		t.Errorf("the later one's, and one more: %v", err)
	}
}

// A client that opens an import and stalls keeps nobody from writing.
func TestStalledImport(t *testing.T) {
	e := startEngine(t)
	conn := dial(t, serve(t, e, []string{"user", "party"}, admin()))
	perms := v1.NewPermissionsServiceClient(conn)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	imports, err := perms.ImportBulkRelationships(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sent := &v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{rel(ref("party", "1"), "dagl", sub("user", "7"))}}
	if err := imports.Send(sent); err != nil {
		t.Fatal(err)
	}
	// The write needs the writer that an open import would hold in SpiceDB: it would wait
	// for its whole deadline.
	for i := range 3 {
		short, stop := context.WithTimeout(ctx, 10*time.Second)
		_, err = perms.WriteRelationships(short, touch(rel(ref("party", "2"), "dagl", sub("user", "8"))))
		stop()
		if err != nil {
			t.Fatalf("write %d beside an open import: %v", i, err)
		}
	}
	loaded, err := imports.CloseAndRecv()
	if err != nil || loaded.GetNumLoaded() != 1 {
		t.Errorf("the import ended with %v, %v", loaded, err)
	}
}
