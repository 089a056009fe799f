package enforcement

import (
	"context"
	"errors"
	"log/slog"

	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	"github.com/behalf-authz/behalf/server/internal/event"
)

// Authorizer answers about requests.
type Authorizer interface {
	Authorize(ctx context.Context, r enforce.Request) (enforce.Verdict, error)
}

// Config is what a Server needs.
type Config struct {
	Enforcement Authorizer
	// RequestID returns the id that a call brought.
	RequestID func(context.Context) string
}

// Server is the EnforcementService.
type Server struct {
	behalfv1.UnimplementedEnforcementServiceServer

	enforcement Authorizer
	requestID   func(context.Context) string
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Enforcement == nil || c.RequestID == nil {
		return nil, errors.New("rpc/enforcement: enforcement and request id are required")
	}
	return &Server{enforcement: c.Enforcement, requestID: c.RequestID}, nil
}

// Register registers the service.
func (s *Server) Register(r grpc.ServiceRegistrar) { behalfv1.RegisterEnforcementServiceServer(r, s) }

// Authorize answers about one request.
func (s *Server) Authorize(ctx context.Context, req *behalfv1.AuthorizeRequest) (*behalfv1.AuthorizeResponse, error) {
	r := enforce.Request{
		Method: req.GetMethod(), Scheme: req.GetScheme(), Host: string(req.GetHost()), Target: string(req.GetPath()),
		Client: req.GetClient(), Removes: req.GetRemoves(), ID: s.requestID(ctx),
		ClientType: req.GetClientType(), Backoffice: req.GetBackoffice(),
	}
	for _, h := range req.GetHeaders() {
		r.Headers = append(r.Headers, enforce.Header{Name: h.GetName(), Value: string(h.GetValue())})
	}
	v, err := s.enforcement.Authorize(ctx, r)
	if err != nil {
		return nil, err
	}
	event.Annotate(ctx, slog.String("verdict", v.Outcome.String()), slog.String("reason", string(v.Reason)), slog.String("route", v.Route))
	return answer(v), nil
}

func answer(v enforce.Verdict) *behalfv1.AuthorizeResponse {
	out := &behalfv1.AuthorizeResponse{
		Verdict: verdict(v.Outcome), Reason: string(v.Reason), Message: v.Message,
		Route: v.Route, Remove: v.Remove, Revision: string(v.Revision),
		Mia: &behalfv1.MiaAnswer{
			Lenient: v.Mia.Lenient, UserId: v.Mia.UserID, Groups: v.Mia.Groups, UserProperties: v.Mia.UserProperties,
		},
	}
	if v.Level >= 0 && v.Level <= 4 {
		out.RequiredLevel = int32(v.Level)
	}
	for _, h := range v.Identity {
		out.Identity = append(out.Identity, &behalfv1.IdentityHeader{Name: h.Name, Value: h.Value})
	}
	return out
}

// verdict names an outcome in the contract's words; one without a word keeps the request out.
func verdict(o enforce.Outcome) behalfv1.Verdict {
	switch o {
	case enforce.Allowed:
		return behalfv1.Verdict_VERDICT_ALLOWED
	case enforce.Denied:
		return behalfv1.Verdict_VERDICT_DENIED
	case enforce.Unauthenticated:
		return behalfv1.Verdict_VERDICT_UNAUTHENTICATED
	case enforce.StepUp:
		return behalfv1.Verdict_VERDICT_STEP_UP
	case enforce.Malformed:
		return behalfv1.Verdict_VERDICT_MALFORMED
	}
	return behalfv1.Verdict_VERDICT_UNSPECIFIED
}
