package server

import (
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/policy"
	policyrpc "github.com/behalf-authz/behalf/server/internal/rpc/policy"
)

// newPolicies returns the policies and their gRPC service. Who takes decisions reads them
// by the first.
func (s *Server) newPolicies(catalogue *roles.Catalogue) (*policy.Service, *policyrpc.Server, error) {
	policies, err := policy.New(policy.Config{
		Records:          s.records,
		Relations:        s.engine,
		Graph:            s.graph,
		Catalogue:        catalogue,
		AnyOfPerCategory: s.cfg.compatible(CompatAnyOf),
		AcceptAnything:   s.cfg.compatible(CompatUpload),
	})
	if err != nil {
		return nil, nil, err
	}
	service, err := policyrpc.New(policyrpc.Config{Policies: policies, Logger: s.cfg.Logger})
	return policies, service, err
}
