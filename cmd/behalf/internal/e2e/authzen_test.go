package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server"
)

const authzenURL = "https://pdp.example.com"

// startAuthZEN runs a server with the example that the certification asks about.
func startAuthZEN(t *testing.T) *instance {
	t.Helper()
	data := t.TempDir()
	i := startServer(t, server.Config{DataDir: data, Datastore: datastoreOf(t, data), PublicURL: authzenURL})
	i.run(t, "import", filepath.Join("..", "..", "..", "..", "schema", "examples", "authzen"))
	return i
}

// authzenAnswer is an answer of AuthZEN's, whatever was asked.
type authzenAnswer struct {
	Decision    *bool
	Context     map[string]any
	Evaluations []struct {
		Decision *bool
		Context  map[string]any
	}
	Page *struct {
		NextToken *string `json:"next_token"`
		Count     *int
	}
	Results []map[string]any
}

// postAuthZEN asks at a path and returns the answer with its status and headers.
func (i *instance) postAuthZEN(t testing.TB, path, token, body string, headers map[string]string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, text}
}

var isJSON = map[string]string{"Content-Type": "application/json"}

// askAuthZEN asks what must be answered.
func (i *instance) askAuthZEN(t testing.TB, path, body string) authzenAnswer {
	t.Helper()
	got := i.postAuthZEN(t, "/access/v1/"+path, i.admin, body, isJSON)
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s %s: %d %s %s", path, body, got.status, got.header.Get("Content-Type"), got.body)
	}
	var out authzenAnswer
	got.decode(t, &out)
	return out
}

// certificationCase is a case of AuthZEN's certification.
type certificationCase struct {
	ID, Path string
	Headers  map[string]string
	Body     json.RawMessage
	RawBody  *string `json:"raw_body"`
	Repeat   int
	Expect   struct {
		Status         int
		Decision       *bool
		Evaluations    []struct{ Decision any }
		Results        *[]map[string]any
		ResultsInclude []map[string]any `json:"results_include"`
		PageShape      bool             `json:"page_shape"`
		PageRequired   bool             `json:"page_required"`
	}
}

func TestAuthZENCertification(t *testing.T) {
	var corpus struct{ Cases []certificationCase }
	readJSON(t, filepath.Join(conformance(t), "authzen", "certification.json"), &corpus)
	if len(corpus.Cases) != 36 {
		t.Fatalf("there are %d cases", len(corpus.Cases))
	}
	i := startAuthZEN(t)
	token := ""
	for _, c := range corpus.Cases {
		t.Run(c.ID, func(t *testing.T) {
			body := strings.Replace(string(c.Body), "<next_token of c-4-5-1>", token, 1)
			if c.RawBody != nil {
				body = *c.RawBody
			}
			if strings.Contains(string(c.Body), "<next_token") && token == "" {
				t.Fatal("the part before has no next token")
			}
			for range max(1, c.Repeat) {
				c.Headers["X-Request-ID"] = "id of " + c.ID
				got := i.postAuthZEN(t, c.Path, i.admin, body, c.Headers)
				if got.header.Get("X-Request-ID") != "id of "+c.ID {
					t.Errorf("X-Request-ID: %q", got.header.Get("X-Request-ID"))
				}
				if next := c.hold(t, got); next != "" {
					token = next
				}
			}
		})
	}
}

// hold holds an answer against what is expected, and returns its next token.
func (c *certificationCase) hold(t *testing.T, got answer) (next string) {
	t.Helper()
	if got.status != c.Expect.Status {
		t.Fatalf("status %d, want %d: %s", got.status, c.Expect.Status, got.body)
	}
	if got.status != http.StatusOK {
		var message string
		if got.decode(t, &message); message == "" {
			t.Error("there is no message")
		}
		return ""
	}
	var a authzenAnswer
	got.decode(t, &a)
	if diff := cmp.Diff(c.Expect.Decision, a.Decision); diff != "" {
		t.Errorf("decision (-want +got): %s", diff)
	}
	if len(a.Evaluations) != len(c.Expect.Evaluations) {
		t.Fatalf("%d evaluations, want %d", len(a.Evaluations), len(c.Expect.Evaluations))
	}
	for i, e := range c.Expect.Evaluations {
		if want, given := e.Decision.(bool); a.Evaluations[i].Decision == nil || given && *a.Evaluations[i].Decision != want {
			t.Errorf("evaluation %d: %s", i, got.body)
		}
	}
	for _, want := range c.Expect.ResultsInclude {
		if !slices.ContainsFunc(a.Results, func(r map[string]any) bool { return cmp.Equal(r, want) }) {
			t.Errorf("%v is not among the results: %s", want, got.body)
		}
	}
	if c.Expect.Results != nil && (a.Results == nil || len(a.Results) != len(*c.Expect.Results)) {
		t.Errorf("results: %s", got.body)
	}
	if c.Expect.PageShape || c.Expect.PageRequired {
		if a.Results == nil || a.Page == nil || a.Page.NextToken == nil {
			t.Fatalf("no page: %s", got.body)
		}
		return *a.Page.NextToken
	}
	return ""
}

func TestAuthZENSearches(t *testing.T) {
	i := startAuthZEN(t)
	const bob, record1 = `{"type":"user","id":"bob","properties":{"role":"admin"}}`, `{"type":"record","id":"record-1"}`
	for _, c := range []struct{ path, body, want string }{
		{"subject", `{"subject":{"type":"user"},"action":{"name":"read"},"resource":` + record1 + `}`, "alice bob"},
		{"resource", `{"subject":{"type":"user","id":"alice"},"action":{"name":"read"},"resource":{"type":"record"}}`, "record-1 record-2"},
		{"action", `{"subject":{"type":"user","id":"alice"},"resource":` + record1 + `}`, "read write"},
		{"subject", `{"subject":{"type":"user"},"action":{"name":"write"},"resource":{"type":"record","id":"record-2","properties":{"status":"archived"}}}`, "bob"},
		{"resource", `{"subject":` + bob + `,"action":{"name":"write"},"resource":{"type":"record"}}`, "record-2"},
		{"action", `{"subject":` + bob + `,"resource":{"type":"record","id":"record-2","properties":{"status":"archived"}}}`, "read write"},
		{"action", `{"subject":` + bob + `,"action":{"name":7},"resource":{"type":"spaceship","id":"x"}}`, ""},
		{"subject", `{"subject":{"type":"user","id":7},"action":{"name":"read"},"resource":` + record1 + `,"page":{"limit":0}}`, ""},
		{"subject", `{"subject":{"type":"user"},"action":{"name":"fly"},"resource":` + record1 + `}`, ""},
		{"subject", `{"subject":{"type":"Röver"},"action":{"name":"read"},"resource":` + record1 + `}`, ""},
	} {
		a := i.askAuthZEN(t, "search/"+c.path, c.body)
		got := make([]string, len(a.Results))
		for i, r := range a.Results {
			got[i], _ = r["id"].(string)
			if c.path == "action" {
				got[i], _ = r["name"].(string)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %s: %q, want %q", c.path, c.body, got, c.want)
		}
		if a.Page == nil || a.Page.NextToken == nil || a.Page.Count == nil || *a.Page.Count != len(got) {
			t.Errorf("%s: page %+v", c.path, a.Page)
		}
	}
}
