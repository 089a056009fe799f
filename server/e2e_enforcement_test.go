package server_test

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

const enforcedRoutes = `routes:
  - {name: open, methods: ["*"], path: "/open/**", rule: {public: true}}
  - {name: me, methods: ["*"], path: /me, rule: {authenticated: true}}
  - {name: high, methods: [GET], path: /high, rule: {level: 4}}
  - {name: group, methods: [GET], path: /group, rule: {groups: [admin]}}
  - {name: for, methods: [GET, POST], path: "/for/{partyId}/**", party: {parameter: partyId}, rule: {level: 2}}
  - {name: act, methods: [GET], path: /act, party: {}, rule: {authenticated: true}}
  - {name: books, methods: [GET], path: "/books/{id}", rule: {relation: "party:{path.id}#has_regn"}}
  - {name: decide, methods: [GET], path: "/decide/{partyId}", party: {parameter: partyId}, rule: {decision: {resource: gated, action: read}}}
  - {name: unknown, methods: [GET], path: /unknown, rule: {relation: "party:1#no_such_relation"}}
  - {name: admin, methods: [GET], path: /open/admin, rule: {groups: [admin]}}
  - {name: other, host: other.example.com, methods: [GET], path: /x, rule: {public: true}}
`

// gatedPolicy permits whoever is DAGL or may write for the party to read, at level 3.
const gatedPolicy = `<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:gated" Version="1"
 RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"><Target/>
 <Rule RuleId="urn:gated:1" Effect="Permit"><Target><AnyOf><AllOf>
 <Match MatchId="urn:oasis:names:tc:xacml:3.0:function:string-equal-ignore-case"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">dagl</AttributeValue>
 <AttributeDesignator AttributeId="urn:altinn:rolecode" Category="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/></Match>
 </AllOf></AnyOf></Target></Rule>
 <ObligationExpressions><ObligationExpression ObligationId="urn:altinn:obligation:authenticationLevel1" FulfillOn="Permit">
 <AttributeAssignmentExpression AttributeId="urn:altinn:obligation1-assignment1" Category="urn:altinn:minimum-authenticationlevel">
 <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#integer">3</AttributeValue></AttributeAssignmentExpression></ObligationExpression></ObligationExpressions></Policy>`

// enforcingServer is a server that API gateways ask.
type enforcingServer struct {
	*altinnServer
	routes string // path of the routes file
}

func startEnforcing(t *testing.T, peers ...string) *enforcingServer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte(enforcedRoutes), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := server.Config{DataDir: t.TempDir(), Enforcement: server.EnforcementConfig{RoutesFile: file}}
	for _, p := range peers {
		cfg.Enforcement.TrustedPeers = append(cfg.Enforcement.TrustedPeers, netip.MustParsePrefix(p))
	}
	s := &enforcingServer{startAltinnServerWith(t, cfg), file}
	s.loadSmallRegister()
	return s
}

// adapters are the ways in which gateways tell of a request.
var adapters = []struct {
	name string
	tell func(method, host, path string) []string
}{
	{"nginx", func(method, host, path string) []string {
		return []string{"/authz/nginx", "X-Original-Method: " + method, "X-Forwarded-Proto: https", "X-Forwarded-Host: " + host, "X-Original-URI: " + path}
	}},
	{"nginx by URL", func(method, host, path string) []string {
		return []string{"/authz/nginx", "X-Original-Method: " + method, "X-Original-URL: https://" + host + path}
	}},
	{"envoy", func(method, host, path string) []string { return []string{"envoy", method, host, path} }},
	{"envoy over HTTP", func(method, host, path string) []string {
		return []string{"/authz/envoy" + path, method, host, "X-Forwarded-Proto: https"}
	}},
	{"mia", func(method, host, path string) []string {
		return []string{"/auth" + path, "Original-Request-Method: " + method, "Original-Request-Uri: " + path, "X-Forwarded-Host: " + host, "Client-Type: app"}
	}},
	{"forward", func(method, host, path string) []string {
		return []string{"/authz/forward?x=/open/", "X-Forwarded-Method: " + method, "X-Forwarded-Proto: https", "X-Forwarded-Host: " + host, "X-Forwarded-Uri: " + path}
	}},
}

