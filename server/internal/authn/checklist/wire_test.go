package checklist_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
)

// row 7
func discovery(s *stand) {
	for what, told := range map[string]map[string]any{
		"another's issuer": {"issuer": s.other.URL}, "issuer with a slash more": {"issuer": s.idp.URL + "/"}, "no issuer": {"issuer": nil},
		"issuer in upper case": {"issuer": strings.ToUpper(s.idp.URL)}, "token endpoint over http": {"token_endpoint": "http://idp.example/token"},
		"authorization endpoint of another scheme": {"authorization_endpoint": "javascript:alert(1)"},
		"keys from a file":                         {"jwks_uri": "file:///etc/passwd"}, "keys from a metadata host": {"jwks_uri": "http://169.254.169.254/"},
		"no keys": {"jwks_uri": nil}, "user info over http": {"userinfo_endpoint": "http://idp.example/me"},
	} {
		s.idp.Reset()
		for name, value := range told {
			s.idp.Tell(name, value)
		}
		s.down(what)
	}
	elsewhere := hostile.Start(s.t, s.idp.Key)
	for what, answer := range map[string]http.HandlerFunc{
		"redirects to another": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
		},
		"a megabyte and more": hostile.Answer(map[string]any{"issuer": s.idp.URL, "jwks_uri": s.idp.URL + hostile.JWKS, "x": strings.Repeat("x", 1<<20)}),
		"404":                 hostile.Refuse(http.StatusNotFound, "x"),
		"no JSON":             func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") },
		"nothing":             hostile.HangUp,
	} {
		s.idp.Reset()
		s.idp.On(hostile.Discovery, answer)
		s.down(what)
	}
	if n := len(elsewhere.Asked(hostile.Discovery)); n != 0 {
		s.t.Errorf("the redirect was followed %d times", n)
	}
	for _, issuer := range []string{"http://idp.example", "https://idp.example?x=1", "https://idp.example#x", "https://u:p@idp.example", "ftp://idp.example", "idp.example"} {
		s.tried++
		s.entries[0].Issuer = issuer
		if (provider.File{Issuers: s.entries}).Validate() == nil {
			s.t.Errorf("the issuer %s is taken", issuer)
		}
	}
}

// down fails the test if a login begins, or a token is taken, at a provider that describes
// itself wrongly.
func (s *stand) down(what string) {
	s.t.Helper()
	s.start()
	s.tried++
	if page := s.browser().Get(s.web.URL + "/login/idp"); page.StatusCode != http.StatusServiceUnavailable || page.Header.Get("Retry-After") == "" {
		s.t.Errorf("%s: %d", what, page.StatusCode)
	}
	s.wantToken(what, s.token(nil, nil), false)
}

// row 36
func httpClient(s *stand) {
	big := strings.Repeat("x", 1<<20)
	for path, what := range map[string]func() error{
		hostile.JWKS: func() error {
			s.idp.On(hostile.JWKS, hostile.Answer(map[string]any{"x": big, "keys": []any{s.idp.Public()}}))
			_, err := s.bears(s.token(nil, nil))
			return err
		},
		hostile.Introspection: func() error {
			s.idp.On(hostile.Introspection, hostile.Answer(hostile.With(s.access(nil), map[string]any{"x": big, "active": true})))
			_, err := s.known.Authenticate(s.t.Context(), "opaque-token-of-kari")
			return err
		},
	} {
		s.start()
		s.tried++
		if err := what(); err == nil {
			s.t.Errorf("%s: an answer of more than a megabyte is taken", path)
		}
	}
	// Keys and tokens are fetched where the file says, not where that leads.
	elsewhere := hostile.Start(s.t, s.idp.Key)
	s.idp.Reset()
	s.idp.On(hostile.JWKS, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+hostile.JWKS, http.StatusFound)
	})
	s.start()
	s.wantToken("keys by a redirect", s.token(nil, nil), false)
	b := s.begin(s.browser(), "idp", nil)
	s.idp.On(hostile.Token, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+hostile.Token, http.StatusTemporaryRedirect)
	})
	s.back(b, "idp", nil)
	if n := len(elsewhere.Asked(hostile.Token)) + len(elsewhere.Asked(hostile.JWKS)); n != 0 || s.session(b.Browser) != "" {
		s.t.Errorf("redirects were followed %d times", n)
	}
	s.elsewhereByName()
	// One that answers slowly is not waited for longer than ten seconds.
	release := make(chan struct{})
	defer close(release)
	s.idp.Reset()
	s.idp.On(hostile.JWKS, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	s.start()
	began := time.Now()
	s.wantToken("keys that do not come", s.token(nil, nil), false)
	if took := time.Since(began); took > 15*time.Second {
		s.t.Errorf("waited for %s", took)
	}
}

