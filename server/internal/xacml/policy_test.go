package xacml_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmlform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

func invalid(t *testing.T, text string) []xacml.Fault {
	t.Helper()
	_, err := xacml.Parse([]byte(text), xacml.ParseOptions{})
	i, ok := errors.AsType[*xacml.Invalid](err)
	if !ok {
		t.Fatalf("got %v, want faults of\n%s", err, text)
	}
	return i.Faults
}

const (
	condition = `<Rule RuleId="r" Effect="Permit"><Condition>`
	conditEnd = `</Condition></Rule>`
	fn1       = `urn:oasis:names:tc:xacml:1.0:function:`
	str       = `DataType="http://www.w3.org/2001/XMLSchema#string"`
	integer   = `DataType="http://www.w3.org/2001/XMLSchema#integer"`
)

func TestFaults(t *testing.T) {
	tests := []struct {
		name, text string
		kind       xacml.FaultKind
		message    string
	}{
		{"no XML", "hello", xacml.FaultXML, "outside the outermost element"},
		{"entity", `<!DOCTYPE x [<!ENTITY a "b">]><Policy/>`, xacml.FaultXML, "document type"},
		{"no policy", `<Request xmlns="` + xacml.Namespace + `"/>`, xacml.FaultStructure, "neither a Policy nor a PolicySet"},
		{"namespace", `<Policy/>`, xacml.FaultStructure, `want "` + xacml.Namespace},
		{"algorithm", policyOf("urn:x", ""), xacml.FaultUnknown, `no combining algorithm for Policy is called "urn:x"`},
		{"effect", policyOf(denyOverrides, `<Rule RuleId="r" Effect="permit"/>`), xacml.FaultStructure, `"permit" must be Permit or Deny`},
		{"no effect", policyOf(denyOverrides, `<Rule RuleId="r"/>`), xacml.FaultStructure, "Effect is missing"},
		{"element", policyOf(denyOverrides, `<Rool/>`), xacml.FaultStructure, "<Rool> does not belong into <Policy>"},
		{"value", policyOf(denyOverrides, condition+`<AttributeValue `+integer+`>x</AttributeValue>`+conditEnd), xacml.FaultValue, `"x" is no integer`},
		{"condition", policyOf(denyOverrides, condition+`<AttributeValue `+integer+`>1</AttributeValue>`+conditEnd), xacml.FaultType, "must be a boolean"},
		{"arguments", policyOf(denyOverrides, condition+`<Apply FunctionId="`+fn1+`not"/>`+conditEnd), xacml.FaultType, "takes 1 arguments and is given 0"},
		{"variable", policyOf(denyOverrides, condition+`<VariableReference VariableId="v"/>`+conditEnd), xacml.FaultUnknown, `"v" is not defined`},
		{"cycle", policyOf(denyOverrides, `<VariableDefinition VariableId="v"><VariableReference VariableId="v"/></VariableDefinition>`), xacml.FaultStructure, "defined by itself"},
		{"pattern", policyOf(denyOverrides, condition+`<Apply FunctionId="`+fn1+`string-regexp-match"><AttributeValue `+str+`>(</AttributeValue><AttributeValue `+str+`>a</AttributeValue></Apply>`+conditEnd), xacml.FaultValue, "regular expression"},
		{"higher", policyOf(denyOverrides, condition+`<Apply FunctionId="`+fn1+`any-of"><AttributeValue `+str+`>(</AttributeValue></Apply>`+conditEnd), xacml.FaultStructure, "must be a <Function>"},
		{"empty target", policyOf(denyOverrides, `<Rule RuleId="r" Effect="Deny"><Target><AnyOf/></Target></Rule>`), xacml.FaultStructure, "<AnyOf> has no <AllOf>"},
		{"reference", setOf(`<PolicyIdReference Version="x">p</PolicyIdReference>`), xacml.FaultStructure, "such as 1.*"},
	}
	for _, test := range tests {
		faults := invalid(t, test.text)
		if f := faults[0]; f.Kind != test.kind || !strings.Contains(f.Message, test.message) || f.Line != 1 {
			t.Errorf("%s: %+v, want %s %q", test.name, f, test.kind, test.message)
		}
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	faults := invalid(t, policyOf(denyOverrides, "\n<Rule Effect=\"Permit\"/>\n\n<Rule RuleId=\"r\" Effect=\"Maybe\"/>"))
	var got []int
	for _, f := range faults {
		got = append(got, f.Line)
	}
	if diff := cmp.Diff([]int{2, 4}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWarnings(t *testing.T) {
	p := parse(t, policyOf(denyOverrides, `
<Rule RuleId="a" Effect="Deny"/>
<Rule RuleId="a" Effect="Permit"><Target>`+matching(" x", "s", xacml.SubjectCategory, false)+`</Target><Condition><Apply FunctionId="urn:x:y"/></Condition></Rule>`))
	var got []xacml.FaultKind
	for _, w := range p.Warnings() {
		got = append(got, w.Kind)
	}
	if diff := cmp.Diff([]xacml.FaultKind{xacml.WarnSpaces, xacml.WarnFunction, xacml.WarnDuplicate, xacml.WarnNever}, got); diff != "" {
		t.Errorf("%v\n%s", p.Warnings(), diff)
	}
	if w := p.Warnings()[3]; w.Line != 3 || !strings.Contains(w.Message, "always applies") {
		t.Errorf("%+v", w)
	}
}

// TestUnknownFunction holds that a policy with a function nobody knows can be stored, and
// lets nobody in.
func TestUnknownFunction(t *testing.T) {
	p := parse(t, policyOf(denyOverrides, condition+`<Apply FunctionId="urn:x:y"/>`+conditEnd))
	got := p.Evaluate(simpleRequest(), xacml.Options{})
	if got.Decision != xacml.IndeterminateP || got.Status.Code != xacml.StatusProcessingError || !strings.Contains(got.Status.Message, "urn:x:y") {
		t.Errorf("%+v", got)
	}
}

// TestAnyOfPerCategory holds the difference between the standard and Altinn's engine.
func TestAnyOfPerCategory(t *testing.T) {
	text := policyOf(denyOverrides, `<Rule RuleId="r" Effect="Permit"><Target>`+
		matching("s", "s", xacml.SubjectCategory, false)+matching("other", "s", xacml.SubjectCategory, false)+
		matching("a", "a", xacml.ActionCategory, false)+`</Target></Rule>`)
	for joined, want := range map[bool]xacml.Decision{false: xacml.NotApplicable, true: xacml.Permit} {
		p, err := xacml.Parse([]byte(text), xacml.ParseOptions{AnyOfPerCategory: joined})
		if err != nil {
			t.Fatal(err)
		}
		for _, general := range []bool{false, true} {
			if got := p.Evaluate(simpleRequest(), xacml.Options{General: general}).Decision; got != want {
				t.Errorf("joined %v, general %v: %s, want %s", joined, general, got, want)
			}
		}
	}
}

func TestMissingAttribute(t *testing.T) {
	p := parse(t, policyOf(denyOverrides, ruleFor(t, 1, "IndeterminateP")))
	got := p.Evaluate(simpleRequest(), xacml.Options{}).Status
	want := xacml.Status{
		Code: xacml.StatusMissingAttribute, Message: "the request has no absent in category " + xacml.SubjectCategory,
		Missing: []xacml.MissingAttribute{{Category: xacml.SubjectCategory, ID: "absent", DataType: "http://www.w3.org/2001/XMLSchema#string"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFailingObligation holds that a Permit whose obligation cannot be computed is none.
func TestFailingObligation(t *testing.T) {
	p := parse(t, policyOf(denyOverrides, `<Rule RuleId="r" Effect="Permit"/><ObligationExpressions><ObligationExpression ObligationId="o" FulfillOn="Permit">
<AttributeAssignmentExpression AttributeId="a"><AttributeDesignator AttributeId="absent" Category="c" `+str+` MustBePresent="true"/></AttributeAssignmentExpression></ObligationExpression></ObligationExpressions>`))
	got := p.Evaluate(simpleRequest(), xacml.Options{})
	if got.Decision != xacml.IndeterminateP || got.Obligations != nil || got.Status.Code != xacml.StatusMissingAttribute {
		t.Errorf("%+v", got)
	}
}

// TestStatusOfConversion holds the status that the standard gives a text that is no value.
func TestStatusOfConversion(t *testing.T) {
	p := parse(t, policyOf(denyOverrides, condition+`<Apply FunctionId="urn:oasis:names:tc:xacml:3.0:function:boolean-from-string"><AttributeValue `+str+`>maybe</AttributeValue></Apply>`+conditEnd))
	if got := p.Evaluate(simpleRequest(), xacml.Options{}); got.Decision != xacml.IndeterminateP || got.Status.Code != xacml.StatusSyntaxError {
		t.Errorf("%+v", got)
	}
}

func TestClock(t *testing.T) {
	p := parse(t, policyOf(denyOverrides, condition+`<Apply FunctionId="`+fn1+`date-equal"><Apply FunctionId="`+fn1+`date-one-and-only">
<AttributeDesignator AttributeId="urn:oasis:names:tc:xacml:1.0:environment:current-date" Category="`+xacml.EnvironmentCategory+`" DataType="http://www.w3.org/2001/XMLSchema#date" MustBePresent="true"/>
</Apply><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#date">2026-11-21</AttributeValue></Apply>`+conditEnd))
	now := time.Date(2026, 11, 22, 0, 30, 0, 0, time.FixedZone("", 3600))
	if got := p.Evaluate(simpleRequest(), xacml.Options{Now: now}); got.Decision != xacml.Permit {
		t.Errorf("%+v", got)
	}
	if got := p.Evaluate(simpleRequest(), xacml.Options{}); got.Status.Code != xacml.StatusMissingAttribute {
		t.Errorf("without a clock: %+v", got)
	}
}

func TestTrace(t *testing.T) {
	p := parse(t, policyOf(denyOverrides, `
<Rule RuleId="one" Effect="Permit"><Target>`+matching("s", "s", xacml.SubjectCategory, false)+matching("write", "a", xacml.ActionCategory, false)+`</Target></Rule>
<Rule RuleId="two" Effect="Deny"><Condition><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#boolean">false</AttributeValue></Condition></Rule>`))
	got := p.Evaluate(simpleRequest(), xacml.Options{Explain: true}).Trace
	want := &xacml.Trace{
		Kind: "Policy", ID: "p", Version: "1.0", Line: 1, Algorithm: "deny-overrides", Decision: xacml.NotApplicable,
		Children: []*xacml.Trace{
			{
				Kind: "Rule", ID: "one", Line: 2, Effect: "Permit", Decision: xacml.NotApplicable, Target: "no match",
				Failed: []xacml.TraceAny{{Line: 2, Alternatives: [][]xacml.TraceMatch{{{
					Line: 2, Function: "string-equal", Wanted: "write", Category: xacml.ActionCategory, ID: "a", Found: []string{"a"},
				}}}}},
			},
			{Kind: "Rule", ID: "two", Line: 3, Effect: "Deny", Decision: xacml.NotApplicable, Condition: "false"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPolicyIDs holds that the policies that applied are listed, whoever decided.
func TestPolicyIDs(t *testing.T) {
	permit := parse(t, setOf(policyOf(denyOverrides, `<Rule RuleId="r" Effect="Permit"/>`)+policyOf(denyOverrides, "")))
	q := simpleRequest()
	q.ReturnPolicyIDs = true
	want := []xacml.PolicyID{{ID: "p", Version: "1.0"}, {Set: true, ID: "root", Version: "1.0"}}
	if diff := cmp.Diff(want, permit.Evaluate(q, xacml.Options{}).Policies); diff != "" {
		t.Error(diff)
	}
}

// TestChoose holds that of several policies the one whose target matches decides, and that
// the choice itself is no policy.
func TestChoose(t *testing.T) {
	with := func(target, effect string) *xacml.Policy {
		return parse(t, strings.Replace(policyOf(denyOverrides, `<Rule RuleId="r" Effect="`+effect+`"/>`), "<Target/>", "<Target>"+target+"</Target>", 1))
	}
	matches, other := matching("s", "s", xacml.SubjectCategory, false), matching("x", "s", xacml.SubjectCategory, false)
	open := matching("x", "absent", xacml.SubjectCategory, true)
	tests := []struct {
		policies []*xacml.Policy
		want     string
	}{
		{[]*xacml.Policy{with(other, "Deny"), with(matches, "Permit")}, "Permit"},
		{[]*xacml.Policy{with(open, "Deny"), with(matches, "Permit")}, "Permit"},
		{[]*xacml.Policy{with(matches, "Permit"), with(matches, "Permit")}, "Indeterminate"},
		{[]*xacml.Policy{with(other, "Permit"), with(open, "Permit")}, "Indeterminate"},
		{[]*xacml.Policy{with(other, "Permit"), with(other, "Permit")}, "NotApplicable"},
	}
	q := simpleRequest()
	q.ReturnPolicyIDs = true
	for i, test := range tests {
		got := xacml.Choose(test.policies...).Evaluate(q, xacml.Options{})
		if got.Decision.String() != test.want {
			t.Errorf("%d: %s, want %s", i, got.Decision, test.want)
		}
		if test.want == "Permit" && (len(got.Policies) != 1 || got.Policies[0].ID != "p") {
			t.Errorf("%d: %v", i, got.Policies)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(policyOf(denyOverrides, `<Rule RuleId="r" Effect="Permit"><Target>`+matching("s", "s", xacml.SubjectCategory, true)+`</Target></Rule>`)))
	f.Add([]byte(setOf(`<PolicyIdReference Version="1.*">p</PolicyIdReference>` + policyOf(denyOverrides, `<VariableDefinition VariableId="v"><AttributeValue `+integer+`>1</AttributeValue></VariableDefinition>`+
		condition+`<Apply FunctionId="urn:oasis:names:tc:xacml:3.0:function:any-of-any"><Function FunctionId="`+fn1+`integer-equal"/><VariableReference VariableId="v"/><AttributeSelector Category="`+xacml.ResourceCategory+`" Path="//a[@b='c']" `+integer+` MustBePresent="false"/></Apply>`+conditEnd))))
	f.Add([]byte(policyOf(denyOverrides, condition+`<Apply FunctionId="`+fn1+`string-regexp-match"><AttributeValue `+str+`>[a-z-[x]]+\d{2}</AttributeValue><AttributeValue `+str+`>a</AttributeValue></Apply>`+conditEnd)))
	f.Add([]byte(policyOf(denyOverrides, condition+`<Apply FunctionId="`+fn1+`date-equal"><Apply FunctionId="urn:oasis:names:tc:xacml:3.0:function:date-add-yearMonthDuration"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#date">2024-01-31</AttributeValue><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#yearMonthDuration">-P1Y999999999999M</AttributeValue></Apply><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#date">2024-01-31</AttributeValue></Apply>`+conditEnd)))
	if files, err := filepath.Glob("../../../../shared/conformance/xacml-conformance/*/policy.xml"); err == nil {
		for _, file := range files { // none: the seeds above do
			f.Add(read(f, file))
		}
	}
	q, err := xmlform.ReadRequest([]byte(`<Request xmlns="`+xacml.Namespace+`"><Attributes Category="`+xacml.ResourceCategory+`"><Content><r><a b="c">1</a><a>2</a></r></Content></Attributes>`+
		`<Attributes Category="`+xacml.SubjectCategory+`"><Attribute AttributeId="s"><AttributeValue `+str+`>s</AttributeValue></Attribute></Attributes></Request>`), xmltree.Limits{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := xacml.Parse(data, xacml.ParseOptions{Limits: xmltree.Limits{Bytes: 1 << 16}})
		if err != nil {
			return
		}
		o := xacml.Options{Now: time.Unix(1_800_000_000, 0), References: xacml.Library{p}}
		fast := p.Evaluate(q, o)
		o.Explain = true
		if slow := p.Evaluate(q, o); slow.Decision != fast.Decision {
			t.Errorf("%s when explained, else %s", slow.Decision, fast.Decision)
		}
		p.Rules()
	})
}
