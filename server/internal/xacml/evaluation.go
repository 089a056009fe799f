package xacml

import (
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// Options say how to evaluate. The zero Options are usable.
type Options struct {
	Now          time.Time // the instant of the request; the zero time stands for no clock
	References   Resolver  // nil: references to other policies are Indeterminate
	Explain      bool      // fill Result.Trace
	General      bool      // never use the compiled lookup
	MaxQuestions int       // in one request, 1,000 if zero
}

// Bounds on one evaluation, whatever the policy says.
const (
	maxSteps      = 1_000_000 // calls of functions
	maxPolicies   = 10_000    // policies and sets visited
	maxReferences = 32        // references within references
)

// evaluation is the state of one decision.
type evaluation struct {
	request   *Request
	options   *Options
	trace     *Trace // where to write, nil if nobody asks
	variables map[*variable]computed
	current   [3]value.Value // time, date, dateTime, made when first asked for
	steps     int
	visited   int
	open      []*Policy // referenced policies being evaluated
	applied   []PolicyID
}

func processing(format string, args ...any) *Status {
	return &Status{Code: StatusProcessingError, Message: fmt.Sprintf(format, args...)}
}

// firstStatus keeps the first thing that went wrong: it is the one to mend first.
func firstStatus(first, then *Status) *Status {
	if first != nil {
		return first
	}
	return then
}

// step counts a call of a function.
func (e *evaluation) step() *Status {
	if e.steps++; e.steps > maxSteps {
		return processing("the evaluation takes more than %d steps", maxSteps)
	}
	return nil
}

// Evaluate takes the decision of p about a request that asks one question. Attributes
// the request wants back are left to Respond.
func (p *Policy) Evaluate(r *Request, o Options) Result {
	if p.lookup != nil && !o.Explain && !o.General {
		if result, ok := p.lookup.decide(p, r); ok {
			return result
		}
	}
	return p.evaluateGeneral(r, o)
}

func (p *Policy) evaluateGeneral(r *Request, o Options) Result {
	e := &evaluation{request: r, options: &o}
	root := &Trace{}
	if o.Explain {
		e.trace = root
	}
	out := p.evaluate(e)
	result := Result{Decision: out.decision, Status: Status{Code: StatusOK}, Obligations: out.obligations, Advice: out.advice}
	if out.decision.Indeterminate() {
		result.Obligations, result.Advice = nil, nil
		result.Status = Status{Code: StatusProcessingError}
		if out.status != nil {
			result.Status = *out.status
		}
	}
	if r.ReturnPolicyIDs {
		result.Policies = e.applied
	}
	if o.Explain && len(root.Children) == 1 {
		result.Trace = root.Children[0]
	}
	return result
}

// evaluate takes the decision of a policy or set within an evaluation.
func (p *Policy) evaluate(e *evaluation) outcome {
	if e.visited++; e.visited > maxPolicies {
		return outcome{status: processing("more than %d policies are evaluated", maxPolicies)}
	}
	outer := e.enter(p)
	out := p.combined(e)
	if e.request.ReturnPolicyIDs && p.id.ID != "" && (out.decision == Permit || out.decision == Deny) {
		e.applied = append(e.applied, p.id)
	}
	e.leave(outer, &out)
	return out
}

// combined takes the decision that target and children lead to (core, 7.12 to 7.14).
func (p *Policy) combined(e *evaluation) outcome {
	matched, status := p.target.evaluate(e)
	if matched == noMatch {
		return outcome{decision: NotApplicable}
	}
	out := p.algorithm.combine(e, p.children)
	if matched == uncertain {
		return outcome{decision: out.decision.uncertain(), status: status}
	}
	return p.discharge(e, out)
}

// discharge adds the obligations of the policy itself to its decision.
func (p *Policy) discharge(e *evaluation, out outcome) outcome {
	if len(p.duties) == 0 {
		return out
	}
	return withDuties(e, p.duties, out)
}

// applies implements child.
func (p *Policy) applies(e *evaluation) (matched, *Status) { return p.target.evaluate(e) }

// effect implements child: a policy may have any.
func (p *Policy) effect() (Effect, bool) { return DenyEffect, false }

// evaluate implements child (core, 7.11).
func (r *rule) evaluate(e *evaluation) outcome {
	outer := e.enter(r)
	out := r.decide(e)
	e.leave(outer, &out)
	return out
}

func (r *rule) decide(e *evaluation) outcome {
	matched, status := r.target.evaluate(e)
	switch matched {
	case noMatch:
		return outcome{decision: NotApplicable}
	case uncertain:
		return outcome{decision: r.permits.decision().uncertain(), status: status}
	case doesMatch:
	}
	if r.condition != nil {
		operand, status := r.condition.evaluate(e)
		e.noteCondition(operand.Value.Bool(), status)
		if status != nil {
			return outcome{decision: r.permits.decision().uncertain(), status: status}
		}
		if !operand.Value.Bool() {
			return outcome{decision: NotApplicable}
		}
	}
	out := outcome{decision: r.permits.decision()}
	if len(r.duties) == 0 {
		return out
	}
	return withDuties(e, r.duties, out)
}

// applies implements child.
func (r *rule) applies(e *evaluation) (matched, *Status) { return r.target.evaluate(e) }

// effect implements child.
func (r *rule) effect() (Effect, bool) { return r.permits, true }
