package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// gatewayIdentity is by what the services know the gateway in this process. It is made at
// each start and leaves the process in nothing.
type gatewayIdentity struct{ secret string }

func newGatewayIdentity() gatewayIdentity {
	return gatewayIdentity{"gateway." + rand.Text() + rand.Text()}
}

// authorization returns what the gateway's own calls carry.
func (g gatewayIdentity) authorization() string { return "Bearer " + g.secret }

// knowing returns an authenticator that knows the gateway, and asks next about all others.
func (g gatewayIdentity) knowing(next interceptor.Authenticator) interceptor.Authenticator {
	return gatewayAuthenticator{g, next}
}

type gatewayAuthenticator struct {
	gateway gatewayIdentity
	next    interceptor.Authenticator
}

// Authenticate implements interceptor.Authenticator.
func (a gatewayAuthenticator) Authenticate(ctx context.Context, s authn.Secret) (caller.Caller, error) {
	if subtle.ConstantTimeCompare([]byte(s), []byte(a.gateway.secret)) == 1 && a.gateway.secret != "" {
		return caller.Caller{Kind: caller.Service, Name: "gateway", Scopes: []caller.Scope{caller.Gateway}}, nil
	}
	return a.next.Authenticate(ctx, s)
}
