package deploy_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// navigating are the headers of a browser that opens a page.
var navigating = []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}

// TestOutages has what is behind a gateway go away: closed pages stay closed, and nobody is
// sent to and fro.
func TestOutages(t *testing.T) {
	for _, g := range gateways {
		t.Run(g.name+" without the provider", func(t *testing.T) {
			s, service := newSetup(t), startUpstream(t)
			issuers := write(t, t.TempDir(), "issuers.yaml", fmt.Sprintf(`issuers:
  - {name: people, issuer: "http://127.0.0.1:%d", believe: [subject], login: {client_id: behalf}}
`, oidc.Port(t))) // where nobody listens
			w := startWorld(t, s.url(), issuers)
			s.behalf, s.service = w.http, service.address
			door := g.start(t, s, nil)
			to := "/me"
			for hops := 0; ; hops++ {
				a, err := exchange(door.dial, http.MethodGet, door.line(http.MethodGet, to, navigating...))
				if err != nil {
					t.Fatal(err)
				}
				if a.status == http.StatusServiceUnavailable {
					break
				}
				next, err := (&http.Response{Header: a.header}).Location()
				if err != nil || hops > 3 {
					t.Fatalf("%s: %d to %v, hop %d", to, a.status, next, hops)
				}
				to = next.RequestURI()
			}
			if service.take() != nil {
				t.Error("the service is asked")
			}
			if a, err := exchange(door.dial, http.MethodGet, door.line(http.MethodGet, "/open/a", navigating...)); err != nil || a.status != 200 {
				t.Errorf("a public page: %d, %v", a.status, err)
			}
		})
		t.Run(g.name+" without Behalf", func(t *testing.T) {
			s, service := newSetup(t), startUpstream(t)
			s.behalf, s.service = fmt.Sprintf("127.0.0.1:%d", oidc.Port(t)), service.address
			door := g.start(t, s, nil)
			for _, path := range []string{"/me", "/open/a", "/login"} {
				a, err := exchange(door.dial, http.MethodGet, door.line(http.MethodGet, path, navigating...))
				if err != nil || a.status < 500 || service.take() != nil {
					t.Errorf("%s: %d, %v", path, a.status, err)
				}
			}
		})
	}
}
