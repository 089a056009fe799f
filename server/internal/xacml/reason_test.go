package xacml_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

func TestReason(t *testing.T) {
	sure := func(effect string) string { return `<Rule RuleId="sure" Effect="` + effect + `"/>` }
	tests := []struct{ name, rules, want string }{
		{"permit", sure("Permit"), "rule sure (line 1) says Permit"},
		{"deny", ruleFor(t, 1, "Permit") + sure("Deny"), "rule sure (line 1) says Deny"},
		{"missing", ruleFor(t, 1, "IndeterminateP"), "the request has no absent in category " + xacml.SubjectCategory},
		{"none", "", "Policy p has no rule for the request"},
		{
			"one lacks", `<Rule RuleId="far" Effect="Permit"><Target>` + matching("x", "s", xacml.SubjectCategory, false) + matching("y", "a", xacml.ActionCategory, false) + `</Target></Rule>` +
				`<Rule RuleId="near" Effect="Permit"><Target>` + matching("s", "s", xacml.SubjectCategory, false) + matching("write", "a", xacml.ActionCategory, false) + `</Target></Rule>`,
			"no rule applies; rule near (line 1) would with a=write instead of a",
		},
		{"condition", condition + `<AttributeValue DataType="http://www.w3.org/2001/XMLSchema#boolean">false</AttributeValue>` + conditEnd, "the condition of rule r (line 1) is false"},
	}
	for _, test := range tests {
		result := parse(t, policyOf(denyOverrides, test.rules)).Evaluate(simpleRequest(), xacml.Options{Explain: true})
		if got := result.Trace.Reason(); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
