package interceptor_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/emptypb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// contract returns every method of behalf.v1 as the contract has it.
func contract(t *testing.T) []string {
	t.Helper()
	var methods []string
	protoregistry.GlobalFiles.RangeFilesByPackage("behalf.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				methods = append(methods, "/"+string(service.FullName())+"/"+string(service.Methods().Get(j).Name()))
			}
		}
		return true
	})
	if len(methods) < 18 {
		t.Fatalf("the contract has %d methods; are the generated files linked in?", len(methods))
	}
	return methods
}

func TestEveryMethodOfTheContractHasARow(t *testing.T) {
	table, methods := interceptor.BehalfAccess(), contract(t)
	for _, method := range methods {
		if table[method] == (interceptor.Rule{}) {
			t.Errorf("%s has no row", method)
		}
	}
	for method := range table {
		if !slices.Contains(methods, method) {
			t.Errorf("%s has a row and is not in the contract", method)
		}
	}
}

func TestCovers(t *testing.T) {
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	behalfv1.RegisterCallerServiceServer(server, behalfv1.UnimplementedCallerServiceServer{})
	behalfv1.RegisterStoreServiceServer(server, behalfv1.UnimplementedStoreServiceServer{})
	behalfv1.RegisterRegisterServiceServer(server, behalfv1.UnimplementedRegisterServiceServer{})
	whole, err := interceptor.Merge(interceptor.BehalfAccess(), interceptor.PublicAccess())
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Covers(server.GetServiceInfo()); err != nil {
		t.Error(err)
	}
	delete(whole, "/behalf.v1.RegisterService/Import")
	whole["/grpc.health.v1.Health/Check"] = interceptor.Rule{}
	err = whole.Covers(server.GetServiceInfo())
	for _, method := range []string{"/behalf.v1.RegisterService/Import", "/grpc.health.v1.Health/Check"} {
		if err == nil || !strings.Contains(err.Error(), method) {
			t.Errorf("Covers = %v, does not name %s", err, method)
		}
	}
}

func TestMergeRefusesTwoRows(t *testing.T) {
	theirs := interceptor.Scopes(map[string]caller.Scope{"/behalf.v1.CheckService/Check": caller.RelationsRead})
	if _, err := interceptor.Merge(interceptor.BehalfAccess(), theirs); err == nil {
		t.Error("two rows of one method were merged")
	}
}

// anybody says in TestWhoMayCall that a method is open without credentials.
const anybody = "anybody"

// gatewayOnly says that a method is open to the server's own gateway, and to no key.
const gatewayOnly = "gateway"

