package server

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/behalf-authz/behalf/gateway/extauthz"
	"github.com/behalf-authz/behalf/gateway/forwardauth"
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
	// TrustedCertificates are DNS names and URIs by which certificates, which --tls-client-ca
	// has verified, name API gateways that are believed too. Default none.
	TrustedCertificates []string
}

// Validate returns every fault of c joined, nil when there is none.
func (c EnforcementConfig) Validate() error {
	var faults []error
	if slices.Contains(c.TrustedCertificates, "") {
		faults = append(faults, errors.New("--trusted-certificates: a name is empty"))
	}
	if c.RoutesFile != "" {
		if err := enforce.CheckFile(c.RoutesFile); err != nil {
			faults = append(faults, fmt.Errorf("--routes: %w", err))
		}
	}
	return errors.Join(faults...)
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
		Authenticator: freshAuthenticator{s.upToDate(known.authenticator), known.authenticator, s.catchUp},
		SessionCookie: s.sessionCookie(),
		Auditor:       s.audit,
		Signer:        known.issuer,
		Manager:       known.logins.manager(s.catchUp),
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
		Certificates: s.cfg.Enforcement.TrustedCertificates, LoginOrigin: s.loginOrigin,
	})
}

// gatewayDoors says how the HTTP port serves API gateways.
func (s *Server) gatewayDoors() forwardauth.Config {
	return forwardauth.Config{
		Identity: s.gatewayIdentity.authorization(), Peers: s.cfg.Enforcement.TrustedPeers,
		Certificates: s.cfg.Enforcement.TrustedCertificates, LoginOrigin: s.loginOrigin,
	}
}

// envoyAccess is the access table of that service, which looks itself at who calls: by his
// address, certificate or key.
func envoyAccess() interceptor.Access {
	return interceptor.Access{extauthz.CheckMethod: interceptor.Uncounted()} // the call that it leads to is counted
}

// freshAuthenticator knows tokens and keys as the services do, and besides the sessions of
// browsers, whose requests reach services through API gateways only. It does not know the
// server's own gateway: no client is that.
type freshAuthenticator struct {
	interceptor.Authenticator

	known   *authn.Authenticator
	catchUp func(context.Context) error
}

// Session returns whose session it is.
func (a freshAuthenticator) Session(ctx context.Context, s authn.Secret) (caller.Caller, error) {
	if err := a.catchUp(ctx); err != nil {
		return caller.Caller{}, err
	}
	return a.known.Session(ctx, s)
}
