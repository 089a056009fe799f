package pep

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

// Question says what a request wants to do; its subject is left to the guard. An error refuses the
// request as invalid, or as the *Refusal that it is.
type Question func(r *http.Request) (behalf.Request, error)

// Protect returns a handler that calls next for requests that are let in, with SubjectFrom in their
// context, and answers all others itself.
func (g *Guard) Protect(question Question, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := g.admit(r.Context(), r.Header.Values("Authorization"), func() (behalf.Request, error) { return question(r) })
		if err != nil {
			g.answer(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// answer tells somebody why he is not let in.
func (g *Guard) answer(w http.ResponseWriter, r *http.Request, err error) {
	refusal := g.refuse(r.Context(), err)
	status := httpStatus(refusal.Reason)
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", g.challenge(refusal))
	}
	body := map[string]any{
		"title": http.StatusText(status), "status": status, "reason": string(refusal.Reason), "detail": refusal.Message,
	}
	if refusal.RequiredLevel > 0 {
		body["requiredLevel"] = refusal.RequiredLevel
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who does not read it is not let in either
}

func httpStatus(reason behalf.Reason) int {
	switch reason {
	case behalf.ReasonCredentialsMissing, behalf.ReasonCredentialsInvalid, ReasonLevelTooLow:
		return http.StatusUnauthorized
	case ReasonRequestInvalid:
		return http.StatusBadRequest
	case behalf.ReasonUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusForbidden
	}
}

// challenge is that of RFC 6750, and for a higher level that of RFC 9470.
func (g *Guard) challenge(r *Refusal) string {
	out := "Bearer realm=" + quoted(g.realm)
	switch r.Reason {
	case behalf.ReasonCredentialsInvalid:
		out += `, error="invalid_token", error_description=` + quoted(r.Message)
	case ReasonLevelTooLow:
		out += fmt.Sprintf(`, error="insufficient_user_authentication", error_description=%s, acr_values=%s`,
			quoted(r.Message), quoted(g.acr(r.RequiredLevel)))
	default: // without credentials there is nothing to say about them
	}
	return out
}

// quoted returns a quoted-string of HTTP, without what none can hold.
func quoted(text string) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, text)
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// PartyInPath returns the party whose id is a wildcard of the route's pattern, for Questions.
func PartyInPath(r *http.Request, wildcard string) (behalf.PartyID, error) {
	id, err := strconv.ParseInt(r.PathValue(wildcard), 10, 64)
	if err != nil || id <= 0 {
		return 0, &Refusal{Reason: ReasonRequestInvalid, Message: "the path does not name a party"}
	}
	return behalf.PartyID(id), nil
}
