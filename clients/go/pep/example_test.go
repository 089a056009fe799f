package pep_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/pep"
)

// returns is a service whose path names the party that the caller acts for.
func returns(client *behalf.Client) (http.Handler, error) {
	guard, err := pep.New(pep.Config{Client: client})
	if err != nil {
		return nil, err
	}
	may := func(action string, next http.HandlerFunc) http.Handler {
		return guard.Protect(func(r *http.Request) (behalf.Request, error) {
			party, err := pep.PartyInPath(r, "party")
			return behalf.App("skd", "taxreport").For(party).To(action), err
		}, next)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /parties/{party}/return", may("read", func(w http.ResponseWriter, r *http.Request) {
		who, _ := pep.SubjectFrom(r.Context())
		fmt.Fprintln(w, "the return of", r.PathValue("party"), "for user", who.User)
	}))
	mux.Handle("PUT /parties/{party}/return", may("write", func(http.ResponseWriter, *http.Request) {}))
	return mux, nil
}

// A service that permits, denies, has a login step up, and is closed while Behalf is away.
func Example() {
	token, err := running.Token(20000490, 50002598, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	gone, err := behalf.Dial("127.0.0.1:1", behalf.WithToken("x"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = gone.Close() }()
	ask := func(client *behalf.Client, method, path string) {
		service, err := returns(client)
		if err != nil {
			fmt.Println(err)
			return
		}
		request := httptest.NewRequest(method, path, nil)
		request.Header.Set("Authorization", "Bearer "+token)
		answer := httptest.NewRecorder()
		service.ServeHTTP(answer, request)
		fmt.Println(answer.Code, strings.TrimSpace(answer.Body.String()))
	}
	ask(client, "GET", "/parties/50076451/return")
	ask(client, "GET", "/parties/50090001/return")
	ask(client, "PUT", "/parties/50076451/return")
	ask(gone, "GET", "/parties/50076451/return")
	// Output:
	// 200 the return of 50076451 for user 20000490
	// 403 {"detail":"access is denied","reason":"DENIED","status":403,"title":"Forbidden"}
	// 401 {"detail":"authentication level 3 is needed","reason":"LEVEL_TOO_LOW","requiredLevel":3,"status":401,"title":"Unauthorized"}
	// 503 {"detail":"access could not be decided","reason":"UNAVAILABLE","status":503,"title":"Service Unavailable"}
}
