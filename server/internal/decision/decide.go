package decision

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// decide takes the decision: what the policy says; where it says nothing, what was
// delegated; and of what is then permitted, what the resource's access lists let pass.
func (q *question) decide(ctx context.Context) Answer {
	policy, err := q.prepare(ctx)
	if err != nil {
		a := q.call.refuse(ctx, asRefusal(err))
		a.Policy = policy.Hash
		return a
	}
	a := q.evaluate(policy)
	if a.Decision == xacml.NotApplicable {
		err = q.tryDelegations(ctx, policy, &a)
	}
	if err == nil && a.Decision == xacml.Permit {
		err = q.gate(ctx, &a)
	}
	if err != nil {
		a = q.call.refuse(ctx, asRefusal(err))
		a.Policy = policy.Hash
		return a
	}
	if a.Status.Message == "" {
		a.Status.Message = a.Reason
	}
	if q.call.request.Explain {
		q.explain(ctx, policy, &a)
	}
	return a
}

// prepare finds the policy and supplies what it asks about.
func (q *question) prepare(ctx context.Context) (Policy, error) {
	if err := q.understand(ctx); err != nil {
		return Policy{}, err
	}
	policy, err := q.policy(ctx)
	if err != nil {
		return Policy{}, err
	}
	return policy, q.enrich(ctx, q.call.service.wanting.of(policy.Compiled))
}

// policy finds the policy of the resource (sixth step).
func (q *question) policy(ctx context.Context) (Policy, error) {
	r := &q.resource
	switch {
	case r.IsApp() || r.ID != "" || r.Type != "":
	case r.App != "" || r.Org != "":
		return Policy{}, wrong("the resource is no app: it needs both %s and %s", idOrg, idApp)
	default:
		return Policy{}, wrong("the resource names neither an app (%s and %s) nor a resource (%s)", idOrg, idApp, idResource)
	}
	policy, err := q.call.service.policies.Policy(ctx, *r)
	switch {
	case fault.KindOf(err) == fault.NotFound && err != nil:
		return Policy{}, wrong("no policy is stored for %s", r.describe())
	case err != nil:
		return Policy{}, failed(err, "the policy of %s could not be loaded", r.describe())
	case policy.Compiled == nil:
		return Policy{}, failed(nil, "the policy of %s is not compiled", r.describe())
	}
	return policy, nil
}

// describe names the resource for a message.
func (r *Resource) describe() string {
	switch {
	case r.IsApp():
		return "app " + r.Org + "/" + r.App
	case r.ID != "":
		return "resource " + r.ID
	}
	return "type " + r.Type
}

// evaluate asks the policy. Its reason takes a second evaluation where the first is the
// compiled one and lets nobody in; whoever is let in does not wait for it.
func (q *question) evaluate(p Policy) Answer {
	o := xacml.Options{Now: q.call.now, References: p.References, Explain: q.call.request.Explain}
	a := Answer{Result: p.Compiled.Evaluate(q.request, o), Policy: p.Hash}
	switch {
	case a.Trace != nil:
		a.Reason = a.Trace.Reason()
	case a.Decision == xacml.Permit:
		a.Reason = "the policy permits it"
	case a.Decision.Indeterminate():
		a.Reason = a.Status.Message
	default:
		o.Explain = true
		if traced := p.Compiled.Evaluate(q.request, o); traced.Trace != nil {
			a.Reason = traced.Trace.Reason()
		}
	}
	if a.Decision == xacml.Permit || a.Decision == xacml.Deny {
		a.By = ByPolicy
	}
	return a
}

// tryDelegations permits what was delegated. The policy's own obligations hold for it too.
func (q *question) tryDelegations(ctx context.Context, p Policy, a *Answer) error {
	subjects := q.delegates()
	if q.resource.Party == 0 || q.action == "" || q.resource.ID == "" || len(subjects) == 0 {
		return nil
	}
	right := Right{
		Party: q.resource.Party, Resource: q.resource.ID, Task: cmp.Or(q.resource.Task, q.resource.EndEvent),
		Instance: q.resource.Instance, Action: q.action,
	}
	path, ok, err := q.call.service.delegations.Delegated(ctx, right, subjects)
	if err != nil {
		return failed(err, "the delegated rights of the subject could not be read")
	}
	if !ok {
		a.Reason += "; nobody has delegated " + q.action + " on " + q.resource.ID + " to the subject"
		if q.owner.Kind == 0 { // known by number only, see resolve
			a.Reason += fmt.Sprintf("; the register has no party %d", q.resource.Party)
		}
		return nil
	}
	obligations, advice, status := p.Compiled.Duties(q.request, xacml.Permit, xacml.Options{Now: q.call.now, References: p.References})
	if status != nil {
		return failed(nil, "an obligation of the policy could not be computed: %s", status.Message)
	}
	q.delegatedPath = []Path{{Gives: "right:" + q.resource.ID + "/" + q.action, Steps: path}}
	a.Decision, a.Obligations, a.Advice, a.By = xacml.Permit, obligations, advice, ByDelegation
	a.Reason = fmt.Sprintf("%s on %s is delegated: %s", q.action, q.resource.ID, strings.Join(path, ", "))
	return nil
}

// delegates returns those as whom the subject may have been given a right.
func (q *question) delegates() []relation.Subject {
	if who := q.actsAs(); who != (relation.Subject{}) {
		return []relation.Subject{who}
	}
	if q.subject.Party != 0 {
		return []relation.Subject{{Object: relation.Party(int64(q.subject.Party))}}
	}
	return nil
}

// gate lets pass what the resource's access lists do. Apps have none.
func (q *question) gate(ctx context.Context, a *Answer) error {
	if q.resource.IsApp() || q.resource.ID == "" {
		return nil
	}
	owner := q.owner
	if owner.ID == 0 {
		owner = party.Party{ID: q.resource.Party}
	}
	gated, admitted, err := q.call.service.lists.Admits(ctx, q.resource.ID, owner, q.action)
	switch {
	case err != nil:
		return failed(err, "the access lists of %s could not be read", q.resource.ID)
	case !gated || admitted:
		return nil
	}
	*a = Answer{
		Result:      xacml.Result{Decision: xacml.Deny, Status: xacml.Status{Code: xacml.StatusOK}, Trace: a.Trace},
		Reason:      fmt.Sprintf("party %d is on no access list of %s that admits %s", q.resource.Party, q.resource.ID, q.action),
		By:          ByAccessList,
		Policy:      a.Policy,
		Explanation: a.Explanation,
	}
	return nil
}
