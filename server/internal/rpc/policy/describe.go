package policy

import (
	"context"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// ValidatePolicy says what is wrong with a text and what is suspicious.
func (s *Server) ValidatePolicy(ctx context.Context, req *behalfv1.ValidatePolicyRequest) (*behalfv1.ValidatePolicyResponse, error) {
	var ref policy.Ref
	if req.GetRef() != nil {
		var err error
		if ref, err = reference(ctx, req.GetRef()); err != nil {
			return nil, err
		}
	}
	faults, warnings := s.policies.Check(ref, req.GetText(), req.GetAnyOfPerCategory())
	return &behalfv1.ValidatePolicyResponse{Valid: len(faults) == 0, Faults: findings(faults), Warnings: findings(warnings)}, nil
}

// readable returns the policy that decides about something.
func (s *Server) readable(ctx context.Context, m *behalfv1.PolicyRef) (policy.Policy, relation.Revision, error) {
	ref, err := reference(ctx, m)
	if err != nil {
		return policy.Policy{}, "", err
	}
	return s.policies.Readable(ctx, relation.At{}, ref)
}

// ListPolicyRoles returns the codes of the roles that any rule of a policy names.
func (s *Server) ListPolicyRoles(ctx context.Context, req *behalfv1.ListPolicyRolesRequest) (*behalfv1.ListPolicyRolesResponse, error) {
	p, revision, err := s.readable(ctx, req.GetRef())
	if err != nil {
		return nil, err
	}
	return &behalfv1.ListPolicyRolesResponse{Roles: p.Roles(), Revision: string(revision)}, nil
}

// DescribePolicy returns what a policy lets which roles do with what.
func (s *Server) DescribePolicy(ctx context.Context, req *behalfv1.DescribePolicyRequest) (*behalfv1.DescribePolicyResponse, error) {
	p, revision, err := s.readable(ctx, req.GetRef())
	if err != nil {
		return nil, err
	}
	d := p.Describe()
	out := &behalfv1.DescribePolicyResponse{MinimumAuthenticationLevel: int32(d.Level), Revision: string(revision)}
	for _, r := range d.Resources {
		m := &behalfv1.PolicyResource{Description: p.Compiled.Description()}
		for _, a := range r.Attributes {
			m.Attributes = append(m.Attributes, &behalfv1.PolicyAttribute{Id: a.ID, Value: a.Value})
		}
		for _, a := range r.Actions {
			m.Actions = append(m.Actions, &behalfv1.PolicyAction{
				Attribute: &behalfv1.PolicyAttribute{Id: a.ID, Value: a.Value}, Roles: a.Roles, Delegable: delegable(p, r, a),
			})
		}
		out.Resources = append(out.Resources, m)
	}
	return out, nil
}

// The attributes that a right is known by in policies.
const (
	idAction   = "urn:oasis:names:tc:xacml:1.0:action:action-id"
	idTask     = "urn:altinn:task"
	idEndEvent = "urn:altinn:end-event"
)

// delegable says whether who may do the action may pass it on. A right is to an action by
// its id: what a policy knows by another attribute is not passed on.
func delegable(p policy.Policy, r policy.DescribedResource, a policy.DescribedAction) bool {
	right := delegation.Right{Resource: p.Ref.ResourceID(), Action: a.Value}
	for _, about := range r.Attributes {
		if about.ID == idTask || about.ID == idEndEvent {
			right.Task = about.Value
		}
	}
	return a.ID == idAction && delegation.MayDelegate(p.Compiled, right)
}
