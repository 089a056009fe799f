package decision

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Enriched returns a request with all that is found for it, as a policy that is not looked
// up asks for it.
func (s *Service) Enriched(ctx context.Context, r *xacml.Request, d Door, p *xacml.Policy) (*xacml.Request, error) {
	request := Request{XACML: r, Door: d}
	c := &call{service: s, request: &request, response: &Response{}}
	q := newQuestion(c, r)
	if err := q.understand(ctx); err != nil {
		return nil, err
	}
	return q.request, q.enrich(ctx, s.wanting.of(p))
}