// elsewhereByName has a provider that is elsewhere by its name be here by its address, or at
// one by which clouds tell a machine its secrets. Nobody is asked there.
func (s *stand) elsewhereByName() {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var came atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			_ = c.Close()
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, address := range []string{"https://LOCALHOST:" + port + "/jwks", "https://169.254.169.254/jwks", "https://0.0.0.0:" + port + "/jwks"} {
		s.tried++
		entry := s.entries[1]
		entry.JWKS, entry.Issuer, entry.Login = address, "https://idp.example", nil
		p, err := provider.New(provider.Config{Entry: entry, Logger: quiet(), Now: s.now})
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := p.Verify(s.t.Context(), asSecret(s.token(nil, map[string]any{"iss": entry.Issuer}))); err == nil || came.Load() != 0 {
			s.t.Errorf("keys from %s: %d connections: %v", address, came.Load(), err)
		}
	}
}

// row 37
func pages(s *stand) {
	b := s.begin(s.browser(), "idp", nil)
	s.give(s.idp.Sign(s.t, nil, s.person(b)), nil)
	for path, status := range map[string]int{
		"/login": 200, "/logout": 200, "/signed-out": 200, "/login/nobody": 404, "/callback/idp?code=x&state=y": 400, "/callback/idp?error=<script>": 400,
		"/login/idp": 303,
	} {
		s.tried++
		page := b.Get(s.web.URL + path)
		h := page.Header
		if page.StatusCode != status || h.Get("Cache-Control") != "no-store" {
			s.t.Errorf("%s: %d, Cache-Control %q", path, page.StatusCode, h.Get("Cache-Control"))
		}
		if want := map[bool]string{true: "same-origin", false: "no-referrer"}[path == "/logout"]; h.Get("Referrer-Policy") != want {
			s.t.Errorf("%s: Referrer-Policy %q", path, h.Get("Referrer-Policy"))
		}
		policy := h.Get("Content-Security-Policy")
		if status != 303 && (!strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(page.Text, "<script")) {
			s.t.Errorf("%s: policy %q", path, policy)
		}
		if status != 303 && (strings.Contains(page.Text, "http://") || strings.Contains(page.Text, "https://")) {
			s.t.Errorf("%s names another's content:\n%s", path, page.Text)
		}
	}
	page := s.back(b, "idp", nil)
	if page.StatusCode != http.StatusSeeOther || page.Header.Get("Referrer-Policy") != "no-referrer" || page.Text != "" && strings.Contains(page.Text, "code") {
		s.t.Errorf("the callback: %d %v", page.StatusCode, page.Header)
	}
}

// row 38 looks at what all rows before have logged.
func logged(s *stand) {
	log := s.log.String()
	s.secrets.Range(func(secret, _ any) bool {
		s.tried++
		if text, _ := secret.(string); strings.Contains(log, text) {
			at := strings.Index(log, text)
			s.t.Errorf("the log has a secret of %d bytes: …%s…", len(text), log[max(0, at-200):at])
		}
		return true
	})
	if strings.Contains(log, clientSecret) || strings.Contains(log, gatewayKey) {
		s.t.Error("the log has the client's secret, or the gateway's key")
	}
	if s.tried < 100 || strings.Count(log, "\n") < 100 {
		s.t.Errorf("%d secrets, and %d lines", s.tried, strings.Count(log, "\n"))
	}
}
