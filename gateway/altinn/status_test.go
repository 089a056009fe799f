package altinn_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/internal/standin"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

const (
	api    = "/authorization/api/v1"
	bearer = "Authorization: Bearer user-20000490"
	cookie = "Cookie: AltinnStudioRuntime=user-20000490"
)

// onePartyOneRole answers as for a user who has one of each.
func onePartyOneRole(method string, _ proto.Message) (proto.Message, error) {
	switch method {
	case "ListParties":
		return &behalfv1.ListPartiesResponse{Parties: []*behalfv1.Party{{PartyId: 1}}, TotalSize: 1}, nil
	case "ListRoles":
		return &behalfv1.ListRolesResponse{Roles: []*behalfv1.HeldRole{{Code: "DAGL"}}}, nil
	}
	return &behalfv1.ValidatePartyResponse{MayRepresent: true}, nil
}

// The rows are in the order in which Altinn decides; each is wrong in all that comes later.
var statusRows = []struct {
	name, target string
	credentials  bool
	status       int
}{
	{"parties: no token", "/parties?userid=abc", false, 401},
	{"parties: not a number", "/parties?userid=abc", true, 400},
	{"parties: empty number", "/parties?userid=", true, 400},
	{"parties: more than 32 bits", "/parties?userid=2147483648", true, 400},
	{"parties: userid missing", "/parties", true, 404},
	{"parties: userid 0", "/parties?userid=0", true, 404},
	{"parties: another's", "/parties?userid=20000491", true, 403},
	{"parties: negative", "/parties?userid=-1", true, 403},
	{"parties: his own", "/parties?userid=20000490", true, 200},
	{"parties: name in another case", "/parties?UserId=20000490", true, 200},
	{"parties: first of two, whatever their case", "/parties?userID=20000490&userid=1", true, 200},
	{"parties: first of two is another's", "/parties?userid=1&userid=20000490", true, 403},
	{"parties: path in another case", "/Parties/?userid=20000490", true, 200},

	{"validate: no token", "/parties/abc/validate?userid=abc", false, 401},
	{"validate: party not a number", "/parties/abc/validate", true, 400},
	{"validate: userid not a number", "/parties/0/validate?userid=1.5", true, 400},
	{"validate: userid missing", "/parties/50002598/validate", true, 404},
	{"validate: userid 0", "/parties/50002598/validate?userid=0", true, 404},
	{"validate: party 0, and another's", "/parties/0/validate?userid=20000491", true, 404},
	{"validate: another's", "/parties/50002598/validate?userid=20000491", true, 403},
	{"validate: his own", "/parties/50002598/validate?userid=20000490", true, 200},
	{"validate: a number no party has", "/parties/-5/validate?userid=20000490", true, 200},

	{"roles: no token", "/roles?coveredByUserId=abc", false, 401},
	{"roles: not a number", "/roles?coveredByUserId=1&offeredByPartyId=x", true, 400},
	{"roles: user missing, and party too", "/roles", true, 403},
	{"roles: user 0", "/roles?coveredByUserId=0&offeredByPartyId=0", true, 403},
	{"roles: another's, and party missing", "/roles?coveredByUserId=20000491", true, 403},
	{"roles: party missing", "/roles?coveredByUserId=20000490", true, 400},
	{"roles: party 0", "/roles?coveredByUserId=20000490&offeredByPartyId=0", true, 400},
	{"roles: a number no party has", "/roles?coveredByUserId=20000490&offeredByPartyId=-5", true, 404},
	{"roles: his own", "/roles?coveredByUserId=20000490&offeredByPartyId=50002598", true, 200},
	{"roles: names in another case", "/roles?COVEREDBYUSERID=20000490&offeredbypartyid=50002598", true, 200},
}

