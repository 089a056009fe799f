package xacml

// algorithm combines the decisions of children (core, appendix C).
type algorithm struct {
	combine func(e *evaluation, children []child) outcome
	name    string
	ordered bool
}

// tally collects what children decided.
type tally struct {
	permit, deny          bool
	errorD, errorP, both  bool
	status                *Status
	permitted, prohibited outcome // with the obligations of all of that effect
}

// add notes one decision.
func (t *tally) add(out *outcome) {
	switch out.decision {
	case Permit:
		t.permit = true
		t.permitted.gather(out)
	case Deny:
		t.deny = true
		t.prohibited.gather(out)
	case IndeterminateD:
		t.errorD = true
		t.status = firstStatus(t.status, out.status)
	case IndeterminateP:
		t.errorP = true
		t.status = firstStatus(t.status, out.status)
	case IndeterminateDP:
		t.both = true
		t.status = firstStatus(t.status, out.status)
	case NotApplicable:
	}
}

func (o *outcome) gather(out *outcome) {
	o.obligations = append(o.obligations, out.obligations...)
	o.advice = append(o.advice, out.advice...)
}

// decided returns Permit or Deny with the obligations gathered for it.
func (t *tally) decided(d Decision) outcome {
	out := t.prohibited
	if d == Permit {
		out = t.permitted
	}
	out.decision = d
	return out
}

func (t *tally) failed(d Decision) outcome {
	return outcome{decision: d, status: t.status}
}

// denyOverrides is C.2, and C.3 of policies: a Deny wins.
func denyOverrides(e *evaluation, children []child) outcome {
	var t tally
	for _, c := range children {
		out := c.evaluate(e)
		if t.add(&out); out.decision == Deny {
			return t.decided(Deny)
		}
	}
	switch {
	case t.both || t.errorD && (t.errorP || t.permit):
		return t.failed(IndeterminateDP)
	case t.errorD:
		return t.failed(IndeterminateD)
	case t.permit:
		return t.decided(Permit)
	case t.errorP:
		return t.failed(IndeterminateP)
	}
	return outcome{decision: NotApplicable}
}

// permitOverrides is C.4: a Permit wins.
func permitOverrides(e *evaluation, children []child) outcome {
	var t tally
	for _, c := range children {
		out := c.evaluate(e)
		if t.add(&out); out.decision == Permit {
			return t.decided(Permit)
		}
	}
	switch {
	case t.both || t.errorP && (t.errorD || t.deny):
		return t.failed(IndeterminateDP)
	case t.errorP:
		return t.failed(IndeterminateP)
	case t.deny:
		return t.decided(Deny)
	case t.errorD:
		return t.failed(IndeterminateD)
	}
	return outcome{decision: NotApplicable}
}

// denyUnlessPermit is C.6: never NotApplicable, never Indeterminate.
func denyUnlessPermit(e *evaluation, children []child) outcome {
	return unless(e, children, Permit, Deny)
}

// permitUnlessDeny is C.7.
func permitUnlessDeny(e *evaluation, children []child) outcome {
	return unless(e, children, Deny, Permit)
}

func unless(e *evaluation, children []child, wins, otherwise Decision) outcome {
	var t tally
	for _, c := range children {
		out := c.evaluate(e)
		if t.add(&out); out.decision == wins {
			return t.decided(wins)
		}
	}
	return t.decided(otherwise)
}

// firstApplicable is C.8: the first child that is not NotApplicable decides.
func firstApplicable(e *evaluation, children []child) outcome {
	for _, c := range children {
		if out := c.evaluate(e); out.decision != NotApplicable {
			return out
		}
	}
	return outcome{decision: NotApplicable}
}

// onlyOneApplicable is C.9: the only policy whose target matches decides.
func onlyOneApplicable(e *evaluation, children []child) outcome {
	var selected child
	for _, c := range children {
		m, status := e.silently(c)
		switch m {
		case uncertain:
			return outcome{decision: IndeterminateDP, status: status}
		case doesMatch:
			if selected != nil {
				return outcome{decision: IndeterminateDP, status: processing("more than one policy is applicable")}
			}
			selected = c
		case noMatch:
		}
	}
	if selected == nil {
		return outcome{decision: NotApplicable}
	}
	return selected.evaluate(e)
}

// chosen picks among policies that were not put together in a set: those whose targets
// match apply, and more than one is too many. A target that is Indeterminate matters only
// if no other matches.
func chosen(e *evaluation, children []child) outcome {
	var selected child
	open := false
	var failure *Status
	for _, c := range children {
		m, status := e.silently(c)
		switch m {
		case uncertain:
			open, failure = true, firstStatus(failure, status)
		case doesMatch:
			if selected != nil {
				return outcome{decision: IndeterminateDP, status: processing("more than one policy is applicable")}
			}
			selected = c
		case noMatch:
		}
	}
	switch {
	case selected != nil:
		return selected.evaluate(e)
	case open:
		return outcome{decision: IndeterminateDP, status: failure}
	}
	return outcome{decision: NotApplicable}
}
