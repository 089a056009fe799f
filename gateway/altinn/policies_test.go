package altinn_test

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/internal/standin"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// TestUploadFails answers uploads that the services refuse or cannot store as Altinn does.
// The token of a service has no scope, so that nothing but an admin's gets through.
func TestUploadFails(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	for _, c := range []struct {
		token  string
		fault  error
		status int
		body   string // with … its beginning
	}{
		{"Authorization: Bearer policies", nil, 200, ""},
		{"Authorization: Bearer policies", standin.Fault(codes.InvalidArgument, "POLICY_INVALID", "the policy is not valid: line 7"), 400, "the policy is not valid: line 7"},
		{"Authorization: Bearer policies", standin.Fault(codes.FailedPrecondition, "ETAG_MISMATCH", "another is current"), 400, "another is current"},
		{"Authorization: Bearer policies", standin.Fault(codes.Unavailable, "UNAVAILABLE", "the store is away"), 400, "Something went wrong in the upload of file to storage"},
		{"Authorization: Bearer policies", standin.Fault(codes.ResourceExhausted, "UNAVAILABLE", "the disk is full"), 400, "Something went wrong in the upload of file to storage"},
		{"Authorization: Bearer policies", standin.Fault(codes.PermissionDenied, "SCOPE_MISSING", "no"), 403, ""},
		{"Authorization: Bearer policies", standin.Fault(codes.Internal, "INTERNAL", "secret"), 500, `{"type":"https://tools.ietf.org/html/rfc9110#section-15.6.1"…`},
		{"Authorization: Bearer service", nil, 403, ""},
		{"Authorization: Bearer user-7", nil, 403, ""},
		{"X-Nobody: 1", nil, 401, ""},
	} {
		services.Answer = func(string, proto.Message) (proto.Message, error) { return &behalfv1.PutPolicyResponse{}, c.fault }
		got := standin.Do(t, srv, "POST "+api+"/policies?org=o&app=a", "<Policy/>", c.token)
		beginning, more := strings.CutSuffix(c.body, "…")
		if got.Status != c.status || !more && got.Body != c.body || !strings.HasPrefix(got.Body, beginning) || strings.Contains(got.Body, "secret") {
			t.Errorf("%v by %q: %d %q, want %d %q", c.fault, c.token, got.Status, got.Body, c.status, c.body)
		}
	}
	before := len(services.Calls())
	for _, target := range []string{"/policies?org=o&app=", "/policies?org=&app=a", "/policies"} {
		if got := standin.Do(t, srv, "POST "+api+target, "<Policy/>", "Authorization: Bearer policies"); got.Status != 400 {
			t.Errorf("%s: %d", target, got.Status)
		}
	}
	if calls := services.Calls()[before:]; len(calls) != 0 {
		t.Errorf("calls reached the services: %v", calls)
	}
}

// TestDescriptions gives each app that is asked about an answer of its own, whatever is
// wrong with the others, and fails when the services do.
func TestDescriptions(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = func(_ string, request proto.Message) (proto.Message, error) {
		switch r, _ := request.(*behalfv1.DescribePolicyRequest); r.GetRef().GetApp() {
		case "none":
			return nil, standin.Fault(codes.NotFound, "POLICY_NOT_FOUND", "none")
		case "broken":
			return nil, standin.Fault(codes.FailedPrecondition, "POLICY_INVALID", "broken")
		case "away":
			return nil, standin.Fault(codes.Unavailable, "UNAVAILABLE", "away")
		}
		action := func(name string, delegable bool) *behalfv1.PolicyAction {
			return &behalfv1.PolicyAction{Attribute: &behalfv1.PolicyAttribute{Value: name}, Roles: []string{"DAGL"}, Delegable: delegable}
		}
		return &behalfv1.DescribePolicyResponse{
			MinimumAuthenticationLevel: 3,
			Resources:                  []*behalfv1.PolicyResource{{Actions: []*behalfv1.PolicyAction{action("read", true), action("sign", false)}}},
		}, nil
	}
	app := func(name string) string {
		return `[{"Id":"urn:altinn:org","VALUE":"skd"},{"id":"urn:altinn:app","value":"` + name + `"}]`
	}
	got := standin.Do(t, srv, "POST "+api+"/policies/GetPolicies?language=nb", "["+app("none")+","+app("there")+","+app("broken")+",[]]")
	var answers []struct {
		AppID                      []map[string]string
		ResourcePolicies           *[]any
		MinimumAuthenticationLevel int
		ErrorResponse              string
	}
	if err := json.Unmarshal([]byte(got.Body), &answers); err != nil || got.Status != 200 || len(answers) != 4 {
		t.Fatalf("%d %s: %v", got.Status, got.Body, err)
	}
	for i, want := range []struct {
		there bool
		err   string
	}{
		{false, "No valid policy found for org 'skd' and app 'none'"}, {true, ""},
		{false, "No valid policy found for org 'skd' and app 'broken'"}, {false, "Organisation must be defined in the path"},
	} {
		if a := answers[i]; (a.ResourcePolicies != nil) != want.there || a.ErrorResponse != want.err || (a.MinimumAuthenticationLevel == 3) != want.there {
			t.Errorf("answer %d: %+v", i, a)
		}
	}
	for _, want := range []string{
		`"title":"read","roleGrants":[{"roleTypeCode":"DAGL","isDelegable":true}]`,
		`"title":"sign","roleGrants":[{"roleTypeCode":"DAGL","isDelegable":false}]`,
	} {
		if !strings.Contains(got.Body, want) {
			t.Errorf("lacks %s: %s", want, got.Body)
		}
	}
	if got := standin.Do(t, srv, "POST "+api+"/policies/GetPolicies", "["+app("there")+","+app("away")+"]"); got.Status != 503 {
		t.Errorf("services away: %d %s", got.Status, got.Body)
	}
	for _, body := range []string{"", "{}", `[[{"id":7}]]`, "[" + strings.Repeat("[],", 500) + "[]]"} {
		if got := standin.Do(t, srv, "POST "+api+"/policies/GetPolicies", body); got.Status != 400 || !strings.Contains(got.Body, `"$"`) {
			t.Errorf("%.20s: %d %s", body, got.Status, got.Body)
		}
	}
}