func TestStatusesInTheirOrder(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = onePartyOneRole
	for _, row := range statusRows {
		for _, credentials := range []string{bearer, cookie} {
			kind, _, _ := strings.Cut(credentials, ":")
			t.Run(row.name+" by "+kind, func(t *testing.T) {
				headers := []string{}
				if row.credentials {
					headers = append(headers, credentials)
				}
				got := standin.Do(t, srv, "GET "+api+row.target, "", headers...)
				if got.Status != row.status {
					t.Fatalf("status %d, want %d; body %s", got.Status, row.status, got.Body)
				}
				if refused := row.status == 401 || row.status == 403 || row.status == 404; refused != (got.Body == "") {
					t.Errorf("status %d with body %q", got.Status, got.Body)
				}
				if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("headers %v", got.Header)
				}
			})
		}
	}
}

func TestNothingToList(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = func(method string, _ proto.Message) (proto.Message, error) {
		if method == "ListParties" {
			return &behalfv1.ListPartiesResponse{}, nil
		}
		return &behalfv1.ListRolesResponse{}, nil
	}
	for _, target := range []string{"/parties?userid=20000490", "/roles?coveredByUserId=20000490&offeredByPartyId=50002598"} {
		if got := standin.Do(t, srv, "GET "+api+target, "", bearer); got.Status != 404 || got.Body != "" {
			t.Errorf("%s: status %d, body %q, want an empty 404", target, got.Status, got.Body)
		}
	}
	got := standin.Do(t, srv, "GET "+api+"/parties?userid=20000490&cursor=x", "", bearer)
	if got.Status != 200 || got.Body != "[]" {
		t.Errorf("an empty page behind the first: status %d, body %q", got.Status, got.Body)
	}
}

// A service has no user, so on these paths it may ask about nobody, whatever its scopes.
func TestServicesAreRefused(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = onePartyOneRole
	for target, want := range map[string]int{
		"/parties?userid=20000490":                                   403,
		"/parties?userid=0":                                          404,
		"/parties/50002598/validate?userid=20000490":                 403,
		"/roles?coveredByUserId=20000490&offeredByPartyId=50002598":  403,
		"/roles?coveredByUserId=0&offeredByPartyId=50002598":         403,
		"/roles?offeredByPartyId=50002598":                           403,
		"/parties/50002598/validate?userid=0":                        404,
		"/parties/50002598/validate":                                 404,
		"/parties/50002598/validate?userid=20000490&userid=20000490": 403,
	} {
		if got := standin.Do(t, srv, "GET "+api+target, "", "Authorization: Bearer service"); got.Status != want {
			t.Errorf("%s: status %d, want %d", target, got.Status, want)
		}
	}
	if calls := services.Calls(); len(calls) != 0 {
		t.Errorf("refused calls reached the services: %v", calls)
	}
}

func TestChallenge(t *testing.T) {
	_, srv := standin.Gateway(t, nil)
	for want, header := range map[string]string{
		"Bearer":                         "X-Nothing: x",
		`Bearer error="invalid_token"`:   "Authorization: Bearer expired",
		`Bearer error="invalid_token" `:  "Cookie: AltinnStudioRuntime=expired",
		`Bearer error="invalid_token"  `: "Authorization: Basic dXNlcjpwYXNz",
	} {
		got := standin.Do(t, srv, "GET "+api+"/parties?userid=1", "", header)
		if challenge := got.Header.Get("WWW-Authenticate"); got.Status != 401 || challenge != strings.TrimSpace(want) {
			t.Errorf("%s: status %d, challenge %q, want %q", header, got.Status, challenge, want)
		}
	}
}

func TestHeaderWinsOverCookie(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = onePartyOneRole
	got := standin.Do(t, srv, "GET "+api+"/parties?userid=7", "", "Authorization: Bearer user-7", cookie)
	if got.Status != 200 {
		t.Errorf("status %d, want that of the header's user", got.Status)
	}
	if got := standin.Do(t, srv, "GET "+api+"/parties?userid=20000490", "", "Authorization: Bearer expired", cookie); got.Status != 401 {
		t.Errorf("status %d: a bad header fell back to the cookie", got.Status)
	}
}