// TestWhoMayCall says for every method of the contract who gets past access. Handlers that
// are not there answer Unimplemented, messages that are empty InvalidArgument.
func TestWhoMayCall(t *testing.T) {
	f := newFixture(t, nil)
	who := map[string][]string{
		"/behalf.v1.PartyService/ListParties":                     {"user", "behalf:parties.read"},
		"/behalf.v1.PartyService/GetParty":                        {"user", "behalf:parties.read"},
		"/behalf.v1.PartyService/ValidateParty":                   {"user", "behalf:parties.read"},
		"/behalf.v1.PartyService/ListRepresentatives":             {"behalf:parties.read"},
		"/behalf.v1.RoleService/ListRoles":                        {"user", "behalf:roles.read"},
		"/behalf.v1.RoleService/ListCatalogue":                    {"user", "behalf:policy.write", ""},
		"/behalf.v1.CheckService/Check":                           {"user", "behalf:check"},
		"/behalf.v1.CheckService/BulkCheck":                       {"user", "behalf:check"},
		"/behalf.v1.RegisterService/PutParty":                     {"behalf:register.write"},
		"/behalf.v1.RegisterService/DeleteParty":                  {"behalf:register.write"},
		"/behalf.v1.RegisterService/PutAssignment":                {"behalf:register.write"},
		"/behalf.v1.RegisterService/DeleteAssignment":             {"behalf:register.write"},
		"/behalf.v1.RegisterService/Import":                       {"behalf:register.write"},
		"/behalf.v1.RegisterService/JoinPersons":                  {},
		"/behalf.v1.DecisionService/Decide":                       {"user", "behalf:decide"},
		"/behalf.v1.DecisionService/BulkDecide":                   {"user", "behalf:decide"},
		"/behalf.v1.DecisionService/DecideXACML":                  {"user", ""},
		"/behalf.v1.EvaluationService/Evaluate":                   {"user", "behalf:decide"},
		"/behalf.v1.EvaluationService/BulkEvaluate":               {"user", "behalf:decide"},
		"/behalf.v1.EvaluationService/SearchSubjects":             {"behalf:decide"},
		"/behalf.v1.EvaluationService/SearchResources":            {"user", "behalf:decide"},
		"/behalf.v1.EvaluationService/SearchActions":              {"user", "behalf:decide"},
		"/behalf.v1.InformationService/PutInstance":               {"behalf:register.write"},
		"/behalf.v1.InformationService/DeleteInstance":            {"behalf:register.write"},
		"/behalf.v1.InformationService/ListInstances":             {"behalf:register.write"},
		"/behalf.v1.InformationService/PutEstateRole":             {"behalf:register.write"},
		"/behalf.v1.InformationService/DeleteEstateRole":          {"behalf:register.write"},
		"/behalf.v1.InformationService/ListEstateRoles":           {"behalf:register.write"},
		"/behalf.v1.AuditService/ListAuditRecords":                {"behalf:audit.read"},
		"/behalf.v1.CallerService/GetCaller":                      {"user", "behalf:decide", ""},
		"/behalf.v1.CallerService/CreateAPIKey":                   {},
		"/behalf.v1.CallerService/ListAPIKeys":                    {},
		"/behalf.v1.CallerService/RevokeAPIKey":                   {},
		"/behalf.v1.PolicyService/PutPolicy":                      {"behalf:policy.write"},
		"/behalf.v1.PolicyService/RollbackPolicy":                 {"behalf:policy.write"},
		"/behalf.v1.PolicyService/DeletePolicy":                   {"behalf:policy.write"},
		"/behalf.v1.PolicyService/ValidatePolicy":                 {"behalf:policy.write", "behalf:decide"},
		"/behalf.v1.PolicyService/GetPolicy":                      {"behalf:policy.write", "behalf:decide"},
		"/behalf.v1.PolicyService/ListPolicies":                   {"behalf:policy.write", "behalf:decide"},
		"/behalf.v1.PolicyService/ListPolicyHistory":              {"behalf:policy.write", "behalf:decide"},
		"/behalf.v1.PolicyService/ListPolicyRoles":                {anybody},
		"/behalf.v1.PolicyService/DescribePolicy":                 {anybody},
		"/behalf.v1.AuthorizedPartyService/ListAuthorizedParties": {"user", ""},
		"/behalf.v1.DelegationService/GrantRight":                 {"user", "behalf:delegation.write"},
		"/behalf.v1.DelegationService/GrantPackage":               {"user", "behalf:delegation.write"},
		"/behalf.v1.DelegationService/GrantClientPackage":         {"user", "behalf:delegation.write"},
		"/behalf.v1.DelegationService/RevokeDelegation":           {"user", "behalf:delegation.write"},
		"/behalf.v1.DelegationService/ListDelegations":            {"user", "behalf:delegation.write"},
		"/behalf.v1.DelegationService/CheckDelegation":            {"user", "behalf:delegation.write"},
		"/behalf.v1.RegistryService/PutSystemUser":                {"behalf:register.write"},
		"/behalf.v1.RegistryService/GetSystemUser":                {"behalf:parties.read"},
		"/behalf.v1.RegistryService/ListSystemUsers":              {"behalf:parties.read"},
		"/behalf.v1.RegistryService/DeleteSystemUser":             {"behalf:register.write"},
		"/behalf.v1.RegistryService/PutAccessList":                {"behalf:register.write"},
		"/behalf.v1.RegistryService/ChangeAccessListMembers":      {"behalf:register.write"},
		"/behalf.v1.RegistryService/GetAccessList":                {"behalf:parties.read"},
		"/behalf.v1.RegistryService/ListAccessLists":              {"behalf:parties.read"},
		"/behalf.v1.RegistryService/DeleteAccessList":             {"behalf:register.write"},
		"/behalf.v1.RegistryService/AuthorizeByAccessList":        {"behalf:parties.read"},
		"/behalf.v1.RegistryService/PutResource":                  {"behalf:register.write"},
		"/behalf.v1.RegistryService/GetResource":                  {"behalf:parties.read"},
		"/behalf.v1.RegistryService/ListResources":                {"behalf:parties.read"},
		"/behalf.v1.RegistryService/DeleteResource":               {"behalf:register.write"},
		"/behalf.v1.EnforcementService/Authorize":                 {gatewayOnly},
		"/behalf.v1.SessionService/ListLoginProviders":            {gatewayOnly},
		"/behalf.v1.SessionService/BeginLogin":                    {gatewayOnly},
		"/behalf.v1.SessionService/FinishLogin":                   {gatewayOnly},
		"/behalf.v1.SessionService/GetSession":                    {gatewayOnly},
		"/behalf.v1.SessionService/ListSessionParties":            {gatewayOnly},
		"/behalf.v1.SessionService/ChooseSessionParty":            {gatewayOnly},
		"/behalf.v1.SessionService/EndSession":                    {gatewayOnly},
		"/behalf.v1.IdentityService/ListIdentities":               {},
		"/behalf.v1.IdentityService/LinkIdentity":                 {},
		"/behalf.v1.IdentityService/UnlinkIdentity":               {},
		"/behalf.v1.SessionService/EndProviderSessions":           {gatewayOnly},
		"/behalf.v1.StoreService/Backup":                          {},
		"/behalf.v1.StoreService/DiffSchema":                      {},
		"/behalf.v1.StoreService/ApplySchema":                     {},
		"/behalf.v1.StoreService/Export":                          {},
	}
	scopes := []string{""}
	for _, s := range caller.Scopes {
		scopes = append(scopes, string(s))
	}
	server := grpc.NewServer(f.options...)
	behalfv1.RegisterPartyServiceServer(server, behalfv1.UnimplementedPartyServiceServer{})
	behalfv1.RegisterRoleServiceServer(server, behalfv1.UnimplementedRoleServiceServer{})
	behalfv1.RegisterCheckServiceServer(server, behalfv1.UnimplementedCheckServiceServer{})
	behalfv1.RegisterRegisterServiceServer(server, behalfv1.UnimplementedRegisterServiceServer{})
	behalfv1.RegisterCallerServiceServer(server, behalfv1.UnimplementedCallerServiceServer{})
	behalfv1.RegisterStoreServiceServer(server, behalfv1.UnimplementedStoreServiceServer{})
	behalfv1.RegisterPolicyServiceServer(server, behalfv1.UnimplementedPolicyServiceServer{})
	conn := serve(t, server)
	call := func(who string, method string) codes.Code {
		ctx := f.asUser(t)
		if who != "user" {
			ctx = f.asService(t, who)
		}
		return status.Code(conn.Invoke(ctx, method, &emptypb.Empty{}, &emptypb.Empty{}))
	}
	for _, method := range contract(t) {
		open, listed := who[method]
		if !listed {
			t.Errorf("%s is not in this test", method)
			continue
		}
		code := status.Code(conn.Invoke(t.Context(), method, &emptypb.Empty{}, &emptypb.Empty{}))
		if public := slices.Contains(open, anybody); (code == codes.Unauthenticated) == public {
			t.Errorf("%s without credentials: %s", method, code)
		} else if public {
			continue
		}
		anyService := slices.Contains(open, "")
		for _, s := range append([]string{"user"}, scopes...) {
			may := slices.Contains(open, s) || s == string(caller.Admin) && !slices.Contains(open, gatewayOnly) || anyService && s != "user"
			if code := call(s, method); (code == codes.PermissionDenied) == may || code == codes.Unauthenticated {
				t.Errorf("%s as %q: %s, may call is %v", method, s, code, may)
			}
		}
	}
}

