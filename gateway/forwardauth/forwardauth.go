package forwardauth

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/internal/refusal"
	"github.com/behalf-authz/behalf/gateway/internal/trust"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// The paths. Those of Envoy and Mia are also all that is below them.
const (
	PathNginx   = "/authz/nginx"
	PathForward = "/authz/forward"
	PathEnvoy   = "/authz/envoy"
	PathMia     = "/auth"
)

// Headers of answers beside those of identity.
const (
	// ReasonHeader says why a request is kept out, for machines.
	ReasonHeader = "Behalf-Reason"
	// StatusHeader says with which status it would be answered by a gateway that takes any.
	StatusHeader = "Behalf-Status"
	// RedirectHeader says where a browser logs in, to a gateway that does not take a redirect,
	// and to a script that has been answered 401.
	RedirectHeader = "X-Auth-Redirect"
)

// KeyHeader is where a gateway gives an API key of its own, if it is known by that.
const KeyHeader = "Behalf-Gateway-Key"

// Config is what the adapters need.
type Config struct {
	Conn grpc.ClientConnInterface
	// Identity is the authorization of the gateway's own calls.
	Identity string
	// Peers are the networks whose clients are believed when they tell of a request.
	Peers []netip.Prefix
	// Certificates are names, in verified certificates, of clients that are believed too.
	Certificates []string
	// LoginOrigin returns scheme and host where browsers log in. Nil when nobody can.
	LoginOrigin func() string
}

// API serves the adapters.
type API struct {
	enforcement behalfv1.EnforcementServiceClient
	identity    string
	gateways    *trust.Gateways
	login       refusal.Login
}

// New returns the adapters. They believe nobody whom c does not name, and no key without the scope.
func New(c Config) *API {
	return &API{
		enforcement: behalfv1.NewEnforcementServiceClient(c.Conn), identity: c.Identity,
		gateways: trust.New(c.Conn, trust.Config{Networks: c.Peers, Certificates: c.Certificates}),
		login:    refusal.Login{Origin: c.LoginOrigin},
	}
}

// adapter is how one kind of gateway tells of a request, and wants its answer.
type adapter struct {
	route string
	tell  func(*http.Request) (*behalfv1.AuthorizeRequest, bool)
	allow func(http.ResponseWriter, *behalfv1.AuthorizeResponse)
	// deny keeps the request out. The answer is nil where none came.
	deny func(http.ResponseWriter, refusal.Refusal, *behalfv1.AuthorizeResponse)
}

// adapterOf returns the adapter of a path.
func adapterOf(path string) (adapter, bool) {
	switch {
	case path == PathNginx:
		return adapter{PathNginx, toldByNginx, allow, denyNginx}, true
	case path == PathForward:
		return adapter{PathForward, toldByForward, allow, denyForward}, true
	case strings.HasPrefix(path, PathEnvoy+"/"):
		return adapter{PathEnvoy + "/**", toldByEnvoy, allowEnvoy, denyForward}, true
	case path == PathMia:
		return adapter{PathMia, toldByMia, allowMia, denyMia}, true
	case strings.HasPrefix(path, PathMia+"/"):
		return adapter{PathMia + "/**", toldByMia, allowMia, denyMia}, true
	}
	return adapter{}, false
}

// Serves reports whether path is one of the adapters'.
func Serves(path string) bool {
	_, ok := adapterOf(path)
	return ok
}

// ServeHTTP answers a request whose path Serves. Nothing is read from the query and the body,
// nor, but by Envoy's adapter, from method and path: they are the gateway's own, or follow the
// client's.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	door, ok := adapterOf(r.URL.Path)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	ev := event.From(r.Context())
	ev.Route = door.route
	deny := func(f refusal.Refusal, answer *behalfv1.AuthorizeResponse) {
		ev.Reason = f.Reason
		w.Header().Set(ReasonHeader, f.Reason)
		door.deny(w, f, answer)
	}
	believed, err := a.gateways.Believes(r.Context(), trust.Client{Address: r.RemoteAddr, TLS: r.TLS, Key: key(r)})
	switch {
	case err != nil:
		ev.Err = err
		deny(refusal.Failed(err), nil)
		return
	case !believed:
		deny(refusal.Untrusted(), nil)
		return
	}
	req, ok := door.tell(r)
	if !ok {
		deny(refusal.Untold(), nil)
		return
	}
	answer, err := a.enforcement.Authorize(a.identified(r.Context()), req)
	if err != nil {
		ev.Err = err
		deny(refusal.Failed(err), nil)
		return
	}
	ev.Decision, ev.Why = strings.ToLower(strings.TrimPrefix(answer.GetVerdict().String(), "VERDICT_")), answer.GetReason()
	if answer.GetVerdict() == behalfv1.Verdict_VERDICT_ALLOWED {
		door.allow(w, answer)
		return
	}
	deny(refusal.Of(answer, req, a.login), answer)
}

// key returns the authorization by which a gateway says who it is itself.
func key(r *http.Request) string {
	if values := r.Header.Values(KeyHeader); len(values) == 1 && values[0] != "" {
		return "Bearer " + values[0]
	}
	return ""
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
