package session_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// place is a service, the provider it logs people in at, and the records between nodes.
type place struct {
	*session.Service
	idp     *oidc.Provider
	records *records.Store
	entry   provider.Entry
	origin  string
	ring    *session.Ring
	logouts chan error
	now     func() time.Time // the clock of nodes; nil for the machine's
}

func newPlace(t *testing.T, ttl time.Duration) *place {
	t.Helper()
	p := &place{logouts: make(chan error, 16)}
	// What the provider calls when it has logged somebody out.
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.logouts <- p.EndByProvider(r.Context(), "idp", authn.Secret(r.FormValue("logout_token")))
	}))
	t.Cleanup(back.Close)
	p.origin = "http://127.0.0.1:1"
	p.idp = oidc.Start(t, oidc.Port(t), ttl, oidc.Client{
		ID: "behalf", Secret: "s3cret-s3cret-s3cret-s3cret-s3cret", Redirects: []string{p.origin + "/callback/idp"},
		AfterLogout: []string{p.origin + "/signed-out"}, BackChannel: back.URL, BackChannelSID: true,
		Grants: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, TokenAuthMethod: "client_secret_basic",
	})
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret-s3cret-s3cret-s3cret-s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.entry = provider.Entry{
		Name: "idp", Issuer: p.idp.Issuer, Believe: []provider.Belief{provider.Subject, provider.PID, provider.Groups},
		Login: &provider.Login{ClientID: "behalf", ClientSecretFile: secret},
	}
	store, err := records.Open(t.Context(), records.Config{Path: filepath.Join(t.TempDir(), "records.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	p.records = store
	text, _ := session.NextRing(nil, time.Now())
	if p.ring, err = session.ParseRing(text); err != nil {
		t.Fatal(err)
	}
	p.Service = p.node(t)
	return p
}

// node returns another server of the same records.
func (p *place) node(t *testing.T) *session.Service {
	t.Helper()
	idp, err := provider.New(provider.Config{Entry: p.entry, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.New(session.Config{
		Store: p.records, Leases: p.records, Marks: p.records, Ring: p.ring, Providers: []*provider.Provider{idp},
		Origin: func() string { return p.origin }, Logger: slog.New(slog.DiscardHandler), Now: p.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answer begins a login and brings it to where the browser comes back.
func (p *place) answer(t *testing.T, person, back string) session.Answer {
	t.Helper()
	begun, err := p.Begin(t.Context(), "idp", back, "nb", nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(oidc.NewBrowser(t).LogIn(begun.Location, person, p.origin+"/"))
	if err != nil {
		t.Fatal(err)
	}
	q := at.Query()
	return session.Answer{
		Provider: strings.TrimPrefix(at.Path, "/callback/"), State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss"),
		Error: q.Get("error"), Attempt: begun.Attempt,
	}
}

func (p *place) logIn(t *testing.T, person string) session.Entered {
	t.Helper()
	in, err := p.Finish(t.Context(), p.answer(t, person, "/after?x=1"), "")
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func (p *place) wantEnded(t *testing.T, who string, s authn.Secret) {
	t.Helper()
	if _, err := p.Caller(t.Context(), s); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("%s: %v, want that the session has ended", who, err)
	}
}

// TestOneRenewal has 50 requests at two servers find one access token expired, by clocks that
// stand still then, however long this machine takes.
func TestOneRenewal(t *testing.T) {
	p := newPlace(t, 10*time.Minute)
	in := p.logIn(t, "kari")
	var now time.Time
	p.now = func() time.Time { return now }
	nodes := []*session.Service{p.node(t), p.node(t)}
	for round := 1; round <= 2; round++ {
		now = p.renewAfter(t, in.Session)
		var wait sync.WaitGroup
		failed := make(chan error, 50)
		for i := range 50 {
			wait.Go(func() {
				if _, err := nodes[i%2].Caller(context.Background(), in.Session); err != nil {
					failed <- err
				}
			})
		}
		wait.Wait()
		close(failed)
		for err := range failed {
			t.Error(err)
		}
		n := p.idp.Count(t, "refresh_token")
		t.Logf("row 22  RFC 9700 4.14  50 requests at two servers: %d renewals in all after round %d", n, round)
		if n != round {
			t.Errorf("%d renewals after round %d", n, round)
		}
	}
}

// renewAfter returns when a session is due for renewal.
func (p *place) renewAfter(t *testing.T, s authn.Secret) time.Time {
	t.Helper()
	found, ok, err := p.records.Session(t.Context(), sha256.Sum256([]byte(s)))
	if err != nil || !ok {
		t.Fatalf("no session: %v", err)
	}
	return found.RenewAfter
}

// TestRenewalRefused ends a session whose login the provider has ended.
func TestRenewalRefused(t *testing.T) {
	p := newPlace(t, time.Second)
	in := p.logIn(t, "kari")
	other := p.node(t)
	// A holder that was killed in the middle lets go after its time, and not before.
	_, err := other.Caller(t.Context(), in.Session)
	if err != nil {
		t.Fatal(err)
	}
	p.entry.Login.ClientID = "nobody"
	time.Sleep(1200 * time.Millisecond)
	if _, err := p.node(t).Caller(t.Context(), in.Session); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("refused by the provider: %v", err)
	}
	p.wantEnded(t, "after the refusal", in.Session)
}

// TestLogout ends sessions from both sides.
func TestLogout(t *testing.T) {
	p := newPlace(t, time.Hour)
	in := p.logIn(t, "kari")
	location, err := p.End(t.Context(), in.Session)
	if err != nil || !strings.HasPrefix(location, p.idp.Issuer) || !strings.Contains(location, "id_token_hint=") {
		t.Errorf("logout leads to %q: %v", location, err)
	}
	p.wantEnded(t, "row 23: logged out", in.Session)
	if location, err := p.End(t.Context(), in.Session); err != nil || location != "" {
		t.Errorf("logged out twice: %q, %v", location, err)
	}

	// The browser's session at the provider ends, which tells us by the back channel.
	browser := oidc.NewBrowser(t)
	begun, err := p.Begin(t.Context(), "idp", "/", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := url.Parse(browser.LogIn(begun.Location, "ola", p.origin+"/"))
	q := at.Query()
	in, err = p.Finish(t.Context(), session.Answer{
		Provider: "idp", State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss"), Attempt: begun.Attempt,
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	stays := p.logIn(t, "per")
	browser.LogOut(p.idp.Issuer + "/session/end?client_id=behalf&post_logout_redirect_uri=" + url.QueryEscape(p.origin+"/signed-out"))
	select {
	case err := <-p.logouts:
		if err != nil {
			t.Fatalf("row 24: the provider's logout token: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("row 24: the provider tells nothing")
	}
	p.wantEnded(t, "row 24: logged out at the provider", in.Session)
	if _, err := p.Caller(t.Context(), stays.Session); err != nil {
		t.Errorf("row 24: another's session: %v", err)
	}
}

// TestSealed has nothing of a provider's tokens in the records, and a ring that goes on.
func TestSealed(t *testing.T) {
	text, changed := session.NextRing(nil, time.Now().Add(-31*24*time.Hour))
	if !changed {
		t.Fatal("no first key")
	}
	old, err := session.ParseRing(text)
	if err != nil {
		t.Fatal(err)
	}
	sealed := old.Seal([]byte("token"), "x")
	next, changed := session.NextRing(text, time.Now())
	if !changed || strings.Count(string(next), "\n") != 2 {
		t.Fatalf("after 31 days: %v, %q", changed, next)
	}
	if _, changed := session.NextRing(next, time.Now()); changed {
		t.Error("a new key is replaced at once")
	}
	ring, err := session.ParseRing(next)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Open(sealed, "x"); err != nil || string(got) != "token" {
		t.Errorf("what the old key sealed: %q, %v", got, err)
	}
	if _, err := ring.Open(sealed, "y"); err == nil {
		t.Error("opened for another purpose")
	}
	if _, err := old.Open(ring.Seal([]byte("token"), "x"), "x"); err == nil {
		t.Error("the old ring opens what the new key sealed")
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := ring.Open(sealed, "x"); err == nil {
		t.Error("opened what was changed")
	}
}

func TestBack(t *testing.T) {
	origins := []string{"https://app.example"}
	for text, want := range map[string]string{
		"/a?b=c&d#e": "/a?b=c&d#e", "/": "/", "https://app.example/x?y=1": "https://app.example/x?y=1",
		"": "/", "x": "/", "//evil.example": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "/\t/evil.example": "/",
		"https://evil.example/": "/", "https://app.example@evil.example/": "/", "https://app.example.evil.example": "/",
		"http://app.example/": "/", "javascript:alert(1)": "/", "/%2f%2fevil.example": "/", "/%2fevil.example": "/",
		"/%252fevil.example": "/", "/%5cevil.example": "/", "https:///evil.example": "/", "https:evil.example": "/",
		"https://app.example//x": "/", "/a\r\nSet-Cookie: x": "/", "/" + strings.Repeat("a", 3000): "/", "data:text/html,x": "/",
		"/a//b": "/a//b", "/%zz": "/",
	} {
		if got := session.Back(text, origins); got != want {
			t.Errorf("row 21: %q leads to %q, want %q", text, got, want)
		}
	}
}