// TestDesignerPutsPolicies lets the platform's designer put policies, which it says it is by
// a claim and not by a scope, and nothing else.
func TestDesignerPutsPolicies(t *testing.T) {
	f := newFixture(t, nil)
	server := grpc.NewServer(f.options...)
	behalfv1.RegisterPolicyServiceServer(server, behalfv1.UnimplementedPolicyServiceServer{})
	conn := serve(t, server)
	for _, c := range []struct {
		method string
		claims map[string]any
		denied bool
	}{
		{"PutPolicy", map[string]any{"urn:altinn:app": "studio.designer"}, false},
		{"PutPolicy", map[string]any{"urn:altinn:app": "storage"}, true},
		{"PutPolicy", map[string]any{"urn:altinn:org": "studio.designer"}, true},
		{"PutPolicy", map[string]any{"urn:altinn:app": "studio.designer", "urn:altinn:userid": 7}, true},
		{"DeletePolicy", map[string]any{"urn:altinn:app": "studio.designer"}, true},
		{"GetPolicy", map[string]any{"urn:altinn:app": "studio.designer"}, true},
	} {
		err := conn.Invoke(f.as(t, c.claims), "/behalf.v1.PolicyService/"+c.method, &emptypb.Empty{}, &emptypb.Empty{})
		if code := status.Code(err); (code == codes.PermissionDenied) != c.denied || code == codes.Unauthenticated {
			t.Errorf("%s by %v: %v", c.method, c.claims, err)
		}
	}
}
