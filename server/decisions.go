package server

import (
	"context"
	"strconv"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/role"
	decisionrpc "github.com/behalf-authz/behalf/server/internal/rpc/decision"
	informationrpc "github.com/behalf-authz/behalf/server/internal/rpc/information"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// decisionParts is what decisions are taken from.
type decisionParts struct {
	catalogue *roles.Catalogue
	roles     *role.Service
	policies  *policy.Service
	delegated *delegation.Service
	registry  *registry.Service
	estates   *decision.Estates
	writes    *register.Service
}

// newDecisions returns the services that take decisions and keep what they know.
func (s *Server) newDecisions(p decisionParts) (*decision.Service, *decisionrpc.Server, *informationrpc.Server, error) {
	instances, err := s.newInstances()
	if err != nil {
		return nil, nil, nil, err
	}
	decisions, err := decision.New(decision.Config{
		Relations:   s.engine,
		Catalogue:   p.catalogue,
		Policies:    policySource{p.policies},
		Parties:     s.directory,
		Roles:       p.roles,
		Packages:    p.delegated,
		Delegations: delegatedRights{p.delegated},
		AccessLists: p.registry,
		Instances:   instances,
		Paths:       p.roles,
		Auditor:     s.audit,
		Logger:      s.cfg.Logger,
	})
	if err != nil {
		return nil, nil, nil, err
	}
	service, err := decisionrpc.New(decisionrpc.Config{Decisions: decisions, Origin: origin})
	if err != nil {
		return nil, nil, nil, err
	}
	information, err := informationrpc.New(informationrpc.Config{Instances: s.records, Estates: p.estates, Parties: s.directory, Register: p.writes})
	return decisions, service, information, err
}

// origin says where a call came from, for the record of its decisions.
func origin(ctx context.Context) decision.Origin {
	o := decision.Origin{
		Address:   interceptor.Peer(ctx),
		Forwarded: interceptor.Forwarded(ctx),
		RequestID: interceptor.GivenRequestID(ctx),
	}
	switch who := caller.From(ctx); who.Kind {
	case caller.User:
		o.Caller = "user/" + strconv.FormatInt(who.UserID, 10)
	case caller.Service:
		o.Caller = "service/" + who.Name
	case caller.Nobody:
	}
	return o
}

// policySource finds the policies of resources.
type policySource struct{ policies *policy.Service }

// Policy implements decision.Policies.
func (p policySource) Policy(ctx context.Context, of decision.Resource) (decision.Policy, error) {
	ref := policy.Resource(of.ID)
	switch {
	case of.IsApp():
		ref = policy.App(of.Org, of.App)
	case of.ID == "":
		ref = policy.Type(of.Type)
	}
	current, _, err := p.policies.Current(ctx, relation.At{}, ref)
	if err != nil {
		return decision.Policy{}, err
	}
	return decision.Policy{Hash: current.ETag(), Compiled: current.Compiled}, nil
}
