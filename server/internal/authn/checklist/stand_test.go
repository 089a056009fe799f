package checklist_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"github.com/go-jose/go-jose/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/login"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
	sessionrpc "github.com/behalf-authz/behalf/server/internal/rpc/session"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

const (
	clientSecret = "s3cret-s3cret-s3cret-s3cret-s3cret"
	gatewayKey   = "gateway-gateway-gateway"
	api          = "https://api.example"
)

// text is a log that is written to and read at once.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *text) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *text) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// place is what all rows share: where browsers come to, and what is logged.
type place struct {
	web     *httptest.Server
	doors   atomic.Pointer[http.Handler]
	idp     *hostile.Provider
	other   *hostile.Provider
	real    *oidc.Provider
	keyFile string // of a client of the real provider
	log     text
	secrets sync.Map // that must not be in the log
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{idp: hostile.Start(t, hostile.NewKey(t)), other: hostile.Start(t, hostile.NewKey(t))}
	p.web = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*p.doors.Load()).ServeHTTP(w, r) }))
	t.Cleanup(p.web.Close)
	client := oidc.Client{
		ID: "behalf", Secret: clientSecret, Redirects: []string{p.web.URL + "/callback/real"}, AfterLogout: []string{p.web.URL + "/signed-out"},
		Grants: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, TokenAuthMethod: "client_secret_basic",
	}
	keyed := client
	keyed.ID, keyed.Secret, keyed.TokenAuthMethod = "behalf-with-a-key", "", "private_key_jwt"
	key := hostile.NewKey(t)
	public := jose.JSONWebKey{Key: key.Public(), Use: "sig"}
	sum, err := public.Thumbprint(crypto.SHA256) // which a PEM's key is told under
	if err != nil {
		t.Fatal(err)
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	keyed.Keys = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}
	p.keyFile = writeKey(t, key)
	p.real = oidc.Start(t, oidc.Port(t), time.Hour, client, keyed)
	return p
}

