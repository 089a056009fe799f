package authzed

import (
	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/behalf-authz/behalf/server/internal/caller"
)

// Scopes returns the scope that each method needs, for every method of the four services.
// No method is open to end users.
func Scopes() map[string]caller.Scope {
	scopes := map[string]caller.Scope{
		v1.SchemaService_WriteSchema_FullMethodName: caller.SchemaWrite,
	}
	for _, method := range []string{
		v1.PermissionsService_WriteRelationships_FullMethodName,
		v1.PermissionsService_DeleteRelationships_FullMethodName,
		v1.PermissionsService_ImportBulkRelationships_FullMethodName,
		v1.ExperimentalService_BulkImportRelationships_FullMethodName,
		v1.ExperimentalService_ExperimentalRegisterRelationshipCounter_FullMethodName,
		v1.ExperimentalService_ExperimentalUnregisterRelationshipCounter_FullMethodName,
	} {
		scopes[method] = caller.RelationsWrite
	}
	for _, method := range []string{
		v1.PermissionsService_ReadRelationships_FullMethodName,
		v1.PermissionsService_CheckPermission_FullMethodName,
		v1.PermissionsService_CheckBulkPermissions_FullMethodName,
		v1.PermissionsService_ExpandPermissionTree_FullMethodName,
		v1.PermissionsService_LookupResources_FullMethodName,
		v1.PermissionsService_LookupSubjects_FullMethodName,
		v1.PermissionsService_ExportBulkRelationships_FullMethodName,
		v1.SchemaService_ReadSchema_FullMethodName,
		v1.SchemaService_ReflectSchema_FullMethodName,
		v1.SchemaService_ComputablePermissions_FullMethodName,
		v1.SchemaService_DependentRelations_FullMethodName,
		v1.SchemaService_DiffSchema_FullMethodName,
		v1.WatchService_Watch_FullMethodName,
		v1.ExperimentalService_BulkExportRelationships_FullMethodName,
		v1.ExperimentalService_BulkCheckPermission_FullMethodName,
		v1.ExperimentalService_ExperimentalReflectSchema_FullMethodName,
		v1.ExperimentalService_ExperimentalComputablePermissions_FullMethodName,
		v1.ExperimentalService_ExperimentalDependentRelations_FullMethodName,
		v1.ExperimentalService_ExperimentalDiffSchema_FullMethodName,
		v1.ExperimentalService_ExperimentalCountRelationships_FullMethodName,
	} {
		scopes[method] = caller.RelationsRead
	}
	return scopes
}
