package callerrpc

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// Keys manages the API keys of services.
type Keys interface {
	Create(ctx context.Context, name string, scopes []caller.Scope, expires time.Time) (authn.APIKey, authn.Secret, error)
	List() []authn.APIKey
	Revoke(ctx context.Context, id string) error
}

// Config is what a Service needs. All of it is required.
type Config struct {
	Keys Keys
	// Logger keeps who made and who ended which key, beside the events of the calls.
	Logger *slog.Logger
}

// Service is behalf.v1.CallerService.
type Service struct {
	behalfv1.UnimplementedCallerServiceServer
	keys   Keys
	logger *slog.Logger
}

// New returns the service.
func New(c Config) (*Service, error) {
	if c.Keys == nil || c.Logger == nil {
		return nil, errors.New("the caller service needs keys and a logger")
	}
	return &Service{keys: c.Keys, logger: c.Logger}, nil
}

// Register adds the service to a server or channel.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	behalfv1.RegisterCallerServiceServer(r, s)
}

// GetCaller returns what the server has established of the caller.
func (s *Service) GetCaller(ctx context.Context, _ *behalfv1.GetCallerRequest) (*behalfv1.GetCallerResponse, error) {
	return Message(caller.From(ctx)), nil
}

// Message returns what is told of a caller.
func Message(c caller.Caller) *behalfv1.GetCallerResponse {
	return &behalfv1.GetCallerResponse{
		Kind:        kind(c.Kind),
		UserId:      c.UserID,
		PartyId:     c.PartyID,
		Level:       int32(c.Level),
		Name:        c.Name,
		Scopes:      scopeTexts(c.Scopes),
		App:         c.App,
		Org:         c.Org,
		Issuer:      c.Issuer,
		Subject:     c.IssuedTo,
		Groups:      c.Groups,
		Permissions: c.Permissions,
		Consumer:    c.Consumer,
		Granted:     c.Granted,
	}
}

// CreateAPIKey makes a key for a service.
func (s *Service) CreateAPIKey(ctx context.Context, r *behalfv1.CreateAPIKeyRequest) (*behalfv1.CreateAPIKeyResponse, error) {
	scopes := make([]caller.Scope, len(r.GetScopes()))
	for i, text := range r.GetScopes() {
		scopes[i] = caller.Scope(text)
	}
	var expires time.Time
	if r.GetExpiresAt() != nil {
		expires = r.GetExpiresAt().AsTime()
	}
	key, secret, err := s.keys.Create(ctx, r.GetName(), scopes, expires)
	if err != nil {
		return nil, err
	}
	s.logger.WarnContext(ctx, "API key created",
		"api_key", key.ID, "name", key.Name, "scopes", r.GetScopes(), "by", caller.From(ctx).Name)
	return &behalfv1.CreateAPIKeyResponse{Key: message(key), Secret: string(secret)}, nil
}

// ListAPIKeys returns the keys, without their secrets.
func (s *Service) ListAPIKeys(context.Context, *behalfv1.ListAPIKeysRequest) (*behalfv1.ListAPIKeysResponse, error) {
	var r behalfv1.ListAPIKeysResponse
	for _, key := range s.keys.List() {
		r.Keys = append(r.Keys, message(key))
	}
	return &r, nil
}

// RevokeAPIKey ends a key at once.
func (s *Service) RevokeAPIKey(ctx context.Context, r *behalfv1.RevokeAPIKeyRequest) (*behalfv1.RevokeAPIKeyResponse, error) {
	if err := s.keys.Revoke(ctx, r.GetId()); err != nil {
		return nil, err
	}
	s.logger.WarnContext(ctx, "API key revoked", "api_key", r.GetId(), "by", caller.From(ctx).Name)
	return &behalfv1.RevokeAPIKeyResponse{}, nil
}

func kind(k caller.Kind) behalfv1.CallerKind {
	switch k {
	case caller.User:
		return behalfv1.CallerKind_CALLER_KIND_USER
	case caller.Service:
		return behalfv1.CallerKind_CALLER_KIND_SERVICE
	case caller.Nobody:
	}
	return behalfv1.CallerKind_CALLER_KIND_UNSPECIFIED
}

func message(k authn.APIKey) *behalfv1.APIKey {
	m := &behalfv1.APIKey{
		Id:        k.ID,
		Name:      k.Name,
		Scopes:    scopeTexts(k.Scopes),
		CreatedAt: timestamppb.New(k.Created),
	}
	if !k.Expires.IsZero() {
		m.ExpiresAt = timestamppb.New(k.Expires)
	}
	return m
}

func scopeTexts(scopes []caller.Scope) []string {
	texts := make([]string, len(scopes))
	for i, s := range scopes {
		texts[i] = string(s)
	}
	return texts
}
