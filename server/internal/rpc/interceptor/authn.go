package interceptor

import (
	"context"
	"log/slog"
	"strconv"

	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// authn puts the caller into the context. The call of a public method has none.
func (c *Chain) authn(ctx context.Context, k *call, next func(context.Context) error) error {
	if k.rule.public {
		return next(ctx)
	}
	who, err := c.establish(ctx)
	if err != nil {
		return c.stranger(ctx, err)
	}
	if local(ctx) {
		k.header(callerHeader, named(who))
	}
	switch who.Kind {
	case caller.User:
		k.event.Add(slog.String("caller", "user"), slog.Int64("user_id", who.UserID))
	case caller.Service:
		k.event.Add(slog.String("caller", "service"), slog.String("service", who.Name))
	case caller.Nobody: // which no authenticator returns, and access refuses
	}
	return next(caller.With(ctx, who))
}

// establish returns whom the credentials of a call name. Parts of Altinn's platform say in
// a token of their own which part they are, beside whom they call for or alone. Beside
// other credentials one that does not hold is left out: Altinn's clients send it to calls
// that have no need of it. A client certificate counts for calls that carry nothing else.
func (c *Chain) establish(ctx context.Context) (caller.Caller, error) {
	authorization := metadata.ValueFromIncomingContext(ctx, "authorization")
	platform := metadata.ValueFromIncomingContext(ctx, platformTokenKey)
	if len(platform) == 1 && len(authorization) == 0 {
		who, err := c.authenticator.Authenticate(ctx, authn.Secret(platform[0]))
		who.Platform = who.App
		return who, err
	}
	if len(authorization) == 0 {
		if who, err := c.certified(ctx); err != nil || who.Kind != caller.Nobody {
			return who, err
		}
	}
	secret, err := authn.FromAuthorization(authorization)
	if err != nil {
		return caller.Caller{}, err
	}
	who, err := c.authenticator.Authenticate(ctx, secret)
	if err == nil && len(platform) == 1 {
		if part, unknown := c.authenticator.Authenticate(ctx, authn.Secret(platform[0])); unknown == nil {
			who.Platform = part.App
		}
	}
	return who, err
}

// platformTokenKey is where the gateway puts the header PlatformAccessToken.
const platformTokenKey = "platformaccesstoken"

// callerHeader tells the gateway in this process whom a call's credentials named, for the
// event of its request.
const callerHeader = "x-behalf-caller"

func named(who caller.Caller) string {
	if who.Kind == caller.User {
		return "user/" + strconv.FormatInt(who.UserID, 10)
	}
	return "service/" + who.Name
}
