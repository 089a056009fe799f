package behalf

import (
	"context"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Answers to requests for decisions.
type (
	// Decision is an answer. Its zero value lets nobody in, and neither does a Permit with an
	// obligation that is not met: package pep sees to that.
	Decision = behalfv1.Decision
	// Obligation is what must be seen to before a Permit lets anybody in.
	Obligation = behalfv1.Obligation
	// Effect is what a decision says; only Permit lets anybody in.
	Effect = behalfv1.Effect
)

// The effects of decisions.
const (
	// Indeterminate is the zero value: the question could not be answered.
	Indeterminate = behalfv1.Effect_EFFECT_UNSPECIFIED
	// Permit lets the subject in, if every obligation is met.
	Permit = behalfv1.Effect_EFFECT_PERMIT
	// Deny is a refusal by a rule or an access list.
	Deny = behalfv1.Effect_EFFECT_DENY
	// NotApplicable is the absence of a right.
	NotApplicable = behalfv1.Effect_EFFECT_NOT_APPLICABLE
)

// Identifiers of attributes.
const (
	AttributeUser       = "urn:altinn:userid"
	AttributeParty      = "urn:altinn:partyid"
	AttributeOrg        = "urn:altinn:org"
	AttributeApp        = "urn:altinn:app"
	AttributeResource   = "urn:altinn:resource"
	AttributeInstance   = "urn:altinn:instance-id"
	AttributeTask       = "urn:altinn:task"
	AttributeAction     = "urn:oasis:names:tc:xacml:1.0:action:action-id"
	AttributeSystemUser = "urn:altinn:systemuser:uuid"
)

// Attribute is a named bag of values.
type Attribute struct {
	// ID is the attribute's identifier.
	ID string
	// Values are its values, as texts.
	Values []string
	// DataType is the type of the values, a URI of XACML or a short name; empty for string.
	DataType string
}

// Request is whether a subject may do an action on a resource. Begin one with App or Resource
// and go on with its methods; each returns a changed copy. Without By, the subject is whoever the
// client's credentials are.
type Request struct {
	Subject, Resource, Action, Environment []Attribute
}

// App begins a request about an app.
func App(org, app string) Request {
	return Request{Resource: []Attribute{{ID: AttributeOrg, Values: []string{org}}, {ID: AttributeApp, Values: []string{app}}}}
}

// Resource begins a request about a resource of the registry.
func Resource(id string) Request {
	return Request{Resource: []Attribute{{ID: AttributeResource, Values: []string{id}}}}
}

// For says whose resource it is: the party that is acted for.
func (r Request) For(party PartyID) Request {
	return r.On(Attribute{ID: AttributeParty, Values: []string{strconv.FormatInt(int64(party), 10)}})
}

// Instance says which instance of the resource it is.
func (r Request) Instance(id string) Request {
	return r.On(Attribute{ID: AttributeInstance, Values: []string{id}})
}

// Task says in which task of its process the app is.
func (r Request) Task(id string) Request {
	return r.On(Attribute{ID: AttributeTask, Values: []string{id}})
}

// On says more about the resource.
func (r Request) On(attributes ...Attribute) Request {
	r.Resource = slices.Concat(r.Resource, attributes)
	return r
}

// To says what is done, such as read.
func (r Request) To(action string) Request {
	r.Action = []Attribute{{ID: AttributeAction, Values: []string{action}}}
	return r
}

// ByUser says which user does it.
func (r Request) ByUser(user UserID) Request {
	return r.By(Attribute{ID: AttributeUser, Values: []string{strconv.FormatInt(int64(user), 10)}})
}

// By says who does it, in place of anybody said before.
func (r Request) By(subject ...Attribute) Request {
	r.Subject = slices.Clone(subject)
	return r
}

func (r Request) proto() *behalfv1.DecisionQuestion {
	return &behalfv1.DecisionQuestion{
		Subject: bag(r.Subject), Resource: bag(r.Resource), Action: bag(r.Action), Environment: bag(r.Environment),
	}
}

func bag(attributes []Attribute) []*behalfv1.Attribute {
	out := make([]*behalfv1.Attribute, len(attributes))
	for i, a := range attributes {
		out[i] = &behalfv1.Attribute{Id: a.ID, Values: a.Values, DataType: a.DataType}
	}
	return out
}

// Decide answers whether a subject may do an action on a resource, by policy, delegation and access
// list. Whoever opens a door by the answer uses package pep.
func (c *Client) Decide(ctx context.Context, request Request) (*Decision, error) {
	answer, err := read(c, func(fresh string) (*behalfv1.DecideResponse, error) {
		return c.decisions.Decide(ctx, &behalfv1.DecideRequest{Question: request.proto(), AtLeastAsFresh: fresh})
	})
	return answer.GetDecision(), err
}

// BulkDecide answers up to 1,000 requests at one revision, in their order. One that cannot be
// answered is Indeterminate.
func (c *Client) BulkDecide(ctx context.Context, requests ...Request) ([]*Decision, error) {
	if len(requests) == 0 {
		return nil, nil
	}
	questions := make([]*behalfv1.DecisionQuestion, len(requests))
	for i, r := range requests {
		questions[i] = r.proto()
	}
	answer, err := read(c, func(fresh string) (*behalfv1.BulkDecideResponse, error) {
		return c.decisions.BulkDecide(ctx, &behalfv1.BulkDecideRequest{Questions: questions, AtLeastAsFresh: fresh})
	})
	if err != nil {
		return nil, err
	}
	if len(answer.GetDecisions()) != len(requests) {
		return nil, &Error{Code: codes.Internal, Reason: ReasonInternal, Message: "the server has not answered each request"}
	}
	return answer.GetDecisions(), nil
}
