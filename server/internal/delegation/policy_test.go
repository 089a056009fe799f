package delegation_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// policies are the policies of the world.
type policies struct{}

// Policy returns the policy of a tax return, and of an API that packages open.
func (policies) Policy(_ context.Context, resource string) (*xacml.Policy, error) {
	const app, api = "urn:altinn:app=skatt", "urn:altinn:resource=lonn_api"
	text, ok := map[string]string{
		"app_skd_skatt": rules(
			rule("urn:altinn:rolecode=UTINN", app, "read", "write"),
			rule("urn:altinn:rolecode=regna", app+" urn:altinn:task=Task_2", "sign"),
			rule("urn:altinn:org=skd", app, "purge")),
		"lonn_api": rules(
			rule("urn:altinn:accesspackage=lonn", api, "read"),
			rule("urn:altinn:accesspackage=regnskapsforer-lonn", api, "write")),
	}[resource]
	if !ok {
		return nil, fault.New(fault.NotFound, "POLICY_NOT_FOUND", "there is no policy")
	}
	return xacml.Parse([]byte(text), xacml.ParseOptions{})
}

func rules(all ...string) string {
	for i, r := range all {
		all[i] = fmt.Sprintf(`<Rule RuleId="r%d" Effect="Permit"><Target>%s</Target></Rule>`, i+1, r)
	}
	return `<Policy xmlns="` + xacml.Namespace + `" PolicyId="p" Version="1.0"
		RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"><Target/>` +
		strings.Join(all, "") + `</Policy>`
}

// rule is the target of a rule: a subject, a resource of one or more attributes, actions.
func rule(subject, resource string, actions ...string) string {
	all := make([]string, len(actions))
	for i, a := range actions {
		all[i] = match(xacml.ActionCategory, "urn:oasis:names:tc:xacml:1.0:action:action-id="+a)
	}
	return "<AnyOf><AllOf>" + match(xacml.SubjectCategory, subject) + "</AllOf></AnyOf>" +
		"<AnyOf><AllOf>" + match(xacml.ResourceCategory, strings.Fields(resource)...) + "</AllOf></AnyOf>" +
		"<AnyOf><AllOf>" + strings.Join(all, "</AllOf><AllOf>") + "</AllOf></AnyOf>"
}

func match(category string, attributes ...string) string {
	var b strings.Builder
	for _, a := range attributes {
		id, value, _ := strings.Cut(a, "=")
		fmt.Fprintf(&b, `<Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">
			<AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">%s</AttributeValue>
			<AttributeDesignator AttributeId="%s" Category="%s" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/>
			</Match>`, value, id, category)
	}
	return b.String()
}
