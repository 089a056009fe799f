package authn

import (
	"net/http"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// The names of the cookie that holds a browser's session. A browser takes a __Host- cookie
// from nobody but this host, over TLS only; the other name is for a server that clients reach
// without, on this machine.
const (
	SessionCookie         = "__Host-sid"
	InsecureSessionCookie = "sid"
)

// FromCookies returns the session in the values of a Cookie header, by the name of its
// cookie. The error is an Unauthenticated fault: CREDENTIALS_MISSING when there is none. Two
// of one name are refused rather than guessed about: one of them was put there by somebody else.
func FromCookies(headers []string, name string) (Secret, error) {
	found := (&http.Request{Header: http.Header{"Cookie": headers}}).CookiesNamed(name)
	switch {
	case len(found) == 0 || len(found) == 1 && found[0].Value == "":
		return "", fault.New(fault.Unauthenticated, fault.ReasonCredentialsMissing, "the call carries no session")
	case len(found) > 1:
		return "", invalid("the call carries more than one session")
	}
	return Secret(found[0].Value), nil
}
