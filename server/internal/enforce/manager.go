package enforce

import (
	"context"
	"net/http"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Manager is an authentication manager of others, which knows people that we do not.
type Manager interface {
	// Ask returns who makes a request with the headers, given by their names in lower case:
	// nobody when it knows nobody. The error is not an Unauthenticated fault.
	Ask(ctx context.Context, header func(name string) []string) (caller.Caller, error)
}

// authenticate finds out who asks, nobody when the request carries no credentials, and
// whether a cookie said so. The manager of others is asked about what we know nobody by.
func (q *question) authenticate(ctx context.Context) (cookie bool, err error) {
	cookie, err = q.ourCredentials(ctx)
	unknown := err == nil && q.who.Kind == caller.Nobody || fault.KindOf(err) == fault.Unauthenticated
	if q.service.manager == nil || !unknown {
		return cookie, err
	}
	who, failed := q.service.manager.Ask(ctx, q.forManager)
	switch {
	case fault.KindOf(failed) == fault.Unauthenticated: // what it says of him is wrong
		return cookie, failed
	case failed != nil || who.Kind == caller.Nobody:
		if failed == nil {
			failed = err
		}
		return cookie, failed
	}
	// No other site can have a browser send a bearer token. Other schemes, such as Basic, a
	// browser adds by itself.
	_, notBearer := authn.FromAuthorization(q.headers.values["authorization"])
	q.who = who
	return notBearer != nil && len(q.headers.values["cookie"]) > 0, nil
}

// forManager returns a header of the request as a manager of others may see it. A session of
// ours is not for others to know: beside an Authorization header our cookie was not looked at
// and may hold one; without, the manager is asked only because it holds none.
func (q *question) forManager(name string) []string {
	values := q.headers.values[name]
	if name != "cookie" || len(q.headers.values["authorization"]) == 0 {
		return values
	}
	var kept []string
	for _, c := range (&http.Request{Header: http.Header{"Cookie": values}}).Cookies() {
		if c.Name != q.service.cookie {
			kept = append(kept, c.Name+"="+c.Value)
		}
	}
	if kept == nil {
		return nil
	}
	return []string{strings.Join(kept, "; ")}
}

// toldID returns by what a service behind a gateway knows a user: his id, or what another
// manager calls him when he is none of our users. An id that could be taken for one of ours is
// left out.
func toldID(who caller.Caller) string {
	if id := userID(who); id != "" || !who.Managed {
		return id
	}
	if strings.Trim(who.IssuedTo, "0123456789") == "" {
		return ""
	}
	return list([]string{who.IssuedTo})
}
