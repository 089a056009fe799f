package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server"
)

// TestRefusedOverREST sends calls that are malformed or not allowed through the native
// API of a server with its real parts: the status and the reason are exact, and nothing
// has been written in the end.
func TestRefusedOverREST(t *testing.T) {
	s := startAltinnServer(t)
	s.loadSmallRegister()
	kari := s.token(t, server.UserClaims(20000490, 50002598, 3))
	expired := s.token(t, map[string]any{"urn:altinn:userid": 20000490, "exp": time.Now().Add(-time.Minute).Unix()})
	reader := s.apiKey(t, "reader", "behalf:parties.read")
	before := s.registerSeen(t)

	const party = `{"source":"test","party":{"kind":"PARTY_KIND_ORGANISATION","name":"NY","orgNumber":"910099999"}}`
	const assignment = `{"source":"test","assignment":{"from":"party:50076451","role":"LEDE","to":"party:50002598"}}`
	const question = `{"question":{"object":{"type":"party","id":"50076451"},"permission":"represent","subject":{"type":"user","id":"20000491"}}}`
	for _, row := range []struct {
		request, body, token string
		status               int
		reason               string
	}{
		{"GET /v1/parties", "", "", 401, "CREDENTIALS_MISSING"},
		{"GET /v1/parties", "", "nonsense", 401, "CREDENTIALS_INVALID"},
		{"GET /v1/parties", "", expired, 401, "CREDENTIALS_INVALID"},
		{"GET /v1/parties?userId=20000491", "", kari, 403, "OTHER_USER"},
		{"GET /v1/parties", "", reader, 400, "USER_REQUIRED"},
		{"GET /v1/parties?role=NOPE", "", kari, 400, "UNKNOWN_ROLE"},
		{"GET /v1/parties?pageSize=10001", "", kari, 400, "INVALID_ARGUMENT"},
		{"GET /v1/parties?pageToken=nope", "", kari, 400, "INVALID_PAGE_TOKEN"},
		{"GET /v1/parties?atLeastAsFresh=nope", "", kari, 400, "INVALID_REVISION"},
		{"GET /v1/parties?order=17", "", kari, 400, "INVALID_ARGUMENT"},
		{"GET /v1/parties/0", "", kari, 400, "INVALID_ARGUMENT"},
		{"GET /v1/parties/1337", "", reader, 404, "PARTY_NOT_FOUND"},
		{"GET /v1/parties:lookup", "", reader, 400, "INVALID_ARGUMENT"},
		{"GET /v1/parties:lookup?party.orgNumber=12", "", reader, 400, "INVALID_ARGUMENT"},
		{"POST /v1/parties:lookup", `{"party":{"nationalId":"1"}}`, reader, 400, "INVALID_ARGUMENT"},
		{"POST /v1/parties:lookup", `{"party":{"nationalId":"01017099999"}}`, reader, 404, "PARTY_NOT_FOUND"},
		{"GET /v1/parties/50076451/validate?userId=20000491", "", kari, 403, "OTHER_USER"},
		{"GET /v1/parties/50076451/representatives", "", kari, 403, "SERVICES_ONLY"},
		{"GET /v1/parties/50076451/roles?userId=20000490", "", reader, 403, "SCOPE_MISSING"},
		{"POST /v1/check", question, kari, 403, "OTHER_USER"},
		{"POST /v1/check", question, reader, 403, "SCOPE_MISSING"},
		{"POST /v1/check", `{}`, kari, 400, "INVALID_ARGUMENT"},
		{"POST /v1/check", strings.ReplaceAll(question, "represent", "has_nope"), s.adminKey, 400, "UNKNOWN_RELATION"},
		{"POST /v1/check/bulk", `{"questions":[]}`, kari, 400, "INVALID_ARGUMENT"},
		{"POST /v1/register/parties", party, "", 401, "CREDENTIALS_MISSING"},
		{"POST /v1/register/parties", party, kari, 403, "SERVICES_ONLY"},
		{"POST /v1/register/parties", party, reader, 403, "SCOPE_MISSING"},
		{"POST /v1/register/parties", strings.ReplaceAll(party, "910099999", "12"), s.adminKey, 400, "INVALID_ARGUMENT"},
		{"POST /v1/register/parties", strings.ReplaceAll(party, `"source"`, `"suorce"`), s.adminKey, 400, "INVALID_ARGUMENT"},
		{"POST /v1/register/assignments", assignment, reader, 403, "SCOPE_MISSING"},
		{"POST /v1/register/assignments", strings.ReplaceAll(assignment, "LEDE", "NOPE"), s.adminKey, 400, "UNKNOWN_ROLE"},
		{"POST /v1/register/assignments", strings.ReplaceAll(assignment, "party:50002598", "nonsense"), s.adminKey, 400, "INVALID_ARGUMENT"},
		{"POST /v1/register/assignments:delete", assignment, kari, 403, "SERVICES_ONLY"},
		{"POST /v1/register/persons:join", `{}`, s.adminKey, 400, "INVALID_ARGUMENT"},
		{"DELETE /v1/register/parties/50076451", "", kari, 403, "SERVICES_ONLY"},
		{"DELETE /v1/register/parties/1337", "", s.adminKey, 404, "PARTY_NOT_FOUND"},
		{"GET /v1/apikeys", "", reader, 403, "SCOPE_MISSING"},
		{"POST /v1/apikeys", `{"name":"x","scopes":["behalf:nope"]}`, s.adminKey, 400, "INVALID_ARGUMENT"},
		{"POST /v1/apikeys", `{"name":"x","scopes":["behalf:admin"]}`, kari, 403, "SERVICES_ONLY"},
	} {
		status, body := s.call(t, row.request, row.body, row.token)
		var p struct{ Reason, Detail string }
		if err := json.Unmarshal([]byte(body), &p); err != nil || status != row.status || p.Reason != row.reason || p.Detail == "" {
			t.Errorf("%s %s: status %d, want %d %s; body %s", row.request, row.body, status, row.status, row.reason, body)
		}
	}
	if after := s.registerSeen(t); after != before {
		t.Errorf("refused calls wrote something: %s, was %s", after, before)
	}
}

// call sends a request, "METHOD target", with a JSON body and a bearer token, where given.
func (s *altinnServer) call(t *testing.T, request, body, token string) (int, string) {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, s.base+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// apiKey makes a key over REST and returns its secret.
func (s *altinnServer) apiKey(t *testing.T, name string, scopes ...string) string {
	t.Helper()
	request, err := json.Marshal(map[string]any{"name": name, "scopes": scopes})
	if err != nil {
		t.Fatal(err)
	}
	status, body := s.call(t, "POST /v1/apikeys", string(request), s.adminKey)
	var key struct{ Secret string }
	if err := json.Unmarshal([]byte(body), &key); err != nil || status != http.StatusOK || key.Secret == "" {
		t.Fatalf("make an API key: %d %s", status, body)
	}
	return key.Secret
}

// registerSeen returns what the register's user sees of it, keys included: a text that any
// write of the table would change.
func (s *altinnServer) registerSeen(t *testing.T) string {
	t.Helper()
	var seen strings.Builder
	for _, request := range []string{
		"GET /v1/parties?userId=20000490&groupSubUnits=true", "GET /v1/parties/50076451/representatives",
		"GET /v1/parties/50076451/roles?userId=20000490", "GET /v1/apikeys",
	} {
		status, body := s.call(t, request, "", s.adminKey)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", request, status, body)
		}
		seen.WriteString(body)
	}
	return seen.String()
}
