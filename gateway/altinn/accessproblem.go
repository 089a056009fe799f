package altinn

import (
	"net/http"

	"google.golang.org/grpc/codes"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
)

// answerNotAuthorized answers a list that could not be given.
func (a *API) answerNotAuthorized(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.FromError(err)
	if p.Code == problem.CodeName(codes.InvalidArgument) && p.Reason != "INVALID_PAGE_TOKEN" {
		event.From(r.Context()).Err = err
		a.answerValidation(w, r, "/value", p.Detail)
		return
	}
	a.answerError(w, r, err)
}

// accessProblem is a problem as access management writes it.
type accessProblem struct {
	Type             string            `json:"type"`
	Title            string            `json:"title"`
	Status           int               `json:"status"`
	Detail           string            `json:"detail"`
	Code             string            `json:"code"`
	ValidationErrors []validationError `json:"validationErrors"`
	TraceID          string            `json:"traceId"`
}

type validationError struct {
	Code   string   `json:"code"`
	Detail string   `json:"detail"`
	Paths  []string `json:"paths"`
}

// The codes of access management: that a request is not valid, and that what should name a
// party does not.
const (
	codeNotValid     = "STD-00000"
	codeInvalidParty = "AM.VLD-00001"
)

// answerValidation answers a request in which a party or subject is not named as it must be.
func (a *API) answerValidation(w http.ResponseWriter, r *http.Request, path, detail string) {
	ev := event.From(r.Context())
	ev.Reason = problem.InvalidArgument
	a.answerJSON(w, r, http.StatusBadRequest, contentProblem, accessProblem{
		Type:   "https://tools.ietf.org/html/rfc9110#section-15.5.1",
		Title:  "One or more validation errors occurred.",
		Status: http.StatusBadRequest, Detail: "One or more validation errors occurred.", Code: codeNotValid, TraceID: ev.RequestID,
		ValidationErrors: []validationError{{codeInvalidParty, detail, []string{path}}},
	})
}