// writeKey writes a private key to a file and returns its name.
func writeKey(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "client.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// hide notes a secret.
func (p *place) hide(secrets ...string) {
	for _, s := range secrets {
		if len(s) >= 8 {
			p.secrets.Store(s, true)
		}
	}
}

// stand is the parts as a server puts them together, with a clock that a test moves.
type stand struct {
	*place
	t         *testing.T
	entries   []provider.Entry
	providers map[string]*provider.Provider
	sessions  *session.Service
	known     *authn.Authenticator
	records   *records.Store
	file      string // of the records
	ring      *session.Ring
	moved     atomic.Int64
	fails     atomic.Int64 // how many renewals are not kept yet
	tried     int
}

// newStand puts the parts together, after a change of the entry of the hostile provider.
func newStand(t *testing.T, p *place) *stand {
	t.Helper()
	p.idp.Reset()
	p.other.Reset()
	s := &stand{place: p, t: t, file: filepath.Join(t.TempDir(), "records.db")}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(clientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	entry := func(name, issuer string) provider.Entry {
		return provider.Entry{
			Name: name, Issuer: issuer, Believe: []provider.Belief{provider.Subject, provider.Groups, provider.Levels},
			Levels: provider.LevelMap{ACR: map[string]int{"low": 2, "substantial": 3, "high": 4}},
			Login:  &provider.Login{ClientID: "behalf", ClientSecretFile: secret},
			Bearer: &provider.Bearer{Audiences: []string{api}},
		}
	}
	s.entries = []provider.Entry{entry("idp", p.idp.URL), entry("other", p.other.URL), entry("real", p.real.Issuer)}
	s.entries[0].Introspection = &provider.Introspection{ClientID: "behalf", ClientSecretFile: secret, Audiences: []string{api}}
	var err error
	if s.records, err = records.Open(t.Context(), records.Config{Path: s.file}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.records.Close() })
	keys, _ := session.NextRing(nil, time.Now())
	if s.ring, err = session.ParseRing(keys); err != nil {
		t.Fatal(err)
	}
	s.start()
	return s
}

// change starts the parts anew with another entry of the hostile provider.
func (s *stand) change(how func(*provider.Entry)) {
	s.t.Helper()
	login, bearer := *s.entries[0].Login, *s.entries[0].Bearer
	s.entries[0].Login, s.entries[0].Bearer = &login, &bearer
	how(&s.entries[0])
	s.start()
}

// start starts the parts, as a server's start does.
func (s *stand) start() {
	s.t.Helper()
	must := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	must(provider.File{Issuers: s.entries}.Validate())
	logger := slog.New(slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.providers = make(map[string]*provider.Provider)
	var all []*provider.Provider
	var verifiers []authn.Verifier
	for _, e := range s.entries {
		p, err := provider.New(provider.Config{Entry: e, Logger: logger, Now: s.now})
		must(err)
		all, verifiers, s.providers[e.Name] = append(all, p), append(verifiers, p), p
	}
	var err error
	s.sessions, err = session.New(session.Config{
		Store: s.records, Leases: failing{s.records, &s.fails}, Marks: s.records, Ring: s.ring, Providers: all,
		Origin: func() string { return s.web.URL }, Lifetime: 30 * 24 * time.Hour, Idle: 30 * 24 * time.Hour, Logger: logger, Now: s.now,
	})
	must(err)
	s.known, err = authn.New(authn.Config{Verifiers: verifiers, Opaque: s.providers["idp"], Sessions: s.sessions})
	must(err)
	chain, err := interceptor.New(interceptor.Config{
		Logger: logger, Registerer: prometheus.NewRegistry(), Authenticator: gatewayOnly{}, Access: interceptor.BehalfAccess(),
	})
	must(err)
	channel := new(inprocgrpc.Channel).WithServerUnaryInterceptor(chain.Unary())
	service, err := sessionrpc.New(sessionrpc.Config{Sessions: s.sessions, Choices: unasked{}, Parties: unasked{}})
	must(err)
	service.Register(channel)
	doors, err := login.New(login.Config{
		Conn: channel, Identity: "Bearer " + gatewayKey, Origin: func() string { return s.web.URL }, Cookie: authn.SessionCookie,
	})
	must(err)
	recorder, err := event.NewRecorder(logger, prometheus.NewRegistry())
	must(err)
	handler := recorder.Handler(doors, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	s.doors.Store(&handler)
}

// failing are leases of a database that fails for a while.
type failing struct {
	*records.Store
	times *atomic.Int64
}

func (f failing) RenewSession(ctx context.Context, id session.ID, holder string, tokens []byte, renewAfter time.Time) (bool, error) {
	if f.times.Add(-1) >= 0 {
		return false, errors.New("the database is restarting")
	}
	return f.Store.RenewSession(ctx, id, holder, tokens, renewAfter)
}

// unasked is what the paths of logins do not ask.
type unasked struct {
	sessionrpc.Choices
	sessionrpc.Parties
}

// gatewayOnly knows the gateway.
type gatewayOnly struct{}

func (gatewayOnly) Authenticate(_ context.Context, s authn.Secret) (caller.Caller, error) {
	if s != gatewayKey {
		panic("somebody else than the gateway calls")
	}
	return caller.Caller{Kind: caller.Service, Name: "gateway", Scopes: []caller.Scope{caller.Gateway}}, nil
}

func (s *stand) now() time.Time { return time.Now().Add(time.Duration(s.moved.Load())) }

// move moves the clock.
func (s *stand) move(d time.Duration) { s.moved.Add(int64(d)) }

// in is a time of a token.
func (s *stand) in(d time.Duration) int64 { return s.now().Add(d).Unix() }

// browser returns a browser without cookies.
func (s *stand) browser() *oidc.Browser {
	s.t.Helper()
	b := oidc.NewBrowser(s.t)
	b.Transport = s.web.Client().Transport
	return b
}

// begun is a login that a browser has begun.
type begun struct {
	*oidc.Browser
	at    url.Values // what the provider is asked
	where string     // the address without them
}

// begin begins a login.
func (s *stand) begin(b *oidc.Browser, name string, query url.Values) begun {
	s.t.Helper()
	page := b.Get(s.web.URL + "/login/" + name + "?" + query.Encode())
	to, err := page.Location()
	if err != nil || page.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("the login begins with %d, %v:\n%s", page.StatusCode, err, page.Text)
	}
	at := to.Query()
	s.hide(at.Get("state"), at.Get("nonce"))
	to.RawQuery = ""
	return begun{b, at, to.String()}
}

// person are the claims of a good id_token of a login.
func (s *stand) person(b begun) map[string]any {
	return map[string]any{
		"iss": s.idp.URL, "aud": "behalf", "sub": "kari", "nonce": b.at.Get("nonce"), "acr": "substantial", "sid": "s1",
		"iat": s.in(0), "exp": s.in(time.Minute), "auth_time": s.in(0),
	}
}

// give has the hostile provider give tokens for the next code.
func (s *stand) give(idToken string, more map[string]any) {
	s.hide(idToken)
	s.idp.On(hostile.Token, hostile.Answer(hostile.With(map[string]any{
		"access_token": "access-token-of-kari", "token_type": "Bearer", "expires_in": 600, "id_token": idToken,
	}, more)))
	s.hide("access-token-of-kari", "refresh-token-of-kari", "another-refresh-token", "code-of-kari")
}

// back has the browser come back with a code, and other parameters.
func (s *stand) back(b begun, name string, other map[string]string) oidc.Page {
	s.t.Helper()
	q := url.Values{"state": {b.at.Get("state")}, "code": {"code-of-kari"}}
	for name, value := range other {
		if q.Set(name, value); value == "" {
			q.Del(name)
		}
	}
	s.tried++
	return b.Get(s.web.URL + "/callback/" + name + "?" + q.Encode())
}

// enter logs in with other claims than the good ones, and returns the session, empty when
// there is none.
func (s *stand) enter(other map[string]any, query url.Values) (string, oidc.Page) {
	s.t.Helper()
	b := s.begin(s.browser(), "idp", query)
	s.give(s.idp.Sign(s.t, nil, hostile.With(s.person(b), other)), nil)
	page := s.back(b, "idp", nil)
	return s.session(b.Browser), page
}

// session returns the session of a browser.
func (s *stand) session(b *oidc.Browser) string {
	s.t.Helper()
	at, err := url.Parse(s.web.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	found := ""
	for _, c := range b.Jar.Cookies(at) {
		s.hide(c.Value)
		if c.Name == authn.SessionCookie {
			found = c.Value
		}
	}
	return found
}

// alive reports whether a session is.
func (s *stand) alive(secret string) bool {
	s.t.Helper()
	_, err := s.known.Session(s.t.Context(), authn.Secret(secret))
	return err == nil
}

// closed fails the test if a login that must not has made a session, or ends with another status.
func (s *stand) closed(what string, b *oidc.Browser, page oidc.Page, status int) {
	s.t.Helper()
	if made := s.session(b) != ""; made || page.StatusCode != status {
		s.t.Errorf("%s: status %d, session %t; want %d and none", what, page.StatusCode, made, status)
	}
}

// token returns an access token of the hostile provider with other claims.
func (s *stand) token(header, other map[string]any) string {
	s.t.Helper()
	token := s.idp.Sign(s.t, hostile.With(map[string]any{"typ": "at+jwt"}, header), s.access(other))
	s.hide(token)
	return token
}

// access are the claims of a good access token with others in their place.
func (s *stand) access(other map[string]any) map[string]any {
	return hostile.With(map[string]any{
		"iss": s.idp.URL, "sub": "kari", "aud": api, "client_id": "web", "iat": s.in(0), "exp": s.in(time.Minute),
	}, other)
}

// bears returns who bears a token, by the provider's memory and no other.
func (s *stand) bears(token string) (caller.Caller, error) {
	s.tried++
	v, err := s.providers["idp"].Verify(s.t.Context(), authn.Secret(token))
	return v.Caller, err
}

// wantToken fails the test if a token is taken and must not be, or the other way round.
func (s *stand) wantToken(what, token string, taken bool) {
	s.t.Helper()
	if _, err := s.bears(token); (err == nil) != taken {
		s.t.Errorf("%s: taken %t: %v", what, err == nil, err)
	}
}

// wantLogin fails the test if a login with other claims makes a session and must not, or the
// other way round.
func (s *stand) wantLogin(what string, other map[string]any, query url.Values, made bool) {
	s.t.Helper()
	secret, page := s.enter(other, query)
	if (secret != "") != made || !made && page.StatusCode != http.StatusForbidden {
		s.t.Errorf("%s: status %d, session %t", what, page.StatusCode, secret != "")
	}
}

// real logs a person in at the real provider.
func (s *stand) atReal(b *oidc.Browser, person string) string {
	s.t.Helper()
	callback := b.LogIn(s.web.URL+"/login/real?return=/after", person, s.web.URL+"/callback/")
	u, err := url.Parse(callback)
	if err != nil {
		s.t.Fatal(err)
	}
	s.hide(u.Query().Get("code"), u.Query().Get("state"))
	page := b.Get(callback)
	if page.StatusCode != http.StatusSeeOther || !strings.HasSuffix(page.Header.Get("Location"), "/after") {
		s.t.Fatalf("back from the provider: %d\n%s", page.StatusCode, page.Text)
	}
	return s.session(b)
}

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
