package server

import (
	"context"
	"fmt"
	"runtime"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/certificate"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/role"
	auditrpc "github.com/behalf-authz/behalf/server/internal/rpc/audit"
	"github.com/behalf-authz/behalf/server/internal/rpc/authzed"
	"github.com/behalf-authz/behalf/server/internal/rpc/callerrpc"
	"github.com/behalf-authz/behalf/server/internal/rpc/check"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
	partyrpc "github.com/behalf-authz/behalf/server/internal/rpc/party"
	registerrpc "github.com/behalf-authz/behalf/server/internal/rpc/register"
	rolerpc "github.com/behalf-authz/behalf/server/internal/rpc/role"
	storerpc "github.com/behalf-authz/behalf/server/internal/rpc/store"
)

// openedCredentials are what establishes callers, and what says so to others.
type openedCredentials struct {
	issuer        *authn.Issuer
	keys          *authn.Keys
	authenticator *authn.Authenticator
	logins        *logins
}

// openCredentials opens, or at the first start makes, the keys in the data directory, but for those
// that servers share.
func (s *Server) openCredentials(ctx context.Context) (*openedCredentials, error) {
	issuer, err := s.openIssuer(ctx)
	if err != nil {
		return nil, err
	}
	verifier, err := issuer.Verifier()
	if err != nil {
		return nil, fmt.Errorf("read the token issuer's key: %w", err)
	}
	admin, err := authn.OpenAdminKey(s.cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("open the admin key: %w", err)
	}
	keys, err := authn.NewKeys(authn.KeysConfig{Store: s.records, Admin: admin})
	if err != nil {
		return nil, err
	}
	if err := s.loadKeys(ctx, keys); err != nil {
		return nil, fmt.Errorf("load the API keys: %w", err)
	}
	platform, err := issuer.As(authn.PlatformIssuer).Verifier()
	if err != nil {
		return nil, fmt.Errorf("read the token issuer's key: %w", err)
	}
	others, err := s.openLogins()
	if err != nil {
		return nil, err
	}
	authenticator, err := authn.New(others.trust(authn.Config{Verifiers: []authn.Verifier{verifier, platform}, Keys: keys}))
	if err != nil {
		return nil, err
	}
	return &openedCredentials{issuer, keys, authenticator, others}, nil
}

// service is one gRPC service, to be registered on both channels.
type service func(grpc.ServiceRegistrar)

// buildServices builds the domain, a gRPC service for each part of it, and the two
// channels on which they are reached: the port and the in-process connection.
func (s *Server) buildServices(c *openedCredentials) error {
	services, err := s.domainServices(c)
	if err != nil {
		return err
	}
	relationServices, err := authzed.New(s.engine, relations.Definitions, relations.Schema)
	if err != nil {
		return err
	}
	access, err := interceptor.Merge(
		interceptor.BehalfAccess(), interceptor.PublicAccess(), interceptor.Scopes(authzed.Scopes()), envoyAccess())
	if err != nil {
		return err
	}
	unary, stream, err := s.recordChecks(relationServices.UnaryInterceptor(), relationServices.StreamInterceptor())
	if err != nil {
		return err
	}
	chain, err := interceptor.New(interceptor.Config{
		Logger:        s.cfg.Logger,
		Registerer:    s.registry,
		Authenticator: s.gatewayIdentity.knowing(s.upToDate(c.authenticator)),
		Access:        access,
		Certificates:  followingCertificates{c.logins.certificates, s.catchUp},
		Limits:        s.cfg.Limits.calls(s.cfg.MaxCalls),
		Unary:         unary,
		Stream:        stream,
		Endless:       []string{v1.WatchService_Watch_FullMethodName, healthv1.Health_Watch_FullMethodName},
	})
	if err != nil {
		return err
	}
	s.chain = chain
	s.health = health.NewServer()
	s.health.Shutdown() // until Run resumes it: it begins as serving
	services = append(services, relationServices.Register,
		func(r grpc.ServiceRegistrar) { healthv1.RegisterHealthServer(r, s.health) })

	options := []grpc.ServerOption{
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.NumStreamWorkers(uint32(max(128, 32*runtime.GOMAXPROCS(0)))), // their stacks have grown to what a call takes
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.InTapHandle(chain.Tap),
		grpc.UnaryInterceptor(chain.Unary()),
		grpc.StreamInterceptor(chain.Stream()),
		grpc.UnknownServiceHandler(interceptor.UnknownMethod),
	}
	if s.cfg.TLS.enabled() {
		s.certificate, err = certificate.Open(certificate.Config{
			Files: s.cfg.TLS.files(), Logger: s.cfg.Logger, Registerer: s.registry,
		})
		if err != nil {
			return err
		}
		options = append(options, grpc.Creds(credentials.NewTLS(s.certificate.TLS("h2"))))
	}
	s.grpc = grpc.NewServer(append(options, s.cfg.Limits.messages()...)...)
	s.inproc = newChannel(chain.Unary(), chain.Stream(), questions...)
	for _, register := range services {
		register(s.grpc)
		register(s.inproc)
	}
	s.newEnvoy().Register(s.grpc)
	reflection.Register(s.grpc)
	return access.Covers(s.grpc.GetServiceInfo())
}

