package xacml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/jsonform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

const denyOverrides = "urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"

func decisions(r *xacml.Response) string {
	var all []string
	for _, result := range r.Results {
		all = append(all, result.Decision.String())
	}
	return strings.Join(all, " ")
}

func TestQuestions(t *testing.T) {
	policy := parse(t, policyOf(denyOverrides, `<Rule RuleId="r" Effect="Permit"><Target>`+
		matching("ann", "name", xacml.SubjectCategory, false)+matching("doc", "name", xacml.ResourceCategory, false)+`</Target></Rule>`))
	attr := func(id, value string) string {
		return `{"Id":"` + id + `","Attribute":[{"AttributeId":"name","Value":"` + value + `","IncludeInResult":true}]}`
	}
	body := `"AccessSubject":[` + attr("s1", "ann") + `,` + attr("s2", "bob") + `],"Resource":[` + attr("r1", "doc") + `,` + attr("r2", "other") + `]`
	tests := []struct{ name, request, want string }{
		{"all combinations", `{"Request":{` + body + `}}`, "Permit NotApplicable NotApplicable NotApplicable"},
		{"references", `{"Request":{` + body + `,"MultiRequests":{"RequestReference":[{"ReferenceId":["s2","r1"]},{"ReferenceId":["s1","r1"]}]}}}`, "NotApplicable Permit"},
		{"a broken reference", `{"Request":{` + body + `,"MultiRequests":{"RequestReference":[{"ReferenceId":["s1","r1"]},{"ReferenceId":["s1","gone"]},{"ReferenceId":[]},{"ReferenceId":["s1","r1"]}]}}}`, "Permit Indeterminate Indeterminate Permit"},
		{"a broken category", `{"Request":{"AccessSubject":[` + attr("s1", "ann") + `,{"Attribute":[{"Value":"x"}]}],"Resource":` + attr("", "doc") + `}}`, "Permit Indeterminate"},
		{"combined, not the same", `{"Request":{"CombinedDecision":true,` + body + `}}`, "Indeterminate"},
		{"combined, the same", `{"Request":{"combinedDecision":true,"accessSubject":` + attr("", "ann") + `,"resource":[` + attr("", "doc") + `,` + attr("", "doc") + `]}}`, "Permit"},
	}
	for _, test := range tests {
		request, err := jsonform.ReadRequest([]byte(test.request), xmltree.Limits{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := xacml.Respond(policy, request, xacml.Options{})
		if decisions(got) != test.want {
			t.Errorf("%s: %s, want %s", test.name, decisions(got), test.want)
		}
		for _, r := range got.Results {
			if r.Decision.Indeterminate() && r.Status.Message == "" {
				t.Errorf("%s: Indeterminate without a reason", test.name)
			}
		}
	}
}

func TestTooManyQuestions(t *testing.T) {
	q := &xacml.Request{}
	for range 40 {
		q.Categories = append(q.Categories, xacml.Attributes{Category: xacml.SubjectCategory}, xacml.Attributes{Category: xacml.ResourceCategory})
	}
	got := xacml.Respond(parse(t, policyOf(denyOverrides, "")), q, xacml.Options{})
	if decisions(got) != "Indeterminate" || !strings.Contains(got.Results[0].Status.Message, "1000 questions") {
		t.Errorf("%s %q", decisions(got), got.Results[0].Status.Message)
	}
}

// TestTooMuchWork holds that a short request does not become a large answer.
func TestTooMuchWork(t *testing.T) {
	var selector, categories strings.Builder
	selector.WriteString(`{"Request":{"Resource":{"Content":"<r>` + strings.Repeat("<a/>", 900) + `</r>","Attribute":[{"AttributeId":"urn:oasis:names:tc:xacml:3.0:multiple:content-selector","Value":{"XPathCategory":"` + xacml.ResourceCategory + `","XPath":"//a"}}`)
	categories.WriteString(`{"Request":{"Resource":[{}` + strings.Repeat(`,{}`, 899) + `],"Category":[{"CategoryId":"c"}`)
	for i := range 2000 {
		selector.WriteString(`,{"AttributeId":"a","Value":"x","IncludeInResult":true}`)
		fmt.Fprintf(&categories, `,{"CategoryId":"%d"}`, i)
	}
	selector.WriteString(`]}}}`)
	categories.WriteString(`]}}`)
	for _, text := range []string{selector.String(), categories.String()} {
		q, err := jsonform.ReadRequest([]byte(text), xmltree.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got := xacml.Respond(parse(t, policyOf(denyOverrides, "")), q, xacml.Options{})
		if decisions(got) != "Indeterminate" || !strings.Contains(got.Results[0].Status.Message, "too many attributes") {
			t.Errorf("%.60s: %d results, %q", text, len(got.Results), got.Results[0].Status.Message)
		}
	}
}

func setOf(body string) string {
	return `<PolicySet xmlns="` + xacml.Namespace + `" PolicySetId="root" Version="1.0" PolicyCombiningAlgId="urn:oasis:names:tc:xacml:3.0:policy-combining-algorithm:deny-overrides"><Target/>` + body + `</PolicySet>`
}

func TestReferences(t *testing.T) {
	version := func(v, effect string) *xacml.Policy {
		text := policyOf(denyOverrides, `<Rule RuleId="r" Effect="`+effect+`"/>`)
		return parse(t, strings.Replace(text, `Version="1.0"`, `Version="`+v+`"`, 1))
	}
	library := xacml.Library{version("1.0", "Deny"), version("1.2", "Permit"), version("1.10.1", "Deny"), version("2.0", "Permit")}
	tests := []struct{ constraint, want string }{
		{``, "Permit"}, {`Version="1.*"`, "Permit"}, {`Version="1.+"`, "Deny"}, {`Version="1.0"`, "Deny"}, {`Version="3"`, "Indeterminate"},
		{`LatestVersion="1.5"`, "Permit"}, {`LatestVersion="1.+"`, "Deny"}, {`EarliestVersion="1.3" LatestVersion="1.*"`, "Indeterminate"}, {`EarliestVersion="2"`, "Permit"},
	}
	for _, test := range tests {
		set := parse(t, setOf(`<PolicyIdReference `+test.constraint+`>p</PolicyIdReference>`))
		if got := set.Evaluate(simpleRequest(), xacml.Options{References: library}).Decision; got.String() != test.want {
			t.Errorf("%s: %s, want %s", test.constraint, got, test.want)
		}
	}
	loop := parse(t, setOf(`<PolicySetIdReference>root</PolicySetIdReference>`))
	got := loop.Evaluate(simpleRequest(), xacml.Options{References: xacml.Library{loop}})
	if got.Decision != xacml.IndeterminateDP || !strings.Contains(got.Status.Message, "refers to itself") {
		t.Errorf("a cycle: %s %q", got.Decision, got.Status.Message)
	}
}

// TestBrokenReference holds that a broken policy matters only if it is needed.
func TestBrokenReference(t *testing.T) {
	text := policyOf(denyOverrides, `<Rule RuleId="r"/>`)
	_, err := xacml.Parse([]byte(text), xacml.ParseOptions{})
	if err == nil {
		t.Fatal("a rule without effect was accepted")
	}
	library := xacml.Library{xacml.Broken([]byte(text), err)}
	first := strings.Replace(setOf(policyOf(denyOverrides, `<Rule RuleId="r" Effect="Permit"/>`)+`<PolicyIdReference>p</PolicyIdReference>`),
		"3.0:policy-combining-algorithm:deny-overrides", "1.0:policy-combining-algorithm:first-applicable", 1)
	if got := parse(t, first).Evaluate(simpleRequest(), xacml.Options{References: library}); got.Decision != xacml.Permit {
		t.Errorf("not needed: %+v", got)
	}
	got := parse(t, setOf(`<PolicyIdReference>p</PolicyIdReference>`)).Evaluate(simpleRequest(), xacml.Options{References: library})
	if got.Decision != xacml.IndeterminateDP || got.Status.Code != xacml.StatusSyntaxError || !strings.Contains(got.Status.Message, "Effect is missing") {
		t.Errorf("needed: %+v", got)
	}
}

// TestReferenceExplosion holds that sets that refer to others twice each, which would be
// 2^30 policies, end soon.
func TestReferenceExplosion(t *testing.T) {
	var library xacml.Library
	for i := range 30 {
		text := setOf(strings.Repeat(fmt.Sprintf(`<PolicySetIdReference>s%d</PolicySetIdReference>`, i+1), 2))
		library = append(library, parse(t, strings.Replace(text, `"root"`, fmt.Sprintf(`"s%d"`, i), 1)))
	}
	last := parse(t, strings.Replace(setOf(""), `"root"`, `"s30"`, 1))
	got := library[0].Evaluate(simpleRequest(), xacml.Options{References: append(library, last)})
	if !got.Decision.Indeterminate() {
		t.Errorf("%s", got.Decision)
	}
}

// TestVariableExplosion holds the same of variables that refer to others twice each.
func TestVariableExplosion(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, `<VariableDefinition VariableId="v%d"><Apply FunctionId="urn:oasis:names:tc:xacml:1.0:function:and"><VariableReference VariableId="v%d"/><VariableReference VariableId="v%d"/></Apply></VariableDefinition>`, i, i+1, i+1)
	}
	b.WriteString(`<VariableDefinition VariableId="v40"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#boolean">true</AttributeValue></VariableDefinition>`)
	p, err := xacml.Parse([]byte(policyOf(denyOverrides, b.String()+`<Rule RuleId="r" Effect="Permit"><Condition><VariableReference VariableId="v0"/></Condition></Rule>`)), xacml.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Evaluate(simpleRequest(), xacml.Options{}).Decision; got != xacml.Permit {
		t.Errorf("%s", got)
	}
}
