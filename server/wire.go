package server

import (
	"github.com/behalf-authz/behalf/server/internal/audit"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/link"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/evaluation"
	"github.com/behalf-authz/behalf/server/internal/identity"
	"github.com/behalf-authz/behalf/server/internal/instancepip"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/role"
	"github.com/behalf-authz/behalf/server/internal/rpc/check"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
	storerpc "github.com/behalf-authz/behalf/server/internal/rpc/store"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// Who answers which ability.
var (
	_ party.Relations           = (*engine.Engine)(nil)
	_ role.Reader               = (*engine.Engine)(nil)
	_ check.Checker             = (*engine.Engine)(nil)
	_ register.Relations        = (*engine.Engine)(nil)
	_ delegation.Relations      = (*engine.Engine)(nil)
	_ delegation.Register       = (*register.Service)(nil)
	_ delegation.Roles          = (*role.Service)(nil)
	_ decision.Auditor          = (*audit.Log)(nil)
	_ decision.Packages         = (*delegation.Service)(nil)
	_ decision.Relations        = (*engine.Engine)(nil)
	_ decision.Parties          = (*party.Directory)(nil)
	_ decision.Roles            = (*role.Service)(nil)
	_ decision.Paths            = (*role.Service)(nil)
	_ decision.AccessLists      = (*registry.Service)(nil)
	_ decision.Instances        = (*instancepip.Source)(nil)
	_ policy.Reader             = (*engine.Engine)(nil)
	_ policy.Writer             = (*engine.Engine)(nil)
	_ evaluation.Relations      = (*engine.Engine)(nil)
	_ evaluation.Lister         = (*engine.Engine)(nil)
	_ evaluation.Policies       = (*policy.Service)(nil)
	_ evaluation.Decider        = (*decision.Service)(nil)
	_ enforce.Relations         = (*engine.Engine)(nil)
	_ enforce.Decider           = (*decision.Service)(nil)
	_ enforce.Parties           = (*party.Directory)(nil)
	_ enforce.Authenticator     = freshAuthenticator{}
	_ register.Directory        = (*party.Directory)(nil)
	_ authn.KeyStore            = (*records.Store)(nil)
	_ session.Store             = (*records.Store)(nil)
	_ session.Leases            = (*records.Store)(nil)
	_ session.Marks             = (*records.Store)(nil)
	_ identity.Links            = (*records.Store)(nil)
	_ link.Store                = (*records.Store)(nil)
	_ authn.Verifier            = (*provider.Provider)(nil)
	_ authn.Sessions            = (*session.Service)(nil)
	_ records.Database          = database{}
	_ records.Statements        = (*store.Tx)(nil)
	_ storerpc.Copier           = (*store.Store)(nil)
	_ storerpc.Exporter         = (*register.Service)(nil)
	_ storerpc.Schemas          = schemas{}
	_ interceptor.Authenticator = (*authn.Authenticator)(nil)
	_ interceptor.Certificates  = followingCertificates{}
)
