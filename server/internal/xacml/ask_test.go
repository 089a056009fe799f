package xacml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// TestDuties asks a set for what goes with a Permit that it does not give itself.
func TestDuties(t *testing.T) {
	const namespace = `xmlns="` + xacml.Namespace + `"`
	owes := func(id string) string {
		return `<ObligationExpressions><ObligationExpression ObligationId="` + id + `" FulfillOn="Permit"/></ObligationExpressions>`
	}
	policy := func(id, target, rest string) string {
		return fmt.Sprintf(`<Policy %s PolicyId="%s" Version="1.0" RuleCombiningAlgId="%s"><Target>%s</Target>%s</Policy>`,
			namespace, id, denyOverrides, target, rest)
	}
	set := func(children string) string {
		return fmt.Sprintf(`<PolicySet %s PolicySetId="set" Version="1.0" PolicyCombiningAlgId="%s"><Target/>%s%s</PolicySet>`,
			namespace, strings.Replace(denyOverrides, "rule-", "policy-", 1), children, owes("of the set"))
	}
	applying := matching("s", "s", xacml.SubjectCategory, false)
	forOthers := matching("other", "s", xacml.SubjectCategory, false)
	elsewhere := parse(t, policy("elsewhere", applying, owes("of one elsewhere")))

	for _, c := range []struct{ name, children, want string }{
		{"none inside", policy("p", applying, ""), "of the set"},
		{"one inside", policy("p", applying, owes("of one inside")), "of one inside, of the set"},
		{"one for others", policy("p", forOthers, owes("of one for others")), "of the set"},
		{"deeper", set(policy("p", applying, owes("of one inside"))), "of one inside, of the set, of the set"},
		{"by reference", `<PolicyIdReference>elsewhere</PolicyIdReference>`, "of one elsewhere, of the set"},
		{"of a rule", policy("p", applying, `<Rule RuleId="r" Effect="Permit">`+owes("of a rule")+`</Rule>`), "of the set"},
		{"by a reference to nothing", `<PolicyIdReference>gone</PolicyIdReference>`, "processing-error"},
	} {
		p := parse(t, set(c.children))
		obligations, _, status := p.Duties(simpleRequest(), xacml.Permit, xacml.Options{References: xacml.Library{elsewhere}})
		var got []string
		for _, o := range obligations {
			got = append(got, o.ID)
		}
		if status != nil {
			got = append(got, string(status.Code)[strings.LastIndex(string(status.Code), ":")+1:])
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
