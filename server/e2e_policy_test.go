package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/behalf-authz/behalf/server"
)

// answered is an HTTP answer, read to its end.
type answered struct {
	status int
	body   string
	header http.Header
}

// do sends a request with headers "Name: value".
func (s *altinnServer) do(t *testing.T, method, target string, body []byte, headers ...string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.base+target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		if name, value, ok := strings.Cut(h, ": "); ok {
			req.Header.Add(name, value)
		}
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
	return answered{resp.StatusCode, string(text), resp.Header}
}

const policiesPath = "/authorization/api/v1/policies"

// designer is the claim by which Altinn's designer puts policies.
var designer = map[string]any{"urn:altinn:app": "studio.designer"}

// policyFile is the file of a case's own policy: of which app is in its name.
var policyFile = regexp.MustCompile(`^policy-([^-]+)-([^-]+)\.xml$`)

func TestPolicyConformance(t *testing.T) {
	dir := conformance(t)
	files, err := filepath.Glob(filepath.Join(dir, "rest", "*polic*", "case.json"))
	if err != nil {
		t.Fatal(err)
	}
	others, err := filepath.Glob(filepath.Join(dir, "rest", "roleswithaccess-*", "case.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, ran := startAltinnServer(t), 0
	for _, file := range append(files, others...) {
		var c policyCase
		readJSON(t, file, &c)
		c.dir = filepath.Dir(file)
		ran++
		t.Run(filepath.Base(c.dir), func(t *testing.T) { c.run(t, s) })
	}
	if ran < 6 {
		t.Errorf("%d cases ran, want at least 6", ran)
	}
}

type policyCase struct {
	dir                   string
	Method, Path          string
	Token                 *struct{ Claims map[string]any }
	ContentType, BodyFile string
	Expect                struct {
		Status   int
		Body     any
		BodyText *string
	}
}

func (c *policyCase) run(t *testing.T, s *altinnServer) {
	c.putPolicies(t, s)
	var body []byte
	headers := []string{"Content-Type: " + c.ContentType}
	if c.BodyFile != "" {
		var err error
		if body, err = os.ReadFile(filepath.Join(c.dir, c.BodyFile)); err != nil {
			t.Fatal(err)
		}
	}
	if c.Token != nil {
		headers = append(headers, "Authorization: Bearer "+s.token(t, c.Token.Claims))
	}
	got := s.do(t, c.Method, c.Path, body, headers...)
	if got.status != c.Expect.Status {
		t.Fatalf("status %d, want %d: %s", got.status, c.Expect.Status, got.body)
	}
	switch want := c.Expect.Body.(type) {
	case nil:
		if c.Expect.BodyText != nil && got.body != *c.Expect.BodyText {
			t.Errorf("body %q, want %q", got.body, *c.Expect.BodyText)
		}
	case string:
		if got.body != want {
			t.Errorf("body %q, want %q", got.body, want)
		}
	default:
		var have any
		if err := json.Unmarshal([]byte(got.body), &have); err != nil {
			t.Fatalf("%v in %s", err, got.body)
		}
		unordered := cmpopts.SortSlices(func(a, b any) bool { return marshalSorted(t, a) < marshalSorted(t, b) })
		if diff := cmp.Diff(want, have, unordered); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// putPolicies puts the case's own policies, as Altinn's designer would.
func (c *policyCase) putPolicies(t *testing.T, s *altinnServer) {
	files, err := os.ReadDir(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := policyFile.FindStringSubmatch(f.Name())
		if name == nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(c.dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got := s.do(t, http.MethodPost, policiesPath+"?org="+name[1]+"&app="+name[2], text, "Authorization: Bearer "+s.token(t, designer))
		if got.status != http.StatusOK || got.body != "" {
			t.Fatalf("put %s: %d %s", f.Name(), got.status, got.body)
		}
	}
}

// smallPolicy is a policy of app o/a.
const smallPolicy = `<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:p" Version="1.0"
  RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides">
  <Target/>
  <Rule RuleId="urn:r" Effect="Permit"><Target><AnyOf><AllOf>
    <Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">
      <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">dagl</AttributeValue>
      <AttributeDesignator AttributeId="urn:altinn:rolecode" Category="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/>
    </Match>
  </AllOf></AnyOf></Target></Rule>
</Policy>`

// TestPolicyPaths goes through the status tables of Altinn's policy paths.
func TestPolicyPaths(t *testing.T) {
	s := startAltinnServer(t)
	token := func(claims map[string]any) string { return "Authorization: Bearer " + s.token(t, claims) }
	platform := token(designer)
	for _, row := range []struct {
		request, body, credentials string
		status                     int
		text                       string // the whole body, or with … its beginning
	}{
		{"POST ?org=o&app=a", smallPolicy, "", 401, ""},
		{"POST ?org=o&app=a", smallPolicy, token(map[string]any{"urn:altinn:app": "storage"}), 403, ""},
		{"POST", smallPolicy, token(map[string]any{"urn:altinn:app": "storage"}), 403, ""},
		{"POST ?org=o&app=a", smallPolicy, token(server.UserClaims(20000490, 50002598, 3)), 403, ""},
		{"POST ?org=o&app=a", smallPolicy, token(map[string]any{"scope": "behalf:decide"}), 403, ""},
		{"POST ?app=a", smallPolicy, platform, 400, "Organisation must be defined in query string"},
		{"POST ?org=+&app=a", smallPolicy, platform, 400, "Organisation must be defined in query string"},
		{"POST ?org=o", smallPolicy, platform, 400, "App must be defined in query string"},
		{"POST ?org=o&app=a", "", platform, 400, "Policy file cannot be empty"},
		{"POST ?org=o&app=a", `{"no": "policy"}`, platform, 400, "the policy is not valid: line 1: …"},
		{"POST ?org=o&app=a", strings.Replace(smallPolicy, "<Target/>", "<Target/><Tarjet/>", 1), platform, 400,
			"the policy is not valid: line 3, Policy/Tarjet: <Tarjet> does not belong into <Policy>…"},
		{"POST ?org=o_o&app=a", smallPolicy, platform, 400, "ref.org…"},
		{"GET /roleswithaccess/o/a", "", "", 404, "No valid policy found for org 'o' and app 'a'"},
		{"POST ?org=o&app=a", smallPolicy, platform, 200, ""},
		{"POST ?ORG=o&App=b", smallPolicy, token(map[string]any{"scope": "behalf:policy.write"}), 200, ""},
		{"GET /roleswithaccess/o/a", "", "", 200, `["dagl"]`},
		{"GET /RolesWithAccess/o/b", "", "", 200, `["dagl"]`},
		{"GET /roleswithaccess/%20/a", "", "", 400, "Organisation must be defined in the path"},
		{"GET /roleswithaccess/o/%20", "", "", 400, "App must be defined in the path"},
		{"GET ?org=o&app=a", "", platform, 405, "…"},
		{"POST /GetPolicies", "nonsense", "", 400, "…"},
		{"POST /GetPolicies?language=nb", "[]", "", 200, "[]"},
	} {
		method, target, _ := strings.Cut(row.request, " ")
		got := s.do(t, method, policiesPath+target, []byte(row.body), row.credentials)
		beginning, more := strings.CutSuffix(row.text, "…")
		if got.status != row.status || !more && got.body != row.text || !strings.HasPrefix(got.body, beginning) {
			t.Errorf("%s: %d %q, want %d %q", row.request, got.status, got.body, row.status, row.text)
		}
	}
}

// TestCompatUpload takes what is no policy, as Altinn does.
func TestCompatUpload(t *testing.T) {
	s := startAltinnServerIn(t, t.TempDir(), server.CompatAltinn)
	got := s.do(t, http.MethodPost, policiesPath+"?org=o&app=a", []byte(`{"no": "policy"}`), "Authorization: Bearer "+s.token(t, designer))
	if got.status != http.StatusOK || got.body != "" {
		t.Errorf("%d %q", got.status, got.body)
	}
	if got := s.do(t, http.MethodGet, policiesPath+"/roleswithaccess/o/a", nil); got.status != http.StatusNotFound {
		t.Errorf("roles of what is no policy: %d %q", got.status, got.body)
	}
}

// TestNativePolicies puts, reads and takes back policies over the native API, with ETags,
// and finds them after a restart.
func TestNativePolicies(t *testing.T) {
	dir := t.TempDir()
	s := startAltinnServerIn(t, dir)
	do := func(method, target string, body map[string]any, headers ...string) (answered, map[string]any) {
		t.Helper()
		var text []byte
		headers = append(headers, "Authorization: Bearer "+s.adminKey)
		if body != nil {
			text = []byte(marshalSorted(t, body))
			headers = append(headers, "Content-Type: application/json")
		}
		got := s.do(t, method, "/v1/policies"+target, text, headers...)
		var fields map[string]any
		if err := json.Unmarshal([]byte(got.body), &fields); err != nil {
			t.Fatalf("%s %s: %d %s", method, target, got.status, got.body)
		}
		return got, fields
	}
	first := map[string]any{"text": []byte(smallPolicy)}
	second := map[string]any{"text": []byte(strings.Replace(smallPolicy, "dagl", "lede", 1))}
	got, _ := do(http.MethodPut, "/apps/skd/flyttemelding", first, "If-None-Match: *")
	one := got.header.Get("ETag")
	if got.status != http.StatusOK || len(one) != 66 {
		t.Fatalf("put: %d %s, ETag %s", got.status, got.body, one)
	}
	for _, condition := range []string{"If-None-Match: *", "If-Match: \"" + strings.Repeat("0", 64) + `"`} {
		if got, fields := do(http.MethodPut, "/apps/skd/flyttemelding", second, condition); got.status != http.StatusPreconditionFailed || fields["reason"] != "ETAG_MISMATCH" {
			t.Errorf("%s: %d %s", condition, got.status, got.body)
		}
	}
	if got, _ := do(http.MethodPut, "/apps/skd/flyttemelding", second, "If-None-Match: é"); got.status != http.StatusBadRequest {
		t.Errorf("a condition that is none: %d %s", got.status, got.body)
	}
	if got, fields := do(http.MethodPut, "/apps/skd/flyttemelding", second, "If-Match: "+one); got.status != http.StatusOK || fields["changed"] != true {
		t.Errorf("put another: %d %s", got.status, got.body)
	}
	for _, target := range []string{"/resources/ttd-res", "/types/document"} {
		if got, _ := do(http.MethodPut, target, first); got.status != http.StatusOK {
			t.Errorf("put %s: %d %s", target, got.status, got.body)
		}
	}
	if got, _ := do(http.MethodPost, "/apps/skd/flyttemelding/rollback", map[string]any{}); got.status != http.StatusOK || got.header.Get("ETag") != one {
		t.Errorf("roll back: %d %s", got.status, got.body)
	}
	if got, _ := do(http.MethodDelete, "/types/document", nil); got.status != http.StatusOK {
		t.Errorf("delete: %d %s", got.status, got.body)
	}
	if got, fields := do(http.MethodPut, "/resources/other", map[string]any{"text": []byte("<Policy/>")}); got.status != http.StatusBadRequest || fields["reason"] != "POLICY_INVALID" {
		t.Errorf("an invalid policy: %d %s", got.status, got.body)
	}
	if got, fields := do(http.MethodPost, ":validate", map[string]any{"text": []byte("<Policy/>")}); got.status != http.StatusOK || fields["valid"] != false {
		t.Errorf("validate: %d %s", got.status, got.body)
	}

	s.stop()
	s = startAltinnServerIn(t, dir)
	got, fields := do(http.MethodGet, "/apps/skd/flyttemelding", nil)
	if text, _ := fields["text"].(string); got.header.Get("ETag") != one || text != base64.StdEncoding.EncodeToString([]byte(smallPolicy)) {
		t.Errorf("after a restart: %d %s", got.status, got.body)
	}
	if got, _ := do(http.MethodGet, "/types/document", nil); got.status != http.StatusNotFound {
		t.Errorf("deleted: %d %s", got.status, got.body)
	}
	var listed []string
	token := ""
	for range 5 {
		_, fields := do(http.MethodGet, "?page_size=1&page_token="+token, nil)
		for _, p := range fields["policies"].([]any) {
			ref, _ := p.(map[string]any)["ref"].(map[string]any)
			listed = append(listed, strings.TrimSpace(strings.Join([]string{ref["org"].(string), ref["app"].(string), ref["resource"].(string)}, " ")))
		}
		if token, _ = fields["nextPageToken"].(string); token == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"skd flyttemelding", "ttd-res"}, listed); diff != "" {
		t.Error(diff)
	}
	_, fields = do(http.MethodGet, "/apps/skd/flyttemelding/history", nil)
	var kinds []any
	for _, c := range fields["changes"].([]any) {
		kinds = append(kinds, c.(map[string]any)["kind"])
	}
	want := []any{"POLICY_CHANGE_KIND_ROLLBACK", "POLICY_CHANGE_KIND_PUT", "POLICY_CHANGE_KIND_PUT"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}
