package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// file writes a file of the test's own and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMiaFile serves Mia's own file, and answers its gateways as Mia's service does.
func TestMiaFile(t *testing.T) {
	auth := file(t, "auth.json", `{
		"/": {"GET": {"authorization": {"expression": "true", "public": true}}},
		"/me": {"ALL": {"authorization": {"expression": "true", "public": false}}},
		"/app": {"GET": {"authorization": {"expression": "clientType == \"app\"", "public": true}}},
		"/desk": {"GET": {"authorization": {"expression": "false", "public": false}, "backofficeAuthorization": {"expression": "isBackoffice", "public": false}}}
	}`)
	routes := file(t, "routes.yaml", "mia: {strict: false, user_properties: [level, partyId], routes: "+auth+"}")
	for _, strict := range []bool{true, false} {
		named := map[bool]string{true: auth, false: routes}[strict]
		s := startAltinnServerWith(t, server.Config{DataDir: t.TempDir(), Enforcement: server.EnforcementConfig{
			RoutesFile: named, TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		}})
		s.loadSmallRegister()
		kari := "Authorization: Bearer " + s.token(t, server.UserClaims(20000490, 50002598, 3))
		legacy := "Authentication: " + strings.TrimPrefix(kari, "Authorization: Bearer ")
		for _, row := range []struct {
			request, headers     string
			want                 int // strictly; leniently it is 200
			allowed, user, props string
		}{
			{"GET /", "", 200, "1", "", ""},
			{"GET /index.html?x=1", kari, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /", kari + "x", 200, "1", "", ""}, // a token that is none, where everybody may pass
			{"POST /", kari, 401, "0", "", ""},
			{"GET /me", "", 401, "0", "", ""},
			{"GET /me", kari + "x", 401, "0", "", ""},
			{"PATCH /me/x", kari, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /me", legacy, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /meadow", kari, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /app", kari, 403, "0", "", ""},
			{"GET /app", "Client-Type: app", 200, "1", "", ""},
			{"GET /desk", kari, 403, "0", "", ""},
			{"GET /desk", "isbackoffice: 1\n" + kari, 200, "1", "20000490", `{"level":3,"partyId":50002598}`},
			{"GET /desk", "isbackoffice: 1", 401, "0", "", ""},
			{"GET //me", kari, 403, "0", "", ""},
			{"GET /x/%2e%2e/me", kari, 403, "0", "", ""},
		} {
			method, uri, _ := strings.Cut(row.request, " ")
			headers := []string{"Original-Request-Method: " + method, "Original-Request-Uri: " + uri}
			if row.headers != "" {
				headers = append(headers, strings.Split(row.headers, "\n")...)
			}
			for _, path := range []string{"/auth", "/auth/public"} {
				a := s.do(t, http.MethodGet, path, nil, headers...)
				want, props := row.want, row.props
				if !strict {
					want = 200
				} else if props != "" {
					props = "{}" // as nothing is named
				}
				got := fmt.Sprint(a.status, a.header.Get("mia-allowed"), a.header.Get("mia-userid"), a.header.Get("mia-userproperties"))
				if got != fmt.Sprint(want, row.allowed, row.user, props) {
					t.Errorf("%s with %.30q, strictly %t: %s %v", row.request, row.headers, strict, got, a.header)
				}
			}
		}
		s.stop()
	}
	bad := file(t, "auth.json", `{"/": {"GET": {"authorization": {"expression": "roles.admin", "public": true}}}}`)
	err := server.Config{Enforcement: server.EnforcementConfig{RoutesFile: bad}}.Validate()
	if err == nil || !strings.Contains(err.Error(), `"roles" is not known`) {
		t.Errorf("an unknown name: %v", err)
	}
}

// TestGatewaysByKey knows gateways of no trusted network by their own key.
func TestGatewaysByKey(t *testing.T) {
	s := startEnforcing(t)
	known, other := s.apiKey(t, "envoy", "behalf:enforce"), s.apiKey(t, "other", "behalf:check")
	for _, adapter := range adapters {
		if adapter.name == "envoy" {
			continue
		}
		for key, want := range map[string]int{known: 200, other: 403, "nonsense": 403, "": 403} {
			if got, a := s.ask(t, adapter.tell("GET", "a.example.com", "/open/a"), "Behalf-Gateway-Key: "+key); got != want {
				t.Errorf("%s with a key of %d bytes: %d %s", adapter.name, len(key), got, a.header.Get("Behalf-Reason"))
			}
		}
		if got, _ := s.ask(t, adapter.tell("GET", "a.example.com", "/me"), "Behalf-Gateway-Key: "+known); got != 401 {
			t.Errorf("%s: its key is the client's: %d", adapter.name, got)
		}
	}
	conn, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for key, want := range map[string]int32{known: 0, other: 7, "nonsense": 7} {
		if got := envoyCode(t, conn, key); got != want {
			t.Errorf("Envoy with a key of %d bytes: %d", len(key), got)
		}
	}
}

// envoyCode asks about a public page and returns the code of the answer.
func envoyCode(t *testing.T, conn grpc.ClientConnInterface, key string) int32 {
	t.Helper()
	ctx := t.Context()
	if key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
	}
	got, err := authv3.NewAuthorizationClient(conn).Check(ctx, &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{Method: "GET", Scheme: "https", Host: "a.example.com", Path: "/open/a"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetStatus().GetCode()
}

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("authority", nil)
	return a
}

// issue makes a certificate with the name, and files <name>.pem and <name>.key.
func (a *authority) issue(name string, uri *url.URL) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	if uri != nil {
		template.URIs = []*url.URL{uri}
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(a.dir, path), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// client returns how a client with a certificate of the name connects.
func (a *authority) client(name string) *tls.Config {
	a.t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key"))
	if err != nil {
		a.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// TestGatewaysByCertificate knows gateways by the names in certificates of the clients' authority.
func TestGatewaysByCertificate(t *testing.T) {
	a := newAuthority(t)
	a.issue("server", nil)
	a.issue("envoy.internal", nil)
	a.issue("mesh", &url.URL{Scheme: "spiffe", Host: "example.org", Path: "/envoy"})
	a.issue("other.internal", nil)
	cfg := server.Config{
		DataDir: t.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
		TLS: server.TLSConfig{CertFile: a.dir + "/server.pem", KeyFile: a.dir + "/server.key", ClientCAFile: a.dir + "/authority.pem"},
		Enforcement: server.EnforcementConfig{
			RoutesFile: file(t, "routes.yaml", enforcedRoutes), TrustedCertificates: []string{"envoy.internal", "spiffe://example.org/envoy"},
		},
	}
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, known := range map[string]bool{"envoy.internal": true, "mesh": true, "other.internal": false, "server": false} {
		conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(a.client(name))))
		if err != nil {
			t.Fatal(err)
		}
		if got := envoyCode(t, conn, ""); (got == 0) != known {
			t.Errorf("%s over gRPC: %d", name, got)
		}
		_ = conn.Close()
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: a.client(name)}}
		for _, path := range []string{"/authz/envoy/open/a", "/auth/open/a"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.HTTPAddr()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Original-Request-Method", "GET")
			req.Header.Set("Original-Request-Uri", "/open/a")
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if (resp.StatusCode == 200) != known {
				t.Errorf("%s at %s: %d", name, path, resp.StatusCode)
			}
		}
		client.CloseIdleConnections()
	}
}

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
		if got, h := ask(door, "POST", "/page/1", browser...); got != 401 || h.Get(header) != "" {
			t.Errorf("%s: a form: %d %v", door, got, h)
		}
		if got, h := ask(door, "GET", "/page/1", "Accept: application/json"); got != 401 || h.Get(header) != "" || h.Get("WWW-Authenticate") == "" {
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
