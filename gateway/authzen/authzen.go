package authzen

import (
	"encoding/json"
	"net/http"

	"google.golang.org/grpc"
	grpcmetadata "google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// The paths.
const (
	pathEvaluation  = "/access/v1/evaluation"
	pathEvaluations = "/access/v1/evaluations"
	pathSubjects    = "/access/v1/search/subject"
	pathResources   = "/access/v1/search/resource"
	pathActions     = "/access/v1/search/action"
)

// MetadataPath is where the metadata is.
const MetadataPath = "/.well-known/authzen-configuration"

// API serves AuthZEN's paths.
type API struct {
	callers     behalfv1.CallerServiceClient
	evaluations behalfv1.EvaluationServiceClient
	maxBody     int64
	routes      map[string]func(http.ResponseWriter, *http.Request, object)
}

// New returns AuthZEN's paths over the services that conn reaches. A body may have maxBody
// bytes.
func New(conn grpc.ClientConnInterface, maxBody int64) *API {
	a := &API{
		callers:     behalfv1.NewCallerServiceClient(conn),
		evaluations: behalfv1.NewEvaluationServiceClient(conn),
		maxBody:     maxBody,
	}
	a.routes = map[string]func(http.ResponseWriter, *http.Request, object){
		pathEvaluation:  a.evaluate,
		pathEvaluations: a.evaluateAll,
		pathSubjects:    a.searchSubjects,
		pathResources:   a.searchResources,
		pathActions:     a.searchActions,
	}
	return a
}

// Serves reports whether path is one of AuthZEN's, for callers.
func Serves(path string) bool {
	switch path {
	case pathEvaluation, pathEvaluations, pathSubjects, pathResources, pathActions:
		return true
	}
	return false
}

// ServeHTTP answers a request whose path Serves.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event.From(r.Context()).Route = r.URL.Path
	EchoRequestID(w, r)
	answer, ok := a.routes[r.URL.Path]
	switch {
	case !ok:
		answerError(w, r, http.StatusNotFound, problem.RouteNotFound, "no route has this path")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		answerError(w, r, http.StatusMethodNotAllowed, problem.MethodNotAllowed, "the route takes POST")
		return
	}
	// Who calls is established before anything is read of what he asks.
	if _, err := a.callers.GetCaller(r.Context(), &behalfv1.GetCallerRequest{}); err != nil {
		answerFault(w, r, err)
		return
	}
	body, err := a.read(w, r)
	if err != nil {
		answerError(w, r, err.status, err.reason, err.message)
		return
	}
	// That was the call which is counted; what it led to is none of its own.
	answer(w, r.WithContext(grpcmetadata.AppendToOutgoingContext(r.Context(), event.UncountedKey, "1")), body)
}

// EchoRequestID answers with the request's id to the letter, as the standard wants it. The
// log may have another one, which cannot break its lines.
func EchoRequestID(w http.ResponseWriter, r *http.Request) {
	if ids := r.Header.Values(event.RequestIDHeader); len(ids) > 0 && ids[0] != "" {
		w.Header().Set(event.RequestIDHeader, ids[0])
	}
}

// answerFault answers a call that failed. What is a fault of ours is never told apart from
// others.
func answerFault(w http.ResponseWriter, r *http.Request, err error) {
	event.From(r.Context()).Err = err
	p := problem.FromError(err)
	answerError(w, r, p.Status, p.Reason, p.Detail)
}

// answerError answers with a status and a message, which is a JSON text.
func answerError(w http.ResponseWriter, r *http.Request, status int, reason, message string) {
	event.From(r.Context()).Reason = reason
	if status == http.StatusUnauthorized {
		problem.Challenge(r.Context(), w.Header())
	}
	answerJSON(w, status, message)
}

// answerJSON answers with v.
func answerJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // nothing here is without a JSON form
		status, body = http.StatusInternalServerError, []byte(`"the answer could not be written"`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away; there is nobody to tell
}
