package policy_test

import (
	"fmt"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/policy"
	rpcpolicy "github.com/behalf-authz/behalf/server/internal/rpc/policy"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// TestDelegable asks what may be passed on of a policy that lets a role read everywhere and
// sign in one task, and names one action by an attribute that rights do not know.
func TestDelegable(t *testing.T) {
	const id, other = "urn:oasis:names:tc:xacml:1.0:action:action-id", "urn:own:action"
	compiled, err := xacml.Parse([]byte(`<Policy xmlns="`+xacml.Namespace+`" PolicyId="p" Version="1.0"
		RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"><Target/>`+
		permit("1", id, "read", "")+permit("2", id, "sign", "Task_1")+permit("3", other, "burn", "")+`</Policy>`), xacml.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := policy.Policy{Ref: policy.App("skd", "skatt"), Compiled: compiled}
	anywhere, inTask := policy.DescribedResource{}, policy.DescribedResource{Attributes: []policy.Attribute{{ID: "urn:altinn:task", Value: "Task_1"}}}
	for _, c := range []struct {
		about policy.DescribedResource
		id    string
		name  string
		want  bool
	}{
		{anywhere, id, "read", true}, {inTask, id, "read", true}, {inTask, id, "sign", true},
		{anywhere, id, "sign", false}, {anywhere, other, "burn", false}, {anywhere, id, "delete", false},
	} {
		action := policy.DescribedAction{Attribute: policy.Attribute{ID: c.id, Value: c.name}}
		if got := rpcpolicy.Delegable(p, c.about, action); got != c.want {
			t.Errorf("%s with %v: %v, want %v", c.name, c.about.Attributes, got, c.want)
		}
	}
}

// permit is a rule that lets a role do an action, in a task when it is not empty.
func permit(rule, id, action, task string) string {
	match := func(category, id, value string) string {
		return fmt.Sprintf(`<AnyOf><AllOf><Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">
			<AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">%s</AttributeValue>
			<AttributeDesignator AttributeId="%s" Category="%s" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/>
			</Match></AllOf></AnyOf>`, value, id, category)
	}
	text := match(xacml.SubjectCategory, "urn:altinn:rolecode", "dagl") + match(xacml.ActionCategory, id, action)
	if task != "" {
		text += match(xacml.ResourceCategory, "urn:altinn:task", task)
	}
	return `<Rule RuleId="` + rule + `" Effect="Permit"><Target>` + text + `</Target></Rule>`
}
