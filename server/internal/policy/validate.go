package policy

import (
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// findings returns what is suspicious about a policy that can be evaluated.
func (s *Service) findings(_ Ref, p *xacml.Policy) []xacml.Fault {
	return p.Warnings()
}

// Check returns what is wrong with a text, and what is suspicious about it as the policy of
// ref; the zero Ref stands for anything.
func (s *Service) Check(ref Ref, text []byte, anyOf bool) (faults, findings []xacml.Fault) {
	p := s.parse(text, anyOf)
	if p.invalid != nil {
		return faultsOf(p.invalid), nil
	}
	return nil, s.findings(ref, p.compiled)
}
