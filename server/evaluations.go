package server

import (
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/evaluation"
	"github.com/behalf-authz/behalf/server/internal/policy"
	evaluationrpc "github.com/behalf-authz/behalf/server/internal/rpc/evaluation"
)

// newEvaluations returns the service that answers in AuthZEN's terms.
func (s *Server) newEvaluations(policies *policy.Service, decisions *decision.Service) (*evaluationrpc.Server, error) {
	evaluations, err := evaluation.New(evaluation.Config{
		Relations: s.engine,
		Lister:    s.engine,
		Policies:  policies,
		Decisions: decisions,
		Auditor:   s.audit,
	})
	if err != nil {
		return nil, err
	}
	return evaluationrpc.New(evaluationrpc.Config{Evaluations: evaluations, Origin: origin, Logger: s.cfg.Logger})
}
