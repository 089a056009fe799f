package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// conformance returns a folder of cases, or skips the test when there is none.
func conformanceFolder(t *testing.T, folder string) string {
	t.Helper()
	dir := os.Getenv("BEHALF_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "..", "shared", "conformance")
	}
	dir = filepath.Join(dir, folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance cases in %s: set BEHALF_CONFORMANCE to their folder", dir)
	}
	return dir
}

// httpCase is a case of the conformance data that is one HTTP request.
type httpCase struct {
	Method string
	Path   string
	Token  struct {
		Kind   string
		Claims map[string]any
	}
	Body     json.RawMessage
	BodyFile string
	Expect   struct {
		Status   int
		BodyFile string
	}
}

// ask sends the request of a case and returns the answer.
func (i *instance) ask(t *testing.T, dir string, c httpCase) (int, []byte) {
	t.Helper()
	body := []byte(c.Body)
	if c.BodyFile != "" {
		body = caseFile(t, filepath.Join(dir, c.BodyFile))
	}
	req, err := http.NewRequestWithContext(t.Context(), c.Method, i.url+c.Path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token.Claims != nil {
		claims := filepath.Join(t.TempDir(), "claims.json")
		text, err := json.Marshal(c.Token.Claims)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(claims, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(c.Token.Kind, "PlatformAccessToken") {
			token := run(t, "token", "--data-dir", i.dataDir, "--platform", "--claims", claims)
			req.Header.Set("PlatformAccessToken", strings.TrimSpace(token))
		} else {
			token := run(t, "token", "--data-dir", i.dataDir, "--claims", claims)
			req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func caseFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
}

func readCase(t *testing.T, dir string) httpCase {
	t.Helper()
	var c httpCase
	if err := json.Unmarshal(caseFile(t, filepath.Join(dir, "case.json")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAuthorizedParties runs the cases of authorized parties against a running server that
// has imported their world.
func TestAuthorizedParties(t *testing.T) {
	dir := conformanceFolder(t, "authorized-parties")
	i := start(t)
	i.run(t, "import", "--format", "altinn-world", filepath.Join(dir, "world"))
	again := i.run(t, "import", "--format", "altinn-world", "--output", "json", filepath.Join(dir, "world"))
	if regexp.MustCompile(`"(added|changed|removed|refused)": "[1-9]`).MatchString(again) {
		t.Errorf("importing the same world again changes something:\n%s", again)
	}
	cases, err := filepath.Glob(filepath.Join(dir, "cases", "*", "case.json"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	for _, name := range cases {
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) {
			c := readCase(t, filepath.Dir(name))
			status, body := i.ask(t, filepath.Dir(name), c)
			if status != c.Expect.Status {
				t.Fatalf("status %d, want %d\n%s", status, c.Expect.Status, body)
			}
			if c.Expect.BodyFile == "" {
				return
			}
			if diff := cmp.Diff(plain(t, caseFile(t, filepath.Join(filepath.Dir(name), c.Expect.BodyFile))), plain(t, body)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// plain returns JSON with its lists of texts in order.
func plain(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	var order func(v any) any
	order = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				v[name] = order(member)
			}
		case []any:
			texts := make([]string, 0, len(v))
			for n, member := range v {
				v[n] = order(member)
				if text, ok := member.(string); ok {
					texts = append(texts, text)
				}
			}
			if len(texts) == len(v) {
				slices.Sort(texts)
				return texts
			}
		}
		return v
	}
	return order(v)
}

// TestAccessListAuthorization asks whether access lists open resources, as parts of the
// platform do.
func TestAccessListAuthorization(t *testing.T) {
	rest, world := conformanceFolder(t, "rest"), conformanceFolder(t, "pdp")
	i := start(t)
	if code, _, diagnostics := behalf(t, i.reach([]string{"import", "--format", "altinn-world", filepath.Join(world, "world")})...); code != 0 {
		t.Fatalf("exit code %d: %s", code, diagnostics)
	}
	for _, name := range []string{"accesslist-authorized", "accesslist-not-member"} {
		dir := filepath.Join(rest, name)
		c := readCase(t, dir)
		status, body := i.ask(t, dir, c)
		if status != c.Expect.Status {
			t.Fatalf("%s: status %d, want %d\n%s", name, status, c.Expect.Status, body)
		}
		if diff := cmp.Diff(plain(t, caseFile(t, filepath.Join(dir, c.Expect.BodyFile))), plain(t, body)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		c.Token.Claims = nil
		if status, _ := i.ask(t, dir, c); status != http.StatusUnauthorized {
			t.Errorf("%s without a token: status %d", name, status)
		}
	}
	for _, q := range []struct{ org, resource, action, want string }{
		{"910459880", "ttd-accesslist-resource-with-actionfilter", "read", "Authorized"},
		{"910459880", "ttd-accesslist-resource-with-actionfilter", "write", "NotAuthorized"},
		{"910459880", "ttd-externalpdp-resource1", "read", "NotAuthorized"},
		{"910459880", "no-such-resource", "read", "NotDetermined"},
	} {
		c := httpCase{Method: http.MethodPost, Path: "/authorization/api/v1/accesslist/accessmanagement/authorization"}
		c.Token.Kind, c.Token.Claims = "PlatformAccessToken", map[string]any{"urn:altinn:app": "access-management"}
		c.Body = json.RawMessage(`{"subject":{"type":"urn:altinn:organization:identifier-no","value":"` + q.org +
			`"},"resource":{"type":"urn:altinn:resource","value":"` + q.resource +
			`"},"action":{"type":"urn:oasis:names:tc:xacml:1.0:action:action-id","value":"` + q.action + `"}}`)
		if status, body := i.ask(t, "", c); status != http.StatusOK || !strings.Contains(string(body), `"result":"`+q.want+`"`) {
			t.Errorf("%v: %d %s", q, status, body)
		}
	}
}
