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
	secret, err := authn.FromAuthorization(metadata.ValueFromIncomingContext(ctx, "authorization"))
	if err != nil {
		return err
	}
	who, err := c.authenticator.Authenticate(ctx, secret)
	if err != nil {
		return err
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

// callerHeader tells the gateway in this process whom a call's credentials named, for the
// event of its request.
const callerHeader = "x-behalf-caller"

func named(who caller.Caller) string {
	if who.Kind == caller.User {
		return "user/" + strconv.FormatInt(who.UserID, 10)
	}
	return "service/" + who.Name
}
