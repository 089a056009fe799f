package login

import (
	"net/http"
	"net/netip"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/internal/trust"
)

// forwardedForKey is where calls say along which addresses they came. The last is the word of the
// gateway, by which those are counted whom nothing else makes known.
const forwardedForKey = "x-forwarded-for"

// behindProxy returns a request whose calls come from the client that a proxy tells of, if that is
// believed: else all browsers behind it would be counted as one. It is the last in the proxy's
// chain, as those before it may be the client's own words.
func (d *Doors) behindProxy(r *http.Request) *http.Request {
	md, _ := metadata.FromOutgoingContext(r.Context())
	along := md.Get(forwardedForKey)
	if len(along) != 1 || !d.proxies.Known(trust.Client{Address: r.RemoteAddr, TLS: r.TLS}) {
		return r
	}
	end := strings.LastIndexByte(along[0], ',') // before the proxy itself
	if end < 0 {
		return r
	}
	told := along[0][:end]
	if !isAddress(strings.TrimSpace(told[strings.LastIndexByte(told, ',')+1:])) {
		return r
	}
	md = md.Copy()
	md.Set(forwardedForKey, told)
	return r.WithContext(metadata.NewOutgoingContext(r.Context(), md))
}

// isAddress reports whether a text is the address of a client, with or without its port.
func isAddress(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	_, err := netip.ParseAddrPort(text)
	return err == nil
}
