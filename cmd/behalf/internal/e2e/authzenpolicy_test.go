package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// reportPolicy is about reports, by properties of everything; it has obligations of all sorts.
const reportPolicy = `<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:reports" Version="1.0"
  RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"><Target/>
<Rule RuleId="read" Effect="Permit"><Target><AnyOf><AllOf>
  <Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">
    <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">read</AttributeValue>
    <AttributeDesignator AttributeId="urn:oasis:names:tc:xacml:1.0:action:action-id" Category="urn:oasis:names:tc:xacml:3.0:attribute-category:action" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/></Match>
  <Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">
    <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">auditor</AttributeValue>
    <AttributeDesignator AttributeId="urn:behalf:subject:job.title" Category="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/></Match>
  <Match MatchId="urn:oasis:names:tc:xacml:1.0:function:integer-less-than-or-equal">
    <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#integer">3</AttributeValue>
    <AttributeDesignator AttributeId="urn:behalf:resource:class" Category="urn:oasis:names:tc:xacml:3.0:attribute-category:resource" DataType="http://www.w3.org/2001/XMLSchema#integer" MustBePresent="false"/></Match>
  <Match MatchId="urn:oasis:names:tc:xacml:1.0:function:boolean-equal">
    <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#boolean">true</AttributeValue>
    <AttributeDesignator AttributeId="urn:behalf:environment:at_work" Category="urn:oasis:names:tc:xacml:3.0:attribute-category:environment" DataType="http://www.w3.org/2001/XMLSchema#boolean" MustBePresent="false"/></Match>
  </AllOf></AnyOf></Target></Rule>
<Rule RuleId="list" Effect="Permit"><Target><AnyOf><AllOf>
  <Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">
    <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">list</AttributeValue>
    <AttributeDesignator AttributeId="urn:behalf:action:name" Category="urn:oasis:names:tc:xacml:3.0:attribute-category:action" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/></Match>
  <Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">
    <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">alice@example.com</AttributeValue>
    <AttributeDesignator AttributeId="urn:oasis:names:tc:xacml:1.0:subject:subject-id" Category="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/></Match>
  </AllOf></AnyOf></Target>
  <ObligationExpressions>
  <ObligationExpression ObligationId="urn:level" FulfillOn="Permit"><AttributeAssignmentExpression AttributeId="urn:a" Category="urn:altinn:minimum-authenticationlevel"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#integer">3</AttributeValue></AttributeAssignmentExpression></ObligationExpression>
  <ObligationExpression ObligationId="urn:behalf:obligation:step-up" FulfillOn="Permit"><AttributeAssignmentExpression AttributeId="acr_value"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">loa4</AttributeValue></AttributeAssignmentExpression><AttributeAssignmentExpression AttributeId="amr_values"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">otp</AttributeValue></AttributeAssignmentExpression></ObligationExpression>
  <ObligationExpression ObligationId="urn:mask" FulfillOn="Permit"><AttributeAssignmentExpression AttributeId="field"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">name</AttributeValue></AttributeAssignmentExpression><AttributeAssignmentExpression AttributeId="field"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">pay</AttributeValue></AttributeAssignmentExpression><AttributeAssignmentExpression AttributeId="keep"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#integer">2</AttributeValue></AttributeAssignmentExpression><AttributeAssignmentExpression AttributeId="strict"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#boolean">true</AttributeValue></AttributeAssignmentExpression></ObligationExpression>
  </ObligationExpressions></Rule>
</Policy>`

