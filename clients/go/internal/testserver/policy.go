package testserver

import "fmt"

const (
	subject  = "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject"
	resource = "urn:oasis:names:tc:xacml:3.0:attribute-category:resource"
	action   = "urn:oasis:names:tc:xacml:3.0:attribute-category:action"
	actionID = "urn:oasis:names:tc:xacml:1.0:action:action-id"
	xml      = "http://www.w3.org/2001/XMLSchema#"
)

// policy is that of the app.
func policy() string {
	return `<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:test:app" Version="1.0"
  RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"><Target/>` +
		rule("read", "") +
		rule("write", obligation("urn:altinn:obligation:authenticationLevel1", "urn:altinn:minimum-authenticationlevel", "integer", "3")) +
		rule("sign", obligation("urn:test:notify", "urn:test:address", "string", "kari@example.org")) +
		`</Policy>`
}

func rule(verb, obligations string) string {
	return fmt.Sprintf(`<Rule RuleId="urn:test:%s" Effect="Permit"><Target><AnyOf><AllOf>%s%s%s%s</AllOf></AnyOf></Target>%s</Rule>`, verb,
		match("urn:altinn:rolecode", subject, "dagl"), match("urn:altinn:org", resource, Org), match("urn:altinn:app", resource, App),
		match(actionID, action, verb), obligations)
}

func match(id, category, value string) string {
	return fmt.Sprintf(`<Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal"><AttributeValue DataType="%[4]sstring">%[3]s</AttributeValue>`+
		`<AttributeDesignator AttributeId="%[1]s" Category="%[2]s" DataType="%[4]sstring" MustBePresent="false"/></Match>`, id, category, value, xml)
}

func obligation(id, category, dataType, value string) string {
	return fmt.Sprintf(`<ObligationExpressions><ObligationExpression ObligationId="%s" FulfillOn="Permit">`+
		`<AttributeAssignmentExpression AttributeId="urn:test:assignment" Category="%s"><AttributeValue DataType="%s%s">%s</AttributeValue>`+
		`</AttributeAssignmentExpression></ObligationExpression></ObligationExpressions>`, id, category, xml, dataType, value)
}
