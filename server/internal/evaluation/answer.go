package evaluation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// answer answers a question by the rule.
func (c *call) answer(ctx context.Context, q *Question) Answer {
	ref, decides, err := c.route(ctx, q)
	switch {
	case err != nil:
		return failed(err)
	case decides:
		return c.decide(ctx, q, ref)
	}
	a, record := c.check(ctx, q)
	if err := c.record(ctx, record); err != nil {
		return failed(err)
	}
	return a
}

// route says whether the decision core answers a question, and by which policy.
func (c *call) route(ctx context.Context, q *Question) (ref policy.Ref, decides bool, err error) {
	if err := q.validate(); err != nil {
		return policy.Ref{}, false, err
	}
	if q.Resource.Type == idInstance { // of which only the decision core finds out the app
		return policy.Ref{}, true, nil
	}
	ref, _, err = c.policy(ctx, q.Resource)
	return ref, ref != (policy.Ref{}), err
}

// failed is the answer to a question that could not be answered.
func failed(err error) Answer {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind != fault.Internal {
		return Answer{Reason: f.Public, Err: err}
	}
	return Answer{Reason: "the question could not be answered", Err: err}
}

// validate says what a question lacks.
func (q *Question) validate() error {
	if q.Fault != nil {
		return q.Fault
	}
	for _, required := range []struct{ field, text string }{
		{"subject.type", q.Subject.Type}, {"subject.id", q.Subject.ID}, {"action.name", q.Action.Name},
		{"resource.type", q.Resource.Type}, {"resource.id", q.Resource.ID},
	} {
		if required.text == "" {
			return fault.Field(required.field, "is required")
		}
	}
	return nil
}

// policy returns the policy that is stored for a resource, the zero Ref when none is. A
// policy that cannot be read is one: it lets nobody in.
func (c *call) policy(ctx context.Context, resource Entity) (policy.Ref, policy.Policy, error) {
	for _, ref := range refs(resource) {
		if ref.Validate() != nil {
			continue // no policy can have this name
		}
		p, _, err := c.service.policies.Current(ctx, relation.At{}, ref)
		switch kind := fault.KindOf(err); {
		case err == nil, kind == fault.Precondition:
			return ref, p, nil
		case kind != fault.NotFound:
			return policy.Ref{}, policy.Policy{}, fmt.Errorf("find the policy of %s: %w", ref, err)
		}
	}
	return policy.Ref{}, policy.Policy{}, nil
}

// decide lets the decision core answer.
func (c *call) decide(ctx context.Context, q *Question, ref policy.Ref) Answer {
	request, err := asRequest(q, ref)
	if err != nil {
		return Answer{Reason: err.Error()}
	}
	answers, err := c.decisions(ctx, request, 1)
	if err != nil {
		return failed(err)
	}
	return answers[0]
}

// decisions takes the decisions that a request is for.
func (c *call) decisions(ctx context.Context, request *xacml.Request, n int) ([]Answer, error) {
	response, err := c.service.decisions.Decide(ctx, decision.Request{
		XACML: request, Door: decision.AuthZEN, Origin: c.origin, Listing: c.listing,
	})
	if err == nil && len(response.Answers) != n {
		err = fmt.Errorf("%d answers to %d questions", len(response.Answers), n)
	}
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, n)
	for i := range answers {
		a := &response.Answers[i]
		answers[i] = Answer{
			Permitted: a.Permitted(), Reason: a.Reason, By: a.By.String(), Policy: a.Policy,
			Obligations: a.Obligations, Advice: a.Advice,
		}
	}
	return answers, nil
}

// check lets the relation graph answer, and returns what is to be recorded of it.
func (c *call) check(ctx context.Context, q *Question) (Answer, decision.Record) {
	began := time.Now()
	a := c.ask(ctx, q)
	return a, c.describe(q, &a, time.Since(began))
}

func (c *call) ask(ctx context.Context, q *Question) Answer {
	asked, ok := asCheck(q)
	if !ok {
		return Answer{Reason: fmt.Sprintf("no policy is stored for type %s, and it is no name of a definition", clip(q.Resource.Type))}
	}
	answer, _, err := c.service.relations.CheckWith(ctx, relation.At{}, asked, caveats(q))
	if err == nil {
		err = answer.Err
	}
	switch {
	case err == nil && answer.Allowed:
		return Answer{Permitted: true, By: ByRelation, Reason: "the relations give the subject " + asked.Permission + " of the " + asked.Object.Type}
	case err == nil:
		return Answer{By: ByRelation, Reason: "the relations do not give the subject " + asked.Permission + " of the " + asked.Object.Type}
	}
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && f.Reason == fault.ReasonUnknownRelation:
		return Answer{Reason: fmt.Sprintf("no policy is stored for type %s, and the schema does not know it, the action or the subject's type: %s", clip(q.Resource.Type), f.Public)}
	case ok && (f.Kind == fault.Invalid || f.Kind == fault.Precondition): // a caveat lacks what it reads, or the like
		return Answer{By: ByRelation, Reason: f.Public}
	}
	return failed(err)
}

// clip keeps a message short.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
