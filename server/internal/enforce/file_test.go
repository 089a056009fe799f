package enforce_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/behalf-authz/behalf/server/internal/enforce"
)

const good = `identity:
  preset: mia
  headers: {party_id: X-Party}
routes:
  - name: open
    methods: ["*"]
    path: /**
    rule: {public: true}
  - name: orders
    host: "*.example.com"
    methods: [GET, POST]
    path: /parties/{partyId}/orders/*
    party: {parameter: partyId, relation: represent}
    rule:
      all:
        - level: 3
        - any:
            - groups: [admin]
            - permissions: ["read:orders"]
            - relation: "document:{path.partyId}/{header.X-Document}#view"
            - expression: '"read:orders" in permissions || clientType == "app"'
            - decision: {resource: orders, action: read, party: "{party.id}"}
  - name: app
    host: api.example.com
    methods: [DELETE]
    path: /apps
    rule: {decision: {org: skd, app: tax, action: delete, instance: "{user.id}"}}
  - name: known
    methods: [PUT]
    path: /known
    rule: {authenticated: true}
`

func TestEveryFaultIsTold(t *testing.T) {
	_, err := enforce.Parse([]byte(`identity: {preset: other, headers: {shoe: X-Shoe, user: Cookie, level: a_b, party_id: X-Forwarded-User}}
routes:
  - {name: One, methods: [get], path: a, rule: {public: false}}
  - {name: two, methods: ["*", GET], path: "/a/**/b", rule: {level: 5}}
  - {name: two, methods: [GET], path: "/{a}/{a}", rule: {any: []}, party: {parameter: b, relation: "No!"}}
  - {name: three, host: "a:1", methods: [GET], path: "/a//b", rule: {groups: []}}
  - {name: four, methods: [GET], path: "/x/{a}", rule: {relation: "party:{path.b}#represent"}}
  - {name: five, methods: [POST, GET], path: "/x/{b}", rule: {relation: party}}
  - {name: six, methods: [GET], path: "/y", rule: {all: [{public: true}]}}
  - {name: seven, methods: [GET], path: "/z", rule: {decision: {resource: r, app: a}}}
  - {name: eight, methods: [GET], path: "/v", rule: {relation: "party:{party.id}#represent", level: 1}, shoe: 1}
  - {name: nine, methods: [GET], path: "/w", rule: {relation: "party:{header.Cookie}{user.shoe}#represent"}}
  - {name: ten, path: "/{a*}"}
`))
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{
		`no preset "other"`, `nothing is known as "shoe"`, "Cookie is for something else", `"a_b" cannot be`, "X-Forwarded-User is for something else",
		`name "One"`, `method "get"`, `path "a"`, "public is true", `"*" must be one of`, "** may only be the last", "level must be 1 to 4",
		"another route has the same name", "two parameters a", "any is empty", `no parameter "b"`, `"No!" is no relation`, `host "a:1"`, "can never be asked for",
		"groups must name some", "{path.b} is not known", `"four" and "five" take the same`, `relation "party" must be like`, "public is true, and stands alone",
		"about a resource, or about an app", "has no action", "field shoe not found", "it has 2", "{header.Cookie}", "{user.shoe}", `route "ten": has no methods`,
		`segment "{a*}"`, "it has 0",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

// TestSchemaAgrees has the schema for editors take what the server takes, and refuse what it refuses.
func TestSchemaAgrees(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../schema/routes.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, by string) string { return strings.Replace(good, old, by, 1) }
	for name, tc := range map[string]struct {
		text  string
		right bool
	}{
		"good":           {good, true},
		"no routes":      {"routes: []", false},
		"unknown key":    {replace("methods: [PUT]", "methods: [PUT]\n    shoe: 1"), false},
		"unknown rule":   {replace("{authenticated: true}", "{shoe: true}"), false},
		"no rule":        {replace("{authenticated: true}", "{}"), false},
		"two rules":      {replace("{authenticated: true}", "{authenticated: true, level: 3}"), false},
		"not public":     {replace("{public: true}", "{public: false}"), false},
		"public in all":  {replace("{authenticated: true}", "{all: [{public: true}]}"), false},
		"level 5":        {replace("level: 3", "level: 5"), false},
		"no such preset": {replace("preset: mia", "preset: shoe"), false},
		"no such field":  {replace("party_id: X-Party", "shoe: X-Party"), false},
		"underscore":     {replace("party_id: X-Party", "party_id: X_Party"), false},
		"name":           {replace("name: known", "name: Known One"), false},
		"method":         {replace("[PUT]", "[BREW]"), false},
		"no method":      {replace("[PUT]", "[]"), false},
		"path":           {replace("path: /known", "path: known"), false},
		"relation":       {replace(`"document:{path.partyId}/{header.X-Document}#view"`, "document"), false},
		"no action":      {replace("resource: orders, action: read,", "resource: orders,"), false},
		"app and other":  {replace("org: skd, app: tax", "org: skd, app: tax, resource: x"), false},
		"org alone":      {replace("org: skd, app: tax", "org: skd"), false},
		"empty any":      {replace("{authenticated: true}", "{any: []}"), false},
		"expression":     {replace("{authenticated: true}", "{expression: groups.admin}"), true},
		"no expression":  {replace("{authenticated: true}", "{expression: ''}"), false},
		"mia":            {"mia: {strict: false, user_properties: [level, partyId]}\n" + good, true},
		"mia's property": {"mia: {user_properties: [email]}\n" + good, false},
		"mia's key":      {"mia: {lenient: true}\n" + good, false},
		"mia's routes":   {"mia: {routes: ''}", false},
		"group no text":  {replace("groups: [admin]", "groups: []"), false},
		"granting":       {"relations: {groups: group#member, permissions: app/permission#holder}\n" + good, true},
		"granting a set": {"relations: {groups: group}\n" + good, false},
		"granting one":   {"relations: {permissions: 'group:a#member'}\n" + good, false},
		"granting roles": {"relations: {roles: group#member}\n" + good, false},
	} {
		_, err := enforce.Parse([]byte(tc.text))
		var value any
		if err := yaml.Unmarshal([]byte(tc.text), &value); err != nil {
			t.Fatal(err)
		}
		invalid := schema.Validate(value)
		if (err == nil) != tc.right || (invalid == nil) != tc.right {
			t.Errorf("%s: the server says %v, the schema %v", name, err, invalid)
		}
	}
}

func TestFilesThatAreNone(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "list": "[]", "no YAML": "{", "two documents": good + "---\n" + good, "large": strings.Repeat("#", 5<<20),
		"duplicate key": "routes: []\nroutes: []",
	} {
		if _, err := enforce.Parse([]byte(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	missing := filepath.Join(t.TempDir(), "routes.yaml")
	if enforce.CheckFile(missing) == nil {
		t.Error("a file that is not there was taken")
	}
	if err := os.WriteFile(missing, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := enforce.CheckFile(missing); err != nil {
		t.Error(err)
	}
}

// FuzzParse has nothing that a file says end the process.
func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(authJSON)
	f.Fuzz(func(_ *testing.T, text string) { _, _ = enforce.Parse([]byte(text)) })
}
