package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
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

// The three semantics differ in where they end; items of every kind are answered.
func TestAuthZENEvaluations(t *testing.T) {
	i := startAuthZEN(t)
	const (
		alice  = `"subject":{"type":"user","id":"alice"},"resource":{"type":"record","id":"record-1"}`
		yes    = `{"action":{"name":"read"}}`
		no     = `{"action":{"name":"fly"}}`
		broken = `{"action":{"name":7}}`
		none   = `7`
	)
	for _, c := range []struct{ semantic, items, want string }{
		{"", yes + "," + no + "," + yes, "true false true"},
		{"execute_all", no + "," + broken + "," + none + "," + yes, "false 400 400 true"},
		{"deny_on_first_deny", yes + "," + yes + "," + no + "," + yes, "true true false"},
		{"deny_on_first_deny", yes + "," + broken + "," + yes, "true 400"},
		{"deny_on_first_deny", yes + "," + yes, "true true"},
		{"permit_on_first_permit", no + "," + broken + "," + yes + "," + yes, "false 400 true"},
		{"permit_on_first_permit", no + "," + no, "false false"},
		// A default that no item needs may be anything that is an object; an item replaces it as a whole.
		{"", `{"action":{"name":"read"},"subject":{"type":"user"}}`, "400"},
	} {
		body := `{` + alice + `,"context":{},"action":{},"evaluations":[` + c.items + `]`
		if c.semantic != "" {
			body += `,"options":{"evaluations_semantic":"` + c.semantic + `","other":1}`
		}
		a := i.askAuthZEN(t, "evaluations", body+`}`)
		var got []string
		for _, e := range a.Evaluations {
			text := "false"
			if e.Decision == nil {
				t.Fatalf("%s: no decision", c.items)
			}
			if fault, ok := e.Context["error"].(map[string]any); ok && !*e.Decision {
				number, _ := fault["status"].(float64)
				text = strconv.Itoa(int(number))
			}
			if *e.Decision {
				text = "true"
			}
			got = append(got, text)
		}
		if a.Decision != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s of %s: %q, want %q", c.semantic, c.items, got, c.want)
		}
	}
	for _, body := range []string{
		`{` + alice + `,"action":{"name":"read"}}`,
		`{` + alice + `,"action":{"name":"read"},"evaluations":[]}`,
		`{` + alice + `,"action":{"name":"read"},"evaluations":null,"unknown":{}}`,
	} {
		if a := i.askAuthZEN(t, "evaluations", body); a.Decision == nil || !*a.Decision || a.Evaluations != nil {
			t.Errorf("%s: %+v", body, a)
		}
	}
	for _, body := range []string{
		`{` + alice + `}`,
		`{` + alice + `,"evaluations":{}}`,
		`{` + alice + `,"evaluations":[` + yes + `],"options":{"evaluations_semantic":"some"}}`,
		`{` + alice + `,"evaluations":[` + yes + `],"options":[]}`,
		`{` + alice + `,"evaluations":[` + yes + `],"action":"read"}`,
		`{` + alice + `,"evaluations":[` + strings.Repeat(yes+",", 1000) + yes + `]}`,
	} {
		if got := i.postAuthZEN(t, "/access/v1/evaluations", i.admin, body, isJSON); got.status != http.StatusBadRequest {
			t.Errorf("%.200s: %d %s", body, got.status, got.body)
		}
	}
}

