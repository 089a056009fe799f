package deploy_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// TestSession sends what a browser with a session may be made to send by another site, and
// what a thief of half a cookie would, through each gateway.
func TestSession(t *testing.T) {
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			s, service := newSetup(t), startUpstream(t)
			t.Setenv("NODE_EXTRA_CA_CERTS", s.identity.cert)
			w, _ := startWithProvider(t, s)
			s.behalf, s.service = w.http, service.address
			door := g.start(t, s, nil)
			sid := "__Host-sid=" + session(t, door)
			const as = "20000490|0|||"
			for _, row := range []struct {
				what, method string
				want         string // what the service is told, empty when it is not asked
				headers      []string
			}{
				{"read", "GET", as, []string{"Cookie: " + sid}},
				{"among others", "GET", as, []string{"Cookie: a=b; " + sid + "; c=d"}},
				{"with a user", "GET", as, []string{"Cookie: " + sid, "Behalf-User: 1", "Behalf-Level: 4"}},
				{"from its own page", "POST", as, []string{"Cookie: " + sid, "Sec-Fetch-Site: same-origin", "Content-Length: 0"}},
				{"from its own page, in an older browser", "POST", as, []string{"Cookie: " + sid, "Origin: " + door.url(), "Content-Length: 0"}},
				{"from another site", "POST", "", []string{"Cookie: " + sid, "Sec-Fetch-Site: cross-site", "Content-Length: 0"}},
				{"from another host of the site", "POST", "", []string{"Cookie: " + sid, "Sec-Fetch-Site: same-site", "Content-Length: 0"}},
				{"from another site, in an older browser", "POST", "", []string{"Cookie: " + sid, "Origin: https://evil.example", "Content-Length: 0"}},
				{"from nowhere", "POST", "", []string{"Cookie: " + sid, "Origin: null", "Content-Length: 0"}},
				{"from two", "POST", "", []string{"Cookie: " + sid, "Origin: " + door.url(), "Origin: https://evil.example", "Content-Length: 0"}},
				{"other host told", "POST", "", []string{"Cookie: " + sid, "Origin: https://evil.example", "X-Forwarded-Host: evil.example", "Content-Length: 0"}},
				{"with a token that is none", "GET", "", []string{"Cookie: " + sid, "Authorization: Bearer x"}},
				{"twice, and another", "GET", "", []string{"Cookie: " + sid + "; __Host-sid=x"}},
				{"in two lines, and another", "GET", "", []string{"Cookie: " + sid, "Cookie: __Host-sid=x"}},
				{"by another name", "GET", "", []string{"Cookie: sid" + sid[len("__Host-sid"):]}},
				{"in another case", "GET", "", []string{"Cookie: __HOST-SID" + sid[len("__Host-sid"):]}},
				{"as a token", "GET", "", []string{"Authorization: Bearer " + sid[len("__Host-sid="):]}},
				{"shorter", "GET", "", []string{"Cookie: " + sid[:len(sid)-1]}},
				{"in a header that is none", "GET", "", []string{"Cookie_: " + sid}},
			} {
				a, err := exchange(door.dial, row.method, door.line(row.method, "/me", row.headers...))
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				if s := service.take(); s != nil {
					got = s.identity()
					if strings.Contains(fmt.Sprint(s.Headers), sid[len("__Host-sid="):]) {
						t.Errorf("%s: the service gets the session: %v", row.what, s.Headers)
					}
				}
				if got != row.want || row.want == "" && a.status < 400 {
					t.Errorf("%s: %d, the service is told %q, want %q", row.what, a.status, got, row.want)
				}
			}
		})
	}
}

// session logs Kari in through a gateway, and returns what her browser holds then.
func session(t *testing.T, g *gateway) string {
	t.Helper()
	b := oidc.NewBrowser(t)
	b.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: g.trust}}
	t.Cleanup(b.CloseIdleConnections)
	if back := b.LogIn(g.url()+"/login/people?return=/open/a", kariPID, g.url()+"/open"); back != g.url()+"/open/a" {
		t.Fatalf("the login leads to %s", back)
	}
	at, err := url.Parse(g.url())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(at) {
		if c.Name == "__Host-sid" {
			return c.Value
		}
	}
	t.Fatal("the browser holds no session")
	return ""
}
