package gateway

import (
	"net"
	"net/http"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/internal/trust"
)

// runtimeCookie carries the token of a browser that logged in to Altinn.
const runtimeCookie = "AltinnStudioRuntime"

// Header and metadata keys that cross.
const (
	authorizationKey = "authorization"
	requestIDKey     = "x-request-id"
	forwardedForKey  = "x-forwarded-for"
	platformTokenKey = "platformaccesstoken"
	ifMatchKey       = "if-match"
	ifNoneMatchKey   = "if-none-match"
	certificateKey   = "x-behalf-client-certificate"
)

// conditions are the headers that say of which state a request speaks.
var conditions = []string{ifMatchKey, ifNoneMatchKey}

// maxCondition bounds such a header.
const maxCondition = 512

// maxForwardedFor bounds the chain of proxies that is passed on.
const maxForwardedFor = 512

// crossing returns the metadata of the gRPC calls that a request leads to. It is made here
// from nothing: no header of the client becomes metadata by its name, so none can forge
// what the services trust.
func crossing(r *http.Request, cookie bool) metadata.MD {
	md := metadata.MD{requestIDKey: {event.From(r.Context()).RequestID}}
	if chain := forwardedFor(r); chain != "" {
		md[forwardedForKey] = []string{chain}
	}
	if credentials := credentials(r, cookie); credentials != "" {
		md[authorizationKey] = []string{credentials}
	}
	if !credentialed(r) {
		for _, name := range trust.Names(r.TLS) {
			if printable(name) {
				md[certificateKey] = append(md[certificateKey], name)
			}
		}
	}
	// By which a part of the platform says which part it is, whoever it calls for.
	if tokens := r.Header.Values(platformTokenKey); len(tokens) == 1 && tokens[0] != "" && printable(tokens[0]) {
		md[platformTokenKey] = tokens
	}
	for _, name := range conditions {
		if values := r.Header.Values(name); len(values) > 0 {
			// One that cannot cross still has to fail: dropped, it would hold of any state.
			if value := strings.Join(values, ","); len(value) <= maxCondition && printable(value) {
				md[name] = []string{value}
			} else {
				md[name] = []string{"?"}
			}
		}
	}
	return md
}

// credentialed reports whether the request carries credentials, be they such that cannot
// cross: a client's certificate counts alone, and must not stand in for what was to fail.
func credentialed(r *http.Request) bool {
	return len(r.Header.Values("Authorization")) > 0 || len(r.Header.Values(platformTokenKey)) > 0 || len(r.CookiesNamed(runtimeCookie)) > 0
}

// credentials returns what the request identifies its caller by: its Authorization header,
// or else, where the door allows it, the cookie. Two headers are none: another party may
// have checked the one that we would not take.
func credentials(r *http.Request, cookie bool) string {
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		if len(headers) > 1 || !printable(headers[0]) {
			return ""
		}
		return headers[0]
	}
	if !cookie {
		return ""
	}
	if cookies := r.CookiesNamed(runtimeCookie); len(cookies) == 1 && printable(cookies[0].Value) && cookies[0].Value != "" {
		return "Bearer " + cookies[0].Value
	}
	return ""
}

// safeMethod reports whether a method changes nothing. A browser sends a cookie along with
// a request that another site made up, so a cookie must not carry a call that changes
// something: the native API takes it on safe methods only. Altinn's paths take it on every
// method, as Altinn's clients expect; what they write is guarded by claims that no
// browser's token has.
func safeMethod(method string) bool {
	return method == http.MethodGet || method == http.MethodHead
}

// forwardedFor returns the chain of addresses the request came along, for logs. Its last
// entry is the peer of our own connection; those before are hearsay, and nothing is decided by them.
func forwardedFor(r *http.Request) string {
	chain := strings.Join(r.Header.Values("X-Forwarded-For"), ", ")
	if len(chain) > maxForwardedFor || !printable(chain) {
		chain = ""
	}
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	switch {
	case err != nil: // no last entry of our own, so none at all
		return ""
	case chain == "":
		return peer
	}
	return chain + ", " + peer
}

// printable reports whether s may stand in a metadata value. gRPC would refuse the whole
// call otherwise, with a fault that is not the caller's to see.
func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
