package forwardauth

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/gateway/internal/refusal"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// allow lets the request pass. Every identity header is there, if need be without a value,
// so that the gateway puts it in the place of what the client sent.
func allow(w http.ResponseWriter, answer *behalfv1.AuthorizeResponse) {
	identify(w, answer)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

func identify(w http.ResponseWriter, answer *behalfv1.AuthorizeResponse) {
	for _, h := range answer.GetIdentity() {
		w.Header()[http.CanonicalHeaderKey(h.GetName())] = []string{h.GetValue()}
	}
}

// removeHeader names to Envoy the headers that it removes from the request.
const removeHeader = "X-Envoy-Auth-Headers-To-Remove"

// allowEnvoy lets the request pass. What has no value is removed too, so that nothing of the
// client's stays where Envoy is not told which headers of the answer it takes over.
func allowEnvoy(w http.ResponseWriter, answer *behalfv1.AuthorizeResponse) {
	remove := append([]string{}, answer.GetRemove()...)
	for _, h := range answer.GetIdentity() {
		if h.GetValue() == "" {
			remove = append(remove, h.GetName())
		}
	}
	if len(remove) > 0 {
		w.Header().Set(removeHeader, strings.Join(remove, ","))
	}
	allow(w, answer)
}

// denyForward keeps a request out at a gateway that passes our answer on to the client.
func denyForward(w http.ResponseWriter, f refusal.Refusal, _ *behalfv1.AuthorizeResponse) {
	h := w.Header()
	if f.Location != "" {
		h.Set("Location", f.Location)
		h.Set("Content-Length", "0")
		w.WriteHeader(f.Status)
		return
	}
	if f.Challenge != "" {
		h.Set("WWW-Authenticate", f.Challenge)
	}
	if f.Hint != "" {
		h.Set(RedirectHeader, f.Hint)
	}
	if f.Retry != "" {
		h.Set("Retry-After", f.Retry)
	}
	body, err := json.Marshal(map[string]any{"status": f.Status, "reason": f.Reason, "detail": f.Message})
	if err != nil { // texts and a number always have a JSON form
		body = nil
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(f.Status)
	_, _ = w.Write(body) // the client went away; there is nobody to tell
}

// denyNginx keeps a request out at nginx, which takes 401 and 403 for a refusal and any other
// status for a fault of its own. The status that it would be is in a header.
func denyNginx(w http.ResponseWriter, f refusal.Refusal, _ *behalfv1.AuthorizeResponse) {
	deny(w, f, http.StatusForbidden)
}

// deny keeps a request out with 401 where it helps to say who one is, and else with another.
func deny(w http.ResponseWriter, f refusal.Refusal, otherwise int) {
	h := w.Header()
	h.Set(StatusHeader, strconv.Itoa(f.Status))
	h.Set("Content-Length", "0")
	if f.Location != "" {
		h.Set(RedirectHeader, f.Location)
	}
	if f.Challenge != "" {
		h.Set("WWW-Authenticate", f.Challenge)
		otherwise = http.StatusUnauthorized
	}
	w.WriteHeader(otherwise)
}
