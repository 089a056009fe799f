package server_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

const loginRoutes = `routes:
  - {name: open, methods: [GET], path: "/open/**", rule: {public: true}}
  - {name: page, methods: [GET, POST], path: "/page/**", rule: {authenticated: true}}
  - {name: safe, methods: [GET], path: /safe, rule: {level: 4}}
`

// TestBrowsersAtTheDoors has a browser sent to the login and back by every door, and nobody
// when a provider is down.
func TestBrowsersAtTheDoors(t *testing.T) {
	s := startLoginServerWith(t, server.EnforcementConfig{
		RoutesFile: file(t, "routes.yaml", loginRoutes), TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	s.loadSmallRegister()
	doors := &enforcingServer{altinnServer: s.altinnServer}
	host := strings.TrimPrefix(s.base, "http://")
	// tell tells of a page of the server's own host, which the browser reaches without TLS.
	tell := func(name, method, path string) []string {
		switch name {
		case "forward":
			return []string{"/authz/forward", "X-Forwarded-Method: " + method, "X-Forwarded-Proto: http", "X-Forwarded-Host: " + host, "X-Forwarded-Uri: " + path}
		case "nginx":
			return []string{"/authz/nginx", "X-Original-Method: " + method, "X-Original-URL: " + s.base + path}
		case "mia":
			return []string{"/auth", "Original-Request-Method: " + method, "Original-Request-Uri: " + path, "X-Forwarded-Proto: http", "X-Forwarded-Host: " + host}
		}
		return []string{"/authz/envoy" + path, method, host, "X-Forwarded-Proto: http"}
	}
	ask := func(name, method, path string, headers ...string) (int, http.Header) {
		t.Helper()
		told := tell(name, method, path)
		if name == "envoy" {
			a := doors.asEnvoy(t, told[0], told[1], told[2], append(told[3:], headers...))
			return a.status, a.header
		}
		a := doors.asEnvoy(t, told[0], http.MethodGet, host, append(told[1:], headers...))
		return a.status, a.header
	}
	browser := []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Accept: text/html"}
	// A token of a provider that does not answer: it cannot be said whether it is valid.
	part := func(v map[string]any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	orphan := "Authorization: Bearer " + part(map[string]any{"alg": "RS256", "kid": "1"}) + "." +
		part(map[string]any{"iss": "http://127.0.0.1:1", "aud": "api", "sub": "x", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}) + ".eA"
	for _, door := range []string{"forward", "nginx", "mia", "envoy"} {
		asks401 := door == "nginx" || door == "mia"
		status, header := 302, "Location"
		if asks401 {
			status, header = 401, "X-Auth-Redirect"
		}
		got, h := ask(door, "GET", "/page/1?a=b&c=d", browser...)
		if got != status || h.Get(header) != s.base+"/login?return=%2Fpage%2F1%3Fa%3Db%26c%3Dd" {
			t.Errorf("%s: a browser: %d %v", door, got, h)
			continue
		}
		hint := s.base + "/login" // for the script that asked
		if asks401 {
			hint = ""
		}
		if got, h := ask(door, "POST", "/page/1", browser...); got != 401 || h.Get("Location") != "" || h.Get("X-Auth-Redirect") != hint {
			t.Errorf("%s: a form: %d %v", door, got, h)
		}
		if got, h := ask(door, "GET", "/page/1", "Accept: application/json"); got != 401 || h.Get("Location") != "" || h.Get("X-Auth-Redirect") != hint || h.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: a program: %d %v", door, got, h)
		}
		dead := 503
		if door == "nginx" {
			dead = 403
		}
		if got, h := ask(door, "GET", "/page/1", append(browser, orphan)...); got != dead || h.Get(header) != "" {
			t.Errorf("%s: a provider that is down: %d %v", door, got, h)
		}
		if got, _ := ask(door, "GET", "/open/x", append(browser, orphan)...); got != 200 {
			t.Errorf("%s: a public page, a provider that is down: %d", door, got)
		}
		b := oidc.NewBrowser(t)
		there := strings.Replace(h.Get(header), "/login?", "/login/people?", 1) // as people choose
		if back := b.LogIn(there, "07124912037", s.base+"/page"); back != s.base+"/page/1?a=b&c=d" {
			t.Errorf("%s: sent back to %s", door, back)
		}
		base, err := url.Parse(s.base)
		if err != nil {
			t.Fatal(err)
		}
		cookie := "Cookie: "
		for _, c := range b.Jar.Cookies(base) {
			cookie += c.Name + "=" + c.Value + "; "
		}
		if got, h := ask(door, "GET", "/page/1?a=b&c=d", append(browser, cookie)...); got != 200 || h.Get("Behalf-User") != "20000490" {
			t.Errorf("%s: with the session: %d %v", door, got, h)
		}
		got, h = ask(door, "GET", "/safe", append(browser, cookie)...)
		if got != status || h.Get(header) != s.base+"/login?acr_values=urn%3Aaltinn%3Aauthlevel%3A4&return=%2Fsafe" {
			t.Errorf("%s: a level: %d %v", door, got, h)
		}
		// Nobody reaches it with this provider, which is said and not tried for ever.
		if page := b.Get(strings.Replace(h.Get(header), "/login?", "/login/people?", 1)); page.StatusCode != 403 {
			t.Errorf("%s: a level that nobody reaches: %d", door, page.StatusCode)
		}
	}
	// The login of a provider that is down is a page that says so, and no way back here.
	if page := oidc.NewBrowser(t).Get(s.base + "/login/absent?return=%2Fpage%2F1"); page.StatusCode != 503 {
		t.Errorf("a login at a provider that is down: %d", page.StatusCode)
	}
}