// ask asks about a request and returns the status that the client would see.
func (s *enforcingServer) ask(t *testing.T, tell []string, headers ...string) (int, answered) {
	t.Helper()
	if tell[0] == "envoy" {
		return s.askAsEnvoy(t, tell[1], tell[2], tell[3], headers)
	}
	if strings.HasPrefix(tell[0], "/authz/envoy/") {
		a := s.asEnvoy(t, tell[0], tell[1], tell[2], append(tell[3:], headers...))
		return a.status, a
	}
	mia := strings.HasPrefix(tell[0], "/auth/")
	a := s.do(t, http.MethodGet, tell[0], nil, append(tell[1:], headers...)...)
	if told := a.header.Get("Behalf-Status"); (mia || strings.HasPrefix(tell[0], "/authz/nginx")) && a.status != http.StatusOK {
		if a.status != 401 && a.status != 403 && (!mia || a.status != 503) {
			t.Errorf("nginx makes a fault of its own of %d", a.status)
		}
		for code, text := range map[int]string{400: "400", 401: "401", 403: "403", 503: "503"} {
			if told == text {
				return code, a
			}
		}
		return 0, a
	}
	return a.status, a
}

// asEnvoy sends a request as the client did, its path behind the prefix.
func (s *enforcingServer) asEnvoy(t *testing.T, target, method, host string, headers []string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.base+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return answered{status: resp.StatusCode, header: resp.Header}
}

// askAsEnvoy asks over gRPC. A header that Envoy is told to remove is there without a value.
func (s *enforcingServer) askAsEnvoy(t *testing.T, method, host, path string, headers []string) (int, answered) {
	t.Helper()
	conn, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	raw := &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: ":path", RawValue: []byte("/open/a")}}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		raw.Headers = append(raw.Headers, &corev3.HeaderValue{Key: strings.ToLower(name), RawValue: []byte(value)})
	}
	got, err := authv3.NewAuthorizationClient(conn).Check(t.Context(), &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{Method: method, Scheme: "https", Host: host, Path: path, HeaderMap: raw}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	a := answered{status: int(got.GetDeniedResponse().GetStatus().GetCode()), header: http.Header{}}
	if got.GetStatus().GetCode() == 0 && got.GetOkResponse() != nil {
		a.status = 200
	}
	for _, h := range append(got.GetOkResponse().GetHeaders(), got.GetDeniedResponse().GetHeaders()...) {
		a.header.Add(h.GetHeader().GetKey(), h.GetHeader().GetValue())
	}
	for _, name := range got.GetOkResponse().GetHeadersToRemove() {
		a.header.Add(name, "")
	}
	return a.status, a
}

