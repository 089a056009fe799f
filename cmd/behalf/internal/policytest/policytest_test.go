package policytest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/policytest"
	"github.com/behalf-authz/behalf/server/policyfile"
)

// always is a policy that permits everything, with an obligation.
const always = `<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:always" Version="1.0"
  RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:permit-overrides"><Target/><Rule RuleId="urn:r" Effect="Permit"/>
  <ObligationExpressions><ObligationExpression ObligationId="urn:o" FulfillOn="Permit"/></ObligationExpressions></Policy>`

const request = `{"Request":{}}`

// folder writes files and returns their folder, whose name is odd.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "odd [name]*")
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestExpectations(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       string // a part of the difference, or of the error after !
	}{
		"text":             {"expected.txt", "Permit\n", ""},
		"text, otherwise":  {"expected.txt", "Deny", "Permit, want Deny: rule urn:r (line 2) says Permit"},
		"two results":      {"expected.txt", "Permit\nPermit", "1 results, want 2"},
		"no decision":      {"expected.txt", "permit", `!"permit" is no decision; there are Permit, Deny`},
		"nothing":          {"expected.txt", "\n", "!expects no result at all"},
		"JSON":             {"expected.json", `{"decision": "Permit", "status": "ok", "obligations": ["urn:o"], "advice": []}`, ""},
		"JSON, a list":     {"expected.json", `[{"decision": "Permit"}]`, ""},
		"JSON, no duty":    {"expected.json", `{"decision": "Permit", "obligations": []}`, `obligations ["urn:o"], want []`},
		"JSON, status":     {"expected.json", `{"decision": "Permit", "status": "syntax-error"}`, "status urn:oasis:names:tc:xacml:1.0:status:ok, want syntax-error"},
		"JSON, misspelt":   {"expected.json", `{"decison": "Permit"}`, `!unknown field "decison"`},
		"JSON, response":   {"expected.json", `{"Response": [{"Decision": "Permit", "Obligations": [{"Id": "urn:o"}]}]}`, ""},
		"JSON, one result": {"expected.json", `{"Response": {"Decision": "Permit"}}`, `obligations ["urn:o"], want []`},
		"XML":              {"expected.xml", `<Response><Result><Decision>Permit</Decision><Obligations><Obligation ObligationId="urn:o"/></Obligations></Result></Response>`, ""},
		"XML, otherwise":   {"expected.xml", `<Response><Result><Decision>Deny</Decision></Result></Response>`, "Permit, want Deny"},
		"XML, no response": {"expected.xml", `<Request/>`, "!expected.xml: expected element type <Response>"},
		"nothing is there": {"expect.txt", "Permit", "!has no expected.xml, expected.json or expected.txt beside it"},
	} {
		cases, err := policytest.Find(folder(t, map[string]string{"policy.xml": always, "case/request.json": request, "case/" + c.file: c.text}))
		wanted, fails := strings.CutPrefix(c.want, "!")
		if fails {
			if err == nil || !strings.Contains(err.Error(), wanted) {
				t.Errorf("%s: %v, want %q", name, err, wanted)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		report, err := policytest.Run(cases, policyfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if said := strings.Join(report.Cases[0].Differences, "\n"); !strings.Contains(said, wanted) || report.Cases[0].Passed != (wanted == "") {
			t.Errorf("%s: %q, want %q", name, said, wanted)
		}
	}
}

// The nearest policies decide, and a rule took part when it did in any case.
func TestNearestPolicies(t *testing.T) {
	never := strings.ReplaceAll(strings.ReplaceAll(always, "Permit", "Deny"), "urn:r", "urn:never")
	dir := folder(t, map[string]string{
		"policy.xml":       always,
		"a/request.json":   request,
		"a/expected.txt":   "Permit",
		"b/policy.xml":     never,
		"b/c/request.xml":  `<Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17"/>`,
		"b/c/expected.txt": "Deny",
		"d/policy-set.xml": strings.ReplaceAll(never, "urn:never", "urn:other"),
		"d/request.json":   "{",
		"d/expected.json":  `{"decision": "Indeterminate", "status": "syntax-error"}`,
		"e/readme":         "",
	})
	cases, err := policytest.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := policytest.Run(cases, policyfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range report.Cases {
		names = append(names, c.Case)
	}
	if diff := cmp.Diff([]string{"a/request.json", "b/c/request.xml", "d/request.json"}, names); diff != "" || report.Passed != 3 {
		t.Errorf("%+v\n%s", report.Cases, diff)
	}
	if report.Rules != 3 || report.Applied != 2 || len(report.Never) != 1 || report.Never[0].ID != "urn:other" || report.Never[0].Line != 2 {
		t.Errorf("%d of %d rules, never %+v", report.Applied, report.Rules, report.Never)
	}
}
