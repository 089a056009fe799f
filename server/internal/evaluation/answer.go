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
	if err := q.validate(); err != nil {
		return failed(err)
	}
	if q.Resource.Type == idInstance { // of which only the decision core finds out the app
		return c.decide(ctx, q, policy.Ref{})
	}
	ref, _, err := c.policy(ctx, q.Resource)
	switch {
	case err != nil:
		return failed(err)
	case ref != (policy.Ref{}):
		return c.decide(ctx, q, ref)
	}
	return c.check(ctx, q)
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
	response, err := c.service.decisions.Decide(ctx, decision.Request{
		XACML: request, Door: decision.AuthZEN, Origin: c.origin, Listing: c.listing,
	})
	if err == nil && len(response.Answers) != 1 {
		err = fmt.Errorf("%d answers to one question", len(response.Answers))
	}
	if err != nil {
		return failed(err)
	}
	a := &response.Answers[0]
	return Answer{
		Permitted: a.Permitted(), Reason: a.Reason, By: a.By.String(), Policy: a.Policy,
		Obligations: a.Obligations, Advice: a.Advice,
	}
}

// check lets the relation graph answer.
func (c *call) check(ctx context.Context, q *Question) Answer {
	began := time.Now()
	a := c.ask(ctx, q)
	if err := c.record(ctx, q, &a, time.Since(began)); err != nil {
		return failed(fault.New(fault.Internal, decision.ReasonNotRecorded, "the decision could not be recorded").Because(err))
	}
	return a
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

// record has an answer of the relation graph recorded, as decisions are. It must not leave
// when that fails.
func (c *call) record(ctx context.Context, q *Question, a *Answer, took time.Duration) error {
	if c.service.auditor == nil || c.listing {
		return nil
	}
	request, err := asRequest(q, policy.Ref{})
	if err != nil { // properties that policies could not have are on no record
		request = &xacml.Request{}
	}
	r := decision.Record{
		Time: time.Now(), Door: decision.AuthZEN, Origin: c.origin,
		Subject: subjectOf(q.Subject), Resource: decision.Resource{Type: q.Resource.Type, ID: q.Resource.ID}, Action: q.Action.Name,
		Request: request, Decision: xacml.NotApplicable, Status: xacml.StatusOK,
		Reason: a.Reason, Revision: c.revision, Latency: took,
	}
	switch {
	case a.Permitted:
		r.Decision = xacml.Permit
	case a.Err != nil || a.By == "":
		r.Decision, r.Status = xacml.IndeterminateDP, xacml.StatusProcessingError
	}
	return c.service.auditor.Record(ctx, []decision.Record{r})
}

// clip keeps a message short.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
