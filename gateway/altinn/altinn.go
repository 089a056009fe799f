package altinn

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// prefix is what the path of every route begins with, in any case.
const prefix = "/authorization/api/v1/"

// API serves Altinn's paths.
type API struct {
	decider  behalfv1.DecisionServiceClient
	callers  behalfv1.CallerServiceClient
	parties  behalfv1.PartyServiceClient
	roles    behalfv1.RoleServiceClient
	policies behalfv1.PolicyServiceClient
	registry behalfv1.RegistryServiceClient
	buffers  sync.Pool // of *bytes.Buffer, for answers

	authorized behalfv1.AuthorizedPartyServiceClient
	decisions  Decisions
}

// New returns Altinn's paths over the services that conn reaches.
func New(conn grpc.ClientConnInterface, decisions Decisions) *API {
	return &API{
		decisions: decisions,
		decider:   behalfv1.NewDecisionServiceClient(conn),
		callers:   behalfv1.NewCallerServiceClient(conn),
		parties:   behalfv1.NewPartyServiceClient(conn),
		roles:     behalfv1.NewRoleServiceClient(conn),
		policies:  behalfv1.NewPolicyServiceClient(conn),
		registry:  behalfv1.NewRegistryServiceClient(conn),

		authorized: behalfv1.NewAuthorizedPartyServiceClient(conn),
	}
}

// Serves reports whether path is one of Altinn's.
func Serves(path string) bool {
	return begins(path, prefix) || begins(path, accessPrefix)
}

func begins(path, with string) bool {
	return len(path) >= len(with) && strings.EqualFold(path[:len(with)], with)
}

// ServeHTTP answers a request whose path begins as Altinn's do.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	under, find := prefix, a.route
	if begins(r.URL.Path, accessPrefix) {
		under, find = accessPrefix, a.accessRoute
	}
	at, found := find(r.URL.Path)
	if !found {
		problem.Write(w, r, problem.New(http.StatusNotFound, codes.NotFound, problem.RouteNotFound, "no route has this path"))
		return
	}
	event.From(r.Context()).Route = under + at.pattern
	if !at.takes(r.Method) {
		problem.WriteMethodNotAllowed(w, r, at.methods()...)
		return
	}
	if at.open {
		at.answer(w, r, nil)
		return
	}
	// Who calls is established before anything is read of what he asks.
	caller, err := a.callers.GetCaller(r.Context(), &behalfv1.GetCallerRequest{})
	if err != nil {
		a.answerError(w, r, err)
		return
	}
	// That was the call which is counted; what it leads to is none of its own.
	at.answer(w, r.WithContext(uncounted(r.Context())), caller)
}

// uncounted returns a context whose calls are part of a request that has been counted.
func uncounted(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, event.UncountedKey, "1")
}

// route is what a path leads to.
type route struct {
	pattern string
	writes  bool // by POST, all others by GET
	open    bool // to everybody: nobody need say who he is
	answer  func(w http.ResponseWriter, r *http.Request, caller *behalfv1.GetCallerResponse)
}

func (at route) takes(method string) bool {
	if at.writes {
		return method == http.MethodPost
	}
	return method == http.MethodGet || method == http.MethodHead
}

func (at route) methods() []string {
	if at.writes {
		return []string{http.MethodPost}
	}
	return []string{http.MethodGet, http.MethodHead}
}

// byUser is the answer to a request of the user that its token names; 0 is a service, which
// has none.
func byUser(answer func(w http.ResponseWriter, r *http.Request, user int64)) func(http.ResponseWriter, *http.Request, *behalfv1.GetCallerResponse) {
	return func(w http.ResponseWriter, r *http.Request, caller *behalfv1.GetCallerResponse) {
		answer(w, r, caller.GetUserId())
	}
}

// byAnybody is the answer to a request of which it does not matter whose it is.
func byAnybody(answer http.HandlerFunc) func(http.ResponseWriter, *http.Request, *behalfv1.GetCallerResponse) {
	return func(w http.ResponseWriter, r *http.Request, _ *behalfv1.GetCallerResponse) { answer(w, r) }
}

// route returns what a path leads to.
func (a *API) route(path string) (at route, found bool) {
	parts := strings.Split(strings.TrimSuffix(path[len(prefix):], "/"), "/")
	is := func(i int, name string) bool { return strings.EqualFold(parts[i], name) }
	switch {
	case len(parts) == 1 && is(0, "parties"):
		return route{pattern: "parties", answer: byUser(a.listParties)}, true
	case len(parts) == 1 && is(0, "roles"):
		return route{pattern: "roles", answer: byUser(a.listRoles)}, true
	case len(parts) == 3 && is(0, "parties") && parts[1] != "" && is(2, "validate"):
		return route{pattern: "parties/{partyId}/validate", answer: byUser(func(w http.ResponseWriter, r *http.Request, user int64) {
			a.validateParty(w, r, user, parts[1])
		})}, true
	case len(parts) == 1 && is(0, "decision"): // whoever may ask, the answer to it looks at
		return route{pattern: "decision", writes: true, open: true, answer: byAnybody(a.decision)}, true
	case len(parts) == 1 && is(0, "authorize"):
		return route{pattern: "authorize", writes: true, open: true, answer: byAnybody(a.authorize)}, true
	case len(parts) == 3 && is(0, "accesslist") && is(1, "accessmanagement") && is(2, "authorization"):
		return route{pattern: "accesslist/accessmanagement/authorization", writes: true, open: true, answer: byAnybody(a.authorizeByList)}, true
	case len(parts) == 1 && is(0, "policies"):
		return route{pattern: "policies", writes: true, answer: a.putPolicy}, true
	case len(parts) == 2 && is(0, "policies") && is(1, "getpolicies"):
		return route{pattern: "policies/GetPolicies", writes: true, open: true, answer: byAnybody(a.describePolicies)}, true
	case len(parts) == 4 && is(0, "policies") && is(1, "roleswithaccess"):
		return route{pattern: "policies/roleswithaccess/{org}/{app}", open: true, answer: byAnybody(func(w http.ResponseWriter, r *http.Request) {
			a.rolesWithAccess(w, r, parts[2], parts[3])
		})}, true
	}
	return route{}, false
}
