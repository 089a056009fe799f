package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/altinn"
	"github.com/behalf-authz/behalf/gateway/authzen"
	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/forwardauth"
	"github.com/behalf-authz/behalf/gateway/login"
	"github.com/behalf-authz/behalf/gateway/problem"
	"github.com/behalf-authz/behalf/gateway/rest"
)

// Limits that hold unless the configuration says otherwise.
const (
	DefaultMaxBodyBytes = 4 << 20
	DefaultTimeout      = 30 * time.Second
)

// answeringTimeout is how long a client may take over an answer, beyond the request's time.
const answeringTimeout = 30 * time.Second

// Config is what a gateway needs. All fields without a default are required.
type Config struct {
	// Conn reaches the services, in process or over a network.
	Conn grpc.ClientConnInterface
	// Logger takes one event per request.
	Logger *slog.Logger
	// Registerer takes the gateway's metrics.
	Registerer prometheus.Registerer
	// Gatherer is what /metrics shows.
	Gatherer prometheus.Gatherer
	// JWKS returns the keys that tokens of the local issuer are signed with, as a JSON Web Key Set.
	JWKS func() []byte
	// ClientJWKS are the keys by which identity providers know the server as their client, as
	// a JSON Web Key Set. Default none.
	ClientJWKS []byte
	// OpenAPI is the OpenAPI document of the native API.
	OpenAPI []byte
	// Ready returns nil when the server can answer questions, and else why it cannot.
	Ready func(context.Context) error
	// Decisions says who may ask for decisions at Altinn's path without a scope. Default nobody.
	Decisions altinn.Decisions
	// PublicURL is the https URL by which clients know the server, for AuthZEN's metadata,
	// which there are none of without it.
	PublicURL string
	// Enforcement says which API gateways may ask about requests. Without an Identity none
	// may. Its Conn is the gateway's.
	Enforcement forwardauth.Config
	// Login says how browsers log in. Without an Identity nobody does. Its Conn is the gateway's.
	Login login.Config
	// MaxBodyBytes limits a request's body. Default 4 MiB.
	MaxBodyBytes int64
	// Early returns when a call of the native API with the metadata may be made again that is
	// refused before anything else is done for it, 0 when it is not. Default none is.
	Early func(metadata.MD) time.Duration
	// Timeout limits the time a request may take, its body included. Default 30 s.
	Timeout time.Duration
}

// withDefaults returns c with its zero fields filled in.
func (c Config) withDefaults() Config {
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	return c
}

// Validate returns every fault of c joined, nil when there is none.
func (c Config) Validate() error {
	var faults []error
	need := func(given bool, field string) {
		if !given {
			faults = append(faults, errors.New("gateway: "+field+" is missing"))
		}
	}
	need(c.Conn != nil, "Conn")
	need(c.Logger != nil, "Logger")
	need(c.Registerer != nil, "Registerer")
	need(c.Gatherer != nil, "Gatherer")
	need(c.JWKS != nil, "JWKS")
	need(len(c.OpenAPI) > 0, "OpenAPI")
	need(c.Ready != nil, "Ready")
	if c.PublicURL != "" {
		if err := authzen.ValidatePublicURL(c.PublicURL); err != nil {
			faults = append(faults, fmt.Errorf("gateway: PublicURL: %w", err))
		}
	}
	if c.MaxBodyBytes < 0 || c.Timeout < 0 {
		faults = append(faults, errors.New("gateway: a limit is negative"))
	}
	return errors.Join(faults...)
}

// New returns the handler of the HTTP port. It starts nothing.
func New(cfg Config) (http.Handler, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Decisions.MaxBody = cfg.MaxBodyBytes
	conn := event.Conn{ClientConnInterface: cfg.Conn}
	native, err := rest.New(rest.Config{Conn: conn, MaxBodyBytes: cfg.MaxBodyBytes})
	if err != nil {
		return nil, err
	}
	recorder, err := event.NewRecorder(cfg.Logger, cfg.Registerer)
	if err != nil {
		return nil, err
	}
	rt := &router{
		timeout: cfg.Timeout,
		early:   cfg.Early,
		fixed:   operations(cfg),
		docs:    docs(),
		rest:    native,
		altinn:  altinn.New(conn, cfg.Decisions),
		authzen: authzen.New(conn, cfg.MaxBodyBytes),
	}
	if cfg.Enforcement.Identity != "" {
		cfg.Enforcement.Conn = conn
		rt.forwardauth = forwardauth.New(cfg.Enforcement)
	}
	if cfg.Login.Identity != "" {
		cfg.Login.Conn = conn
		if rt.login, err = login.New(cfg.Login); err != nil {
			return nil, err
		}
	}
	return recorder.Handler(rt, answerPanic), nil
}

