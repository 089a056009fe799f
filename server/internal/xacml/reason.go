package xacml

import (
	"fmt"
	"strings"
)

// Reason says in one line why a decision was taken and, if nothing applied, what would
// have been needed: the rule that came closest and the attributes it lacked. It names what
// the policy wants, so it is for those who may see the policy.
func (t *Trace) Reason() string {
	switch t.Decision {
	case Permit, Deny:
		if r := t.decisive(); r != nil {
			return fmt.Sprintf("rule %s (line %d) says %s", r.ID, r.Line, r.Effect)
		}
		return fmt.Sprintf("%s %s says %s by its combining algorithm %s", t.Kind, t.ID, t.Decision, t.Algorithm)
	case IndeterminateDP, IndeterminateD, IndeterminateP:
		if t.Status != nil {
			return t.Status.Message
		}
		return "the decision could not be taken"
	case NotApplicable:
	}
	return t.nearest()
}

// decisive returns the rule from which the decision of t comes.
func (t *Trace) decisive() *Trace {
	if t.Decision != Permit && t.Decision != Deny {
		return nil
	}
	if t.Kind == "Rule" {
		return t
	}
	for _, c := range t.Children {
		if c.Decision == t.Decision {
			if r := c.decisive(); r != nil {
				return r
			}
		}
	}
	return nil
}

// nearest says what the rule that lacked least lacked.
func (t *Trace) nearest() string {
	closest := t.closest(nil)
	switch {
	case closest == nil:
		return fmt.Sprintf("%s %s has no rule for the request", t.Kind, t.ID)
	case len(closest.Failed) == 0:
		return fmt.Sprintf("the condition of rule %s (line %d) is false", closest.ID, closest.Line)
	}
	lacks := make([]string, len(closest.Failed))
	for i := range closest.Failed {
		lacks[i] = closest.Failed[i].wants()
	}
	return fmt.Sprintf("no rule applies; %s %s (line %d) would with %s", strings.ToLower(closest.Kind), closest.ID, closest.Line, strings.Join(lacks, " and "))
}

// closest returns the part of t with the fewest failures that are its own.
func (t *Trace) closest(best *Trace) *Trace {
	own := len(t.Failed) > 0 || t.Kind == "Rule" && t.Condition == "false"
	if own && (best == nil || len(t.Failed) < len(best.Failed)) {
		best = t
	}
	for _, c := range t.Children {
		best = c.closest(best)
	}
	return best
}

// wants lists the alternatives of a part of a target, of which one is needed.
func (a *TraceAny) wants() string {
	const most = 5
	var texts []string
	for i, matches := range a.Alternatives {
		if i == most {
			texts = append(texts, fmt.Sprintf("%d more", len(a.Alternatives)-most))
			break
		}
		parts := make([]string, len(matches))
		for j, m := range matches {
			parts[j] = m.ID + "=" + m.Wanted
		}
		texts = append(texts, strings.Join(parts, " with "))
	}
	text := strings.Join(texts, " or ")
	if len(texts) > 1 {
		text = "(" + text + ")"
	}
	if found := a.found(); found != "" {
		text += " instead of " + found
	}
	return text
}

// found lists what the request has of the attribute, if all alternatives are about one.
func (a *TraceAny) found() string {
	var first *TraceMatch
	for _, matches := range a.Alternatives {
		for j := range matches {
			if first != nil && matches[j].ID != first.ID {
				return ""
			}
			first = &matches[j]
		}
	}
	if first == nil {
		return ""
	}
	return strings.Join(first.Found, ", ")
}
