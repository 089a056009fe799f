package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Prefix is what the path of every route begins with.
const Prefix = "/v1/"

// Config is what the native API needs.
type Config struct {
	// Conn reaches the services.
	Conn grpc.ClientConnInterface
	// MaxBodyBytes limits a request's body.
	MaxBodyBytes int64
}

// API serves the native REST API.
type API struct {
	mux     *runtime.ServeMux
	maxBody int64
}

// New returns the native REST API over the services that cfg.Conn reaches.
func New(cfg Config) (*API, error) {
	a := &API{maxBody: cfg.MaxBodyBytes}
	a.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, newMarshaler()),
		// Nothing crosses by its name but ETags on their way out: the context brings the metadata.
		runtime.WithIncomingHeaderMatcher(nothing),
		runtime.WithOutgoingHeaderMatcher(etag),
		runtime.WithOutgoingTrailerMatcher(nothing),
		runtime.WithMetadata(outgoing),
		// A POST must never become another method by a header or by being a form.
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptReserved),
		runtime.WithMiddlewares(a.enter),
		runtime.WithErrorHandler(answerError),
		runtime.WithRoutingErrorHandler(a.answerUnrouted),
		runtime.WithWriteContentLength(),
	)
	conn := strictConn{cfg.Conn}
	ctx := context.Background() // the registrations below keep nothing of it
	err := errors.Join(
		behalfv1.RegisterPartyServiceHandlerClient(ctx, a.mux, behalfv1.NewPartyServiceClient(conn)),
		behalfv1.RegisterRoleServiceHandlerClient(ctx, a.mux, behalfv1.NewRoleServiceClient(conn)),
		behalfv1.RegisterCheckServiceHandlerClient(ctx, a.mux, behalfv1.NewCheckServiceClient(conn)),
		behalfv1.RegisterRegisterServiceHandlerClient(ctx, a.mux, behalfv1.NewRegisterServiceClient(conn)),
		behalfv1.RegisterCallerServiceHandlerClient(ctx, a.mux, behalfv1.NewCallerServiceClient(conn)),
		behalfv1.RegisterDecisionServiceHandlerClient(ctx, a.mux, behalfv1.NewDecisionServiceClient(conn)),
		behalfv1.RegisterEvaluationServiceHandlerClient(ctx, a.mux, behalfv1.NewEvaluationServiceClient(conn)),
		behalfv1.RegisterInformationServiceHandlerClient(ctx, a.mux, behalfv1.NewInformationServiceClient(conn)),
		behalfv1.RegisterPolicyServiceHandlerClient(ctx, a.mux, behalfv1.NewPolicyServiceClient(conn)),
		behalfv1.RegisterRegistryServiceHandlerClient(ctx, a.mux, behalfv1.NewRegistryServiceClient(conn)),
		behalfv1.RegisterAuthorizedPartyServiceHandlerClient(ctx, a.mux, behalfv1.NewAuthorizedPartyServiceClient(conn)),
		behalfv1.RegisterDelegationServiceHandlerClient(ctx, a.mux, behalfv1.NewDelegationServiceClient(conn)),
		behalfv1.RegisterAuditServiceHandlerClient(ctx, a.mux, behalfv1.NewAuditServiceClient(conn)),
		behalfv1.RegisterIdentityServiceHandlerClient(ctx, a.mux, behalfv1.NewIdentityServiceClient(conn)),
	)
	if err != nil {
		return nil, fmt.Errorf("register the native API: %w", err)
	}
	return a, nil
}

// ServeHTTP answers a request below /v1/.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// grpc-gateway turns some headers, the peer and the host into metadata and a deadline
	// whatever it is told, so it gets to see none of them.
	bare := *r
	bare.RemoteAddr, bare.Host = "", ""
	bare.Header = http.Header{}
	if ct := r.Header.Values("Content-Type"); len(ct) > 0 {
		bare.Header["Content-Type"] = ct
	}
	if bare.Method == http.MethodHead {
		bare.Method = http.MethodGet // net/http leaves the body out
	}
	a.mux.ServeHTTP(w, &bare)
}

func nothing(string) (string, bool) { return "", false }

// etag lets the ETag of what a call answers with pass.
func etag(name string) (string, bool) { return "ETag", name == "etag" }

// outgoing returns the metadata that package gateway put into the context.
func outgoing(ctx context.Context, _ *http.Request) metadata.MD {
	md, _ := metadata.FromOutgoingContext(ctx)
	return md
}

// enter runs between the choice of a route and its call.
func (a *API) enter(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		ctx := r.Context()
		if found, ok := ctx.Value(probeKey{}).(*bool); ok {
			*found = true
			return
		}
		if pattern, ok := runtime.HTTPPattern(ctx); ok {
			event.From(ctx).Route = strings.ReplaceAll(pattern.String(), "=*}", "}")
		}
		if p := a.bufferBody(r); p != nil {
			problem.Write(w, r, *p)
			return
		}
		next(w, r.WithContext(withSent(ctx, r, params)), params)
	}
}

// answerError answers a call that failed.
func answerError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	event.From(r.Context()).Err = err
	p := problem.FromError(err)
	if statusErr, ok := errors.AsType[*runtime.HTTPStatusError](err); ok {
		// The path has an escape that is none.
		p = problem.New(statusErr.HTTPStatus, codes.InvalidArgument, problem.InvalidArgument, statusErr.Error())
	} else if p.Status == http.StatusBadRequest && p.Reason == p.Code && p.Violations == nil {
		p = located(p)
	}
	problem.Write(w, r, p)
}

type probeKey struct{}

// answerUnrouted answers a request that no route takes. For a path that other methods have,
// it asks the mux which ones, so that no second list of routes needs to be kept true.
func (a *API) answerUnrouted(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, _ int) {
	if ctx.Value(probeKey{}) != nil {
		return
	}
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		found := false
		probe := *r.WithContext(context.WithValue(ctx, probeKey{}, &found))
		probe.Method = method
		a.mux.ServeHTTP(discard{}, &probe)
		if !found {
			continue
		}
		allowed = append(allowed, method)
		if method == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	if len(allowed) > 0 {
		problem.WriteMethodNotAllowed(w, r, allowed...)
		return
	}
	problem.Write(w, r, problem.New(http.StatusNotFound, codes.NotFound, problem.RouteNotFound, "no route has this path"))
}

// discard takes the answers to probes, which have none.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
