package xacml

// The legacy algorithms (core, C.11 to C.14) know one kind of Indeterminate only.

func legacyRuleDenyOverrides(e *evaluation, rules []child) outcome {
	return legacyRules(e, rules, Deny, Permit)
}

func legacyRulePermitOverrides(e *evaluation, rules []child) outcome {
	return legacyRules(e, rules, Permit, Deny)
}

// legacyRules lets wins win. A rule that failed and could have had that effect leaves
// the decision open.
func legacyRules(e *evaluation, rules []child, wins, loses Decision) outcome {
	var t tally
	failed, couldWin := false, false
	for _, c := range rules {
		out := c.evaluate(e)
		if t.add(&out); out.decision == wins {
			return t.decided(wins)
		}
		if out.decision.Indeterminate() {
			failed = true
			effect, known := c.effect()
			couldWin = couldWin || !known || effect.decision() == wins
		}
	}
	switch {
	case couldWin:
		return t.failed(IndeterminateDP)
	case loses == Permit && t.permit || loses == Deny && t.deny:
		return t.decided(loses)
	case failed:
		return t.failed(IndeterminateDP)
	}
	return outcome{decision: NotApplicable}
}

// legacyPolicyDenyOverrides takes an Indeterminate for a Deny.
func legacyPolicyDenyOverrides(e *evaluation, policies []child) outcome {
	var t tally
	for _, c := range policies {
		out := c.evaluate(e)
		t.add(&out)
		if out.decision == Deny || out.decision.Indeterminate() {
			return t.decided(Deny)
		}
	}
	if t.permit {
		return t.decided(Permit)
	}
	return outcome{decision: NotApplicable}
}

func legacyPolicyPermitOverrides(e *evaluation, policies []child) outcome {
	var t tally
	for _, c := range policies {
		out := c.evaluate(e)
		if t.add(&out); out.decision == Permit {
			return t.decided(Permit)
		}
	}
	switch {
	case t.deny:
		return t.decided(Deny)
	case t.both || t.errorD || t.errorP:
		return t.failed(IndeterminateDP)
	}
	return outcome{decision: NotApplicable}
}

const (
	rules1    = "urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:"
	rules11   = "urn:oasis:names:tc:xacml:1.1:rule-combining-algorithm:"
	rules3    = "urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:"
	policies1 = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:"
	policy11  = "urn:oasis:names:tc:xacml:1.1:policy-combining-algorithm:"
	policies3 = "urn:oasis:names:tc:xacml:3.0:policy-combining-algorithm:"
)

// algorithmOf returns the algorithm with an identifier. Whether it was meant for rules or
// for policies makes a difference for the legacy ones only.
func algorithmOf(id string) (algorithm, bool) {
	switch id {
	case rules3 + "deny-overrides", policies3 + "deny-overrides":
		return algorithm{combine: denyOverrides, name: "deny-overrides"}, true
	case rules3 + "permit-overrides", policies3 + "permit-overrides":
		return algorithm{combine: permitOverrides, name: "permit-overrides"}, true
	case rules3 + "ordered-deny-overrides", policies3 + "ordered-deny-overrides":
		return algorithm{combine: denyOverrides, name: "deny-overrides", ordered: true}, true
	case rules3 + "ordered-permit-overrides", policies3 + "ordered-permit-overrides":
		return algorithm{combine: permitOverrides, name: "permit-overrides", ordered: true}, true
	case rules3 + "deny-unless-permit", policies3 + "deny-unless-permit":
		return algorithm{combine: denyUnlessPermit, name: "deny-unless-permit"}, true
	case rules3 + "permit-unless-deny", policies3 + "permit-unless-deny":
		return algorithm{combine: permitUnlessDeny, name: "permit-unless-deny"}, true
	case rules1 + "first-applicable", policies1 + "first-applicable":
		return algorithm{combine: firstApplicable, name: "first-applicable", ordered: true}, true
	case policies1 + "only-one-applicable":
		return algorithm{combine: onlyOneApplicable, name: "only-one-applicable"}, true
	}
	return legacyAlgorithm(id)
}

func legacyAlgorithm(id string) (algorithm, bool) {
	switch id {
	case rules1 + "deny-overrides", rules11 + "ordered-deny-overrides":
		return algorithm{combine: legacyRuleDenyOverrides, name: "legacy deny-overrides"}, true
	case rules1 + "permit-overrides", rules11 + "ordered-permit-overrides":
		return algorithm{combine: legacyRulePermitOverrides, name: "legacy permit-overrides"}, true
	case policies1 + "deny-overrides", policy11 + "ordered-deny-overrides":
		return algorithm{combine: legacyPolicyDenyOverrides, name: "legacy deny-overrides"}, true
	case policies1 + "permit-overrides", policy11 + "ordered-permit-overrides":
		return algorithm{combine: legacyPolicyPermitOverrides, name: "legacy permit-overrides"}, true
	}
	return algorithm{}, false
}
