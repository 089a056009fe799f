package enforce_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
)

// authJSON is a file of Mia's with every form that it may have.
const authJSON = `{
	"/": {"GET": {"authorization": {"expression": "true", "public": true}}},
	"/orders": {
		"GET": {"authorization": {"expression": "groups.admin || permissions[\"read:orders\"]", "public": false},
		        "backofficeAuthorization": {"expression": "isBackoffice && groups.support", "public": false}},
		"ALL": {"authorization": {"expression": "groups.admin", "public": false}}
	},
	"/orders/open/": {"ALL": {"authorization": {"expression": "true", "public": true}}},
	"/orders/:id/lines": {"GET": {"authorization": {"expression": "groups.lines", "public": false}}},
	"/app": {"GET": {"authorization": {"expression": "clientType == \"app\"", "public": true}}},
	"/back": {"GET": {"backofficeAuthorization": {"expression": "isBackoffice", "public": false}}},
	"/both": {"GET": {"authorization": {"expression": "isBackoffice", "public": true}}},
	"/never": {"ALL": {"authorization": {"expression": "false", "public": false}}}
}`

func open(t *testing.T, w *world, file string, more map[string]string) (*enforce.Service, error) {
	t.Helper()
	dir := t.TempDir()
	more["routes"] = file
	for name, text := range more {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	registry, logger := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	held, err := enforce.OpenRoutes(enforce.RoutesConfig{Path: filepath.Join(dir, "routes"), Logger: logger, Registerer: registry})
	if err != nil {
		return nil, err
	}
	directory := party.NewDirectory()
	directory.Apply([]party.Party{{ID: 1, Kind: party.Person, UserID: 7, Login: true}}, nil)
	return enforce.New(enforce.Config{
		Routes: held, Relations: w, Decisions: w, Parties: directory, Authenticator: w, SessionCookie: "sid", Logger: logger, Registerer: registry,
	})
}

// TestMiaRoutes judges requests by Mia's own file.
func TestMiaRoutes(t *testing.T) {
	nobody := caller.Caller{}
	user := func(groups ...string) caller.Caller {
		return caller.Caller{Kind: caller.User, UserID: 7, Groups: groups, Permissions: []string{"x"}}
	}
	reader := user()
	reader.Permissions = []string{"read:orders"}
	for _, row := range []struct {
		who        caller.Caller
		request    string // method, path, then what the gateway knows
		want       enforce.Outcome
		wantReason fault.Reason
		route      string
	}{
		{nobody, "GET /", enforce.Allowed, "", "GET /"},
		{nobody, "GET /any/thing", enforce.Allowed, "", "GET /"},
		{nobody, "POST /", enforce.Denied, enforce.ReasonNoRoute, ""},
		{nobody, "HEAD /", enforce.Denied, enforce.ReasonNoRoute, ""}, // GET is GET
		{nobody, "GET /orders", enforce.Unauthenticated, fault.ReasonCredentialsMissing, "GET /orders"},
		{user("admin"), "GET /orders", enforce.Allowed, "", "GET /orders"},
		{user("admin"), "GET /orders/1?public=1", enforce.Allowed, "", "GET /orders"},
		{reader, "GET /orders/1", enforce.Allowed, "", "GET /orders"},
		{user(), "GET /orders/1", enforce.Denied, enforce.ReasonDenied, "GET /orders"},
		{reader, "POST /orders/1", enforce.Denied, enforce.ReasonDenied, "ALL /orders"},
		{user("admin"), "OPTIONS /orders/1", enforce.Allowed, "", "ALL /orders"},
		{user("admin"), "BREW /orders/1", enforce.Denied, enforce.ReasonNoRoute, ""},
		{user("admin"), "GET /orders-old", enforce.Allowed, "", "GET /"}, // by segments, not by letters
		{user("admin"), "POST /orders-old", enforce.Denied, enforce.ReasonNoRoute, ""},
		{nobody, "DELETE /orders/open", enforce.Allowed, "", "ALL /orders/open/"},
		{nobody, "DELETE /orders/open/x", enforce.Allowed, "", "ALL /orders/open/"},
		{user("admin"), "GET /orders/5/lines/1", enforce.Denied, enforce.ReasonDenied, "GET /orders/:id/lines"},
		{user("lines"), "GET /orders/5/lines", enforce.Allowed, "", "GET /orders/:id/lines"},
		{user("admin"), "POST /orders/5/lines", enforce.Denied, enforce.ReasonNoRoute, ""},
		{user("admin"), "GET /orders back", enforce.Denied, enforce.ReasonDenied, "GET /orders"},
		{user("support"), "GET /orders back", enforce.Allowed, "", "GET /orders"},
		{user("support"), "GET /orders", enforce.Denied, enforce.ReasonDenied, "GET /orders"},
		{user("admin"), "POST /orders back", enforce.Allowed, "", "ALL /orders"}, // which has none of its own for the back office
		{nobody, "GET /app", enforce.Denied, enforce.ReasonDenied, "GET /app"},
		{nobody, "GET /app web", enforce.Denied, enforce.ReasonDenied, "GET /app"},
		{nobody, "GET /app app", enforce.Allowed, "", "GET /app"},
		{user(), "GET /back", enforce.Denied, enforce.ReasonNoRoute, "GET /back"},
		{nobody, "GET /back back", enforce.Unauthenticated, fault.ReasonCredentialsMissing, "GET /back"},
		{user(), "GET /back back", enforce.Allowed, "", "GET /back"},
		{nobody, "GET /both back", enforce.Allowed, "", "GET /both"},
		{nobody, "GET /both", enforce.Denied, enforce.ReasonDenied, "GET /both"},
		{user("admin"), "PUT /never", enforce.Denied, enforce.ReasonDenied, "ALL /never"},
		{nobody, "GET /open//x", enforce.Malformed, enforce.ReasonMalformed, ""},
		{nobody, "GET /x/%2e%2e/orders", enforce.Malformed, enforce.ReasonMalformed, ""},
		{nobody, "GET /%2F/orders", enforce.Malformed, enforce.ReasonMalformed, ""},
		{user(), "GET /%6frders", enforce.Denied, enforce.ReasonDenied, "GET /orders"},
	} {
		s, err := open(t, &world{who: row.who}, authJSON, map[string]string{})
		if err != nil {
			t.Fatal(err)
		}
		var method, target, client string
		_, _ = fmt.Sscan(row.request, &method, &target, &client)
		r := get(target)
		if row.who.Kind != caller.Nobody {
			r = get(target, bearer)
		}
		r.Method, r.Backoffice, r.ClientType = method, client == "back", client
		v, err := s.Authorize(t.Context(), r)
		if err != nil || v.Outcome != row.want || v.Reason != row.wantReason || v.Route != row.route {
			t.Errorf("%s of %v: %v, %v; want %s %s by %q", row.request, row.who.Groups, v, err, row.want, row.wantReason, row.route)
		}
	}
}

// TestMiaIdentity says what Mia's gateways are told of whom they let in.
func TestMiaIdentity(t *testing.T) {
	const file = `
identity: {preset: mia}
mia: {strict: false, routes: auth.json, user_properties: [level, partyId, issuer, providerUserId, groups, permissions, userId, actingPartyId, actingPartyOrg]}
routes:
  - {name: act, methods: [GET], path: /act, party: {}, rule: {expression: 'groups.admin && !(isBackoffice)'}}
`
	who := kari
	who.IssuedTo = "Kåre 🎉 \"x\"\r\nevil: 1"
	s, err := open(t, &world{who: who, answers: yes}, file, map[string]string{"auth.json": authJSON})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]enforce.MiaAnswer{
		"/act": {
			Lenient: true, UserID: "7", Groups: "admin",
			UserProperties: `{"actingPartyId":1,"groups":["admin","a,b"],"level":3,"partyId":1,"permissions":["read:orders"],` +
				`"providerUserId":"K\u00e5re \ud83c\udf89 \"x\"\r\nevil: 1","userId":"7"}`,
		},
		"/orders/5/lines": {Lenient: true}, // denied
		"/a//b":           {Lenient: true},
	} {
		v, err := s.Authorize(t.Context(), get(path, bearer))
		if err != nil || v.Mia != want {
			t.Errorf("%s: %v, %v", path, v, err)
		}
	}
	v, err := s.Authorize(t.Context(), get("/act"))
	if err != nil || v.Outcome != enforce.Unauthenticated {
		t.Errorf("nobody, where an expression is asked for: %v, %v", v, err)
	}
	v, err = s.Authorize(t.Context(), get("/free"))
	if err != nil || v.Outcome != enforce.Allowed || v.Mia != (enforce.MiaAnswer{Lenient: true}) {
		t.Errorf("nobody, where everybody may pass: %v, %v", v, err)
	}
}