// A stored policy decides about a type, whatever the schema says of it; properties reach it
// as attributes, its obligations come back, and searches are by it.
func TestAuthZENPolicy(t *testing.T) {
	i := start(t)
	dir := t.TempDir()
	files := map[string]string{
		"policies/types/report.xml": reportPolicy,
		"reports.zed":               "definition report {\n\trelation reader: user\n\tpermission list = reader\n\tpermission print = reader\n}\n",
		"reports.rel":               "report:q1#reader@user:bob\nreport:q2#reader@user:alice=40example=2Ecom\n",
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	i.run(t, "import", dir)
	const alice, q1 = `"subject":{"type":"user","id":"alice@example.com"}`, `"resource":{"type":"report","id":"q1"}`
	auditor := func(class, context string) string {
		return `{"subject":{"type":"user","id":"carol","properties":{"job":{"title":"auditor"}}},"action":{"name":"read"},` +
			`"resource":{"type":"report","id":"q1","properties":{"class":` + class + `}},"context":` + context + `}`
	}
	for body, want := range map[string]bool{
		auditor("3", `{"at_work":true}`):                                                                                           true,
		auditor("2", `{"at_work":true}`):                                                                                           false,
		auditor("3", `{"at_work":"true"}`):                                                                                         false,
		auditor(`[1,{"x":2},4]`, `{"at_work":true}`):                                                                               true,
		`{` + alice + `,"action":{"name":"list"},` + q1 + `}`:                                                                      true,
		`{"subject":{"type":"user","id":"bob"},"action":{"name":"list"},` + q1 + `}`:                                               false, // the policy, not the relation
		`{"subject":{"type":"user","id":"bob"},"action":{"name":"print"},` + q1 + `}`:                                              false,
		`{` + alice + `,"action":{"name":"read"},"resource":{"type":"other","id":"q1"}}`:                                           false,
		`{` + alice + `,"action":{"name":"list"},"resource":{"type":"urn:report","id":"q1"}}`:                                      false,
		`{` + alice + `,"action":{"name":"list"},"resource":{"type":"report","id":"q1","properties":{"urn:altinn:resource":"x"}}}`: false,
		`{"subject":{"type":"user","id":"bob","properties":{"id":"alice@example.com"}},"action":{"name":"list"},` + q1 + `}`:       false,
		`{"subject":{"type":"urn:altinn:person:identifier-no","id":"07124912037"},"action":{"name":"list"},` + q1 + `}`:            false,
		`{"subject":{"type":"user","id":"bob","properties":{"urn:oasis:names:tc:xacml:1.0:subject:subject-id":"alice@example.com"}},"action":{"name":"list"},` + q1 + `}`: false,
	} {
		if a := i.askAuthZEN(t, "evaluation", body); *a.Decision != want || !want && a.Context["reason_admin"] == nil {
			t.Errorf("%s: %v %v, want %v", body, *a.Decision, a.Context, want)
		}
	}

	a := i.askAuthZEN(t, "evaluation", `{`+alice+`,"action":{"name":"list"},`+q1+`}`)
	want := map[string]any{"obligations": []any{
		map[string]any{"id": "urn:level", "type": "step-up", "properties": map[string]any{"acr_value": "urn:altinn:authlevel:3"}},
		map[string]any{"id": "urn:behalf:obligation:step-up", "type": "step-up", "properties": map[string]any{"acr_value": "loa4", "amr_values": []any{"otp"}}},
		map[string]any{"id": "urn:mask", "type": "custom", "properties": map[string]any{"field": []any{"name", "pay"}, "keep": 2.0, "strict": true}},
	}}
	if diff := cmp.Diff(want, a.Context); diff != "" {
		t.Errorf("obligations (-want +got):\n%s", diff)
	}
	for _, c := range []struct{ path, body, key, want string }{
		{"subject", `{"subject":{"type":"user"},"action":{"name":"list"},` + q1 + `}`, "id", "alice@example.com"},
		{"resource", `{` + alice + `,"action":{"name":"list"},"resource":{"type":"report"}}`, "id", "q1 q2"},
		{"action", `{` + alice + `,` + q1 + `}`, "name", "list"},
	} {
		var got []string
		for _, r := range i.askAuthZEN(t, "search/"+c.path, c.body).Results {
			id, _ := r[c.key].(string)
			if obligations, _ := r["obligations"].([]any); len(obligations) != 3 {
				t.Errorf("%s %s: obligations %v", c.path, id, obligations)
			}
			got = append(got, id)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}

	// Without the policy the definition answers, in the next call.
	i.run(t, "policy", "delete", "--type", "report")
	for body, want := range map[string]bool{
		`{"subject":{"type":"user","id":"bob"},"action":{"name":"list"},` + q1 + `}`:       true,
		`{` + alice + `,"action":{"name":"print"},"resource":{"type":"report","id":"q2"}}`: true,
		`{` + alice + `,"action":{"name":"list"},` + q1 + `}`:                              false,
	} {
		if a := i.askAuthZEN(t, "evaluation", body); *a.Decision != want {
			t.Errorf("without the policy %s: %v %v", body, *a.Decision, a.Context)
		}
	}
	// What the relations decide is on record too.
	found, err := behalfv1.NewAuditServiceClient(i.conn).ListAuditRecords(as(t.Context(), i.admin), &behalfv1.ListAuditRecordsRequest{
		Action: "print", Decision: "Permit",
	})
	if err != nil || len(found.GetRecords()) != 1 || found.GetRecords()[0].GetDoor() != "authzen" {
		t.Errorf("on record: %v, %v", found.GetRecords(), err)
	}
}
