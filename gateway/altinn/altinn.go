package altinn

import (
	"net/http"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// prefix is what the path of every route begins with, in any case.
const prefix = "/authorization/api/v1/"

// API serves Altinn's paths.
type API struct {
	callers behalfv1.CallerServiceClient
	parties behalfv1.PartyServiceClient
	roles   behalfv1.RoleServiceClient
	buffers sync.Pool // of *bytes.Buffer, for answers
}

// New returns Altinn's paths over the services that conn reaches.
func New(conn grpc.ClientConnInterface) *API {
	return &API{
		callers: behalfv1.NewCallerServiceClient(conn),
		parties: behalfv1.NewPartyServiceClient(conn),
		roles:   behalfv1.NewRoleServiceClient(conn),
	}
}

// Serves reports whether path is one of Altinn's.
func Serves(path string) bool {
	return len(path) >= len(prefix) && strings.EqualFold(path[:len(prefix)], prefix)
}

// ServeHTTP answers a request whose path begins as Altinn's do.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, answer := a.route(r.URL.Path)
	if answer == nil {
		problem.Write(w, r, problem.New(http.StatusNotFound, codes.NotFound, problem.RouteNotFound, "no route has this path"))
		return
	}
	event.From(r.Context()).Route = prefix + route
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem.WriteMethodNotAllowed(w, r, http.MethodGet, http.MethodHead)
		return
	}
	// Who calls is established before anything is read of what he asks.
	caller, err := a.callers.GetCaller(r.Context(), &behalfv1.GetCallerRequest{})
	if err != nil {
		a.answerError(w, r, err)
		return
	}
	answer(w, r, caller.GetUserId())
}

// answer answers a request of the user that its token names; 0 is a service, which has none.
type answer func(w http.ResponseWriter, r *http.Request, user int64)

// route returns the pattern and the answer of a path, nil for a path that is no route.
func (a *API) route(path string) (string, answer) {
	parts := strings.Split(strings.TrimSuffix(path[len(prefix):], "/"), "/")
	switch {
	case len(parts) == 1 && strings.EqualFold(parts[0], "parties"):
		return "parties", a.listParties
	case len(parts) == 1 && strings.EqualFold(parts[0], "roles"):
		return "roles", a.listRoles
	case len(parts) == 3 && strings.EqualFold(parts[0], "parties") && parts[1] != "" && strings.EqualFold(parts[2], "validate"):
		return "parties/{partyId}/validate", func(w http.ResponseWriter, r *http.Request, user int64) {
			a.validateParty(w, r, user, parts[1])
		}
	}
	return "", nil
}