// domainServices returns the services of behalf.v1.
func (s *Server) domainServices(c *openedCredentials) ([]service, error) {
	catalogue, err := roles.Load()
	if err != nil {
		return nil, fmt.Errorf("load the role catalogue: %w", err)
	}
	policies, policyService, err := s.newPolicies(catalogue)
	if err != nil {
		return nil, err
	}
	parties, err := party.New(party.Config{Relations: s.engine, Directory: s.directory, Policies: policyOpeners{catalogue, policies}})
	if err != nil {
		return nil, err
	}
	heldRoles, err := role.New(role.Config{Relations: s.engine, Catalogue: catalogue})
	if err != nil {
		return nil, err
	}
	registered, registryService, err := s.newRegistry()
	if err != nil {
		return nil, err
	}
	estates, err := decision.NewEstates(s.engine)
	if err != nil {
		return nil, err
	}
	writes, err := register.New(register.Config{
		Records:   s.records,
		Relations: s.graph,
		Directory: s.writtenTo,
		Catalogue: catalogue,
		Registry:  registered,
		Estates:   estates,
		Logger:    s.cfg.Logger,
		Joined:    true, // in a file by one transaction, on Postgres by the outbox
	})
	if err != nil {
		return nil, err
	}

	if err := s.knowUsers(c.logins, writes); err != nil {
		return nil, err
	}
	sessionService, err := s.newSessions(c.logins, parties)
	if err != nil {
		return nil, err
	}
	identityService, err := s.newLinks()
	if err != nil {
		return nil, err
	}
	delegated, delegationService, err := s.newDelegations(catalogue, writes, heldRoles, policies)
	if err != nil {
		return nil, err
	}
	decisions, decisionService, informationService, err := s.newDecisions(decisionParts{catalogue, heldRoles, policies, delegated, registered, estates, writes})
	if err != nil {
		return nil, err
	}
	evaluationService, err := s.newEvaluations(policies, decisions)
	if err != nil {
		return nil, err
	}

	enforcementService, err := s.newEnforcement(c, decisions)
	if err != nil {
		return nil, err
	}
	authorizedService, err := s.newAuthorized(catalogue, policies, registered, decisions)
	if err != nil {
		return nil, err
	}
	partyService, err := partyrpc.New(partyrpc.Config{Parties: parties, Catalogue: catalogue})
	if err != nil {
		return nil, err
	}
	roleService, err := rolerpc.New(rolerpc.Config{Roles: heldRoles, Catalogue: catalogue})
	if err != nil {
		return nil, err
	}
	checkService, err := check.New(check.Config{Checker: s.engine})
	if err != nil {
		return nil, err
	}
	registerService, err := registerrpc.New(registerrpc.Config{Register: writes})
	if err != nil {
		return nil, err
	}
	callerService, err := callerrpc.New(callerrpc.Config{Keys: c.keys, Logger: s.cfg.Logger})
	if err != nil {
		return nil, err
	}
	storeService, err := storerpc.New(storerpc.Config{Copier: s.copier, Exporter: writes, Schemas: schemas{s.engine}, Logger: s.cfg.Logger})
	if err != nil {
		return nil, err
	}
	auditService, err := auditrpc.New(s.audit)
	if err != nil {
		return nil, err
	}
	return []service{
		func(r grpc.ServiceRegistrar) { behalfv1.RegisterPartyServiceServer(r, partyService) },
		func(r grpc.ServiceRegistrar) { behalfv1.RegisterRoleServiceServer(r, roleService) },
		func(r grpc.ServiceRegistrar) { behalfv1.RegisterCheckServiceServer(r, checkService) },
		func(r grpc.ServiceRegistrar) { behalfv1.RegisterRegisterServiceServer(r, registerService) },
		func(r grpc.ServiceRegistrar) { behalfv1.RegisterStoreServiceServer(r, storeService) },
		callerService.Register,
		sessionService.Register,
		identityService.Register,
		enforcementService.Register,
		auditService.Register,
		policyService.Register,
		registryService.Register,
		authorizedService.Register,
		evaluationService.Register,
		func(r grpc.ServiceRegistrar) { behalfv1.RegisterDecisionServiceServer(r, decisionService) },
		func(r grpc.ServiceRegistrar) { behalfv1.RegisterInformationServiceServer(r, informationService) },
		func(r grpc.ServiceRegistrar) { behalfv1.RegisterDelegationServiceServer(r, delegationService) },
	}, nil
}
