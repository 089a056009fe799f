package rest_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/internal/standin"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

const (
	user   = "Authorization: Bearer user-7"
	asJSON = "Content-Type: application/json"
)

// malformed is the table of calls that never reach a service.
var malformed = []struct {
	name, request, body string
	headers             []string
	status              int
	reason, field       string
}{
	{"unknown path", "GET /v1/nothing", "", nil, 404, "ROUTE_NOT_FOUND", ""},
	{"unclean path", "GET /v1//parties", "", nil, 404, "ROUTE_NOT_FOUND", ""},
	{"trailing slash", "GET /v1/parties/", "", nil, 400, "INVALID_ARGUMENT", "party.party_id"},
	{"method that the path does not take", "DELETE /v1/parties", "", nil, 405, "METHOD_NOT_ALLOWED", ""},
	{"method that nobody knows", "BREW /v1/check", "", nil, 405, "METHOD_NOT_ALLOWED", ""},
	{"method by override", "POST /v1/parties", "x=1", []string{"Content-Type: application/x-www-form-urlencoded", "X-HTTP-Method-Override: GET"}, 405, "METHOD_NOT_ALLOWED", ""},
	{"form instead of a read", "POST /v1/parties", "userId=7", []string{"Content-Type: application/x-www-form-urlencoded"}, 405, "METHOD_NOT_ALLOWED", ""},
	{"party id is no number", "GET /v1/parties/abc", "", nil, 400, "INVALID_ARGUMENT", "party.party_id"},
	{"party id of more than 64 bits", "GET /v1/parties/99999999999999999999/validate", "", nil, 400, "INVALID_ARGUMENT", "party_id"},
	{"page size is no number", "GET /v1/parties?pageSize=ten", "", nil, 400, "INVALID_ARGUMENT", "page_size"},
	{"order is none", "GET /v1/parties?order=AGE", "", nil, 400, "INVALID_ARGUMENT", "order"},
	{"bool is none", "GET /v1/parties?groupSubUnits=perhaps", "", nil, 400, "INVALID_ARGUMENT", "group_sub_units"},
	{"parameter twice", "GET /v1/parties?userId=7&userId=8", "", nil, 400, "INVALID_ARGUMENT", "user_id"},
	{"parameter by both its names", "GET /v1/parties?userId=7&user_id=8", "", nil, 400, "INVALID_ARGUMENT", "user_id"},
	{"unknown parameter", "GET /v1/parties?serach=x", "", nil, 400, "INVALID_ARGUMENT", "serach"},
	{"parameter that the path has set", "GET /v1/parties/5/validate?party_id=6", "", nil, 400, "INVALID_ARGUMENT", "party_id"},
	{"parameter of a call that has none", "GET /v1/roles?language=en", "", nil, 400, "INVALID_ARGUMENT", "language"},
	{"parameter of a call with a body", "POST /v1/check?at_least_as_fresh=x", `{}`, []string{asJSON}, 400, "INVALID_ARGUMENT", "at_least_as_fresh"},
	{"query with a bad escape", "GET /v1/parties?search=%zz", "", nil, 400, "INVALID_ARGUMENT", ""},
	{"query with a bad escape, not read", "GET /v1/roles?x=%zz", "", nil, 400, "INVALID_ARGUMENT", ""},
	{"no content type", "POST /v1/check", `{}`, nil, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
	{"form", "POST /v1/check", `{}`, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
	{"plain text", "POST /v1/check", `{}`, []string{"Content-Type: text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
	{"another charset", "POST /v1/check", `{}`, []string{"Content-Type: application/json; charset=latin1"}, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
	{"body over the limit", "POST /v1/check", `{"question":"` + strings.Repeat("x", standin.MaxBodyBytes) + `"}`, []string{asJSON}, 413, "BODY_TOO_LARGE", ""},
	{"body is not JSON", "POST /v1/check", `{"question":`, []string{asJSON}, 400, "INVALID_ARGUMENT", ""},
	{"body is an array", "POST /v1/check", `[]`, []string{asJSON}, 400, "INVALID_ARGUMENT", ""},
	{"body and more", "POST /v1/check", `{} {}`, []string{asJSON}, 400, "INVALID_ARGUMENT", ""},
	{"unknown field", "POST /v1/check", `{"qestion":{}}`, []string{asJSON}, 400, "INVALID_ARGUMENT", "qestion"},
	{"unknown field deep", "POST /v1/check", `{"question":{"object":{"typo":"party"}}}`, []string{asJSON}, 400, "INVALID_ARGUMENT", "typo"},
	{"field of another type", "POST /v1/check", `{"question":{"permission":5}}`, []string{asJSON}, 400, "INVALID_ARGUMENT", "permission"},
	{"field twice", "POST /v1/check", `{"question":{},"question":{}}`, []string{asJSON}, 400, "INVALID_ARGUMENT", ""},
	{"bad UTF-8", "POST /v1/check", "{\"atLeastAsFresh\":\"\xff\"}", []string{asJSON}, 400, "INVALID_ARGUMENT", ""},
	{"no credentials", "GET /v1/parties", "", []string{"Authorization-Not: x"}, 401, "CREDENTIALS_MISSING", ""},
	{"credentials that do not hold", "GET /v1/parties", "", []string{"Authorization: Bearer expired"}, 401, "CREDENTIALS_INVALID", ""},
	{"two credentials", "GET /v1/parties", "", []string{user, "Authorization: Bearer user-8"}, 401, "CREDENTIALS_MISSING", ""},
	{"credentials that are no text", "GET /v1/parties", "", []string{"Authorization: Bearer \xff"}, 401, "CREDENTIALS_MISSING", ""},
	{"cookie on a call that can change something", "POST /v1/register/persons:join", `{}`, []string{asJSON, "Cookie: AltinnStudioRuntime=user-7"}, 401, "CREDENTIALS_MISSING", ""},
	{"cookie on a removal", "DELETE /v1/apikeys/x", "", []string{"Cookie: AltinnStudioRuntime=user-7"}, 401, "CREDENTIALS_MISSING", ""},
	{"credentials as metadata", "GET /v1/parties", "", []string{"Grpc-Metadata-Authorization: Bearer user-7"}, 401, "CREDENTIALS_MISSING", ""},
	{"no time", "GET /v1/parties?at_time=yesterday", "", nil, 400, "INVALID_ARGUMENT", "at_time"},
	{"part of a time", "GET /v1/parties?at_time.seconds=1", "", nil, 400, "INVALID_ARGUMENT", "at_time.seconds"},
	{"credentials in the query", "GET /v1/parties?access_token=user-7", "", []string{"X: x"}, 400, "INVALID_ARGUMENT", "access_token"},
}

func TestMalformedCalls(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			headers := c.headers
			if !slices.ContainsFunc(headers, func(h string) bool { return !strings.HasPrefix(h, "Content-Type") && !strings.HasPrefix(h, "X-HTTP") }) {
				headers = append(slices.Clone(headers), user)
			}
			got := standin.Do(t, srv, c.request, c.body, headers...)
			var p struct {
				Status             int
				Reason, Code, Type string
				Title, Detail      string
				Violations         []struct{ Field, Message string }
				RequestID          string `json:"request_id"`
			}
			if err := json.Unmarshal([]byte(got.Body), &p); err != nil || got.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("status %d, content type %q, body %s: %v", got.Status, got.Header.Get("Content-Type"), got.Body, err)
			}
			if got.Status != c.status || p.Status != c.status || p.Reason != c.reason {
				t.Errorf("status %d, reason %s, want %d %s: %s", got.Status, p.Reason, c.status, c.reason, got.Body)
			}
			if p.Type != "urn:behalf:reason:"+c.reason || p.Title == "" || p.Detail == "" || p.Code == "" || p.RequestID != got.Header.Get("X-Request-Id") {
				t.Errorf("incomplete problem: %s", got.Body)
			}
			if strings.ContainsRune(p.Detail, '\u00a0') || strings.Contains(p.Detail, "proto") || strings.Contains(p.Detail, "strconv") {
				t.Errorf("detail speaks of our insides: %q", p.Detail)
			}
			field := ""
			if len(p.Violations) == 1 {
				field = p.Violations[0].Field
			}
			if field != c.field {
				t.Errorf("violation of %q, want %q: %s", field, c.field, got.Body)
			}
			if c.status == 401 && got.Header.Get("WWW-Authenticate") == "" {
				t.Error("a 401 without a challenge")
			}
		})
	}
	if calls := services.Calls(); len(calls) != 0 {
		t.Errorf("malformed calls reached the services: %v", calls)
	}
}

// Every route of the mapping refuses a parameter that it does not have, and every path
// names exactly the methods it takes.
func TestEveryRouteIsStrict(t *testing.T) {
	text, err := os.ReadFile("../../schema/http.yaml")
	if err != nil {
		t.Fatal(err)
	}
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	allowed := map[string][]string{}
	for _, m := range regexp.MustCompile(`(get|post|delete|put|patch): "([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
		path := placeholder.ReplaceAllString(m[2], "5")
		allowed[path] = append(allowed[path], strings.ToUpper(m[1]))
	}
	if len(allowed) < 15 {
		t.Fatalf("%d paths read from the mapping", len(allowed))
	}
	services, srv := standin.Gateway(t, nil)
	for path, methods := range allowed {
		for _, method := range methods {
			body, headers := "", []string{user}
			if method == "POST" || method == "PUT" {
				body, headers = "{}", append(headers, asJSON)
			}
			got := standin.Do(t, srv, method+" "+path+"?surplus=1", body, headers...)
			if got.Status != 400 || !strings.Contains(got.Body, `"field":"surplus"`) {
				t.Errorf("%s %s takes an unknown parameter: %d %s", method, path, got.Status, got.Body)
			}
		}
		var want []string
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			if slices.Contains(methods, method) {
				want = append(want, method)
			}
			if method == "GET" && slices.Contains(methods, method) {
				want = append(want, "HEAD")
			}
		}
		got := standin.Do(t, srv, "PATCH "+path, "", user)
		if diff := cmp.Diff(strings.Join(want, ", "), got.Header.Get("Allow")); got.Status != 405 || diff != "" {
			t.Errorf("PATCH %s: status %d, Allow (-want +got):\n%s", path, got.Status, diff)
		}
	}
	if calls := services.Calls(); len(calls) != 0 {
		t.Errorf("calls reached the services: %v", calls)
	}
}

func TestAnswers(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = func(method string, _ proto.Message) (proto.Message, error) {
		if method == "Check" {
			return &behalfv1.CheckResponse{Revision: "r1"}, nil
		}
		return &behalfv1.ListPartiesResponse{Parties: []*behalfv1.Party{{PartyId: 5, Name: "<Ø>"}}}, nil
	}
	got := standin.Do(t, srv, "POST /v1/check", `{"question":{"object":{"type":"party","id":"5"},"permission":"represent"}}`, user, "Content-Type: application/json; charset=UTF-8")
	if want := `{"allowed":false,"revision":"r1"}`; got.Status != 200 || strings.ReplaceAll(got.Body, " ", "") != want {
		t.Errorf("status %d, body %s, want %s", got.Status, got.Body, want)
	}
	if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Content-Length") == "" {
		t.Errorf("headers %v", got.Header)
	}
	for name := range got.Header {
		if strings.HasPrefix(name, "Grpc-") {
			t.Errorf("metadata left as header %s", name)
		}
	}
	got = standin.Do(t, srv, "GET /v1/parties?pageSize=1&page_token=t&order=PARTY_ORDER_ID", "", "Cookie: AltinnStudioRuntime=user-7")
	var list struct{ Parties []map[string]any }
	if err := json.Unmarshal([]byte(got.Body), &list); err != nil || list.Parties[0]["partyId"] != "5" || list.Parties[0]["deleted"] != false {
		t.Errorf("body %s: %v", got.Body, err)
	}
	want := &behalfv1.ListPartiesRequest{PageSize: 1, PageToken: "t", Order: behalfv1.PartyOrder_PARTY_ORDER_ID}
	if calls := services.Calls(); !proto.Equal(calls[1].Request, want) {
		t.Errorf("request %v, want %v", calls[1].Request, want)
	}
	head := standin.Do(t, srv, "HEAD /v1/parties", "", user)
	if head.Status != 200 || head.Body != "" || head.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: status %d, headers %v", head.Status, head.Header)
	}
	byNumber := &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_OrgNumber{OrgNumber: "910042963"}}
	byPerson := &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_NationalId{NationalId: "01017012345"}}
	for _, row := range []struct {
		request, body string
		party         *behalfv1.PartyReference
	}{
		{"GET /v1/parties:lookup?party.orgNumber=910042963", "", byNumber},
		{"POST /v1/parties:lookup", `{"party":{"orgNumber":"910042963"}}`, byNumber},
		{"POST /v1/parties:lookup", `{"party":{"nationalId":"01017012345"}}`, byPerson},
	} {
		got = standin.Do(t, srv, row.request, row.body, user, asJSON)
		calls := services.Calls()
		if got.Status != 500 || !proto.Equal(calls[len(calls)-1].Request, &behalfv1.GetPartyRequest{Party: row.party}) {
			t.Errorf("%s: status %d, calls %v", row.request, got.Status, calls)
		}
	}
}

// What crosses into a call's metadata is a list of three, whatever the client sends.
func TestOnlyTheListedMetadataCrosses(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = func(string, proto.Message) (proto.Message, error) { return &behalfv1.ListPartiesResponse{}, nil }
	standin.Do(t, srv, "GET /v1/parties", "", user, "X-Request-Id: trace-1", "X-Forwarded-For: 198.51.100.7", "X-Forwarded-Host: evil.example",
		"Grpc-Metadata-X-Behalf-Caller: admin", "Grpc-Metadata-Authorization: Bearer user-8", "Grpc-Timeout: 1n", "Cookie: AltinnStudioRuntime=user-8",
		"Accept-Language: nb", "Traceparent: x")
	calls := services.Calls()
	if len(calls) != 1 {
		t.Fatalf("%d calls", len(calls))
	}
	want := map[string][]string{
		"authorization":   {"Bearer user-7"},
		"x-request-id":    {"trace-1"},
		"x-forwarded-for": {"198.51.100.7, 127.0.0.1"},
	}
	if diff := cmp.Diff(want, map[string][]string(calls[0].Metadata)); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}
