package authzed_test

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// scenario is one call: a method and the messages sent, none for an empty stream.
type scenario struct {
	name   string
	method string
	send   []proto.Message
	limit  int // how many answers are awaited of a stream that has no end; 0 for all
}

func ref(typ, id string) *v1.ObjectReference {
	return &v1.ObjectReference{ObjectType: typ, ObjectId: id}
}

func sub(typ, id string) *v1.SubjectReference { return &v1.SubjectReference{Object: ref(typ, id)} }

func rel(resource *v1.ObjectReference, relation string, subject *v1.SubjectReference) *v1.Relationship {
	return &v1.Relationship{Resource: resource, Relation: relation, Subject: subject}
}

func touch(rs ...*v1.Relationship) *v1.WriteRelationshipsRequest {
	request := &v1.WriteRelationshipsRequest{}
	for _, r := range rs {
		request.Updates = append(request.Updates, &v1.RelationshipUpdate{Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: r})
	}
	return request
}

func full() *v1.Consistency {
	return &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}}
}

//nolint:staticcheck // deprecated methods are served as long as SpiceDB serves them
func scenarios(t *testing.T) []scenario {
	t.Helper()
	const (
		permissions  = "PermissionsService/"
		schema       = "SchemaService/"
		experimental = "ExperimentalService/"
	)
	hour, err := structpb.NewStruct(map[string]any{"hour": 9})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 2000)
	dagl := rel(ref("party", "1"), "dagl", sub("user", "7"))
	caveated := rel(ref("folder", "1"), "reader", sub("user", "8"))
	caveated.OptionalCaveat = &v1.ContextualizedCaveat{CaveatName: "in_hours"}
	expiring := rel(ref("party", "3"), "dagl", sub("user", "9"))
	expiring.OptionalExpiresAt = timestamppb.New(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	unknownCaveat := proto.CloneOf(caveated)
	unknownCaveat.OptionalCaveat.CaveatName = "never"
	filter := &v1.RelationshipFilter{ResourceType: "party"}
	check := &v1.CheckPermissionRequest{Consistency: full(), Resource: ref("party", "2"), Permission: "represent", Subject: sub("user", "7")}
	item := func(typ, id, permission, user string) *v1.CheckBulkPermissionsRequestItem {
		return &v1.CheckBulkPermissionsRequestItem{Resource: ref(typ, id), Permission: permission, Subject: sub("user", user)}
	}
	old := func(typ, id, permission, user string) *v1.BulkCheckPermissionRequestItem {
		return &v1.BulkCheckPermissionRequestItem{Resource: ref(typ, id), Permission: permission, Subject: sub("user", user)}
	}
	return []scenario{
		{"write schema: good", schema + "WriteSchema", []proto.Message{&v1.WriteSchemaRequest{Schema: own + others}}, 0},
		{"write schema: empty", schema + "WriteSchema", []proto.Message{&v1.WriteSchemaRequest{}}, 0},
		{"write schema again", schema + "WriteSchema", []proto.Message{&v1.WriteSchemaRequest{Schema: own + others}}, 0},
		{"write schema: malformed", schema + "WriteSchema", []proto.Message{&v1.WriteSchemaRequest{Schema: "definition party {"}}, 0},
		{"write schema: unknown type", schema + "WriteSchema", []proto.Message{&v1.WriteSchemaRequest{Schema: own + "\ndefinition box {\nrelation in: ghost\n}"}}, 0},
		{"read schema: good and empty", schema + "ReadSchema", []proto.Message{&v1.ReadSchemaRequest{}}, 0},

		{"write: good", permissions + "WriteRelationships", []proto.Message{touch(dagl, caveated, expiring,
			rel(ref("party", "2"), "main_unit", sub("party", "1")),
			rel(ref("folder", "1"), "owner", &v1.SubjectReference{Object: ref("party", "2"), OptionalRelation: "represent"}),
			rel(ref("folder", "2"), "reader", sub("user", "*")),
			rel(ref("folder", "2"), "banned", sub("user", "8")))}, 0},
		{"write: empty", permissions + "WriteRelationships", []proto.Message{&v1.WriteRelationshipsRequest{}}, 0},
		{"write: empty update", permissions + "WriteRelationships", []proto.Message{&v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{{}}}}, 0},
		{"write: no subject", permissions + "WriteRelationships", []proto.Message{touch(rel(ref("party", "1"), "dagl", nil))}, 0},
		{"write: bad id", permissions + "WriteRelationships", []proto.Message{touch(rel(ref("party", "a b"), "dagl", sub("user", "7")))}, 0},
		{"write: long id", permissions + "WriteRelationships", []proto.Message{touch(rel(ref("party", long), "dagl", sub("user", "7")))}, 0},
		{"write: wildcard resource", permissions + "WriteRelationships", []proto.Message{touch(rel(ref("party", "*"), "dagl", sub("user", "7")))}, 0},
		{"write: unknown relation", permissions + "WriteRelationships", []proto.Message{touch(rel(ref("party", "1"), "nobody", sub("user", "7")))}, 0},
		{"write: unknown definition", permissions + "WriteRelationships", []proto.Message{touch(rel(ref("ghost", "1"), "dagl", sub("user", "7")))}, 0},
		{"write: wrong subject", permissions + "WriteRelationships", []proto.Message{touch(rel(ref("party", "1"), "dagl", sub("party", "7")))}, 0},
		{"write: permission", permissions + "WriteRelationships", []proto.Message{touch(rel(ref("party", "1"), "represent", sub("user", "7")))}, 0},
		{"write: unknown caveat", permissions + "WriteRelationships", []proto.Message{touch(unknownCaveat)}, 0},
		{"write: twice the same", permissions + "WriteRelationships", []proto.Message{touch(dagl, dagl)}, 0},
		{"write: create existing", permissions + "WriteRelationships", []proto.Message{&v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{{
			Operation: v1.RelationshipUpdate_OPERATION_CREATE, Relationship: dagl}}}}, 0},
		{"write: failed precondition", permissions + "WriteRelationships", []proto.Message{&v1.WriteRelationshipsRequest{
			Updates:               touch(dagl).Updates,
			OptionalPreconditions: []*v1.Precondition{{Operation: v1.Precondition_OPERATION_MUST_NOT_MATCH, Filter: filter}}}}, 0},
		{"write: empty precondition", permissions + "WriteRelationships", []proto.Message{&v1.WriteRelationshipsRequest{
			Updates: touch(dagl).Updates, OptionalPreconditions: []*v1.Precondition{{}}}}, 0},

		{"read: good", permissions + "ReadRelationships", []proto.Message{&v1.ReadRelationshipsRequest{Consistency: full(), RelationshipFilter: filter}}, 0},
		{"read: default consistency", permissions + "ReadRelationships", []proto.Message{&v1.ReadRelationshipsRequest{RelationshipFilter: filter}}, 0},
		{"read: empty", permissions + "ReadRelationships", []proto.Message{&v1.ReadRelationshipsRequest{}}, 0},
		{"read: empty filter", permissions + "ReadRelationships", []proto.Message{&v1.ReadRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{}}}, 0},
		{"read: unknown definition", permissions + "ReadRelationships", []proto.Message{&v1.ReadRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{ResourceType: "ghost"}}}, 0},
		{"read: id and prefix", permissions + "ReadRelationships", []proto.Message{&v1.ReadRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{
			ResourceType: "party", OptionalResourceId: "1", OptionalResourceIdPrefix: "1"}}}, 0},
		{"read: bad cursor", permissions + "ReadRelationships", []proto.Message{&v1.ReadRelationshipsRequest{RelationshipFilter: filter, OptionalCursor: &v1.Cursor{Token: "bad"}}}, 0},
		{"read: bad token", permissions + "ReadRelationships", []proto.Message{&v1.ReadRelationshipsRequest{RelationshipFilter: filter, Consistency: &v1.Consistency{
			Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: &v1.ZedToken{Token: "bad"}}}}}, 0},
		{"read: too much", permissions + "ReadRelationships", []proto.Message{&v1.ReadRelationshipsRequest{RelationshipFilter: filter, OptionalLimit: 1 << 30}}, 0},

		{"check: good", permissions + "CheckPermission", []proto.Message{check}, 0},
		{"check: miss", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{Consistency: full(), Resource: ref("party", "2"), Permission: "represent", Subject: sub("user", "99")}}, 0},
		{"check: traced miss", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{Consistency: full(), Resource: ref("party", "9"), Permission: "represent", Subject: sub("user", "7"), WithTracing: true}}, 0},
		{"check: caveat without context", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{Resource: ref("folder", "1"), Permission: "read", Subject: sub("user", "8")}}, 0},
		{"check: caveat with context", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{Resource: ref("folder", "1"), Permission: "read", Subject: sub("user", "8"), Context: hour}}, 0},
		{"check: empty", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{}}, 0},
		{"check: no subject's object", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{Resource: ref("party", "1"), Permission: "represent", Subject: &v1.SubjectReference{}}}, 0},
		{"check: wildcard", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{Resource: ref("party", "*"), Permission: "represent", Subject: sub("user", "7")}}, 0},
		{"check: unknown permission", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{Resource: ref("party", "1"), Permission: "nothing", Subject: sub("user", "7")}}, 0},
		{"check: bad token", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{Resource: ref("party", "1"), Permission: "represent", Subject: sub("user", "7"),
			Consistency: &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: &v1.ZedToken{Token: "bad"}}}}}, 0},
		{"check: empty consistency", permissions + "CheckPermission", []proto.Message{&v1.CheckPermissionRequest{Resource: ref("party", "1"), Permission: "represent", Subject: sub("user", "7"), Consistency: &v1.Consistency{}}}, 0},

		{"bulk check: good", permissions + "CheckBulkPermissions", []proto.Message{&v1.CheckBulkPermissionsRequest{Consistency: full(), Items: []*v1.CheckBulkPermissionsRequestItem{
			item("party", "1", "represent", "7"), item("party", "9", "represent", "7"), item("ghost", "1", "represent", "7"), item("party", "1", "nothing", "7"), item("folder", "1", "read", "8")}}}, 0},
		{"bulk check: answered and left", permissions + "CheckBulkPermissions", []proto.Message{&v1.CheckBulkPermissionsRequest{Consistency: full(), Items: []*v1.CheckBulkPermissionsRequestItem{
			item("party", "2", "represent", "7"), item("folder", "1", "read", "8"), item("party", "2", "represent", "7"), item("folder", "1", "read", "8"), item("party", "b d", "represent", "7")}}}, 0},
		{"bulk check: empty", permissions + "CheckBulkPermissions", []proto.Message{&v1.CheckBulkPermissionsRequest{}}, 0},
		{"bulk check: empty item", permissions + "CheckBulkPermissions", []proto.Message{&v1.CheckBulkPermissionsRequest{Items: []*v1.CheckBulkPermissionsRequestItem{{}}}}, 0},

		{"expand: good", permissions + "ExpandPermissionTree", []proto.Message{&v1.ExpandPermissionTreeRequest{Consistency: full(), Resource: ref("party", "2"), Permission: "represent"}}, 0},
		{"expand: empty", permissions + "ExpandPermissionTree", []proto.Message{&v1.ExpandPermissionTreeRequest{}}, 0},
		{"expand: unknown", permissions + "ExpandPermissionTree", []proto.Message{&v1.ExpandPermissionTreeRequest{Resource: ref("party", "2"), Permission: "nothing"}}, 0},
		{"expand: wildcard", permissions + "ExpandPermissionTree", []proto.Message{&v1.ExpandPermissionTreeRequest{Resource: ref("party", "*"), Permission: "represent"}}, 0},

		{"resources: good", permissions + "LookupResources", []proto.Message{&v1.LookupResourcesRequest{Consistency: full(), ResourceObjectType: "party", Permission: "represent", Subject: sub("user", "7")}}, 0},
		{"resources: limited", permissions + "LookupResources", []proto.Message{&v1.LookupResourcesRequest{Consistency: full(), ResourceObjectType: "party", Permission: "represent", Subject: sub("user", "7"), OptionalLimit: 1}}, 0},
		{"resources: empty", permissions + "LookupResources", []proto.Message{&v1.LookupResourcesRequest{}}, 0},
		{"resources: unknown", permissions + "LookupResources", []proto.Message{&v1.LookupResourcesRequest{ResourceObjectType: "party", Permission: "nothing", Subject: sub("user", "7")}}, 0},
		{"resources: bad cursor", permissions + "LookupResources", []proto.Message{&v1.LookupResourcesRequest{ResourceObjectType: "party", Permission: "represent", Subject: sub("user", "7"), OptionalCursor: &v1.Cursor{Token: "bad"}}}, 0},

		{"subjects: good", permissions + "LookupSubjects", []proto.Message{&v1.LookupSubjectsRequest{Consistency: full(), Resource: ref("folder", "2"), Permission: "read", SubjectObjectType: "user"}}, 0},
		{"subjects: of a party", permissions + "LookupSubjects", []proto.Message{&v1.LookupSubjectsRequest{Consistency: full(), Resource: ref("party", "2"), Permission: "represent", SubjectObjectType: "user"}}, 0},
		{"subjects: everybody", permissions + "LookupSubjects", []proto.Message{&v1.LookupSubjectsRequest{Consistency: full(), Resource: ref("folder", "2"), Permission: "reader", SubjectObjectType: "user"}}, 0},
		{"subjects: empty", permissions + "LookupSubjects", []proto.Message{&v1.LookupSubjectsRequest{}}, 0},
		{"subjects: unknown", permissions + "LookupSubjects", []proto.Message{&v1.LookupSubjectsRequest{Resource: ref("folder", "2"), Permission: "read", SubjectObjectType: "ghost"}}, 0},
		{"subjects: concrete limit", permissions + "LookupSubjects", []proto.Message{&v1.LookupSubjectsRequest{Resource: ref("folder", "2"), Permission: "read", SubjectObjectType: "user", OptionalConcreteLimit: 3}}, 0},

		{"import: good", permissions + "ImportBulkRelationships", []proto.Message{
			&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{rel(ref("party", "10"), "dagl", sub("user", "7")), rel(ref("party", "11"), "dagl", sub("user", "7"))}},
			&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{rel(ref("folder", "12"), "owner", sub("party", "10"))}}}, 0},
		{"import: no message", permissions + "ImportBulkRelationships", nil, 0},
		{"import: empty message", permissions + "ImportBulkRelationships", []proto.Message{&v1.ImportBulkRelationshipsRequest{}}, 0},
		{"import: existing", permissions + "ImportBulkRelationships", []proto.Message{&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{rel(ref("party", "10"), "dagl", sub("user", "7"))}}}, 0},
		{"import: malformed", permissions + "ImportBulkRelationships", []proto.Message{&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{{}}}}, 0},
		{"import: good, then malformed", permissions + "ImportBulkRelationships", []proto.Message{
			&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{rel(ref("party", "20"), "dagl", sub("user", "7"))}},
			&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{rel(nil, "dagl", sub("user", "7"))}}}, 0},
		{"import: unknown definition", permissions + "ImportBulkRelationships", []proto.Message{&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{rel(ref("ghost", "10"), "dagl", sub("user", "7"))}}}, 0},
		{"import: unknown relation", permissions + "ImportBulkRelationships", []proto.Message{&v1.ImportBulkRelationshipsRequest{Relationships: []*v1.Relationship{rel(ref("party", "10"), "nobody", sub("user", "7"))}}}, 0},
		{"export: good", permissions + "ExportBulkRelationships", []proto.Message{&v1.ExportBulkRelationshipsRequest{Consistency: full()}}, 0},
		{"export: empty", permissions + "ExportBulkRelationships", []proto.Message{&v1.ExportBulkRelationshipsRequest{}}, 0},
		{"export: bad cursor", permissions + "ExportBulkRelationships", []proto.Message{&v1.ExportBulkRelationshipsRequest{OptionalCursor: &v1.Cursor{Token: "bad"}}}, 0},
		{"export: unknown", permissions + "ExportBulkRelationships", []proto.Message{&v1.ExportBulkRelationshipsRequest{OptionalRelationshipFilter: &v1.RelationshipFilter{ResourceType: "ghost"}}}, 0},

		{"reflect: good", schema + "ReflectSchema", []proto.Message{&v1.ReflectSchemaRequest{Consistency: full(), OptionalFilters: []*v1.ReflectionSchemaFilter{{OptionalDefinitionNameFilter: "party"}}}}, 0},
		{"reflect: empty", schema + "ReflectSchema", []proto.Message{&v1.ReflectSchemaRequest{}}, 0},
		{"reflect: malformed", schema + "ReflectSchema", []proto.Message{&v1.ReflectSchemaRequest{OptionalFilters: []*v1.ReflectionSchemaFilter{{OptionalRelationNameFilter: "dagl"}}}}, 0},
		{"computable: good", schema + "ComputablePermissions", []proto.Message{&v1.ComputablePermissionsRequest{Consistency: full(), DefinitionName: "party", RelationName: "dagl"}}, 0},
		{"computable: empty", schema + "ComputablePermissions", []proto.Message{&v1.ComputablePermissionsRequest{}}, 0},
		{"computable: unknown", schema + "ComputablePermissions", []proto.Message{&v1.ComputablePermissionsRequest{DefinitionName: "party", RelationName: "nobody"}}, 0},
		{"dependent: good", schema + "DependentRelations", []proto.Message{&v1.DependentRelationsRequest{Consistency: full(), DefinitionName: "folder", PermissionName: "read"}}, 0},
		{"dependent: empty", schema + "DependentRelations", []proto.Message{&v1.DependentRelationsRequest{}}, 0},
		{"dependent: a relation", schema + "DependentRelations", []proto.Message{&v1.DependentRelationsRequest{DefinitionName: "folder", PermissionName: "owner"}}, 0},
		{"diff: good", schema + "DiffSchema", []proto.Message{&v1.DiffSchemaRequest{Consistency: full(), ComparisonSchema: own}}, 0},
		{"diff: empty", schema + "DiffSchema", []proto.Message{&v1.DiffSchemaRequest{}}, 0},
		{"diff: malformed", schema + "DiffSchema", []proto.Message{&v1.DiffSchemaRequest{ComparisonSchema: "definition {"}}, 0},

		{"old import: good", experimental + "BulkImportRelationships", []proto.Message{&v1.BulkImportRelationshipsRequest{Relationships: []*v1.Relationship{rel(ref("party", "30"), "dagl", sub("user", "7"))}}}, 0},
		{"old import: no message", experimental + "BulkImportRelationships", nil, 0},
		{"old import: malformed", experimental + "BulkImportRelationships", []proto.Message{&v1.BulkImportRelationshipsRequest{Relationships: []*v1.Relationship{{}}}}, 0},
		{"old export: good", experimental + "BulkExportRelationships", []proto.Message{&v1.BulkExportRelationshipsRequest{Consistency: full(), OptionalLimit: 2}}, 0},
		{"old export: empty", experimental + "BulkExportRelationships", []proto.Message{&v1.BulkExportRelationshipsRequest{}}, 0},
		{"old export: bad cursor", experimental + "BulkExportRelationships", []proto.Message{&v1.BulkExportRelationshipsRequest{OptionalCursor: &v1.Cursor{Token: "bad"}}}, 0},
		{"old bulk check: good", experimental + "BulkCheckPermission", []proto.Message{&v1.BulkCheckPermissionRequest{Consistency: full(), Items: []*v1.BulkCheckPermissionRequestItem{old("party", "1", "represent", "7"), old("party", "1", "nothing", "7")}}}, 0},
		{"old bulk check: empty", experimental + "BulkCheckPermission", []proto.Message{&v1.BulkCheckPermissionRequest{}}, 0},
		{"old bulk check: empty item", experimental + "BulkCheckPermission", []proto.Message{&v1.BulkCheckPermissionRequest{Items: []*v1.BulkCheckPermissionRequestItem{{}}}}, 0},
		{"old reflect: good", experimental + "ExperimentalReflectSchema", []proto.Message{&v1.ExperimentalReflectSchemaRequest{Consistency: full()}}, 0},
		{"old reflect: empty", experimental + "ExperimentalReflectSchema", []proto.Message{&v1.ExperimentalReflectSchemaRequest{}}, 0},
		{"old reflect: malformed", experimental + "ExperimentalReflectSchema", []proto.Message{&v1.ExperimentalReflectSchemaRequest{OptionalFilters: []*v1.ExpSchemaFilter{{OptionalRelationNameFilter: "dagl"}}}}, 0},
		{"old computable: good", experimental + "ExperimentalComputablePermissions", []proto.Message{&v1.ExperimentalComputablePermissionsRequest{Consistency: full(), DefinitionName: "user"}}, 0},
		{"old computable: empty", experimental + "ExperimentalComputablePermissions", []proto.Message{&v1.ExperimentalComputablePermissionsRequest{}}, 0},
		{"old computable: unknown", experimental + "ExperimentalComputablePermissions", []proto.Message{&v1.ExperimentalComputablePermissionsRequest{DefinitionName: "ghost"}}, 0},
		{"old dependent: good", experimental + "ExperimentalDependentRelations", []proto.Message{&v1.ExperimentalDependentRelationsRequest{Consistency: full(), DefinitionName: "party", PermissionName: "represent"}}, 0},
		{"old dependent: empty", experimental + "ExperimentalDependentRelations", []proto.Message{&v1.ExperimentalDependentRelationsRequest{}}, 0},
		{"old dependent: unknown", experimental + "ExperimentalDependentRelations", []proto.Message{&v1.ExperimentalDependentRelationsRequest{DefinitionName: "party", PermissionName: "nothing"}}, 0},
		{"old diff: good", experimental + "ExperimentalDiffSchema", []proto.Message{&v1.ExperimentalDiffSchemaRequest{Consistency: full(), ComparisonSchema: own}}, 0},
		{"old diff: empty", experimental + "ExperimentalDiffSchema", []proto.Message{&v1.ExperimentalDiffSchemaRequest{}}, 0},
		{"old diff: malformed", experimental + "ExperimentalDiffSchema", []proto.Message{&v1.ExperimentalDiffSchemaRequest{ComparisonSchema: "x"}}, 0},
		{"counter: good", experimental + "ExperimentalRegisterRelationshipCounter", []proto.Message{&v1.ExperimentalRegisterRelationshipCounterRequest{Name: "parties", RelationshipFilter: filter}}, 0},
		{"counter: again", experimental + "ExperimentalRegisterRelationshipCounter", []proto.Message{&v1.ExperimentalRegisterRelationshipCounterRequest{Name: "parties", RelationshipFilter: filter}}, 0},
		{"counter: empty", experimental + "ExperimentalRegisterRelationshipCounter", []proto.Message{&v1.ExperimentalRegisterRelationshipCounterRequest{}}, 0},
		{"counter: malformed", experimental + "ExperimentalRegisterRelationshipCounter", []proto.Message{&v1.ExperimentalRegisterRelationshipCounterRequest{Name: "A B", RelationshipFilter: filter}}, 0},
		{"count: good", experimental + "ExperimentalCountRelationships", []proto.Message{&v1.ExperimentalCountRelationshipsRequest{Name: "parties"}}, 0},
		{"count: empty", experimental + "ExperimentalCountRelationships", []proto.Message{&v1.ExperimentalCountRelationshipsRequest{}}, 0},
		{"count: unknown", experimental + "ExperimentalCountRelationships", []proto.Message{&v1.ExperimentalCountRelationshipsRequest{Name: "nothing"}}, 0},
		{"uncounter: good", experimental + "ExperimentalUnregisterRelationshipCounter", []proto.Message{&v1.ExperimentalUnregisterRelationshipCounterRequest{Name: "parties"}}, 0},
		{"uncounter: empty", experimental + "ExperimentalUnregisterRelationshipCounter", []proto.Message{&v1.ExperimentalUnregisterRelationshipCounterRequest{}}, 0},
		{"uncounter: unknown", experimental + "ExperimentalUnregisterRelationshipCounter", []proto.Message{&v1.ExperimentalUnregisterRelationshipCounterRequest{Name: "parties"}}, 0},

		{"delete: good", permissions + "DeleteRelationships", []proto.Message{&v1.DeleteRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{ResourceType: "party", OptionalResourceIdPrefix: "1"}}}, 0},
		{"delete: nothing", permissions + "DeleteRelationships", []proto.Message{&v1.DeleteRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{ResourceType: "party", OptionalResourceId: "99"}}}, 0},
		{"delete: empty", permissions + "DeleteRelationships", []proto.Message{&v1.DeleteRelationshipsRequest{}}, 0},
		{"delete: empty filter", permissions + "DeleteRelationships", []proto.Message{&v1.DeleteRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{}}}, 0},
		{"delete: wildcard", permissions + "DeleteRelationships", []proto.Message{&v1.DeleteRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{ResourceType: "party", OptionalResourceId: "*"}}}, 0},
		{"delete: limit exceeded", permissions + "DeleteRelationships", []proto.Message{&v1.DeleteRelationshipsRequest{RelationshipFilter: &v1.RelationshipFilter{ResourceType: "folder"}, OptionalLimit: 1}}, 0},

		{"watch: malformed", "WatchService/Watch", []proto.Message{&v1.WatchRequest{OptionalObjectTypes: []string{"A B"}}}, 0},
		{"watch: bad cursor", "WatchService/Watch", []proto.Message{&v1.WatchRequest{OptionalStartCursor: &v1.ZedToken{Token: "bad"}}}, 0},
		{"watch: both filters", "WatchService/Watch", []proto.Message{&v1.WatchRequest{OptionalObjectTypes: []string{"party"}, OptionalRelationshipFilters: []*v1.RelationshipFilter{filter}}}, 0},
		{"watch: unknown definition", "WatchService/Watch", []proto.Message{&v1.WatchRequest{OptionalRelationshipFilters: []*v1.RelationshipFilter{{ResourceType: "ghost"}}}}, 0},
	}
}