func TestEnforcement(t *testing.T) {
	s := startEnforcing(t, "127.0.0.0/8")
	if got := s.do(t, http.MethodPut, "/v1/policies/resources/gated", []byte(`{"text":"`+base64.StdEncoding.EncodeToString([]byte(gatedPolicy))+`"}`),
		"Authorization: Bearer "+s.adminKey, "Content-Type: application/json"); got.status != 200 {
		t.Fatalf("put the policy: %d %s", got.status, got.body)
	}
	token := func(level int) string {
		return "Authorization: Bearer " + s.token(t, server.UserClaims(20000490, 50002598, level))
	}
	kari, weak, admin := token(3), token(1), "Authorization: Bearer "+s.adminKey
	expired := "Authorization: Bearer " + s.token(t, map[string]any{"urn:altinn:userid": 20000490, "exp": time.Now().Add(-time.Minute).Unix()})
	for _, row := range []struct {
		method, path, headers string
		want                  int
		reason                string
	}{
		{"GET", "/open/a", "", 200, ""},
		{"GET", "/open/a", kari, 200, ""},
		{"GET", "/open/a", expired, 200, ""},
		{"GET", "/open/admin", kari, 403, "RULE_DENIES"},
		{"POST", "/open/admin", kari, 403, "NO_ROUTE"}, // no way around the admin's route
		{"GET", "/open/%61dmin/", "", 401, "CREDENTIALS_MISSING"},
		{"GET", "/me", "", 401, "CREDENTIALS_MISSING"},
		{"GET", "/me?x=/open/", kari, 200, ""},
		{"GET", "/me", admin, 200, ""},
		{"GET", "/me", expired, 401, "CREDENTIALS_INVALID"},
		{"GET", "/me", "Authorization: Basic a2FyaTp4", 401, "CREDENTIALS_INVALID"},
		{"GET", "/me", "Cookie: sid=nonsense", 401, "CREDENTIALS_INVALID"},
		{"GET", "/me", "Cookie: AltinnStudioRuntime=" + strings.TrimPrefix(kari, "Authorization: Bearer "), 401, "CREDENTIALS_MISSING"},
		{"BREW", "/me", kari, 403, "NO_ROUTE"},
		{"get", "/me", kari, 403, "NO_ROUTE"},
		{"TRACE", "/me", kari, 403, "NO_ROUTE"},
		{"GET", "/ME", kari, 403, "NO_ROUTE"},
		{"GET", "/elsewhere", kari, 403, "NO_ROUTE"},
		{"GET", "/high", kari, 401, "LEVEL_TOO_LOW"},
		{"GET", "/high", admin, 403, "RULE_DENIES"},
		{"GET", "/group", kari, 403, "RULE_DENIES"},
		{"GET", "/for/50076451/x", kari, 200, ""},
		{"GET", "/for/50074838/x", kari, 200, ""},
		{"GET", "/for/50076451", weak, 401, "LEVEL_TOO_LOW"},
		{"GET", "/for/50090007/x", kari, 403, "PARTY_NOT_REPRESENTED"},
		{"GET", "/for/50090007/x", kari + "\nBehalf-Party: 50076451", 403, "PARTY_NOT_REPRESENTED"},
		{"GET", "/for/99999999/x", kari, 403, "PARTY_NOT_REPRESENTED"},
		{"GET", "/for/+50076451/x", kari, 403, "PARTY_NOT_REPRESENTED"},
		{"GET", "/for/50076451/x", admin, 403, "RULE_DENIES"},
		{"GET", "/act", kari, 200, ""},
		{"GET", "/act", kari + "\nBehalf-Party: 6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d002", 200, ""},
		{"GET", "/act", kari + "\nBehalf-Party: 50090007", 403, "PARTY_NOT_REPRESENTED"},
		{"GET", "/act", kari + "\nBehalf-Party: 50076451\nBehalf-Party: 50076451", 400, "REQUEST_MALFORMED"},
		{"GET", "/act", kari + "\nBehalf-Party: 50076451\nbehalf_party: 50076451", 400, "REQUEST_MALFORMED"},
		{"GET", "/books/50090006", kari, 200, ""},
		{"GET", "/books/50076451", kari, 403, "RULE_DENIES"},
		{"GET", "/books/*", kari, 403, "RULE_DENIES"},
		{"GET", "/books/50090006", "", 401, "CREDENTIALS_MISSING"},
		{"GET", "/decide/50076451", kari, 200, ""},
		{"GET", "/decide/50076451", weak, 401, "LEVEL_TOO_LOW"},
		{"GET", "/decide/50090002", kari, 403, "RULE_DENIES"}, // represented, and not as DAGL
		{"GET", "/unknown", kari, 503, "UNAVAILABLE"},
		{"GET", "/x", kari, 403, "NO_ROUTE"},
		{"GET", "/me", kari + "\nBehalf_User: 1", 400, "REQUEST_MALFORMED"},
		{"GET", "/me", kari + "\nAuthorization: Bearer x", 401, "CREDENTIALS_INVALID"},
		{"GET", "/me//", kari, 400, "REQUEST_MALFORMED"},
		{"GET", "/open/../me", "", 400, "REQUEST_MALFORMED"},
		{"GET", "/open/%2e%2e/me", "", 400, "REQUEST_MALFORMED"},
		{"GET", "/open/..%2fme", "", 400, "REQUEST_MALFORMED"},
		{"GET", "/open/..;/me", "", 400, "REQUEST_MALFORMED"},
		{"GET", "/open/%252e%252e/me", "", 400, "REQUEST_MALFORMED"},
		{"GET", `/open/..%5cme`, "", 400, "REQUEST_MALFORMED"},
	} {
		for _, adapter := range adapters {
			var headers []string
			if row.headers != "" {
				headers = strings.Split(row.headers, "\n")
			}
			if strings.HasPrefix(adapter.name, "envoy") && strings.Contains(row.headers, "Behalf_User") {
				continue // which it removes
			}
			got, a := s.ask(t, adapter.tell(row.method, "api.example.com:8443", row.path), headers...)
			if got != row.want || a.header.Get("Behalf-Reason") != row.reason {
				t.Errorf("%s: %s %s with %.40q: %d %s, want %d %s", adapter.name, row.method, row.path, row.headers, got, a.header.Get("Behalf-Reason"), row.want, row.reason)
			}
			challenge := a.header.Get("WWW-Authenticate")
			if adapter.name == "mia" && row.reason == "NO_ROUTE" { // which is 401 there
				challenge = ""
			}
			if (challenge != "") != (row.want == 401) {
				t.Errorf("%s: %s: %d with the challenge %q", adapter.name, row.path, got, challenge)
			}
			if got != 200 && a.header.Get("Behalf-User") != "" {
				t.Errorf("%s: %s: who is kept out is named", adapter.name, row.path)
			}
		}
	}
	t.Run("identity", func(t *testing.T) { s.identity(t, kari) })
	t.Run("telling", func(t *testing.T) { s.telling(t, kari) })
	t.Run("revocation", func(t *testing.T) { s.revocation(t, kari) })
	t.Run("recorded", func(t *testing.T) { s.recorded(t) })
}

