package altinn_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/internal/standin"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// TestARequestIsOneCall has every request count once against its caller's rate: what says who calls
// is the call that is counted, where the services are asked that first.
func TestARequestIsOneCall(t *testing.T) {
	app := `[{"id":"urn:altinn:org","value":"skd"},{"id":"urn:altinn:app","value":"a"}]`
	for _, c := range []struct {
		request, body string
		calls         int // beside that which says who calls
		counted       int // of them
	}{
		{"GET " + api + "/parties?userid=20000490", "", 1, 0},
		{"GET " + api + "/parties/50002598/validate?userid=20000490", "", 1, 0},
		{"GET " + api + "/roles?coveredByUserId=20000490&offeredByPartyId=50002598", "", 1, 0},
		{"GET " + api + "/policies/roleswithaccess/skd/a", "", 1, 1},
		{"POST " + api + "/policies/GetPolicies", "[" + app + "]", 1, 1},
		{"POST " + api + "/policies/GetPolicies", "[[]," + app + "," + app + ",[]," + app + "]", 3, 1},
		{"POST " + api + "/authorize", `{"Request":{}}`, 1, 1},
		{"POST " + api + "/decision", `{"Request":{}}`, 1, 1},
	} {
		services, srv := standin.Gateway(t, nil)
		services.Answer = func(method string, request proto.Message) (proto.Message, error) {
			switch method {
			case "ListPolicyRoles":
				return &behalfv1.ListPolicyRolesResponse{}, nil
			case "DescribePolicy":
				return &behalfv1.DescribePolicyResponse{}, nil
			case "DecideXACML":
				return &behalfv1.DecideXACMLResponse{Body: []byte("{}"), ContentType: "application/json"}, nil
			}
			return onePartyOneRole(method, request)
		}
		got := standin.Do(t, srv, c.request, c.body, bearer)
		if got.Status != 200 {
			t.Errorf("%s: %d %s", c.request, got.Status, got.Body)
		}
		counted := 0
		for n, call := range services.Calls() {
			is := len(call.Metadata.Get(event.UncountedKey)) == 0
			if is {
				counted++
			}
			if is && n > 0 {
				t.Errorf("%s: call %d is counted, and those before it too", c.request, n)
			}
		}
		if n := len(services.Calls()); n != c.calls || counted != c.counted {
			t.Errorf("%s %s: %d of %d calls are counted, want %d of %d", c.request, strings.TrimSpace(c.body), counted, n, c.counted, c.calls)
		}
	}
}
