package interceptor

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// BehalfAccess returns the table of behalf.v1.
func BehalfAccess() Access {
	return Access{
		behalfv1.PartyService_ListParties_FullMethodName:         UserOr(caller.PartiesRead),
		behalfv1.PartyService_GetParty_FullMethodName:            UserOr(caller.PartiesRead),
		behalfv1.PartyService_ValidateParty_FullMethodName:       UserOr(caller.PartiesRead),
		behalfv1.PartyService_ListRepresentatives_FullMethodName: ServiceScope(caller.PartiesRead),

		behalfv1.RoleService_ListRoles_FullMethodName:     UserOr(caller.RolesRead),
		behalfv1.RoleService_ListCatalogue_FullMethodName: AnyCaller(),

		behalfv1.CheckService_Check_FullMethodName:     UserOr(caller.Check),
		behalfv1.CheckService_BulkCheck_FullMethodName: UserOr(caller.Check),

		behalfv1.RegisterService_PutParty_FullMethodName:         ServiceScope(caller.RegisterWrite),
		behalfv1.RegisterService_DeleteParty_FullMethodName:      ServiceScope(caller.RegisterWrite),
		behalfv1.RegisterService_PutAssignment_FullMethodName:    ServiceScope(caller.RegisterWrite),
		behalfv1.RegisterService_DeleteAssignment_FullMethodName: ServiceScope(caller.RegisterWrite),
		behalfv1.RegisterService_Import_FullMethodName:           ServiceScope(caller.RegisterWrite),
		// Joining two persons gives one the rights of the other.
		behalfv1.RegisterService_JoinPersons_FullMethodName: ServiceScope(caller.Admin),

		behalfv1.PolicyService_PutPolicy_FullMethodName:         ScopeOrApp(caller.PolicyWrite, caller.AppDesigner),
		behalfv1.PolicyService_RollbackPolicy_FullMethodName:    ServiceScope(caller.PolicyWrite),
		behalfv1.PolicyService_DeletePolicy_FullMethodName:      ServiceScope(caller.PolicyWrite),
		behalfv1.PolicyService_ValidatePolicy_FullMethodName:    EitherScope(caller.PolicyWrite, caller.Decide),
		behalfv1.PolicyService_GetPolicy_FullMethodName:         EitherScope(caller.Decide, caller.PolicyWrite),
		behalfv1.PolicyService_ListPolicies_FullMethodName:      EitherScope(caller.Decide, caller.PolicyWrite),
		behalfv1.PolicyService_ListPolicyHistory_FullMethodName: EitherScope(caller.Decide, caller.PolicyWrite),
		// Which roles give access to a service is public, as at Altinn: people look there
		// for what they have to ask for.
		behalfv1.PolicyService_ListPolicyRoles_FullMethodName: Public(),
		behalfv1.PolicyService_DescribePolicy_FullMethodName:  Public(),

		behalfv1.DecisionService_Decide_FullMethodName:     UserOr(caller.Decide),
		behalfv1.DecisionService_BulkDecide_FullMethodName: UserOr(caller.Decide),
		// Which scope it needs depends on the door, so the service looks.
		behalfv1.DecisionService_DecideXACML_FullMethodName: AnyCaller(),

		behalfv1.EvaluationService_Evaluate_FullMethodName:        UserOr(caller.Decide),
		behalfv1.EvaluationService_BulkEvaluate_FullMethodName:    UserOr(caller.Decide),
		behalfv1.EvaluationService_SearchSubjects_FullMethodName:  ServiceScope(caller.Decide),
		behalfv1.EvaluationService_SearchResources_FullMethodName: UserOr(caller.Decide),
		behalfv1.EvaluationService_SearchActions_FullMethodName:   UserOr(caller.Decide),

		// Who may ask about whom, the service looks at.
		behalfv1.AuthorizedPartyService_ListAuthorizedParties_FullMethodName: AnyCaller(),

		behalfv1.RegistryService_PutSystemUser_FullMethodName:           ServiceScope(caller.RegisterWrite),
		behalfv1.RegistryService_GetSystemUser_FullMethodName:           ServiceScope(caller.PartiesRead),
		behalfv1.RegistryService_ListSystemUsers_FullMethodName:         ServiceScope(caller.PartiesRead),
		behalfv1.RegistryService_DeleteSystemUser_FullMethodName:        ServiceScope(caller.RegisterWrite),
		behalfv1.RegistryService_PutAccessList_FullMethodName:           ServiceScope(caller.RegisterWrite),
		behalfv1.RegistryService_ChangeAccessListMembers_FullMethodName: ServiceScope(caller.RegisterWrite),
		behalfv1.RegistryService_GetAccessList_FullMethodName:           ServiceScope(caller.PartiesRead),
		behalfv1.RegistryService_ListAccessLists_FullMethodName:         ServiceScope(caller.PartiesRead),
		behalfv1.RegistryService_DeleteAccessList_FullMethodName:        ServiceScope(caller.RegisterWrite),
		behalfv1.RegistryService_AuthorizeByAccessList_FullMethodName:   ScopeOrPlatform(caller.PartiesRead),
		behalfv1.RegistryService_PutResource_FullMethodName:             ServiceScope(caller.RegisterWrite),
		behalfv1.RegistryService_GetResource_FullMethodName:             ServiceScope(caller.PartiesRead),
		behalfv1.RegistryService_ListResources_FullMethodName:           ServiceScope(caller.PartiesRead),
		behalfv1.RegistryService_DeleteResource_FullMethodName:          ServiceScope(caller.RegisterWrite),

		// What an end user may give, take back and see, the service asks for each party.
		behalfv1.DelegationService_GrantRight_FullMethodName:         UserOr(caller.DelegationWrite),
		behalfv1.DelegationService_GrantPackage_FullMethodName:       UserOr(caller.DelegationWrite),
		behalfv1.DelegationService_GrantClientPackage_FullMethodName: UserOr(caller.DelegationWrite),
		behalfv1.DelegationService_RevokeDelegation_FullMethodName:   UserOr(caller.DelegationWrite),
		behalfv1.DelegationService_ListDelegations_FullMethodName:    UserOr(caller.DelegationWrite),
		behalfv1.DelegationService_CheckDelegation_FullMethodName:    UserOr(caller.DelegationWrite),

		behalfv1.InformationService_PutInstance_FullMethodName:      ServiceScope(caller.RegisterWrite),
		behalfv1.InformationService_DeleteInstance_FullMethodName:   ServiceScope(caller.RegisterWrite),
		behalfv1.InformationService_ListInstances_FullMethodName:    ServiceScope(caller.RegisterWrite),
		behalfv1.InformationService_PutEstateRole_FullMethodName:    ServiceScope(caller.RegisterWrite),
		behalfv1.InformationService_DeleteEstateRole_FullMethodName: ServiceScope(caller.RegisterWrite),
		behalfv1.InformationService_ListEstateRoles_FullMethodName:  ServiceScope(caller.RegisterWrite),

		behalfv1.EnforcementService_Authorize_FullMethodName: GatewayOnly(),

		behalfv1.AuditService_ListAuditRecords_FullMethodName: ServiceScope(caller.AuditRead),

		behalfv1.CallerService_GetCaller_FullMethodName:    AnyCaller(),
		behalfv1.CallerService_CreateAPIKey_FullMethodName: ServiceScope(caller.Admin),
		behalfv1.CallerService_ListAPIKeys_FullMethodName:  ServiceScope(caller.Admin),
		behalfv1.CallerService_RevokeAPIKey_FullMethodName: ServiceScope(caller.Admin),

		// What browsers bring is told by the gateway alone.
		behalfv1.SessionService_ListLoginProviders_FullMethodName:  GatewayOnly(),
		behalfv1.SessionService_BeginLogin_FullMethodName:          GatewayOnly(),
		behalfv1.SessionService_FinishLogin_FullMethodName:         GatewayOnly(),
		behalfv1.SessionService_GetSession_FullMethodName:          GatewayOnly(),
		behalfv1.SessionService_ListSessionParties_FullMethodName:  GatewayOnly(),
		behalfv1.SessionService_ChooseSessionParty_FullMethodName:  GatewayOnly(),
		behalfv1.SessionService_EndSession_FullMethodName:          GatewayOnly(),
		behalfv1.SessionService_EndProviderSessions_FullMethodName: GatewayOnly(),

		// Who says which user a login is gives it the rights of that user.
		behalfv1.IdentityService_ListIdentities_FullMethodName: ServiceScope(caller.Admin),
		behalfv1.IdentityService_LinkIdentity_FullMethodName:   ServiceScope(caller.Admin),
		behalfv1.IdentityService_UnlinkIdentity_FullMethodName: ServiceScope(caller.Admin),

		behalfv1.StoreService_Backup_FullMethodName: ServiceScope(caller.Admin),
		behalfv1.StoreService_Export_FullMethodName: ServiceScope(caller.Admin),
		// A schema says what every right follows from.
		behalfv1.StoreService_DiffSchema_FullMethodName:  ServiceScope(caller.Admin),
		behalfv1.StoreService_ApplySchema_FullMethodName: ServiceScope(caller.Admin),
	}
}

// PublicAccess returns the table of health and reflection. Both are public: the one is for
// machines without credentials, the other tells only what the published contracts tell.
func PublicAccess() Access {
	a := make(Access)
	for _, service := range []grpc.ServiceDesc{
		grpc_health_v1.Health_ServiceDesc,
		grpc_reflection_v1.ServerReflection_ServiceDesc,
		grpc_reflection_v1alpha.ServerReflection_ServiceDesc,
	} {
		rule := Public()
		if service.ServiceName == grpc_health_v1.Health_ServiceDesc.ServiceName {
			rule = Uncounted() // a probe that is refused has a server restarted that is merely busy
		}
		for _, m := range service.Methods {
			a["/"+service.ServiceName+"/"+m.MethodName] = rule
		}
		for _, s := range service.Streams {
			a["/"+service.ServiceName+"/"+s.StreamName] = rule
		}
	}
	return a
}
