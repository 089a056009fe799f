package server_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// stepper is a browser that logs in at a provider which answers as the test wants.
type stepper struct {
	t       *testing.T
	s       *altinnServer
	idp     *hostile.Provider
	browser *oidc.Browser
}

// authorization opens a login and returns what the provider is asked.
func (b *stepper) authorization(login string) (int, url.Values) {
	b.t.Helper()
	page := b.browser.Get(login)
	to, err := page.Location()
	if err != nil {
		return page.StatusCode, nil
	}
	return page.StatusCode, to.Query()
}

// comeBack has the provider name the person at an acr, and returns the answer of the callback.
func (b *stepper) comeBack(asked url.Values, acr string) oidc.Page {
	b.t.Helper()
	now := time.Now()
	b.idp.On(hostile.Token, hostile.Answer(map[string]any{
		"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600, "id_token": b.idp.Sign(b.t, nil, map[string]any{
			"iss": b.idp.URL, "aud": "behalf", "sub": "kari", "pid": "07124912037", "acr": acr, "nonce": asked.Get("nonce"),
			"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "auth_time": now.Unix(),
		}),
	}))
	return b.browser.Get(b.s.base + "/callback/people?" + url.Values{"code": {"x"}, "state": {asked.Get("state")}, "iss": {b.idp.URL}}.Encode())
}

// cookies returns what the browser sends to the host.
func (b *stepper) cookies() string {
	b.t.Helper()
	base, err := url.Parse(b.s.base)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, c := range b.browser.Jar.Cookies(base) {
		all = append(all, c.Name+"="+c.Value)
	}
	return "Cookie: " + strings.Join(all, "; ")
}

// TestStepUp has a person sent to reach a level, fall short of it, and reach it.
func TestStepUp(t *testing.T) {
	idp := hostile.Start(t, hostile.NewKey(t))
	issuers := file(t, "issuers.yaml", `issuers:
  - {name: people, issuer: '`+idp.URL+`', believe: [subject, pid, levels], levels: {acr: {substantial: 3, high: 4}}, login: {client_id: behalf}}`)
	s := startAltinnServerWith(t, server.Config{
		DataDir: t.TempDir(), Login: server.LoginConfig{IssuersFile: issuers}, Enforcement: server.EnforcementConfig{
			RoutesFile: file(t, "routes.yaml", loginRoutes), TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		},
	})
	s.loadSmallRegister()
	doors, host := &enforcingServer{altinnServer: s}, strings.TrimPrefix(s.base, "http://")
	open := func(path, cookies string) (int, http.Header) {
		t.Helper()
		a := doors.asEnvoy(t, "/authz/envoy"+path, http.MethodGet, host,
			[]string{"X-Forwarded-Proto: http", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", cookies})
		return a.status, a.header
	}
	b := &stepper{t, s, idp, oidc.NewBrowser(t)}
	there := func(h http.Header) string { return strings.Replace(h.Get("Location"), "/login?", "/login/people?", 1) }

	status, h := open("/safe", "Accept: */*")
	if status != 302 {
		t.Fatalf("nobody: %d", status)
	}
	_, asked := b.authorization(there(h))
	if back := b.comeBack(asked, "substantial"); back.StatusCode != 303 || back.Header.Get("Location") != "/safe" {
		t.Fatalf("the first login: %d %v\n%s", back.StatusCode, back.Header, back.Text)
	}
	was := b.cookies()
	if status, h := open("/page/1", was); status != 200 || h.Get("Behalf-Level") != "3" || h.Get("Behalf-User") != "20000490" {
		t.Errorf("at level 3: %d %v", status, h)
	}
	status, h = open("/safe", was)
	if status != 302 || !strings.Contains(h.Get("Location"), "acr_values=urn%3Aaltinn%3Aauthlevel%3A4") {
		t.Fatalf("a level that is missing: %d %v", status, h)
	}
	_, asked = b.authorization(there(h))
	if asked.Get("acr_values") != "high" {
		t.Errorf("the provider is asked for %q", asked.Get("acr_values"))
	}
	// It is not believed to have done what it was asked, and nobody is sent to and fro.
	if back := b.comeBack(asked, "substantial"); back.StatusCode != 403 || back.Header.Get("Location") != "" {
		t.Errorf("a login that falls short: %d %v", back.StatusCode, back.Header)
	}
	if status, _ := open("/page/1", was); status != 200 {
		t.Errorf("the session after it: %d", status)
	}
	_, asked = b.authorization(there(h))
	if back := b.comeBack(asked, "high"); back.StatusCode != 303 || back.Header.Get("Location") != "/safe" {
		t.Errorf("a login that reaches it: %d %v\n%s", back.StatusCode, back.Header, back.Text)
	}
	if status, h := open("/safe", b.cookies()); status != 200 || h.Get("Behalf-Level") != "4" {
		t.Errorf("at level 4: %d %v", status, h)
	}
	if status, _ := open("/page/1", was); status != 302 {
		t.Errorf("the session before the step: %d", status)
	}
	// With the provider dead a session goes on, and a login says that it cannot be now.
	for _, path := range []string{hostile.Discovery, hostile.JWKS, hostile.Token} {
		idp.On(path, hostile.HangUp)
	}
	if status, _ := open("/safe", b.cookies()); status != 200 {
		t.Errorf("a session with a dead provider: %d", status)
	}
	if status, _ := open("/open/x", "Accept: */*"); status != 200 {
		t.Errorf("a public page with a dead provider: %d", status)
	}
	_, h = open("/page/1", "Accept: */*")
	page := oidc.NewBrowser(t).Get(there(h))
	if to, err := page.Location(); page.StatusCode < 500 && (err != nil || !strings.HasPrefix(to.String(), idp.URL)) {
		t.Errorf("a login with a dead provider: %d %v", page.StatusCode, page.Header)
	}
}
