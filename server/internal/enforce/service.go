package enforce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Relations answers about relations, all that one request asks at one revision.
type Relations interface {
	Pin(ctx context.Context, at relation.At) (context.Context, relation.Revision, error)
	Check(ctx context.Context, at relation.At, questions ...relation.Question) ([]relation.Answer, relation.Revision, error)
	Resources(ctx context.Context, at relation.At, objectType, permission string, subject relation.Subject) ([]string, relation.Revision, error)
}

// Decider decides by policies.
type Decider interface {
	Decide(ctx context.Context, r decision.Request) (decision.Response, error)
}

// Parties knows parties.
type Parties interface {
	Get(id party.ID) (party.Party, bool)
	ByUUID(uuid string) (party.Party, bool)
	ByUser(user party.UserID) (party.Party, bool)
}

// Authenticator establishes who asks.
type Authenticator interface {
	Authenticate(ctx context.Context, s authn.Secret) (caller.Caller, error)
	Session(ctx context.Context, s authn.Secret) (caller.Caller, error)
}

// Config is what a Service needs. Auditor may be nil: then nothing is recorded. So may Signer:
// then no route's identity token can be signed, and whoever would get one stays out. And
// Manager: then nobody else is asked who somebody is.
type Config struct {
	Routes        *Routes
	Relations     Relations
	Decisions     Decider
	Parties       Parties
	Authenticator Authenticator
	SessionCookie string // name of the cookie that holds a browser's session
	Auditor       decision.Auditor
	Signer        Signer
	Manager       Manager
	Logger        *slog.Logger
	Registerer    prometheus.Registerer
}

// Service answers about requests. It is safe for concurrent use.
type Service struct {
	routes        *Routes
	relations     Relations
	decisions     Decider
	parties       Parties
	authenticator Authenticator
	cookie        string
	auditor       decision.Auditor
	signer        Signer
	manager       Manager
	logger        *slog.Logger
	verdicts      *prometheus.CounterVec
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Routes == nil || c.Relations == nil || c.Decisions == nil || c.Parties == nil || c.Authenticator == nil ||
		c.SessionCookie == "" || c.Logger == nil || c.Registerer == nil {
		return nil, errors.New("enforce: something that the service needs is missing")
	}
	verdicts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "behalf_enforcement_total", Help: "Requests that gateways asked about, by what became of them.",
	}, []string{"outcome"})
	if err := c.Registerer.Register(verdicts); err != nil {
		return nil, fmt.Errorf("register the metrics of enforcement: %w", err)
	}
	return &Service{
		routes: c.Routes, relations: c.Relations, decisions: c.Decisions, parties: c.Parties, authenticator: c.Authenticator,
		cookie: c.SessionCookie, auditor: c.Auditor, signer: c.Signer, manager: c.Manager, logger: c.Logger, verdicts: verdicts,
	}, nil
}

// Request is a request that a gateway asks about.
type Request struct {
	Method  string
	Scheme  string
	Host    string
	Target  string // the path, and the query if there is one
	Headers []Header
	Client  string // address of the client, hearsay
	Removes bool   // whether the gateway removes headers that it is told to
	ID      string // of the request, for the record

	// ClientType and Backoffice are what a gateway of Mia-Platform's has found out by keys and
	// doors of its own, never what a client says.
	ClientType string
	Backoffice bool
}

// Authorize answers about a request. A denial is an answer; an error keeps the request out
// too, and so does a panic, which becomes one.
func (s *Service) Authorize(ctx context.Context, r Request) (v Verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.logger.ErrorContext(ctx, "a rule panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			v, err = Verdict{}, fmt.Errorf("a rule panicked: %v", p)
		}
		outcome := v.Outcome.String()
		if err != nil {
			v, outcome = Verdict{}, "error"
		}
		s.verdicts.WithLabelValues(outcome).Inc()
	}()
	table := s.routes.Table()
	q, route, err := s.read(table, r)
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return Verdict{Outcome: Malformed, Reason: e.Reason, Message: e.Public, Mia: table.mia.refused()}, nil
	}
	if err != nil {
		return Verdict{}, err
	}
	if route == nil {
		return Verdict{Reason: ReasonNoRoute, Message: "no route takes the request", Mia: table.mia.refused()}, nil
	}
	j, err := q.judge(ctx, route)
	if err != nil {
		return Verdict{}, fmt.Errorf("route %s: %w", route.name, err)
	}
	v = Verdict{Outcome: j.outcome, Reason: j.reason, Message: j.message, Level: j.level, Route: route.name, Revision: q.revision, Mia: table.mia.refused()}
	if v.Outcome == Allowed {
		if v.Identity, err = table.identityOf(q); err != nil {
			return Verdict{}, err
		}
		v.Remove = table.aliases(q.headers)
		if v.Mia, err = table.mia.allowed(q); err != nil {
			return Verdict{}, err
		}
	}
	return v, nil
}

// read reads a request, and finds its route.
func (s *Service) read(table *Table, r Request) (*question, *route, error) {
	path, err := ParsePath(r.Target)
	if err != nil {
		return nil, nil, err
	}
	host, err := parseHost(r.Host)
	if err != nil {
		return nil, nil, err
	}
	if r.Scheme != "http" && r.Scheme != "https" {
		return nil, nil, malformed("the scheme is neither http nor https")
	}
	h, err := newHeaders(r.Headers)
	if err != nil {
		return nil, nil, err
	}
	if table.hopByHop(h) {
		return nil, nil, malformed("the request has an identity header removed on the way")
	}
	if !r.Removes && len(table.aliases(h)) > 0 {
		return nil, nil, malformed("the request has a header that could be taken for an identity header")
	}
	q := &question{service: s, grants: table.grants, request: r, headers: h}
	found, parameters := table.find(r.Method, host, path)
	q.parameters = parameters
	return q, found, nil
}

// sameSite says whether a browser's request comes from a page of the host itself, or from
// the person. It is asked of requests that change something and that a cookie vouches for.
func (q *question) sameSite() bool {
	switch q.request.Method {
	case "GET", "HEAD", "OPTIONS":
		return true
	}
	site, once := q.headers.single("sec-fetch-site")
	if !once || site != "" {
		return once && (site == "same-origin" || site == "none")
	}
	origin, once := q.headers.single("origin")
	return once && (origin == "" || strings.EqualFold(origin, q.request.Scheme+"://"+q.request.Host))
}

func (q *question) origin() decision.Origin {
	return decision.Origin{
		Caller: callerName(q.who), Address: q.request.Client, RequestID: q.request.ID,
	}
}

func callerName(who caller.Caller) string {
	switch who.Kind {
	case caller.User:
		return "user/" + strconv.FormatInt(who.UserID, 10)
	case caller.Service:
		return "service/" + who.Name
	case caller.Nobody:
	}
	return ""
}