// A list is cut into parts that together are the list as it was when the first was asked for.
func TestAuthZENPaging(t *testing.T) {
	i := startAuthZEN(t)
	var lines strings.Builder
	for n := range 25 {
		fmt.Fprintf(&lines, "record:page-%02d#reader@user:carol\n", n)
	}
	more := filepath.Join(t.TempDir(), "more")
	if err := os.MkdirAll(more, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(more, "more.rel"), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	i.run(t, "import", more)
	const search = `{"subject":{"type":"user","id":"carol"},"action":{"name":"read"},"resource":{"type":"record"}`
	ask := func(page string) authzenAnswer { return i.askAuthZEN(t, "search/resource", search+`,"page":`+page+`}`) }

	a := ask(`{"limit":10}`)
	first := *a.Page.NextToken
	_, err := v1.NewPermissionsServiceClient(i.conn).DeleteRelationships(as(t.Context(), i.admin), &v1.DeleteRelationshipsRequest{
		RelationshipFilter: &v1.RelationshipFilter{ResourceType: "record", OptionalResourceId: "page-12"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for parts := 1; ; parts++ {
		for _, r := range a.Results {
			ids = append(ids, r["id"].(string)) //nolint:forcetypeassert // a test
		}
		if *a.Page.NextToken == "" {
			if parts != 3 {
				t.Errorf("%d parts", parts)
			}
			break
		}
		limit := ""
		if parts == 1 { // which may be repeated
			limit = `"limit":10,`
		}
		a = ask(`{` + limit + `"token":"` + *a.Page.NextToken + `"}`)
	}
	want := 25
	if *datastoreFlag != server.DatastoreSQLite { // whose parts are each of the newest state
		want = 24
	}
	if len(ids) != want || !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != want {
		t.Errorf("%d results: %q", len(ids), ids)
	}
	if a := ask(`{}`); len(a.Results) != 24 || *a.Page.NextToken != "" {
		t.Errorf("without a limit %d results, next %q", len(a.Results), *a.Page.NextToken)
	}
	for _, body := range []string{
		search + `,"page":{"token":"` + first + `","limit":11}}`,
		strings.Replace(search, "carol", "alice", 1) + `,"page":{"token":"` + first + `"}}`,
		search + `,"context":{"time":1},"page":{"token":"` + first + `"}}`,
		search + `,"page":{"token":"nonsense"}}`,
		search + `,"page":{"token":"e30"}}`,
		search + `,"page":{"token":7}}`,
		search + `,"page":{"limit":-1}}`,
		search + `,"page":{"limit":1.5}}`,
		search + `,"page":[]}`,
	} {
		if got := i.postAuthZEN(t, "/access/v1/search/resource", i.admin, body, isJSON); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
}

// Who asks, and about whom.
func TestAuthZENCallers(t *testing.T) {
	i := startAuthZEN(t)
	question := func(id string) string {
		return `{"subject":{"type":"user","id":` + id + `},"action":{"name":"represent"},"resource":{"type":"party","id":"50076451"}}`
	}
	loadDemo(t, i)
	user := i.userToken(t, 20001337, 50002598)
	unscoped, err := server.SignToken(i.dataDir, map[string]any{"scope": "behalf:check", "client_id": "other"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, token, body string
		status                  int
	}{
		{"nobody", "evaluation", "", question(`"20001337"`), 401},
		{"nobody, malformed", "evaluation", "", "{", 401},
		{"a wrong token", "evaluation", "nonsense", question(`"20001337"`), 401},
		{"another scope", "evaluation", unscoped, question(`"20001337"`), 403},
		{"himself", "evaluation", user, question(`"20001337"`), 200},
		{"somebody else", "evaluation", user, question(`"20001338"`), 403},
		{"himself, as an admin", "evaluation", user, question(`"20001337","properties":{"role":"admin"}`), 403},
		{"his own list", "search/resource", user, question(`"20001337"`), 200},
		{"what he may do", "search/action", user, question(`"20001337"`), 200},
		{"the list of another", "search/resource", user, question(`"20001338"`), 403},
		{"who else", "search/subject", user, question(`"20001337"`), 403},
	} {
		got := i.postAuthZEN(t, "/access/v1/"+c.path, c.token, c.body, isJSON)
		if got.status != c.status || (c.status == 401) != (got.header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s: %d, want %d; %q %s", c.name, got.status, c.status, got.header.Get("WWW-Authenticate"), got.body)
		}
	}
	items := `{"evaluations":[` + question(`"20001338"`) + `,` + question(`"20001337"`) + `]}`
	got := i.postAuthZEN(t, "/access/v1/evaluations", user, items, isJSON)
	var a authzenAnswer
	if got.decode(t, &a); len(a.Evaluations) != 2 || *a.Evaluations[0].Decision {
		t.Errorf("about another: %s", got.body)
	}
}

func TestAuthZENMetadata(t *testing.T) {
	i := startAuthZEN(t)
	got := i.call(t, http.MethodGet, "/.well-known/authzen-configuration", "", "")
	var m map[string]any
	got.decode(t, &m)
	want := map[string]any{
		"policy_decision_point":       authzenURL,
		"access_evaluation_endpoint":  authzenURL + "/access/v1/evaluation",
		"access_evaluations_endpoint": authzenURL + "/access/v1/evaluations",
		"search_subject_endpoint":     authzenURL + "/access/v1/search/subject",
		"search_resource_endpoint":    authzenURL + "/access/v1/search/resource",
		"search_action_endpoint":      authzenURL + "/access/v1/search/action",
		"supported_obligations":       []any{"step-up", "notification", "session_termination", "custom"},
	}
	if diff := cmp.Diff(want, m); got.status != 200 || got.header.Get("Content-Type") != "application/json" || diff != "" {
		t.Errorf("%d (-want +got):\n%s", got.status, diff)
	}
	if !strings.Contains(got.header.Get("Cache-Control"), "max-age") {
		t.Errorf("Cache-Control: %q", got.header.Get("Cache-Control"))
	}
	if got := i.call(t, http.MethodGet, "/.well-known/authzen-configuration/tenant", "", ""); got.status != 404 {
		t.Errorf("a tenant: %d", got.status)
	}
	silent := start(t)
	if got := silent.call(t, http.MethodGet, "/.well-known/authzen-configuration", "", ""); got.status != 404 || !strings.Contains(string(got.body), "--public-url") {
		t.Errorf("without a URL: %d %s", got.status, got.body)
	}
	for _, bad := range []string{"http://pdp.example.com", "https://", "pdp.example.com", "https://x/y", "https://x?y", "https://x#", "https://u@x", "https://x/"} {
		if code, _, said := behalf(t, "serve", "--public-url", bad); code != 2 || !strings.Contains(said, "--public-url") {
			t.Errorf("%s: exit code %d, %s", bad, code, said)
		}
	}
}

// Bodies that two readers could understand differently, and others that are no I-JSON.
func TestAuthZENMalformed(t *testing.T) {
	i := startAuthZEN(t)
	const good = `{"subject":{"type":"user","id":"alice"},"action":{"name":"read"},"resource":{"type":"record","id":"record-1"},"context":X}`
	for x, status := range map[string]int{
		`{}`: 200, `null`: 200, `{"a":[1,{"b":null}],"\ud83d\ude00":"ø"}`: 200, `{"a":"\\ud800"}`: 200,
		`[]`: 400, `"a"`: 400, `{"a":1,"a":1}`: 400, `{"a":"\ud800"}`: 400, `{"a":"\udc00\ud800"}`: 400, "{\"a\":\"\xff\"}": 400,
		`{"a":1e400}`: 400, `{"a":01}`: 400, `{},`: 400, `{}} x`: 400,
		strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat(`}`, 60):     200,
		strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat(`}`, 5000): 400,
	} {
		got := i.postAuthZEN(t, "/access/v1/evaluation", i.admin, strings.Replace(good, "X", x, 1), isJSON)
		if got.status != status {
			t.Errorf("%.80s: %d, want %d: %s", x, got.status, status, got.body)
		}
	}
	for contentType, status := range map[string]int{
		"application/json; charset=utf-8": 200, "Application/JSON": 200, "": 400, "application/jsonx": 400, "application/xml": 400, "application/json;;": 400,
	} {
		got := i.postAuthZEN(t, "/access/v1/evaluation", i.admin, strings.Replace(good, "X", "{}", 1), map[string]string{"Content-Type": contentType})
		if got.status != status {
			t.Errorf("%s: %d, want %d: %s", contentType, got.status, status, got.body)
		}
	}
	if got := i.call(t, http.MethodGet, "/access/v1/evaluation", i.admin, ""); got.status != 405 || got.header.Get("Allow") != "POST" {
		t.Errorf("GET: %d %q", got.status, got.header.Get("Allow"))
	}
	for _, id := range []string{"a b", "{\"any\": 'string'}", strings.Repeat("x", 1000)} {
		got := i.postAuthZEN(t, "/access/v1/search/action", "", "", map[string]string{"X-Request-ID": id})
		if got.header.Get("X-Request-ID") != id {
			t.Errorf("X-Request-ID %q came back as %q", id, got.header.Get("X-Request-ID"))
		}
	}
}
