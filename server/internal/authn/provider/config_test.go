package provider_test

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/behalf-authz/behalf/server/internal/authn/provider"
)

const good = `
issuers:
  - name: idporten
    issuer: https://idporten.no
    algorithms: [RS256]
    skew: 20s
    believe: [subject, pid, levels]
    levels:
      acr: {idporten-loa-substantial: 3, idporten-loa-high: 4}
    login:
      client_id: behalf
      scopes: [profile]
      acr_values: [idporten-loa-substantial]
      title: {en: ID-porten, nb: ID-porten}
  - name: maskinporten
    issuer: https://maskinporten.no/
    jwks: https://maskinporten.no/jwk
    believe: [consumer, scopes]
    bearer: {audiences: ["https://api.example.no"], type: at+jwt, max_age: 10m}
  - name: keycloak
    issuer: http://127.0.0.1:8080/realms/x
    believe: [subject, groups]
    claims: {groups: realm_access.roles}
    provision: true
    bearer: {any_audience: true}
`

func TestParse(t *testing.T) {
	f, err := provider.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Issuers) != 3 || !f.Issuers[2].Provision || f.Issuers[0].Login.Title["nb"] != "ID-porten" {
		t.Errorf("read %+v", f)
	}
}

// TestFaultsAllAtOnce has every fault of a file in one error.
func TestFaultsAllAtOnce(t *testing.T) {
	_, err := provider.Parse([]byte(`
issuers:
  - name: Bad Name
    issuer: http://idp.example
    algorithms: [none, HS256]
    believe: [email]
    colour: red
    skew: 2m
    levels: {acr: {x: 7}}
    bearer: {}
  - name: two
    issuer: https://two.example
    believe: [subject]
    introspection: {endpoint: "http://two.example/i"}
  - name: two
    issuer: https://two.example
    believe: [pid]
    provision: true
    login: {acr_values: [high], title: {fr: Deux}}
    introspection: {client_id: x, client_secret_file: y, audiences: [z]}
`))
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{
		"field colour not found", "name must be", "issuer must be an https", `"none"`, `"HS256"`, `"email"`, "skew must be",
		`"x" is 7`, "does not name levels", "either audiences or any_audience", "introspection.endpoint must be",
		"introspection needs client_id", "introspection.audiences", "another entry has this name", "another entry has the issuer",
		"provision needs", "login.client_id", "which levels.acr does not know", `"fr"`, "one entry may have introspection",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the faults do not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

// TestSchemaAgrees has the schema for editors take what the server takes, and refuse what it refuses.
func TestSchemaAgrees(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../../schema/issuers.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, by string) string { return strings.Replace(good, old, by, 1) }
	for name, tc := range map[string]struct {
		text  string
		right bool
	}{
		"good":              {good, true},
		"no issuers":        {"issuers: []", false},
		"unknown key":       {replace("provision: true", "provisions: true"), false},
		"algorithm none":    {replace("[RS256]", "[none]"), false},
		"belief":            {replace("[subject, groups]", "[email]"), false},
		"level 5":           {replace("high: 4", "high: 5"), false},
		"name":              {replace("name: keycloak", "name: Key Cloak"), false},
		"plaintext":         {replace("issuer: https://idporten.no", "issuer: ftp://idporten.no"), false},
		"both audiences":    {replace("{any_audience: true}", "{any_audience: true, audiences: [x]}"), false},
		"nothing is of use": {replace("    bearer: {any_audience: true}\n", ""), false},
		"skew":              {replace("skew: 20s", "skew: soon"), false},
	} {
		_, err := provider.Parse([]byte(tc.text))
		var value any
		if err := yaml.Unmarshal([]byte(tc.text), &value); err != nil {
			t.Fatal(err)
		}
		invalid := schema.Validate(value)
		if (err == nil) != tc.right || (invalid == nil) != tc.right {
			t.Errorf("%s: the server says %v, the schema says %v", name, err, invalid)
		}
	}
}
