package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// loginServer is a server whose users log in at a real provider.
type loginServer struct {
	*altinnServer
	idp *oidc.Provider
}

func startLoginServer(t *testing.T) *loginServer {
	t.Helper()
	return startLoginServerWith(t, server.EnforcementConfig{})
}

func startLoginServerWith(t *testing.T, enforcement server.EnforcementConfig) *loginServer {
	t.Helper()
	const secret = "a-secret-that-is-long-enough-for-it"
	dir, port := t.TempDir(), oidc.Port(t)
	file, secretFile := filepath.Join(dir, "issuers.yaml"), filepath.Join(dir, "client.secret")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(secretFile, secret)
	write(file, fmt.Sprintf(`
issuers:
  - name: people
    issuer: http://127.0.0.1:%d
    believe: [subject, pid, groups]
    login: {client_id: behalf, client_secret_file: %s, title: {en: People, nb: Folk}}
  - name: absent
    issuer: http://127.0.0.1:1
    believe: [subject]
    login: {client_id: behalf}
    bearer: {audiences: [api]}
`, port, secretFile))
	s := startAltinnServerWith(t, server.Config{
		DataDir: filepath.Join(dir, "data"), Login: server.LoginConfig{IssuersFile: file}, Enforcement: enforcement,
	})
	// Only now is known where browsers come back to. The server asks a provider nothing before it must.
	idp := oidc.Start(t, port, time.Hour, oidc.Client{
		ID: "behalf", Secret: secret, Redirects: []string{s.base + "/callback/people"}, AfterLogout: []string{s.base + "/signed-out"},
		BackChannel: s.base + "/logout/backchannel/people", BackChannelSID: true,
		Grants: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, TokenAuthMethod: "client_secret_basic",
	})
	return &loginServer{s, idp}
}

// info returns the status of /userinfo and who it says it is.
func (s *loginServer) info(t *testing.T, b *oidc.Browser) (int, map[string]any) {
	t.Helper()
	page := b.Get(s.base + "/userinfo")
	var who map[string]any
	if page.StatusCode == http.StatusOK {
		if err := json.Unmarshal([]byte(page.Text), &who); err != nil {
			t.Fatal(err)
		}
	}
	return page.StatusCode, who
}

// TestLogin has people log in at a real provider, be known by the register, and log out.
func TestLogin(t *testing.T) {
	s := startLoginServer(t)
	s.loadSmallRegister()
	kari := oidc.NewBrowser(t)
	if status, _ := s.info(t, kari); status != http.StatusUnauthorized {
		t.Errorf("before the login: %d", status)
	}
	in := func(b *oidc.Browser, person string) {
		t.Helper()
		back := b.LogIn(s.base+"/login/people?return="+url.QueryEscape("/signed-out?x=1"), person, s.base+"/signed-out")
		if back != s.base+"/signed-out?x=1" {
			t.Errorf("%s is sent back to %s", person, back)
		}
	}
	in(kari, "07124912037") // by her national identity number, as ID-porten says it
	status, who := s.info(t, kari)
	if status != http.StatusOK || who["userId"] != "20000490" || who["partyId"] != float64(50002598) {
		t.Errorf("logged in: %d, %v", status, who)
	}
	base, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range kari.Jar.Cookies(base) {
		if strings.HasPrefix(c.Name, "login-") {
			t.Errorf("the cookie %s of the attempt is still there", c.Name)
		}
	}
	stranger := oidc.NewBrowser(t)
	in(stranger, "stranger")
	if status, who := s.info(t, stranger); status != http.StatusOK || who["partyId"] != nil || who["providerUserId"] != "stranger" {
		t.Errorf("authenticated, and no user: %d, %v", status, who)
	}

	t.Run("a logout that another site sends", func(t *testing.T) {
		r, err := http.NewRequest(http.MethodPost, s.base+"/logout", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for _, headers := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}} {
			r.Header = http.Header{}
			for name, value := range headers {
				r.Header.Set(name, value)
			}
			if page := kari.Do(r); page.StatusCode != http.StatusForbidden {
				t.Errorf("%v: %d", headers, page.StatusCode)
			}
		}
		if status, _ := s.info(t, kari); status != http.StatusOK {
			t.Errorf("and the session has ended: %d", status)
		}
	})
	t.Run("logout here and at the provider", func(t *testing.T) {
		page := kari.Post(s.base+"/logout", nil)
		to, err := page.Location()
		if err != nil || !strings.HasPrefix(to.String(), s.idp.Issuer) {
			t.Fatalf("logout leads to %v: %v", to, err)
		}
		if status, _ := s.info(t, kari); status != http.StatusUnauthorized {
			t.Errorf("after the logout: %d", status)
		}
		if back := kari.LogOut(to.String()); !strings.HasPrefix(back, s.base+"/signed-out") {
			t.Errorf("the provider sends back to %s", back)
		}
	})
	t.Run("logout at the provider", func(t *testing.T) {
		stranger.LogOut(s.idp.Issuer + "/session/end?client_id=behalf&post_logout_redirect_uri=" + url.QueryEscape(s.base+"/signed-out"))
		deadline := time.Now().Add(10 * time.Second)
		for {
			status, _ := s.info(t, stranger)
			if status == http.StatusUnauthorized {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the session goes on: %d", status)
			}
		}
	})
	t.Run("pages", s.pagesOfLogin)
}

