package xacml_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

const (
	designate  = `<AttributeDesignator AttributeId="%s" Category="%s" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="%v"/>`
	matchStart = `<AnyOf><AllOf><Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">%s</AttributeValue>`
	matchEnd   = `</Match></AllOf></AnyOf>`
)

func matching(literal, id, category string, must bool) string {
	return fmt.Sprintf(matchStart, literal) + fmt.Sprintf(designate, id, category, must) + matchEnd
}

// ruleFor makes a rule with the outcome that a row of the matrix names.
func ruleFor(t *testing.T, i int, outcome string) string {
	t.Helper()
	effect, target := "Permit", ""
	switch outcome {
	case "Permit":
	case "Deny":
		effect = "Deny"
	case "NotApplicable":
		target = matching("nobody", "s", xacml.SubjectCategory, false)
	case "NotApplicableByTarget":
		target = matching("nothing", "r", xacml.ResourceCategory, false)
	case "IndeterminateP":
		target = matching("any", "absent", xacml.SubjectCategory, true)
	case "IndeterminateD":
		effect, target = "Deny", matching("any", "absent", xacml.SubjectCategory, true)
	default:
		t.Fatalf("unknown outcome %q", outcome)
	}
	return fmt.Sprintf(`<Rule RuleId="r%d" Effect="%s"><Target>%s</Target></Rule>`, i, effect, target)
}

func parse(t testing.TB, text string) *xacml.Policy {
	t.Helper()
	p, err := xacml.Parse([]byte(text), xacml.ParseOptions{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

func policyOf(algorithm, body string) string {
	return `<Policy xmlns="` + xacml.Namespace + `" PolicyId="p" Version="1.0" RuleCombiningAlgId="` + algorithm + `"><Target/>` + body + `</Policy>`
}

func simpleRequest() *xacml.Request {
	one := func(category, id string) xacml.Attributes {
		return xacml.Attributes{Category: category, Attributes: []xacml.Attribute{{ID: id, Values: []xacml.AttributeValue{xacml.StringValue(id)}}}}
	}
	return &xacml.Request{Categories: []xacml.Attributes{one(xacml.SubjectCategory, "s"), one(xacml.ResourceCategory, "r"), one(xacml.ActionCategory, "a")}}
}

func TestCombiningMatrix(t *testing.T) {
	var matrix struct {
		Rows []struct {
			Algorithm    string
			Rules        []string
			Expected     string
			SpecExtended string
		}
	}
	if err := json.Unmarshal(read(t, filepath.Join(conformance(t), "xacml-combining-matrix.json")), &matrix); err != nil {
		t.Fatal(err)
	}
	const v3, v1 = "urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:", "urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:"
	ids := map[string]string{
		"DenyOverrides": v3 + "deny-overrides", "PermitOverrides": v3 + "permit-overrides",
		"OrderedDenyOverrides": v3 + "ordered-deny-overrides", "OrderedPermitOverrides": v3 + "ordered-permit-overrides",
		"DenyUnlessPermit": v3 + "deny-unless-permit", "PermitUnlessDeny": v3 + "permit-unless-deny",
		"FirstApplicable": v1 + "first-applicable",
	}
	passed := 0
	for _, row := range matrix.Rows {
		id, known := ids[row.Algorithm]
		if !known {
			t.Errorf("unknown algorithm %s", row.Algorithm)
			continue
		}
		var rules strings.Builder
		for i, outcome := range row.Rules {
			rules.WriteString(ruleFor(t, i, outcome))
		}
		got := parse(t, policyOf(id, rules.String())).Evaluate(simpleRequest(), xacml.Options{}).Decision
		if got.String() != row.Expected || row.SpecExtended != "" && got.Extended() != row.SpecExtended {
			t.Errorf("%s of %v: %s, want %s %s", row.Algorithm, row.Rules, got.Extended(), row.Expected, row.SpecExtended)
			continue
		}
		passed++
	}
	t.Logf("%d of %d rows", passed, len(matrix.Rows))
}

// TestLegacyAlgorithms holds appendix C.10 to C.14, which the matrix does not cover.
func TestLegacyAlgorithms(t *testing.T) {
	const rules, policies = "urn:oasis:names:tc:xacml:1.%d:rule-combining-algorithm:%s", "urn:oasis:names:tc:xacml:1.%d:policy-combining-algorithm:%s"
	tests := []struct {
		name     string
		children string
		rule     string
		policy   string
	}{
		{"deny-overrides", "Permit Deny", "Deny", "Deny"},
		{"deny-overrides", "Permit IndeterminateD", "Indeterminate", "Deny"},
		{"deny-overrides", "Permit IndeterminateP", "Permit", "Deny"},
		{"deny-overrides", "NotApplicable IndeterminateP", "Indeterminate", "Deny"},
		{"deny-overrides", "IndeterminateD Deny", "Deny", "Deny"},
		{"deny-overrides", "NotApplicable", "NotApplicable", "NotApplicable"},
		{"permit-overrides", "Deny Permit", "Permit", "Permit"},
		{"permit-overrides", "Deny IndeterminateP", "Indeterminate", "Deny"},
		{"permit-overrides", "Deny IndeterminateD", "Deny", "Deny"},
		{"permit-overrides", "IndeterminateD", "Indeterminate", "Indeterminate"},
		{"permit-overrides", "IndeterminateP Permit", "Permit", "Permit"},
		{"permit-overrides", "NotApplicable", "NotApplicable", "NotApplicable"},
	}
	for _, test := range tests {
		for version, prefix := range []string{"", "ordered-"} {
			var inPolicy, inSet strings.Builder
			for i, outcome := range strings.Fields(test.children) {
				r := ruleFor(t, i, outcome)
				inPolicy.WriteString(r)
				inSet.WriteString(policyOf("urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable", r))
			}
			p := parse(t, policyOf(fmt.Sprintf(rules, version, prefix+test.name), inPolicy.String()))
			if got := p.Evaluate(simpleRequest(), xacml.Options{}).Decision; got.String() != test.rule {
				t.Errorf("rules %s%s of %s: %s, want %s", prefix, test.name, test.children, got, test.rule)
			}
			s := parse(t, `<PolicySet xmlns="`+xacml.Namespace+`" PolicySetId="s" Version="1.0" PolicyCombiningAlgId="`+
				fmt.Sprintf(policies, version, prefix+test.name)+`"><Target/>`+inSet.String()+`</PolicySet>`)
			if got := s.Evaluate(simpleRequest(), xacml.Options{}).Decision; got.String() != test.policy {
				t.Errorf("policies %s%s of %s: %s, want %s", prefix, test.name, test.children, got, test.policy)
			}
		}
	}
}
