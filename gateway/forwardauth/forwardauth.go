package forwardauth

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/gateway/event"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// The paths.
const (
	PathNginx   = "/authz/nginx"
	PathForward = "/authz/forward"
)

// Headers of answers beside those of identity.
const (
	// ReasonHeader says why a request is kept out, for machines.
	ReasonHeader = "Behalf-Reason"
	// StatusHeader says with which status it would be answered by a gateway that takes any.
	StatusHeader = "Behalf-Status"
)

// Reasons that the adapters give themselves.
const (
	reasonUntrustedPeer = "UNTRUSTED_PEER"
	reasonMalformed     = "REQUEST_MALFORMED"
	reasonUnavailable   = "UNAVAILABLE"
	reasonNoVerdict     = "NO_VERDICT"
)

// Config is what the adapters need.
type Config struct {
	Conn grpc.ClientConnInterface
	// Identity is the authorization of the gateway's own calls.
	Identity string
	// Peers are the networks whose clients are believed when they tell of a request.
	Peers []netip.Prefix
}

// API serves the adapters.
type API struct {
	enforcement behalfv1.EnforcementServiceClient
	identity    string
	peers       []netip.Prefix
}

// New returns the adapters. Without peers they keep everybody out.
func New(c Config) *API {
	return &API{behalfv1.NewEnforcementServiceClient(c.Conn), c.Identity, c.Peers}
}

// Serves reports whether path is one of the adapters'.
func Serves(path string) bool { return path == PathNginx || path == PathForward }

// ServeHTTP answers a request whose path Serves. The method, the query and the body are the
// gateway's own, or follow the client's, and nothing is read from them.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ev := event.From(r.Context())
	ev.Route = r.URL.Path
	deny, tell := denyForward, toldByForward
	if r.URL.Path == PathNginx {
		deny, tell = denyNginx, toldByNginx
	}
	if !a.trusts(r) {
		deny(w, r, refusal{http.StatusForbidden, reasonUntrustedPeer, "the gateway is not among the trusted peers", ""})
		return
	}
	req, ok := tell(r)
	if !ok {
		deny(w, r, refusal{http.StatusBadRequest, reasonMalformed, "the gateway does not tell of the request, or tells twice", ""})
		return
	}
	answer, err := a.enforcement.Authorize(a.identified(r.Context()), req)
	if err != nil {
		ev.Err = err
		deny(w, r, failed(err))
		return
	}
	ev.Decision, ev.Why = strings.ToLower(strings.TrimPrefix(answer.GetVerdict().String(), "VERDICT_")), answer.GetReason()
	if answer.GetVerdict() == behalfv1.Verdict_VERDICT_ALLOWED {
		allow(w, answer)
		return
	}
	deny(w, r, refused(answer))
}

// allow lets the request pass. Every identity header is there, if need be without a value,
// so that the gateway puts it in the place of what the client sent.
func allow(w http.ResponseWriter, answer *behalfv1.AuthorizeResponse) {
	for _, h := range answer.GetIdentity() {
		w.Header()[http.CanonicalHeaderKey(h.GetName())] = []string{h.GetValue()}
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// refusal is why a request is kept out.
type refusal struct {
	status    int
	reason    string
	message   string
	challenge string
}

// refused returns the refusal of a verdict. One that is not known keeps the request out.
func refused(answer *behalfv1.AuthorizeResponse) refusal {
	f := refusal{http.StatusForbidden, answer.GetReason(), answer.GetMessage(), ""}
	switch answer.GetVerdict() {
	case behalfv1.Verdict_VERDICT_DENIED:
	case behalfv1.Verdict_VERDICT_MALFORMED:
		f.status = http.StatusBadRequest
	case behalfv1.Verdict_VERDICT_UNAUTHENTICATED:
		f.status, f.challenge = http.StatusUnauthorized, `Bearer realm="behalf"`
		if answer.GetReason() != "CREDENTIALS_MISSING" {
			f.challenge += `, error="invalid_token"`
		}
	case behalfv1.Verdict_VERDICT_STEP_UP:
		f.status = http.StatusUnauthorized
		f.challenge = `Bearer realm="behalf", error="insufficient_user_authentication", acr_values="urn:altinn:authlevel:` +
			strconv.Itoa(int(answer.GetRequiredLevel())) + `"`
	case behalfv1.Verdict_VERDICT_ALLOWED, behalfv1.Verdict_VERDICT_UNSPECIFIED:
		f.reason, f.message = reasonNoVerdict, "there is no verdict"
	}
	return f
}

// failed returns the refusal of a call that failed. Why it did is for the log.
func failed(err error) refusal {
	f := refusal{http.StatusServiceUnavailable, reasonUnavailable, "it cannot be answered now whether the request may pass", ""}
	if status.Code(err) == codes.InvalidArgument {
		f = refusal{http.StatusBadRequest, reasonMalformed, "the request is too long, or has too many headers", ""}
	}
	return f
}

// trusts says whether the client is a gateway that is believed when it tells of a request.
func (a *API) trusts(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	peer, err := netip.ParseAddr(host)
	peer = peer.Unmap().WithZone("")
	return err == nil && slices.ContainsFunc(a.peers, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// identified returns a context whose calls are the gateway's own. What the client calls
// itself by is told in the request, and is no credential of the call.
func (a *API) identified(ctx context.Context) context.Context {
	md, _ := metadata.FromOutgoingContext(ctx)
	own := metadata.MD{"authorization": {a.identity}}
	for _, kept := range []string{"x-request-id", "x-forwarded-for"} {
		if v := md.Get(kept); len(v) > 0 {
			own[kept] = v
		}
	}
	return metadata.NewOutgoingContext(ctx, own)
}