func TestInvalidParameterBody(t *testing.T) {
	_, srv := standin.Gateway(t, nil)
	got := standin.Do(t, srv, "GET "+api+"/parties?userid=abc", "", bearer, "X-Request-Id: trace-1")
	want := `{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"One or more validation errors occurred.",` +
		`"status":400,"errors":{"userid":["The value 'abc' is not valid."]},"traceId":"trace-1"}`
	if got.Body != want || got.Header.Get("Content-Type") != "application/problem+json; charset=utf-8" {
		t.Errorf("%s\n%s\nwant\n%s", got.Header.Get("Content-Type"), got.Body, want)
	}
}

func TestFaultsOfTheServices(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	const secret = "/var/lib/behalf/records.db: disk I/O error"
	for code := codes.Code(1); code <= codes.Unauthenticated; code++ {
		services.Answer = func(string, proto.Message) (proto.Message, error) { return nil, status.Error(code, secret) }
		want := map[codes.Code]int{
			codes.Canceled: 499, codes.InvalidArgument: 400, codes.DeadlineExceeded: 504, codes.NotFound: 404, codes.PermissionDenied: 403,
			codes.ResourceExhausted: 429, codes.Unavailable: 503, codes.Unauthenticated: 401,
		}[code]
		if want == 0 {
			want = 500
		}
		got := standin.Do(t, srv, "GET "+api+"/parties?userid=20000490", "", bearer)
		if got.Status != want {
			t.Errorf("%s: status %d, want %d", code, got.Status, want)
		}
		if want < 500 && want != 429 && want != 499 {
			continue
		}
		var body struct {
			Status  int
			TraceID string
			Title   string
		}
		if err := json.Unmarshal([]byte(got.Body), &body); err != nil || body.Status != want || body.TraceID == "" || strings.Contains(got.Body, secret) {
			t.Errorf("%s: body %s, error %v", code, got.Body, err)
		}
	}

}

func TestRefusedOwnParametersNameThemselves(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	violation := &errdetails.BadRequest_FieldViolation{Field: "page_size", Description: "too much"}
	for _, c := range []struct {
		query string
		fault error
		field string
	}{
		{"limit=x", nil, "limit"},
		{"limit=-1", nil, "limit"},
		{"limit=10001", nil, "limit"},
		{"sort=age", nil, "sort"},
		{"includeDeleted=1", nil, "includeDeleted"},
		{"role=NOPE", standin.Fault(codes.InvalidArgument, "UNKNOWN_ROLE", "no such role"), "role"},
		{"cursor=stale", standin.Fault(codes.InvalidArgument, "INVALID_PAGE_TOKEN", "not of this query"), "cursor"},
		{"limit=5", standin.Fault(codes.InvalidArgument, "INVALID_ARGUMENT", "page_size: too much", violation), "limit"},
	} {
		services.Answer = func(string, proto.Message) (proto.Message, error) { return nil, c.fault }
		got := standin.Do(t, srv, "GET "+api+"/parties?userid=20000490&"+c.query, "", bearer)
		var body struct{ Errors map[string][]string }
		if err := json.Unmarshal([]byte(got.Body), &body); err != nil || got.Status != 400 || len(body.Errors) != 1 || len(body.Errors[c.field]) != 1 {
			t.Errorf("%s: status %d, body %s, error %v", c.query, got.Status, got.Body, err)
		}
	}
}

func TestRoutes(t *testing.T) {
	_, srv := standin.Gateway(t, nil)
	for _, path := range []string{"", "/", "/parties/5", "/parties//validate", "/parties/5/validate/x", "/roles/5", "//parties"} {
		got := standin.Do(t, srv, "GET "+api+path, "", bearer)
		if got.Status != 404 || !strings.Contains(got.Body, `"reason":"ROUTE_NOT_FOUND"`) {
			t.Errorf("%s: status %d, body %s", path, got.Status, got.Body)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		got := standin.Do(t, srv, method+" "+api+"/parties?userid=20000490", "", bearer)
		if got.Status != 405 || got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: status %d, Allow %q", method, got.Status, got.Header.Get("Allow"))
		}
	}
}
