package interceptor

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"google.golang.org/grpc/metadata"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// ReasonRateLimited is given when a caller makes calls faster than he may.
const ReasonRateLimited fault.Reason = "RATE_LIMITED"

// uncountedKey marks a question of the gateway in this process that only prepares the call
// which a request is about, so that a request is one call.
const uncountedKey = "x-behalf-uncounted"

// account is whose calls are counted together: a user, a service, or an address.
type account struct {
	user                                   int64
	service, issuer, issuedTo, org, client string
	address                                string
}

// meters count calls by who makes them. Those who are known by their addresses only are
// apart, so that however many addresses there are, callers who are known keep their own count.
type meters struct {
	callers, addresses *buckets[account]
}

func newMeters(l Limits) *meters {
	if l.Rate <= 0 {
		return nil
	}
	return &meters{newBuckets[account](l, time.Now), newBuckets[account](l, time.Now)}
}

func (m *meters) of(a account) *buckets[account] {
	if a.address != "" {
		return m.addresses
	}
	return m.callers
}

// meter refuses a call when its caller makes too many. It comes as soon as the caller is
// known, before anything is done for him.
func (c *Chain) meter(ctx context.Context, k *call, next func(context.Context) error) error {
	if c.meters == nil || k.rule.uncounted {
		return next(ctx)
	}
	k.account = accountOf(ctx, k) // whose share of the calls in hand it takes, counted or not
	if uncounted(ctx) {
		return next(ctx)
	}
	if err := c.charge(k.account); err != nil {
		c.note(ctx, k.account)
		return err
	}
	return next(ctx)
}

// stranger refuses whom nothing makes known: for why, or because his address makes too many calls.
func (c *Chain) stranger(ctx context.Context, why error) error {
	if c.meters == nil {
		return why
	}
	if err := c.charge(account{address: network(peerOf(ctx))}); err != nil {
		return err
	}
	return why
}

func (c *Chain) charge(a account) error {
	wait, ok := c.meters.of(a).take(a)
	if ok {
		return nil
	}
	c.metrics.refusedByRate.Inc()
	return rateLimited(wait)
}

// rateLimited is what a caller is told who may call again after the wait.
func rateLimited(wait time.Duration) error {
	f := fault.New(fault.Exhausted, ReasonRateLimited, "the caller makes more calls than he may; try again later")
	f.Retry = wait
	return f
}

func uncounted(ctx context.Context) bool {
	return local(ctx) && len(metadata.ValueFromIncomingContext(ctx, uncountedKey)) > 0
}

// accountOf returns whose call it is. What an API gateway asks is a call of its client, whom
// it tells of: else one client could keep all others out.
func accountOf(ctx context.Context, k *call) account {
	if asked, ok := k.message.(*behalfv1.AuthorizeRequest); ok && local(ctx) && asked.GetClient() != "" {
		return account{address: network(asked.GetClient())}
	}
	who := caller.From(ctx)
	switch {
	case who.Kind == caller.User && who.UserID != 0:
		return account{user: who.UserID}
	case who.Kind == caller.User && who.IssuedTo != "":
		return account{issuer: who.Issuer, issuedTo: who.IssuedTo}
	case who.Kind == caller.Service && !slices.Contains(who.Scopes, caller.Gateway):
		if a := (account{
			service: who.Name, issuer: who.Issuer, issuedTo: who.IssuedTo, org: who.Consumer + "/" + who.Org, client: who.App,
		}); a != (account{org: "/"}) {
			return a
		}
	}
	return account{address: network(peerOf(ctx))}
}

// network returns what counts as one address: that of IPv4, or the network of IPv6 that one
// customer gets. What is no address is one by its text.
func network(peer string) string {
	host, _, err := net.SplitHostPort(peer)
	if err != nil {
		host = peer
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return "peer " + host
	}
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	of, err := address.Prefix(64)
	if err != nil {
		return address.String()
	}
	return of.String()
}
