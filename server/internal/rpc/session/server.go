package session

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/rpc/callerrpc"
)

// Sessions logs people in and out.
type Sessions interface {
	Choices() []session.Choice
	Begin(ctx context.Context, provider, back, locale string, acr []string) (session.Begun, error)
	Finish(ctx context.Context, answer session.Answer, was authn.Secret) (session.Entered, error)
	Caller(ctx context.Context, secret authn.Secret) (caller.Caller, error)
	End(ctx context.Context, secret authn.Secret) (location string, err error)
	EndByProvider(ctx context.Context, provider string, token authn.Secret) error
}

// Config is what a Server needs. All of it is required.
type Config struct {
	Sessions Sessions
	Choices  Choices
	Parties  Parties
}

// Server is behalf.v1.SessionService.
type Server struct {
	behalfv1.UnimplementedSessionServiceServer
	sessions Sessions
	choices  Choices
	parties  Parties
}

// New returns the service.
func New(c Config) (*Server, error) {
	if c.Sessions == nil || c.Choices == nil || c.Parties == nil {
		return nil, errors.New("the session service needs sessions, choices and parties")
	}
	return &Server{sessions: c.Sessions, choices: c.Choices, parties: c.Parties}, nil
}

// Register adds the service to a server or channel.
func (s *Server) Register(r grpc.ServiceRegistrar) { behalfv1.RegisterSessionServiceServer(r, s) }

// ListLoginProviders returns the providers that people can log in with.
func (s *Server) ListLoginProviders(context.Context, *behalfv1.ListLoginProvidersRequest) (*behalfv1.ListLoginProvidersResponse, error) {
	var answer behalfv1.ListLoginProvidersResponse
	for _, c := range s.sessions.Choices() {
		answer.Providers = append(answer.Providers, &behalfv1.LoginProvider{Name: c.Name, Titles: c.Title})
	}
	return &answer, nil
}

// BeginLogin says where a browser logs in.
func (s *Server) BeginLogin(ctx context.Context, r *behalfv1.BeginLoginRequest) (*behalfv1.BeginLoginResponse, error) {
	begun, err := s.sessions.Begin(ctx, r.GetProvider(), r.GetReturnTo(), r.GetLocale(), r.GetAcrValues())
	if err != nil {
		return nil, err
	}
	return &behalfv1.BeginLoginResponse{Location: begun.Location, State: begun.State, Attempt: string(begun.Attempt)}, nil
}

// FinishLogin trades what a browser brings back for a session.
func (s *Server) FinishLogin(ctx context.Context, r *behalfv1.FinishLoginRequest) (*behalfv1.FinishLoginResponse, error) {
	in, err := s.sessions.Finish(ctx, session.Answer{
		Provider: r.GetProvider(), State: r.GetState(), Code: r.GetCode(), Issuer: r.GetIssuer(), Error: r.GetError(),
		Attempt: authn.Secret(r.GetAttempt()),
	}, authn.Secret(r.GetSession()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.FinishLoginResponse{Session: string(in.Session), ExpiresAt: timestamppb.New(in.Expires), ReturnTo: in.Back}, nil
}

// GetSession returns whose session it is.
func (s *Server) GetSession(ctx context.Context, r *behalfv1.GetSessionRequest) (*behalfv1.GetSessionResponse, error) {
	who, err := s.sessions.Caller(ctx, authn.Secret(r.GetSession()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.GetSessionResponse{Caller: callerrpc.Message(who)}, nil
}

// EndSession ends a session.
func (s *Server) EndSession(ctx context.Context, r *behalfv1.EndSessionRequest) (*behalfv1.EndSessionResponse, error) {
	location, err := s.sessions.End(ctx, authn.Secret(r.GetSession()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.EndSessionResponse{Location: location}, nil
}

// EndProviderSessions ends the sessions that a logout token names.
func (s *Server) EndProviderSessions(ctx context.Context, r *behalfv1.EndProviderSessionsRequest) (*behalfv1.EndProviderSessionsResponse, error) {
	if err := s.sessions.EndByProvider(ctx, r.GetProvider(), authn.Secret(r.GetLogoutToken())); err != nil {
		return nil, err
	}
	return &behalfv1.EndProviderSessionsResponse{}, nil
}