// identity looks at the identity headers: each is there, with a value or without.
func (s *enforcingServer) identity(t *testing.T, kari string) {
	names := []string{"Behalf-User", "Behalf-Level", "Behalf-Party-Id", "Behalf-Party-Uuid", "Behalf-Party-Org"}
	for _, row := range []struct{ path, headers, want string }{
		{"/open/a", "", "||||"},
		{"/open/a", "Behalf-User: 1\nBehalf-Party-Id: 2", "||||"},
		{"/open/a", kari, "20000490|3|||"},
		{"/me", kari + "\nBehalf-User: 1", "20000490|3|||"},
		{"/act", kari, "20000490|3|50002598|6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d001|"},
		{"/act", kari + "\nBehalf-Party: 50076451", "20000490|3|50076451|6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d002|910042963"},
		{"/for/50074838", kari + "\nBehalf-Party: 50076451", "20000490|3|50074838|6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d003|910042971"},
	} {
		for _, adapter := range adapters {
			var headers []string
			if row.headers != "" {
				headers = strings.Split(row.headers, "\n")
			}
			status, a := s.ask(t, adapter.tell("GET", "api.example.com", row.path), headers...)
			var got []string
			for _, name := range names {
				if len(a.header.Values(name)) != 1 {
					t.Errorf("%s: %s: %s is there %d times", adapter.name, row.path, name, len(a.header.Values(name)))
				}
				got = append(got, a.header.Get(name))
			}
			if text := strings.Join(got, "|"); status != 200 || text != row.want {
				t.Errorf("%s: %s: %d %s, want %s", adapter.name, row.path, status, text, row.want)
			}
		}
	}
}

