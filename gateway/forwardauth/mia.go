package forwardauth

import (
	"net/http"
	"path"
	"strings"

	"github.com/behalf-authz/behalf/gateway/internal/refusal"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Headers by which Mia-Platform's gateways tell of a request, and read who made it.
const (
	miaURI        = "Original-Request-Uri"
	miaMethod     = "Original-Request-Method"
	miaToken      = "Authentication" // before there was Authorization
	miaClientType = "Client-Type"
	miaBackoffice = "Isbackoffice"

	miaAllowed    = "Mia-Allowed"
	miaUserID     = "Mia-Userid"
	miaGroups     = "Mia-Groups"
	miaProperties = "Mia-Userproperties"
)

// reasonNoRoute is the reason of a request that no route takes.
const reasonNoRoute = "NO_ROUTE"

// toldByMia returns the request that a gateway of Mia's tells of. Client type and back office
// are its own findings: it replaces what the client sent under these names.
func toldByMia(r *http.Request) (*behalfv1.AuthorizeRequest, bool) {
	method, ok := single(r, miaMethod)
	uri, too := single(r, miaURI)
	host, known := atMost(r, "X-Forwarded-Host", r.Host)
	scheme, clear := atMost(r, "X-Forwarded-Proto", "https")
	client, one := atMost(r, miaClientType, "")
	backoffice, sure := atMost(r, miaBackoffice, "")
	if !ok || !too || !known || !clear || !one || !sure || leaves(r.URL.Path) {
		return nil, false
	}
	req := question(r, method, scheme, host, uri)
	req.ClientType, req.Backoffice = text(client), backoffice == "1"
	if token, ok := single(r, miaToken); ok && len(r.Header.Values("Authorization")) == 0 {
		if !strings.Contains(token, " ") {
			token = "Bearer " + token
		}
		req.Headers = append(req.Headers, &behalfv1.RequestHeader{Name: "Authorization", Value: []byte(token)})
	}
	return req, true
}

// leaves reports whether a path leads out of the adapter's own by dot segments. A gateway that
// resolves them before it chooses whom to pass a request on to, and passes it on as it came,
// has taken it for another: a client then asks here himself.
func leaves(p string) bool {
	p = path.Clean(p)
	return p != PathMia && !strings.HasPrefix(p, PathMia+"/")
}

// atMost returns the value of a header that may be there once, or what counts without one: some
// gateways send it empty when they know nothing.
func atMost(r *http.Request, name, otherwise string) (string, bool) {
	switch values := r.Header.Values(name); {
	case len(values) == 0, len(values) == 1 && values[0] == "":
		return otherwise, true
	case len(values) == 1:
		return values[0], true
	}
	return "", false
}

// allowMia lets the request pass.
func allowMia(w http.ResponseWriter, answer *behalfv1.AuthorizeResponse) {
	tellMia(w, "1", answer.GetMia().GetUserId(), answer.GetMia().GetGroups(), answer.GetMia().GetUserProperties())
	allow(w, answer)
}

// denyMia keeps the request out as Mia's authorization service does: a request that no route
// takes is 401, as since its version 2.4.2, and no status is one that nginx takes for a fault of
// its own but those that say so. A gateway that looks at mia-allowed gets its 200 for
// answers, never for faults.
func denyMia(w http.ResponseWriter, f refusal.Refusal, answer *behalfv1.AuthorizeResponse) {
	tellMia(w, "0", "", "", "")
	status := http.StatusForbidden
	switch {
	case answer.GetMia().GetLenient():
		status = http.StatusOK
		f.Challenge = ""
	case f.Retry != "":
		status = f.Status
		w.Header().Set("Retry-After", f.Retry)
	case f.Reason == reasonNoRoute:
		status = http.StatusUnauthorized
		f.Challenge = `Bearer realm="behalf"`
	}
	deny(w, f, status)
}

func tellMia(w http.ResponseWriter, allowed, user, groups, properties string) {
	h := w.Header()
	h.Set(miaAllowed, allowed)
	h.Set(miaUserID, user)
	h.Set(miaGroups, groups)
	h.Set(miaProperties, properties)
}
