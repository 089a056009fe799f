package xacml

// Single is one question of a request: a request with each category once, or why it
// cannot be answered.
type Single struct {
	Request *Request // nil with a Fault
	Fault   string
}

// Split cuts a request into its questions, in their order, for who answers each with a
// policy of its own. The error says that the request asks too much. The questions share
// what they have in common with the request: whoever changes one copies it first.
func Split(r *Request, o Options) ([]Single, error) {
	a := newAsking(o)
	questions, err := a.ask(r)
	if err != nil {
		return nil, err
	}
	singles := make([]Single, len(questions))
	for i, q := range questions {
		singles[i] = Single{Request: q.request, Fault: q.fault}
	}
	return singles, nil
}

// Included returns the attributes that the request wants back.
func (r *Request) Included() []Attributes { return r.included() }

// Combine makes one result of those of all questions, for a request that asks for one.
func Combine(results []Result) Result { return combineResults(results) }

// Unanswered returns the result of a question that cannot be answered.
func Unanswered(code StatusCode, message string) Result { return failed(code, message) }

// Duties returns the obligations and advice that policies, not their rules, have for a
// decision: those of the policy and of all nested in it whose targets do not keep them from
// applying. It is for a decision that others take in the policy's place, who cannot tell
// which of the nested ones it would have come from. The status is not nil when one of them
// cannot be had or computed.
func (p *Policy) Duties(r *Request, d Decision, o Options) (obligations, advice []Obligation, status *Status) {
	out := p.owed(&evaluation{request: r, options: &o}, outcome{decision: d})
	return out.obligations, out.advice, out.status
}

// owed adds the duties of the policy to a decision, after those of the policies in it.
func (p *Policy) owed(e *evaluation, out outcome) outcome {
	for _, c := range p.children {
		nested, status := policyOf(e, c)
		if status != nil {
			return outcome{decision: out.decision.uncertain(), status: status}
		}
		if nested == nil {
			continue
		}
		if m, _ := nested.target.evaluate(e); m == noMatch {
			continue
		}
		e.open = append(e.open, nested)
		out = nested.owed(e, out)
		e.open = e.open[:len(e.open)-1]
		if out.status != nil {
			return out
		}
	}
	return withDuties(e, p.duties, out)
}

// policyOf returns the policy that a child is or refers to, nil if it is a rule.
func policyOf(e *evaluation, c child) (*Policy, *Status) {
	switch c := c.(type) {
	case *Policy:
		return c, nil
	case *policyReference:
		return c.resolve(e)
	}
	return nil, nil
}

// Rule returns the identifier of the rule from which the decision comes, "" if none does.
func (t *Trace) Rule() string {
	if r := t.decisive(); r != nil {
		return r.ID
	}
	return ""
}

// Nearest returns the part that lacked least where nothing applied, nil if there is none.
func (t *Trace) Nearest() *Trace { return t.closest(nil) }

// Wants says which values of which attributes would have matched, and what there was.
func (a *TraceAny) Wants() string { return a.wants() }