// TestMiaFaults has every fault of Mia's file keep the server from starting.
func TestMiaFaults(t *testing.T) {
	method := func(text string) string { return `{"/a": {"GET": ` + text + `}}` }
	gate := func(expression string) string {
		return method(`{"authorization": {"public": false, "expression": "` + expression + `"}}`)
	}
	for name, row := range map[string]struct{ text, want string }{
		"empty":             {`{}`, "has no routes"},
		"no JSON":           {`{"/a": {"GET": }}`, "is no JSON"},
		"half":              {`{"/a": {"GET": {"authorization": {"expression": "true"`, "is no JSON"},
		"two":               {gate("true") + "{}", "more than one"},
		"list":              {`{"/a": []}`, "has a list"},
		"no path":           {`{"/a": {}, "b": {"GET": {}}}`, `"b"`},
		"no methods":        {`{"/a": {}}`, "has no methods"},
		"null":              {`{"/a": null}`, "has no methods"},
		"method":            {`{"/a": {"OPTIONS": {"authorization": {"expression": "true", "public": true}}}}`, `"OPTIONS" is not one`},
		"method's case":     {`{"/a": {"get": {"authorization": {"expression": "true", "public": true}}}}`, `"get" is not one`},
		"nothing":           {method(`{}`), "says nothing of authorization"},
		"misspelt":          {method(`{"authorisation": {"expression": "true", "public": true}}`), `unknown key "authorisation"`},
		"case":              {method(`{"Authorization": {"expression": "true", "public": true}}`), `unknown key "Authorization"`},
		"misplaced":         {method(`{"authorization": {"expression": "true", "public": true}, "expression": "true"}`), "unknown field"},
		"no public":         {method(`{"authorization": {"expression": "true"}}`), "must have an expression and public"},
		"no expression":     {method(`{"authorization": {"public": true}}`), "must have an expression and public"},
		"public no boolean": {method(`{"authorization": {"expression": "true", "public": "true"}}`), "not as Mia's"},
		"back office":       {method(`{"backofficeAuthorization": {"expression": "true"}}`), "backofficeAuthorization must have"},
		"empty expression":  {gate(""), "a value is missing"},
		"unknown name":      {gate("roles.admin"), `"roles" is not known`},
		"type":              {gate("groups"), "not a condition"},
		"twice":             {`{"/a": {"GET": {"authorization": {"expression": "false", "expression": "true", "public": false}}}}`, `"expression" twice`},
		"deep":              {`{"/a": {"GET": ` + strings.Repeat(`{"authorization": `, 100_000) + "1" + strings.Repeat("}", 100_000) + "}}", "too deep"},
		"path twice":        {`{"/a": {}, "/a": {}}`, `"/a" twice`},
		"path again":        {strings.Replace(authJSON, `"/app"`, `"/orders/"`, 1), "take the same requests"},
		"wildcard":          {`{"/a/*": {"ALL": {"authorization": {"expression": "true", "public": true}}}}`, "a wildcard"},
		"dots":              {`{"/a/../b": {"ALL": {"authorization": {"expression": "true", "public": true}}}}`, "never be asked for"},
		"slashes":           {`{"//a": {"ALL": {"authorization": {"expression": "true", "public": true}}}}`, "one slash"},
	} {
		for _, err := range []error{
			func() error { _, err := open(t, &world{}, row.text, map[string]string{}); return err }(),
			func() error {
				_, err := open(t, &world{}, "mia: {routes: auth.json}", map[string]string{"auth.json": row.text})
				return err
			}(),
		} {
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s: %v, does not say %s", name, err, row.want)
			}
		}
	}
	for text, want := range map[string]string{
		"mia: {routes: absent.json}":                                "absent.json",
		"mia: {shoe: 1}":                                            "field shoe not found",
		"mia: {user_properties: [email]}":                           `no user property "email"`,
		"mia: {user_properties: [level, level]}":                    "level is there twice",
		"mia: {strict: maybe}":                                      "into bool",
		"routes: [{name: a, rule: {expression: 'group.x'}}]":        `"group" is not known`,
		"routes: [{name: a, rule: {any: [{expression: ''}]}}]":      "a value is missing",
		"routes: [{name: a, rule: {expression: 'true', level: 3}}]": "it has 2",
	} {
		if _, err := open(t, &world{}, text, map[string]string{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, does not say %s", text, err, want)
		}
	}
	if _, err := enforce.Parse([]byte("mia: {routes: auth.json}")); err == nil {
		t.Error("a text can name a file")
	}
	if _, err := enforce.Parse([]byte(authJSON)); err != nil {
		t.Error(err)
	}
}

// TestMiaReload takes a change of the file that the routes file names, and not a faulty one.
func TestMiaReload(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("auth.json", authJSON)
	write("routes.yaml", "mia: {routes: auth.json}")
	routes, err := enforce.OpenRoutes(enforce.RoutesConfig{
		Path: filepath.Join(dir, "routes.yaml"), Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	was := routes.Table().Len()
	look := func(want int, why string) {
		t.Helper()
		enforce.Look(t.Context(), routes)
		enforce.Look(t.Context(), routes)
		if got := routes.Table().Len(); got != want {
			t.Errorf("%s: %d routes, want %d", why, got, want)
		}
	}
	write("auth.json", strings.Replace(authJSON, "groups.lines", "group.lines", 1))
	look(was, "a faulty expression")
	if err := os.Remove(filepath.Join(dir, "auth.json")); err != nil {
		t.Fatal(err)
	}
	look(was, "no file")
	write("auth.json", `{"/a": {"GET": {"authorization": {"expression": "true", "public": true}}}}`)
	look(1, "another file")
	write("routes.yaml", "routes: [{name: a, methods: [GET, PUT], path: /b, rule: {public: true}}, {name: c, methods: [GET], path: /c, rule: {public: true}}]")
	look(2, "no such file any more")
}
