package server

import (
	"context"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/role"
	delegationrpc "github.com/behalf-authz/behalf/server/internal/rpc/delegation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// newDelegations returns the delegations and their gRPC service.
func (s *Server) newDelegations(
	catalogue *roles.Catalogue, writes *register.Service, held *role.Service, policies *policy.Service,
) (*delegation.Service, *delegationrpc.Server, error) {
	delegations, err := delegation.New(delegation.Config{
		Records:   s.records,
		Register:  writes,
		Relations: s.engine,
		Directory: s.directory,
		Catalogue: catalogue,
		Roles:     held,
		Policies:  delegablePolicies{policies},
	})
	if err != nil {
		return nil, nil, err
	}
	service, err := delegationrpc.New(delegationrpc.Config{Delegations: delegations})
	return delegations, service, err
}

// delegablePolicies finds the policies by which rights are passed on.
type delegablePolicies struct{ policies *policy.Service }

// Policy implements delegation.Policies.
func (p delegablePolicies) Policy(ctx context.Context, resource string) (*xacml.Policy, error) {
	current, _, err := p.policies.Current(ctx, relation.At{}, policy.Resource(resource))
	return current.Compiled, err
}

// delegatedRights tells decisions what was delegated.
type delegatedRights struct{ delegations *delegation.Service }

// Delegated implements decision.Delegations.
func (d delegatedRights) Delegated(ctx context.Context, right decision.Right, subjects []relation.Subject) ([]string, bool, error) {
	return d.delegations.Delegated(ctx, delegation.Asking(right), subjects)
}
