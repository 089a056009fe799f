package altinn

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

const contentText = "text/plain; charset=utf-8"

// designer is the app of the platform that puts policies.
const designer = "studio.designer"

// maxPolicy is how much of a body is read: one byte more than the services take, so that
// they refuse what is cut.
const maxPolicy = 1<<20 + 1

// What Altinn answers.
const (
	textNoOrg     = "Organisation must be defined in query string"
	textNoApp     = "App must be defined in query string"
	textNoPolicy  = "Policy file cannot be empty"
	textNotStored = "Something went wrong in the upload of file to storage"

	textNoOrgInPath = "Organisation must be defined in the path"
	textNoAppInPath = "App must be defined in the path"
)

// putPolicy answers POST policies: the body becomes the policy of an app.
func (a *API) putPolicy(w http.ResponseWriter, r *http.Request, caller *behalfv1.GetCallerResponse) {
	if !putsPolicies(caller) { // so that a stranger learns nothing of what he did wrong besides
		answerEmpty(w, r, http.StatusForbidden, "SCOPE_MISSING")
		return
	}
	params := readQuery(r.URL.RawQuery)
	org, _ := params.text("org")
	app, _ := params.text("app")
	if text := unnamed(org, app, textNoOrg, textNoApp); text != "" {
		answerText(w, r, http.StatusBadRequest, problem.InvalidArgument, text)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPolicy))
	switch {
	case err != nil:
		event.From(r.Context()).Err = err
		answerText(w, r, http.StatusBadRequest, problem.InvalidArgument, "The body ended before its announced length")
		return
	case len(body) == 0:
		answerText(w, r, http.StatusBadRequest, problem.InvalidArgument, textNoPolicy)
		return
	}
	_, err = a.policies.PutPolicy(r.Context(), &behalfv1.PutPolicyRequest{Ref: &behalfv1.PolicyRef{Org: org, App: app}, Text: body})
	if err != nil {
		a.answerNotPut(w, r, err)
		return
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// unnamed returns which of two sentences is true of what should name an app, empty for none.
func unnamed(org, app, noOrg, noApp string) string {
	switch {
	case strings.TrimSpace(org) == "":
		return noOrg
	case strings.TrimSpace(app) == "":
		return noApp
	}
	return ""
}

// putsPolicies reports whether a caller may put policies. The services decide it again.
func putsPolicies(caller *behalfv1.GetCallerResponse) bool {
	return caller.GetKind() == behalfv1.CallerKind_CALLER_KIND_SERVICE &&
		(caller.GetApp() == designer || slices.Contains(caller.GetScopes(), "behalf:policy.write") || slices.Contains(caller.GetScopes(), "behalf:admin"))
}

// answerNotPut answers an upload that the services have refused, or could not store.
func (a *API) answerNotPut(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.FromError(err)
	switch p.Code {
	case problem.CodeName(codes.InvalidArgument), problem.CodeName(codes.FailedPrecondition):
		event.From(r.Context()).Err = err
		answerText(w, r, http.StatusBadRequest, p.Reason, whatIsWrong(p))
	case problem.CodeName(codes.Unavailable), problem.CodeName(codes.ResourceExhausted), problem.CodeName(codes.Aborted):
		event.From(r.Context()).Err = err
		answerText(w, r, http.StatusBadRequest, p.Reason, textNotStored)
	default:
		a.answerError(w, r, err)
	}
}

// whatIsWrong returns all that the services found wrong with an upload, one a line.
func whatIsWrong(p problem.Problem) string {
	if len(p.Violations) < 2 {
		return p.Detail
	}
	lines := []string{"the policy is not valid:"}
	for _, v := range p.Violations {
		lines = append(lines, v.Message)
	}
	return strings.Join(lines, "\n")
}

// rolesWithAccess answers GET policies/roleswithaccess/{org}/{app}: the roles that an app's
// policy names.
func (a *API) rolesWithAccess(w http.ResponseWriter, r *http.Request, org, app string) {
	if text := unnamed(org, app, textNoOrgInPath, textNoAppInPath); text != "" {
		answerText(w, r, http.StatusBadRequest, problem.InvalidArgument, text)
		return
	}
	found, err := a.policies.ListPolicyRoles(r.Context(), &behalfv1.ListPolicyRolesRequest{Ref: &behalfv1.PolicyRef{Org: org, App: app}})
	switch {
	case err == nil:
		a.answerJSON(w, r, http.StatusOK, contentJSON, append([]string{}, found.GetRoles()...))
	case noPolicy(err):
		event.From(r.Context()).Err = err
		answerText(w, r, http.StatusNotFound, problem.FromError(err).Reason, noValidPolicy(org, app))
	default:
		a.answerError(w, r, err)
	}
}

// noPolicy reports whether a call failed for want of a policy that can be read, of an app
// that may not be one.
func noPolicy(err error) bool {
	switch problem.FromError(err).Code {
	case problem.CodeName(codes.NotFound), problem.CodeName(codes.FailedPrecondition), problem.CodeName(codes.InvalidArgument):
		return true
	}
	return false
}

func noValidPolicy(org, app string) string {
	return fmt.Sprintf("No valid policy found for org '%s' and app '%s'", org, app)
}

// answerText answers with a sentence.
func answerText(w http.ResponseWriter, r *http.Request, status int, reason, text string) {
	event.From(r.Context()).Reason = reason
	w.Header().Set("Content-Type", contentText)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client went away; there is nobody to tell
}