// router finds the door of a request. It is no http.ServeMux, which would redirect unclean
// paths and answer in plain text: a path that is not a route's to the letter is no route.
type router struct {
	timeout time.Duration
	early   func(metadata.MD) time.Duration // nil when nobody is refused early
	fixed   map[string]http.Handler
	docs    http.Handler
	rest    http.Handler
	altinn  http.Handler
	login   http.Handler // nil when nobody logs in

	forwardauth http.Handler // nil when no API gateway may ask
	authzen     http.Handler
}

// ServeHTTP hands the request to its door, with the metadata of its calls and a deadline.
func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	rt.limitConnection(w)
	path := r.URL.Path
	if h, ok := rt.fixed[path]; ok {
		event.From(r.Context()).Route = path
		h.ServeHTTP(w, r)
		return
	}
	switch {
	case servesDocs(path):
		event.From(r.Context()).Route = pathDocs
		rt.docs.ServeHTTP(w, r)
	case strings.HasPrefix(path, rest.Prefix):
		rt.serveREST(w, r)
	case altinn.Serves(path):
		rt.serveDoor(w, r, rt.altinn, true)
	case authzen.Serves(path):
		rt.serveDoor(w, r, rt.authzen, false)
	case rt.forwardauth != nil && forwardauth.Serves(path):
		rt.serveDoor(w, r, rt.forwardauth, false)
	case rt.login != nil && login.Serves(path):
		rt.serveDoor(w, r, rt.login, false)
	default:
		answerNotFound(w, r)
	}
}

// limitConnection gives the request's bytes, and then the answer's, a time to pass. No
// context wakes a read or a write: a client that dawdles would hold the connection for ever.
// It is done for every route, as a deadline stays with a connection that is used again.
func (rt *router) limitConnection(w http.ResponseWriter) {
	now, connection := time.Now(), http.NewResponseController(w)
	// The errors say that w is no connection, such as in a test.
	_ = connection.SetReadDeadline(now.Add(rt.timeout))
	_ = connection.SetWriteDeadline(now.Add(rt.timeout + answeringTimeout))
}

// serveDoor serves a door whose answers depend on the caller.
func (rt *router) serveDoor(w http.ResponseWriter, r *http.Request, door http.Handler, cookie bool) {
	rt.serveWith(w, r, door, crossing(r, cookie))
}

// serveREST serves the native API, whose callers are refused early when they go on although
// they were refused for their rate. That is answered as the server does, is counted by no
// route of its own, and does not fill the log.
func (rt *router) serveREST(w http.ResponseWriter, r *http.Request) {
	md := crossing(r, safeMethod(r.Method))
	if rt.early != nil {
		if after := rt.early(md); after > 0 {
			ev := event.From(r.Context())
			ev.Route, ev.RetryAfter, ev.Unlogged = rest.Prefix, after, true
			problem.Write(w, r, problem.New(http.StatusTooManyRequests, codes.ResourceExhausted, problem.RateLimited,
				"the caller makes more calls than he may; try again later"))
			return
		}
	}
	rt.serveWith(w, r, rt.rest, md)
}

func (rt *router) serveWith(w http.ResponseWriter, r *http.Request, door http.Handler, md metadata.MD) {
	w.Header().Set("Cache-Control", "no-store")
	ctx, cancel := context.WithTimeout(r.Context(), rt.timeout)
	defer cancel()
	door.ServeHTTP(w, r.WithContext(metadata.NewOutgoingContext(ctx, md)))
}

func answerNotFound(w http.ResponseWriter, r *http.Request) {
	problem.Write(w, r, problem.New(http.StatusNotFound, codes.NotFound, problem.RouteNotFound,
		"no route has this path"))
}

func answerPanic(w http.ResponseWriter, r *http.Request) {
	problem.Write(w, r, problem.New(http.StatusInternalServerError, codes.Internal, "INTERNAL",
		"the server could not answer; the request id finds the cause in its log"))
}
