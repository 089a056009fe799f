package trust

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/gateway/event"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Scope is what an API key of a gateway needs. A key for everything has it too.
const (
	Scope      = "behalf:enforce"
	everything = "behalf:admin"
)

// Config says who is believed. The zero Config is nobody.
type Config struct {
	// Networks are those of gateways.
	Networks []netip.Prefix
	// Certificates are the DNS names and URIs by which the certificates of gateways name
	// them, such as envoy.internal or spiffe://example.org/envoy.
	Certificates []string
}

// Gateways are the clients that are believed.
type Gateways struct {
	config  Config
	callers behalfv1.CallerServiceClient
}

// New returns those that a configuration names. conn reaches CallerService, which knows keys.
func New(conn grpc.ClientConnInterface, c Config) *Gateways {
	return &Gateways{c, behalfv1.NewCallerServiceClient(conn)}
}

// Client is what a connection and a call say of the client.
type Client struct {
	Address string               // host:port, as the connection has it
	TLS     *tls.ConnectionState // nil without TLS
	Key     string               // an Authorization of its own, empty when it gives none
}

// Believes says whether a client is a gateway that is believed. An error says that it could
// not be found out now, and such a client is not.
func (g *Gateways) Believes(ctx context.Context, c Client) (bool, error) {
	if g.Known(c) {
		return true, nil
	}
	if c.Key == "" {
		return false, nil
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	// What the gateway asks about is a call of its client, and this one leads to it only.
	own := metadata.MD{"authorization": {c.Key}, event.UncountedKey: {"1"}}
	if id := md.Get("x-request-id"); len(id) > 0 {
		own["x-request-id"] = id
	}
	if host, _, err := net.SplitHostPort(c.Address); err == nil {
		own["x-forwarded-for"] = []string{host} // by which a key that nobody knows is counted
	}
	who, err := g.callers.GetCaller(metadata.NewOutgoingContext(ctx, own), &behalfv1.GetCallerRequest{})
	switch status.Code(err) {
	case codes.OK:
	case codes.Unauthenticated, codes.PermissionDenied, codes.InvalidArgument:
		return false, nil
	default:
		return false, err
	}
	// A person's token, and one of a foreign issuer, have no scopes of ours unless it is believed for them.
	return who.GetKind() == behalfv1.CallerKind_CALLER_KIND_SERVICE &&
		(slices.Contains(who.GetScopes(), Scope) || slices.Contains(who.GetScopes(), everything)), nil
}

// Known says whether a client is a gateway by its connection alone: its network, or its certificate.
func (g *Gateways) Known(c Client) bool { return g.near(c.Address) || g.certified(c.TLS) }

// near says whether an address is in one of the networks.
func (g *Gateways) near(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	at, err := netip.ParseAddr(host)
	at = at.Unmap().WithZone("")
	return err == nil && slices.ContainsFunc(g.config.Networks, func(n netip.Prefix) bool { return n.Contains(at) })
}

// certified says whether a certificate, which the TLS layer has verified, names a gateway.
func (g *Gateways) certified(state *tls.ConnectionState) bool {
	names := Names(state)
	return slices.ContainsFunc(g.config.Certificates, func(name string) bool { return name != "" && slices.Contains(names, name) })
}

// Names returns the DNS names and URIs of a client's certificate, none when it has none or none
// that the TLS layer has verified. The server reads certificates at its own port in the same
// way, by lines of its own: the gateway imports nothing of it, and the contract between them,
// in schema, is no place for code about TLS. A test of the server asks at both ports with the
// same certificates.
func Names(state *tls.ConnectionState) []string {
	if state == nil || !state.HandshakeComplete || len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return nil
	}
	leaf := state.VerifiedChains[0][0]
	names := slices.Clone(leaf.DNSNames)
	for _, u := range leaf.URIs {
		names = append(names, u.String())
	}
	return names
}
