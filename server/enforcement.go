package server

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/behalf-authz/behalf/gateway/extauthz"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	enforcementrpc "github.com/behalf-authz/behalf/server/internal/rpc/enforcement"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// EnforcementConfig says which requests API gateways may let pass. The zero value keeps all out.
type EnforcementConfig struct {
	// RoutesFile names the routes and whom they let in. It is read again when it changes.
	RoutesFile string
	// TrustedPeers are the networks of the API gateways that are believed when they tell of
	// a request. Default none.
	TrustedPeers []netip.Prefix
}

// Validate returns every fault of c joined, nil when there is none.
func (c EnforcementConfig) Validate() error {
	if c.RoutesFile == "" {
		return nil
	}
	if err := enforce.CheckFile(c.RoutesFile); err != nil {
		return fmt.Errorf("--routes: %w", err)
	}
	return nil
}

// newEnforcement returns the service that answers API gateways.
func (s *Server) newEnforcement(known *openedCredentials, decisions *decision.Service) (*enforcementrpc.Server, error) {
	var err error
	s.routes, err = enforce.OpenRoutes(enforce.RoutesConfig{
		Path: s.cfg.Enforcement.RoutesFile, Logger: s.cfg.Logger, Registerer: s.registry,
	})
	if err != nil {
		return nil, fmt.Errorf("--routes: %w", err)
	}
	service, err := enforce.New(enforce.Config{
		Routes:        s.routes,
		Relations:     s.engine,
		Decisions:     decisions,
		Parties:       s.directory,
		Authenticator: freshAuthenticator{s.upToDate(known.authenticator), known.authenticator},
		SessionCookie: s.sessionCookie(),
		Auditor:       s.audit,
		Signer:        known.issuer,
		Logger:        s.cfg.Logger,
		Registerer:    s.registry,
	})
	if err != nil {
		return nil, err
	}
	return enforcementrpc.New(enforcementrpc.Config{Enforcement: service, RequestID: interceptor.GivenRequestID})
}

// newEnvoy returns the service that Envoy calls on the gRPC port. It asks as the server's
// own gateway.
func (s *Server) newEnvoy() *extauthz.Server {
	return extauthz.New(extauthz.Config{
		Conn: s.inproc, Identity: s.gatewayIdentity.authorization(), Peers: s.cfg.Enforcement.TrustedPeers,
	})
}

// envoyAccess is the access table of that service, which looks itself at who calls: by his
// address, and not by credentials.
func envoyAccess() interceptor.Access {
	return interceptor.Access{extauthz.CheckMethod: interceptor.Public()}
}

// freshAuthenticator knows tokens and keys as the services do, and besides the sessions of
// browsers, whose requests reach services through API gateways only. It does not know the
// server's own gateway: no client is that.
type freshAuthenticator struct {
	interceptor.Authenticator

	known *authn.Authenticator
}

// Session returns whose session it is.
func (a freshAuthenticator) Session(ctx context.Context, s authn.Secret) (caller.Caller, error) {
	return a.known.Session(ctx, s)
}
