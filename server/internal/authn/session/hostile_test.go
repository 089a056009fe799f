package session_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// hostile is a provider that answers the token endpoint with what its test says.
type hostile struct {
	*httptest.Server
	*session.Service
	key      *rsa.PrivateKey
	metadata map[string]any
	idToken  func() string
	access   string
}

func newHostile(t *testing.T, change func(*provider.Entry)) *hostile {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{key: key, access: "access"}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, value any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { answer(w, h.metadata) })
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"access_token": h.access, "token_type": "Bearer", "id_token": h.idToken(), "expires_in": 60})
	})
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	h.metadata = map[string]any{
		"issuer": h.URL, "jwks_uri": h.URL + "/jwks", "authorization_endpoint": h.URL + "/auth", "token_endpoint": h.URL + "/token",
	}
	entry := provider.Entry{
		Name: "idp", Issuer: h.URL, Believe: []provider.Belief{provider.Subject, provider.Levels},
		Levels: provider.LevelMap{ACR: map[string]int{"low": 2, "substantial": 3, "high": 4}},
		Login:  &provider.Login{ClientID: "behalf"},
	}
	if change != nil {
		change(&entry)
	}
	idp, err := provider.New(provider.Config{Entry: entry, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	store, err := records.Open(t.Context(), records.Config{Path: filepath.Join(t.TempDir(), "records.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	text, _ := session.NextRing(nil, time.Now())
	ring, err := session.ParseRing(text)
	if err != nil {
		t.Fatal(err)
	}
	h.Service, err = session.New(session.Config{
		Store: store, Leases: store, Marks: store, Ring: ring, Providers: []*provider.Provider{idp},
		Origin: func() string { return "http://127.0.0.1:1" }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hostile) sign(t *testing.T, alg jose.SignatureAlgorithm, key any, header, claims map[string]any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithHeader("kid", "one")
	for name, value := range header {
		options = options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// claims returns good ones with some exchanged; nil removes one.
func claims(good, other map[string]any) map[string]any {
	all := maps.Clone(good)
	for name, value := range other {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

// logIn logs in with what the token function makes of the nonce.
func (h *hostile) logIn(t *testing.T, acr []string, token func(nonce string) string) (session.Entered, error) {
	t.Helper()
	begun, err := h.Begin(t.Context(), "idp", "/", "", acr)
	if err != nil {
		return session.Entered{}, err
	}
	at, err := url.Parse(begun.Location)
	if err != nil {
		t.Fatal(err)
	}
	q := at.Query()
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("nonce")) < 22 || len(q.Get("state")) < 22 {
		t.Errorf("rows 1 to 4: the login begins at %s", begun.Location)
	}
	h.idToken = func() string { return token(q.Get("nonce")) }
	return h.Finish(t.Context(), session.Answer{Provider: "idp", State: begun.State, Code: "code", Attempt: begun.Attempt}, "")
}

// TestHostileLogins has no id_token of a hostile provider, or of a stranger, make a session.
func TestHostileLogins(t *testing.T) {
	h := newHostile(t, func(e *provider.Entry) { e.Login.MaxAge = provider.Duration(time.Minute) })
	public, err := x509.MarshalPKIXPublicKey(h.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	good := func(nonce string) map[string]any {
		return map[string]any{
			"iss": h.URL, "aud": "behalf", "sub": "kari", "nonce": nonce, "acr": "substantial",
			"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "auth_time": now.Unix(),
		}
	}
	with := func(name string, value any) func(string) string {
		return func(nonce string) string {
			return h.sign(t, jose.RS256, h.key, nil, claims(good(nonce), map[string]any{name: value}))
		}
	}
	encode := base64.RawURLEncoding.EncodeToString
	for _, row := range []struct {
		row, rfc, name string
		acr            []string
		token          func(nonce string) string
		accepted       bool
	}{
		{"2", "RFC 7636", "good login", nil, with("x", 1), true},
		{"4", "OIDC Core 3.1.3.7", "nonce missing", nil, with("nonce", nil), false},
		{"4", "OIDC Core 3.1.3.7", "nonce of another", nil, with("nonce", "another"), false},
		{"8", "RFC 8725 3.1", "alg none", nil, func(nonce string) string {
			payload, _ := json.Marshal(good(nonce))
			return encode([]byte(`{"alg":"none"}`)) + "." + encode(payload) + "."
		}, false},
		{"8", "RFC 8725 3.1", "HS256 with the public key", nil, func(nonce string) string {
			return h.sign(t, jose.HS256, public, nil, good(nonce))
		}, false},
		{"8", "RFC 8725 3.1", "another's key", nil, func(nonce string) string {
			return h.sign(t, jose.RS256, stranger, nil, good(nonce))
		}, false},
		{"8", "OIDC Core", "no id_token", nil, func(string) string { return "" }, false},
		{"12", "OIDC Core 3.1.3.7", "iss of another", nil, with("iss", "https://evil.example"), false},
		{"12", "OIDC Core 3.1.3.7", "iss missing", nil, with("iss", nil), false},
		{"12", "OIDC Core 3.1.3.7", "aud of another", nil, with("aud", "another"), false},
		{"12", "OIDC Core 3.1.3.7", "aud missing", nil, with("aud", nil), false},
		{"12", "OIDC Core 3.1.3.7", "an untrusted aud beside ours", nil, with("aud", []string{"behalf", "another"}), false},
		{"12", "OIDC Core 3.1.3.7", "azp of another", nil, with("azp", "another"), false},
		{"12", "OIDC Core 3.1.3.7", "azp ours", nil, with("azp", "behalf"), true},
		{"13", "OIDC Core 3.1.3.7", "expired", nil, with("exp", now.Add(-time.Minute).Unix()), false},
		{"13", "OIDC Core 3.1.3.7", "issued in the future", nil, with("iat", now.Add(5*time.Minute).Unix()), false},
		{"13", "OIDC Core 3.1.3.7", "issued an hour ago", nil, with("iat", now.Add(-time.Hour).Unix()), false},
		{"13", "OIDC Core 3.1.3.7", "iat missing", nil, with("iat", nil), false},
		{"13", "RFC 7519", "nbf in the future", nil, with("nbf", now.Add(time.Minute).Unix()), false},
		{"14", "OIDC Core 3.1.2.1", "auth_time missing", nil, with("auth_time", nil), false},
		{"14", "OIDC Core 3.1.2.1", "auth_time an hour ago", nil, with("auth_time", now.Add(-time.Hour).Unix()), false},
		{"15", "RFC 9470", "acr as asked", []string{"substantial"}, with("x", 1), true},
		{"15", "RFC 9470", "acr higher than asked", []string{"substantial"}, with("acr", "high"), true},
		{"15", "RFC 9470", "acr lower than asked", []string{"high"}, with("x", 1), false},
		{"15", "RFC 9470", "acr unknown", []string{"low"}, with("acr", "HIGH"), false},
		{"15", "RFC 9470", "acr missing", []string{"low"}, with("acr", nil), false},
		{"17", "OIDC Core 3.1.3.6", "at_hash of another", nil, with("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), false},
		{"34", "OIDC Core 2", "sub missing", nil, with("sub", nil), false},
	} {
		in, err := h.logIn(t, row.acr, row.token)
		got := map[bool]string{true: "session", false: "refused"}[err == nil]
		t.Logf("row %-3s %-18s %-38s %s", row.row, row.rfc, row.name, got)
		if (err == nil) != row.accepted || (in.Session == "") == row.accepted {
			t.Errorf("row %s, %s: %v", row.row, row.name, err)
		}
	}
	in, err := h.logIn(t, []string{"substantial"}, with("acr", "high"))
	if err != nil {
		t.Fatal(err)
	}
	if who, err := h.Caller(t.Context(), in.Session); err != nil || who.Level != 4 {
		t.Errorf("row 15: level %d: %v", who.Level, err)
	}
}

// TestHostileDiscovery refuses a provider that describes itself wrongly.
func TestHostileDiscovery(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"row 7: another's issuer":           {"issuer": "https://evil.example"},
		"row 7: no issuer":                  {"issuer": nil},
		"row 36: token endpoint over http":  {"token_endpoint": "http://idp.example/token"},
		"row 36: keys from a file":          {"jwks_uri": "file:///etc/passwd"},
		"row 2: PKCE with plain only":       {"code_challenge_methods_supported": []string{"plain"}},
		"row 36: keys from a metadata host": {"jwks_uri": "http://169.254.169.254/"},
	} {
		h := newHostile(t, nil)
		h.metadata = claims(h.metadata, change)
		if _, err := h.Begin(t.Context(), "idp", "/", "", nil); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHostileLogouts has no token but a logout token end a session, and that once.
func TestHostileLogouts(t *testing.T) {
	h := newHostile(t, nil)
	now := time.Now()
	in, err := h.logIn(t, nil, func(nonce string) string {
		return h.sign(t, jose.RS256, h.key, nil, map[string]any{
			"iss": h.URL, "aud": "behalf", "sub": "kari", "sid": "s1", "nonce": nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	const event = "http://schemas.openid.net/event/backchannel-logout"
	good := func(jti string) map[string]any {
		return map[string]any{
			"iss": h.URL, "aud": "behalf", "sub": "kari", "sid": "s1", "jti": jti,
			"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "events": map[string]any{event: map[string]any{}},
		}
	}
	end := func(header, other map[string]any, jti string) error {
		token := h.sign(t, jose.RS256, h.key, header, claims(good(jti), other))
		return h.EndByProvider(t.Context(), "idp", authn.Secret(token))
	}
	for _, row := range []struct {
		name          string
		header, other map[string]any
	}{
		{"nonce present", nil, map[string]any{"nonce": "n"}},
		{"nonce empty", nil, map[string]any{"nonce": ""}},
		{"no event", nil, map[string]any{"events": nil}},
		{"another event", nil, map[string]any{"events": map[string]any{"x": map[string]any{}}}},
		{"event no object", nil, map[string]any{"events": map[string]any{event: true}}},
		{"aud of another", nil, map[string]any{"aud": "another"}},
		{"aud of others too", nil, map[string]any{"aud": []string{"behalf", "another"}}},
		{"iss of another", nil, map[string]any{"iss": "https://evil.example"}},
		{"jti missing", nil, map[string]any{"jti": nil}},
		{"exp missing", nil, map[string]any{"exp": nil}},
		{"expired", nil, map[string]any{"exp": now.Add(-time.Minute).Unix()}},
		{"iat missing", nil, map[string]any{"iat": nil}},
		{"iat of the future", nil, map[string]any{"iat": now.Add(time.Hour).Unix()}},
		{"iat an hour ago", nil, map[string]any{"iat": now.Add(-time.Hour).Unix()}},
		{"neither sub nor sid", nil, map[string]any{"sub": nil, "sid": nil}},
		{"typ at+jwt", map[string]any{"typ": "at+jwt"}, nil},
	} {
		err := end(row.header, row.other, "a-"+row.name)
		t.Logf("row 24  OIDC BC-Logout 2.6  %-24s %s", row.name, map[bool]string{true: "accepted", false: "refused"}[err == nil])
		if fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("row 24, %s: %v", row.name, err)
		}
	}
	if err := end(nil, map[string]any{"sid": "s2"}, "of another session"); err != nil {
		t.Errorf("another session of the subject: %v", err)
	}
	if _, err := h.Caller(t.Context(), in.Session); err != nil {
		t.Fatalf("the session has ended by a token of another: %v", err)
	}
	if err := end(map[string]any{"typ": "logout+jwt"}, nil, "good"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Caller(t.Context(), in.Session); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("after the logout: %v", err)
	}
	if err := end(nil, nil, "good"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("row 24, jti replayed: %v", err)
	}
}