// pagesOfLogin looks at the pages and at what is told to browsers with them.
func (s *loginServer) pagesOfLogin(t *testing.T) {
	for _, row := range []struct {
		path, lang string
		status     int
		text       string
	}{
		{"/login", "en", 200, "Choose how to log in"},
		{"/login?return=/x", "nb-NO,nb;q=0.9", 200, `href="/login/people?return=%2Fx"`},
		{"/login", "nn", 200, "Folk"},
		{"/logout", "nb", 200, "Vil du logge ut?"},
		{"/signed-out", "fr", 200, "You are logged out"},
		{"/login/nobody", "en", 404, "no such page"},
		{"/login/absent", "en", 503, "does not answer"},
		{"/callback/people?code=x&state=y", "nb", 400, "hører ikke til en innlogging"},
		{"/callback/people", "en", 400, "no login that is under way"},
		{"/callback/people?code=%ff&state=%ff", "en", 400, "no login that is under way"},
		{"/callback/people?error=access_denied&state=<script>", "en", 400, "no login that is under way"},
	} {
		r, err := http.NewRequest(http.MethodGet, s.base+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Language", row.lang)
		page := oidc.NewBrowser(t).Do(r)
		if page.StatusCode != row.status || !strings.Contains(page.Text, row.text) || strings.Contains(page.Text, "<script") {
			t.Errorf("%s in %s: %d\n%s", row.path, row.lang, page.StatusCode, page.Text)
		}
		policy := page.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action", "style-src 'sha256-"} {
			if !strings.Contains(policy, want) {
				t.Errorf("row 37: %s: the policy %q has no %s", row.path, policy, want)
			}
		}
		if page.Header.Get("Cache-Control") != "no-store" || page.Header.Get("Referrer-Policy") == "" {
			t.Errorf("row 37: %s: headers %v", row.path, page.Header)
		}
	}
	for _, token := range []string{"", "x", "a.b.c"} {
		page := oidc.NewBrowser(t).Post(s.base+"/logout/backchannel/people", url.Values{"logout_token": {token}})
		if page.StatusCode != http.StatusBadRequest || page.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("row 24: logout token %q: %d", token, page.StatusCode)
		}
	}
}

// TestFaultyIssuersStopTheStart refuses to start with an issuers file that is wrong.
func TestFaultyIssuersStopTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "issuers.yaml")
	if err := os.WriteFile(file, []byte("issuers: [{name: x, issuer: 'http://x.example', believe: [email]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := server.Config{Login: server.LoginConfig{IssuersFile: file}}.Validate()
	for _, want := range []string{"--issuers", "https://", `"email"`, "none of bearer"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate = %v, does not say %s", err, want)
		}
	}
	if err := (server.Config{Login: server.LoginConfig{IssuersFile: file + ".missing"}}).Validate(); err == nil {
		t.Error("a file that is missing is no fault")
	}
}
