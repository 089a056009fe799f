package pep_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/pep"
)

// A service whose path names the party that the caller acts for.
func Example() {
	guard, err := pep.New(pep.Config{Client: client})
	if err != nil {
		fmt.Println(err)
		return
	}
	mayRead := func(r *http.Request) (behalf.Request, error) {
		party, err := pep.PartyInPath(r, "party")
		return behalf.App("skd", "taxreport").For(party).To("read"), err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /parties/{party}/return", guard.Protect(mayRead, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := pep.SubjectFrom(r.Context())
		fmt.Fprintln(w, "the return of", r.PathValue("party"), "for user", who.User)
	})))

	token, err := running.Token(20000490, 50002598, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"/parties/50076451/return", "/parties/50090001/return"} {
		request := httptest.NewRequest(http.MethodGet, path, nil)
		request.Header.Set("Authorization", "Bearer "+token)
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		fmt.Print(answer.Code, " ", answer.Body)
	}
	// Output:
	// 200 the return of 50076451 for user 20000490
	// 403 {"detail":"access is denied","reason":"DENIED","status":403,"title":"Forbidden"}
}
