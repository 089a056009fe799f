package forwardauth

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/behalf-authz/behalf/gateway/event"
)

// denyForward keeps a request out at a gateway that passes our answer on to the client.
func denyForward(w http.ResponseWriter, r *http.Request, f refusal) {
	event.From(r.Context()).Reason = f.reason
	h := w.Header()
	h.Set(ReasonHeader, f.reason)
	if f.challenge != "" {
		h.Set("WWW-Authenticate", f.challenge)
	}
	if f.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	body, err := json.Marshal(map[string]any{"status": f.status, "reason": f.reason, "detail": f.message})
	if err != nil { // texts and a number always have a JSON form
		body = nil
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(f.status)
	_, _ = w.Write(body) // the client went away; there is nobody to tell
}

// denyNginx keeps a request out at nginx, which takes 401 and 403 for a refusal and any other
// status for a fault of its own. The status that it would be is in a header.
func denyNginx(w http.ResponseWriter, r *http.Request, f refusal) {
	event.From(r.Context()).Reason = f.reason
	h := w.Header()
	h.Set(ReasonHeader, f.reason)
	h.Set(StatusHeader, strconv.Itoa(f.status))
	h.Set("Content-Length", "0")
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", f.challenge)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusForbidden)
}
