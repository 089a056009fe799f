package server_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// broken is a server that API gateways ask, something of which dies.
type broken struct {
	*enforcingServer
	idp, dead *hostile.Provider
}

// startBroken starts a server with identity providers, which live as yet.
func startBroken(t *testing.T, cfg server.Config) *broken {
	t.Helper()
	b := &broken{idp: hostile.Start(t, hostile.NewKey(t)), dead: hostile.Start(t, hostile.NewKey(t))}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"routes.yaml": enforcedRoutes, "secret": "s3cret-s3cret-s3cret",
		"issuers.yaml": fmt.Sprintf(`issuers:
  - name: people
    issuer: %s
    believe: [subject, altinn]
    bearer: {audiences: [api]}
    login: {client_id: behalf}
    introspection: {client_id: behalf, client_secret_file: %s, audiences: [api]}
  - {name: dead, issuer: '%s', believe: [subject, altinn], bearer: {audiences: [api]}, login: {client_id: behalf}}
`, b.idp.URL, filepath.Join(dir, "secret"), b.dead.URL),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg.DataDir = filepath.Join(dir, "data")
	cfg.Login.IssuersFile = filepath.Join(dir, "issuers.yaml")
	cfg.Enforcement = server.EnforcementConfig{
		RoutesFile: filepath.Join(dir, "routes.yaml"), TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	b.enforcingServer = &enforcingServer{startAltinnServerWith(t, cfg), cfg.Enforcement.RoutesFile}
	b.loadSmallRegister()
	if got := b.do(t, http.MethodPut, "/v1/policies/resources/gated", []byte(`{"text":"`+base64.StdEncoding.EncodeToString([]byte(gatedPolicy))+`"}`),
		"Authorization: Bearer "+b.adminKey, "Content-Type: application/json"); got.status != http.StatusOK {
		t.Fatalf("put the policy: %d %s", got.status, got.body)
	}
	return b
}

// claims are those of the provider's tokens.
func (b *broken) claims(other map[string]any) map[string]any {
	return hostile.With(map[string]any{
		"iss": b.idp.URL, "sub": "kari", "aud": "api", "client_id": "web", "urn:altinn:userid": 20000490, "urn:altinn:partyid": 50002598,
		"urn:altinn:authlevel": 3, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}, other)
}

// session logs in and returns the cookie of a session that is due for renewal at once.
func (b *broken) session(t *testing.T) string {
	t.Helper()
	browser := oidc.NewBrowser(t)
	to, err := browser.Get(b.base + "/login/people").Location()
	if err != nil {
		t.Fatal(err)
	}
	q := to.Query()
	b.idp.On(hostile.Token, hostile.Answer(map[string]any{
		"access_token": "x", "token_type": "Bearer", "refresh_token": "y", "expires_in": 1,
		"id_token": b.idp.Sign(t, nil, b.claims(map[string]any{"aud": "behalf", "nonce": q.Get("nonce")})),
	}))
	page := browser.Get(b.base + "/callback/people?" + url.Values{"state": {q.Get("state")}, "code": {"c"}}.Encode())
	for _, c := range page.Cookies() {
		if c.Name == "sid" {
			return "Cookie: sid=" + c.Value
		}
	}
	t.Fatalf("no session: %d %s", page.StatusCode, page.Text)
	return ""
}

// wanted is what a request must be answered.
type wanted struct {
	who, path, credentials string
	status                 int
}

// look asks through every adapter.
func (b *broken) look(t *testing.T, rows []wanted) {
	t.Helper()
	for _, row := range rows {
		for _, adapter := range adapters {
			var headers []string
			if row.credentials != "" {
				headers = []string{row.credentials}
			}
			got, a := b.ask(t, adapter.tell("GET", "api.example.com", row.path), headers...)
			if got != row.status {
				t.Errorf("%s: %s of %s: %d %s, want %d", adapter.name, row.path, row.who, got, a.header.Get("Behalf-Reason"), row.status)
			}
			if got != http.StatusOK && a.header.Get("Behalf-User")+a.header.Get("Miauserid") != "" {
				t.Errorf("%s: %s of %s: who is kept out is named", adapter.name, row.path, row.who)
			}
		}
		t.Logf("%-28s %-20s %d through %d adapters", row.who, row.path, row.status, len(adapters))
	}
}

// protected are the routes that ask relations or policies.
var protected = []string{"/for/50076451/x", "/act", "/books/50090006", "/decide/50076451"}

func each(who, credentials string, status int, paths ...string) (rows []wanted) {
	for _, path := range paths {
		rows = append(rows, wanted{who, path, credentials, status})
	}
	return rows
}

// TestDeadProvider has identity providers die. Whom only they could tell of stays out; a
// public route stays open, and who was in before goes on.
func TestDeadProvider(t *testing.T) {
	b := startBroken(t, server.Config{})
	session := b.session(t)
	for _, path := range []string{hostile.Discovery, hostile.JWKS, hostile.Token, hostile.Introspection} {
		b.idp.On(path, hostile.HangUp)
		b.dead.On(path, hostile.HangUp)
	}
	time.Sleep(time.Second) // as long as the access token lasts
	unseen := "Authorization: Bearer " + b.dead.Sign(t, map[string]any{"typ": "at+jwt"}, b.claims(map[string]any{"iss": b.dead.URL}))
	known := "Authorization: Bearer " + b.idp.Sign(t, map[string]any{"typ": "at+jwt"}, b.claims(nil))
	rows := each("a token, keys never seen", unseen, 503, append(protected, "/me", "/high", "/group")...)
	rows = append(rows, each("an opaque token", "Authorization: Bearer opaque-token", 503, append(protected, "/me")...)...)
	rows = append(rows, each("a made-up session", "Cookie: sid="+strings.Repeat("A", 43), 401, "/me")...)
	rows = append(rows, each("nobody", "", 401, append(protected, "/me")...)...)
	rows = append(rows, each("a token, keys at hand", known, 200, append(protected, "/me", "/open/a")...)...)
	rows = append(rows, each("a session from before", session, 200, append(protected, "/me", "/open/a")...)...)
	for _, credentials := range []string{"", unseen, "Authorization: Bearer opaque-token"} {
		rows = append(rows, each("somebody", credentials, 200, "/open/a")...)
	}
	b.look(t, rows)
	// The way to the login is a page that says so, and leads nowhere.
	page := oidc.NewBrowser(t).Get(b.base + "/login/dead?return=/me")
	if page.StatusCode != http.StatusServiceUnavailable || page.Header.Get("Retry-After") == "" || page.Header.Get("Location") != "" {
		t.Errorf("the login: %d to %q", page.StatusCode, page.Header.Get("Location"))
	}
}

// TestFullAuditDisk has nothing more be recorded: what must be recorded is not let in.
func TestFullAuditDisk(t *testing.T) {
	const full = "/dev/full" // every write says that no space is left
	if _, err := os.Stat(full); err != nil {
		t.Skip(err)
	}
	b := startBroken(t, server.Config{Audit: server.AuditConfig{Sinks: []string{"records", "file"}, File: full}})
	kari := "Authorization: Bearer " + b.token(t, server.UserClaims(20000490, 50002598, 3))
	rows := each("kari", kari, 503, "/for/50076451/x", "/act", "/books/50090006")
	rows = append(rows, each("kari", kari, 503, "/decide/50076451")...)
	rows = append(rows, each("kari", kari, 200, "/open/a", "/me")...) // which ask nothing that is recorded
	b.look(t, append(rows, each("nobody", "", 200, "/open/a")...))
}

// TestDeadStore has the database die.
func TestDeadStore(t *testing.T) {
	uri := server.Postgres.Database(t)
	b := startBroken(t, server.Config{Datastore: uri, Migrate: true})
	session := b.session(t)
	kari := "Authorization: Bearer " + b.token(t, server.UserClaims(20000490, 50002598, 3))
	alive := append(each("kari", kari, 200, append(protected, "/me")...), each("a session", session, 200, protected...)...)
	b.look(t, alive)
	mend := server.Postgres.Cut(t, uri)
	defer mend()
	rows := each("kari", kari, 503, protected...)
	rows = append(rows, each("a session", session, 503, append(protected, "/me")...)...)
	rows = append(rows, each("nobody", "", 200, "/open/a")...)
	b.look(t, rows)
	mend()
	// It goes on as before, by itself.
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		status, _ := b.ask(t, adapters[0].tell("GET", "api.example.com", "/books/50090006"), kari)
		if status == http.StatusOK {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("after the database is back: %d", status)
		}
	}
	b.look(t, alive)
}
