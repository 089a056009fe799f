package xacml

// Trace says how a decision came about: what each policy, set and rule decided, and why
// its target or condition did not hold. It is kept only if Options.Explain asks for it.
type Trace struct {
	Kind      string // Policy, PolicySet, Rule, PolicyIdReference or PolicySetIdReference
	ID        string
	Version   string
	Line      int // in the policy's text
	Effect    string
	Algorithm string
	Decision  Decision
	Status    *Status    // of an Indeterminate
	Target    string     // match, no match or indeterminate; "" if there is none
	Failed    []TraceAny // the parts of the target that did not match
	Condition string     // true, false or indeterminate; "" if there is none or it was not reached
	Children  []*Trace
}

// traced is what has a part of its own in a trace.
type traced interface{ begin() *Trace }

// TraceAny is an AnyOf that did not match: each alternative with the matches that failed.
type TraceAny struct {
	Line         int
	Alternatives [][]TraceMatch
}

// TraceMatch is a Match that failed.
type TraceMatch struct {
	Line     int
	Function string
	Wanted   string   // the literal of the policy
	Category string   // of the attribute
	ID       string   // of the attribute, or the path of a selector
	Found    []string // what the request has
	Status   *Status  // if it could not be evaluated
}

// enter begins a part of the trace, if one is kept, and returns the part around it.
func (e *evaluation) enter(what traced) *Trace {
	outer := e.trace
	if outer != nil {
		e.trace = what.begin()
		outer.Children = append(outer.Children, e.trace)
	}
	return outer
}

// leave ends the part of the trace that enter began.
func (e *evaluation) leave(outer *Trace, out *outcome) {
	t := e.trace
	if t == nil {
		return
	}
	e.trace = outer
	t.Decision = out.decision
	if out.decision.Indeterminate() {
		t.Status = out.status
	}
}

// silently asks whether a child applies without writing into the trace.
func (e *evaluation) silently(c child) (matched, *Status) {
	kept := e.trace
	e.trace = nil
	m, status := c.applies(e)
	e.trace = kept
	return m, status
}

// begin implements traced.
func (p *Policy) begin() *Trace {
	kind := "Policy"
	if p.id.Set {
		kind = "PolicySet"
	}
	return &Trace{Kind: kind, ID: p.id.ID, Version: p.id.Version, Line: p.line, Algorithm: p.algorithm.name}
}

// begin implements traced.
func (r *rule) begin() *Trace {
	return &Trace{Kind: "Rule", ID: r.id, Line: r.line, Effect: r.permits.String()}
}

// begin implements traced.
func (r *policyReference) begin() *Trace {
	kind := "PolicyIdReference"
	if r.to.Set {
		kind = "PolicySetIdReference"
	}
	return &Trace{Kind: kind, ID: r.to.ID, Version: r.to.Version, Line: r.line}
}

// noteCondition writes what a condition was found to be.
func (e *evaluation) noteCondition(holds bool, status *Status) {
	if e.trace == nil {
		return
	}
	switch {
	case status != nil:
		e.trace.Condition = "indeterminate"
	case holds:
		e.trace.Condition = "true"
	default:
		e.trace.Condition = "false"
	}
}

// noteTarget writes what a target was found to be, and what the part a of it lacks.
func (e *evaluation) noteTarget(m matched, a *anyOf) {
	if e.trace == nil {
		return
	}
	e.trace.Target = [...]string{uncertain: "indeterminate", noMatch: "no match", doesMatch: "match"}[m]
	if a != nil {
		e.trace.Failed = append(e.trace.Failed, e.explain(a))
	}
}

// noteRest writes what else of a target fails, which does not matter for the decision but
// for who wants to know how to get another.
func (e *evaluation) noteRest(t target) {
	if e.trace == nil {
		return
	}
	for i := range t {
		if m, _ := t[i].evaluate(e); m != doesMatch {
			e.trace.Failed = append(e.trace.Failed, e.explain(&t[i]))
		}
	}
}

// explain evaluates a part of a target once more, to say which matches fail.
func (e *evaluation) explain(a *anyOf) TraceAny {
	failed := TraceAny{Line: a.line}
	for _, all := range a.alternatives {
		var matches []TraceMatch
		for i := range all {
			m := &all[i]
			answer, status := m.evaluate(e)
			if answer == doesMatch {
				continue
			}
			t := TraceMatch{Line: m.line, Wanted: m.literal.value.Text(), Status: status}
			if m.compare.function != nil {
				t.Function = m.compare.function.Name
			}
			switch from := m.attribute.(type) {
			case *designator:
				t.Category, t.ID = from.Category, from.ID
			case *selector:
				t.Category, t.ID = from.Category, from.Path
			}
			if operand, status := m.attribute.evaluate(e); status == nil {
				for _, v := range operand.Bag {
					t.Found = append(t.Found, v.Text())
				}
			}
			matches = append(matches, t)
		}
		failed.Alternatives = append(failed.Alternatives, matches)
	}
	return failed
}