// telling has gateways tell of a request by halves, twice, or in both forms.
func (s *enforcingServer) telling(t *testing.T, kari string) {
	const host, proto = "X-Forwarded-Host: a.example.com", "X-Forwarded-Proto: https"
	for _, headers := range [][]string{
		{"/authz/forward"},
		{"/authz/forward", host, proto, "X-Forwarded-Uri: /open/a"},
		{"/authz/forward", host, proto, "X-Forwarded-Method: GET"},
		{"/authz/forward", proto, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /open/a"},
		{"/authz/forward", host, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /open/a"},
		{"/authz/forward", host, proto, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /open/a", "X-Forwarded-Uri: /me"},
		{"/authz/forward", host, proto, "X-Forwarded-Method: GET", "X-Forwarded-Method: POST", "X-Forwarded-Uri: /open/a"},
		{"/authz/forward", host, host, proto, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /open/a"},
		{"/authz/forward", host, proto, "X-Original-Method: GET", "X-Original-Uri: /open/a"},
		{"/authz/forward", host, proto, "X_Forwarded_Method: GET", "X-Forwarded-Uri: /open/a"},
		{"/authz/forward", host, "X-Forwarded-Proto: ftp", "X-Forwarded-Method: GET", "X-Forwarded-Uri: /open/a"},
		{"/authz/forward", "X-Forwarded-Host: a/b", proto, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /open/a"},
		{"/authz/forward", host, proto, "X-Forwarded-Method: GET", "X-Forwarded-Uri: https://a.example.com/open/a"},
		{"/authz/forward", host, proto, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /open/a", "Connection: keep-alive, Behalf-User"},
		{"/authz/nginx"},
		{"/authz/nginx", host, proto, "X-Original-URI: /open/a"},
		{"/authz/nginx", host, proto, "X-Original-Method: GET"},
		{"/authz/nginx", proto, "X-Original-Method: GET", "X-Original-URI: /open/a"},
		{"/authz/nginx", host, proto, "X-Original-Method: GET", "X-Original-URI: /open/a", "X-Original-URL: https://a.example.com/open/a"},
		{"/authz/nginx", "X-Original-Method: GET", "X-Original-URL: https://a.example.com/open/a", "X-Original-URL: https://a.example.com/open/b"},
		{"/authz/nginx", "X-Original-Method: GET", "X-Original-URL: //a.example.com/open/a"},
		{"/authz/nginx", "X-Original-Method: GET", "X-Original-URL: https://a.example.com?/open/a"},
		{"/authz/nginx", "X-Original-Method: GET", "X-Original-URL: https://x@a.example.com/open/a"},
	} {
		if status, a := s.ask(t, headers, kari); status != 400 {
			t.Errorf("%q: %d %s", headers, status, a.header.Get("Behalf-Reason"))
		}
	}
	for _, path := range []string{"/authz/forward/", "/authz/nginx/x", "/authz", "/authz/other", "/authz/envoy", "/authx"} {
		if got := s.do(t, http.MethodGet, path, nil, kari); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	// Nobody but the server's own gateway calls the service, an admin neither.
	_, err := behalfv1.NewEnforcementServiceClient(s.conn).Authorize(s.admin(), &behalfv1.AuthorizeRequest{Method: "GET"})
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("an admin: %v", err)
	}
}

// revocation has a role end between two requests.
func (s *enforcingServer) revocation(t *testing.T, kari string) {
	_, err := s.register.DeleteAssignment(s.admin(), &behalfv1.DeleteAssignmentRequest{
		Source: "test", Assignment: &behalfv1.AssignmentRecord{From: "party:50076451", Role: "DAGL", To: "party:50002598"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, adapter := range adapters {
		for _, path := range []string{"/for/50076451/x", "/for/50074838/x", "/decide/50076451"} {
			if status, _ := s.ask(t, adapter.tell("GET", "a.example.com", path), kari); status != 403 {
				t.Errorf("%s: %s after the role has ended: %d", adapter.name, path, status)
			}
		}
	}
}

// recorded looks for what was recorded of answers by relations and policies.
func (s *enforcingServer) recorded(t *testing.T) {
	got := s.do(t, http.MethodGet, "/v1/audit?user_id=20000490&page_size=500", nil, "Authorization: Bearer "+s.adminKey)
	for _, want := range []string{`"enforcement"`, `"has_regn"`, `"represent"`, `"gated"`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("%s is not recorded: %d %.300s", want, got.status, got.body)
		}
	}
}

// TestEnforcementWithoutPeers keeps everybody out who is in no trusted network.
func TestEnforcementWithoutPeers(t *testing.T) {
	for _, peers := range [][]string{nil, {"10.0.0.0/8"}, {"::1/128"}} {
		s := startEnforcing(t, peers...)
		for _, adapter := range adapters {
			status, a := s.ask(t, adapter.tell("GET", "a.example.com", "/open/a"), "X-Forwarded-For: 10.0.0.1", "X-Real-Ip: 10.0.0.1")
			if status != 403 || a.header.Get("Behalf-Reason") != "UNTRUSTED_PEER" {
				t.Errorf("%s with peers %v: %d %s", adapter.name, peers, status, a.header.Get("Behalf-Reason"))
			}
		}
		s.stop()
	}
}

// TestRoutesFile has the file wrong at the start, wrong later, and right again.
func TestRoutesFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "routes.yaml")
	cfg := server.Config{Enforcement: server.EnforcementConfig{RoutesFile: file}}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "--routes") {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile(file, []byte("routes: [{name: X}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.DataDir, cfg.GRPCAddr, cfg.HTTPAddr = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	if _, err := server.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "has no methods") {
		t.Errorf("a wrong file: %v", err)
	}
	s := startEnforcing(t, "127.0.0.0/8")
	ask := func(path string) int {
		status, _ := s.ask(t, adapters[0].tell("GET", "a.example.com", path))
		return status
	}
	metrics := func() string { return s.do(t, http.MethodGet, "/metrics", nil).body }
	write := func(text string) {
		if err := os.WriteFile(s.routes, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for began := time.Now(); !done(); time.Sleep(50 * time.Millisecond) {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("%s did not come", what)
			}
		}
	}
	write("routes: [{name: all, path: /**")
	until("the metric of a wrong file", func() bool { return strings.Contains(metrics(), "behalf_routes_current 0") })
	if ask("/open/a") != 200 || ask("/me") != 401 || ask("/y") != 403 {
		t.Error("the last good routes do not hold")
	}
	write(`routes: [{name: new, methods: [GET], path: /y, rule: {public: true}}]`)
	until("the new file", func() bool { return ask("/y") == 200 })
	if ask("/open/a") != 403 {
		t.Error("the old routes are still there")
	}
	until("the metric of the new file", func() bool { return strings.Contains(metrics(), "behalf_routes_current 1") })
	if err := os.Remove(s.routes); err != nil {
		t.Fatal(err)
	}
	until("the metric of a file that is gone", func() bool { return strings.Contains(metrics(), "behalf_routes_current 0") })
	if ask("/y") != 200 || ask("/open/a") != 403 {
		t.Error("the last good routes do not hold without a file")
	}
}
