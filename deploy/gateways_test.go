package deploy_test

import (
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// TestGateways has programs ask at each gateway, as it is set up by the example.
func TestGateways(t *testing.T) {
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			s, service := newSetup(t), startUpstream(t)
			w := startWorld(t, s.url(), "")
			s.behalf, s.service = w.http, service.address
			door := g.start(t, s, nil)
			bearer := "Authorization: Bearer " + w.kari
			ask := func(method, target, want string, status int, headers ...string) {
				t.Helper()
				a, err := exchange(door.dial, method, door.line(method, target, headers...))
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				if s := service.take(); s != nil {
					got = s.identity()
				}
				if a.status != status || got != want {
					t.Errorf("%s %s: %d, the service is told %q, want %d and %q\n%v\n%s", method, target, a.status, got, status, want, a.header, a.body)
				}
				if challenge := a.header.Get("WWW-Authenticate"); (challenge != "") != (status == 401) {
					t.Errorf("%s %s: %d with the challenge %q", method, target, a.status, challenge)
				}
			}
			ask("GET", "/open/a", "||||", 200)
			ask("GET", "/open/a", "20000490|3|||", 200, bearer)
			ask("GET", "/me", "", 401)
			ask("GET", "/me", "20000490|3|||", 200, bearer)
			ask("POST", "/me", "20000490|3|||", 200, bearer, "Content-Length: 0")
			ask("DELETE", "/me", "", 403, bearer)
			ask("GET", "/act", "20000490|3|50002598|"+uuid+"01|", 200, bearer)
			ask("GET", "/act", "20000490|3|50076451|"+uuid+"02|910042963", 200, bearer, "Behalf-Party: 50076451")
			ask("GET", "/act", "", 403, bearer, "Behalf-Party: 50090001")
			ask("GET", "/for/50074838/x", "20000490|3|50074838|"+uuid+"03|910042971", 200, bearer)
			ask("GET", "/for/50090001/x", "", 403, bearer)
			ask("GET", "/open//a", "", 400)
			if _, err := w.register.DeleteAssignment(w.admin, &behalfv1.DeleteAssignmentRequest{Source: "test", Assignment: managing()}); err != nil {
				t.Fatal(err)
			}
			ask("GET", "/for/50074838/x", "", 403, bearer)
			ask("GET", "/act", "", 403, bearer, "Behalf-Party: 50076451")
		})
	}
}
