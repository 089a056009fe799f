package enforce

import (
	"context"
	"fmt"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Names of attributes.
const (
	idUser     = "urn:altinn:userid"
	idParty    = "urn:altinn:partyid"
	idOrg      = "urn:altinn:org"
	idApp      = "urn:altinn:app"
	idResource = "urn:altinn:resource"
	idInstance = "urn:altinn:resource:instance-id"
	idAction   = "urn:oasis:names:tc:xacml:1.0:action:action-id"
)

// The obligations that a gateway knows: to see to it that people, or organisations, have
// authenticated themselves well enough.
const (
	levelObligation    = "urn:altinn:minimum-authenticationlevel"
	orgLevelObligation = "urn:altinn:minimum-authenticationlevel-org"
)

// decided lets in whom the policy of a resource permits the action.
type decided struct {
	resource template // of the registry, or
	org, app template
	action   template
	party    template // whose the resource is; may be empty
	instance template // may be empty
}

func (d decided) judge(ctx context.Context, q *question) (judgement, error) {
	if q.who.Kind == caller.Nobody {
		return unauthenticated(), nil
	}
	if q.who.Kind != caller.User || q.who.UserID <= 0 {
		return denied("the route's policy is about people"), nil
	}
	request, ok := d.request(q)
	if !ok {
		return denied("the request does not say whom the route is about"), nil
	}
	answer, err := q.decide(ctx, request)
	if err != nil {
		return judgement{}, err
	}
	if answer.Failed {
		return judgement{}, fmt.Errorf("the policy of a route was not answered: %s", answer.Reason)
	}
	if answer.Decision.Indeterminate() {
		return judgement{reason: ReasonDenied, message: "the policy could not answer"}, nil
	}
	if !answer.Permitted() {
		return denied("the policy does not permit it"), nil
	}
	return obliged(q, answer.Obligations), nil
}

// request returns the question for the policy.
func (d decided) request(q *question) (*xacml.Request, bool) {
	complete := true
	attributes := func(to []xacml.Attribute, id string, t template) []xacml.Attribute {
		if len(t) == 0 {
			return to
		}
		text, ok := t.fill(q)
		complete = complete && ok
		return append(to, xacml.Attribute{ID: id, Values: []xacml.AttributeValue{xacml.StringValue(text)}})
	}
	var resource []xacml.Attribute
	resource = attributes(resource, idResource, d.resource)
	resource = attributes(resource, idOrg, d.org)
	resource = attributes(resource, idApp, d.app)
	resource = attributes(resource, idParty, d.party)
	resource = attributes(resource, idInstance, d.instance)
	r := &xacml.Request{Categories: []xacml.Attributes{
		{Category: xacml.SubjectCategory, Attributes: []xacml.Attribute{{
			ID: idUser, Values: []xacml.AttributeValue{xacml.StringValue(strconv.FormatInt(q.who.UserID, 10))},
		}}},
		{Category: xacml.ResourceCategory, Attributes: resource},
		{Category: xacml.ActionCategory, Attributes: attributes(nil, idAction, d.action)},
	}}
	return r, complete
}

// obliged lets in whom a policy permits if the gateway knows what it asks for besides.
func obliged(q *question, obligations []xacml.Obligation) judgement {
	for _, o := range obligations {
		if len(o.Assignments) == 0 {
			return unknownObligation(o)
		}
		for _, a := range o.Assignments {
			required, err := strconv.Atoi(a.Value.Text)
			switch {
			case a.Category == orgLevelObligation: // which no person is
			case a.Category != levelObligation || err != nil:
				return unknownObligation(o)
			case q.who.Level < required:
				return stepUp(required)
			}
		}
	}
	return allowed()
}

func unknownObligation(o xacml.Obligation) judgement {
	return judgement{reason: ReasonObligation, message: fmt.Sprintf("the policy asks for %.100q, which gateways do not know", o.ID)}
}

// decide asks the policy, at the revision of all that is asked about the request.
func (q *question) decide(ctx context.Context, r *xacml.Request) (decision.Answer, error) {
	response, err := q.service.decisions.Decide(ctx, decision.Request{XACML: r, Door: decision.Enforcing, Origin: q.origin()})
	if err != nil {
		return decision.Answer{}, fmt.Errorf("ask the policy of a route: %w", err)
	}
	if len(response.Answers) != 1 {
		return decision.Answer{}, fmt.Errorf("%d answers to one question", len(response.Answers))
	}
	return response.Answers[0], nil
}
