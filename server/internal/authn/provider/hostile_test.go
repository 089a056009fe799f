package provider_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/authn/provider"
)

// hostile is an identity provider that does as its test says.
type hostile struct {
	*httptest.Server
	key     *rsa.PrivateKey
	fetches atomic.Int64 // of keys

	mu     sync.Mutex
	served []jose.JSONWebKey
	down   bool
	active map[string]any // what introspection answers
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{key: key}
	h.serve(jose.JSONWebKey{Key: key.Public(), KeyID: "one", Algorithm: "RS256", Use: "sig"})
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": h.URL, "jwks_uri": h.URL + "/jwks", "introspection_endpoint": h.URL + "/introspect",
			"authorization_endpoint": h.URL + "/auth", "token_endpoint": h.URL + "/token",
		})
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		h.fetches.Add(1)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.down {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: h.served})
	})
	mux.HandleFunc("/introspect", func(w http.ResponseWriter, r *http.Request) {
		h.fetches.Add(1)
		h.mu.Lock()
		defer h.mu.Unlock()
		if id, secret, ok := r.BasicAuth(); !ok || id != "behalf" || secret != "s3cret" || h.down {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(h.active)
	})
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

func (h *hostile) serve(keys ...jose.JSONWebKey) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.served = keys
}

func (h *hostile) setDown(down bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = down
}

// claims returns good claims with some exchanged; nil removes one.
func (h *hostile) claims(other map[string]any) map[string]any {
	all := map[string]any{
		"iss": h.URL, "sub": "kari", "aud": "https://api.example", "client_id": "web",
		"exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
	}
	for name, value := range other {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

// sign signs claims with a key of any kind and a header of any content.
func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, header map[string]any, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
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

func (h *hostile) token(t *testing.T, other map[string]any) string {
	return sign(t, jose.RS256, h.key, map[string]any{"kid": "one", "typ": "at+jwt"}, h.claims(other))
}

func (h *hostile) entry(believe ...provider.Belief) provider.Entry {
	return provider.Entry{
		Name: "hostile", Issuer: h.URL, Believe: believe,
		Bearer: &provider.Bearer{Audiences: []string{"https://api.example"}},
	}
}

// row is one try against one row of the checklist.
type row struct {
	row, rfc, name string
	token          func() string
	accepted       bool
}

// TestChecklist tries bearer tokens that a hostile provider, or a stranger, may make.
func TestChecklist(t *testing.T) {
	h := newHostile(t)
	p := open(t, h.entry(provider.Subject))
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(h.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	with := func(header, other map[string]any) func() string {
		all := map[string]any{"kid": "one", "typ": "at+jwt"}
		maps.Copy(all, header)
		return func() string { return sign(t, jose.RS256, h.key, all, h.claims(other)) }
	}
	claim := func(name string, value any) func() string { return with(nil, map[string]any{name: value}) }
	by := func(alg jose.SignatureAlgorithm, key any, kid string) func() string {
		return func() string { return sign(t, alg, key, map[string]any{"kid": kid}, h.claims(nil)) }
	}
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	encode := base64.RawURLEncoding.EncodeToString
	rows := []row{
		{"8", "RFC 8725 3.1", "good token", with(nil, nil), true},
		{"8", "RFC 8725 3.1", "alg none", func() string {
			return encode([]byte(`{"alg":"none"}`)) + "." + strings.Split(h.token(t, nil), ".")[1] + "."
		}, false},
		{"8", "RFC 8725 3.1", "HS256 with the public key", by(jose.HS256, public, "one"), false},
		{"8", "RFC 8725 3.1", "HS256 with the public key as PEM", by(jose.HS256, text, "one"), false},
		{"8", "RFC 8725 3.1", "PS256, which is not allowed", by(jose.PS256, h.key, "one"), false},
		{"8", "RFC 8725 3.1", "ES256 under an RSA key's id", by(jose.ES256, curve, "one"), false},
		{"8", "RFC 8725 3.1", "EdDSA under an RSA key's id", by(jose.EdDSA, edwards, "one"), false},
		{"8", "RFC 8725 3.1", "another's key under a known id", by(jose.RS256, stranger, "one"), false},
		{"9", "OIDC Core 10.1.1", "unknown key id", by(jose.RS256, h.key, "two"), false},
		{"10", "RFC 8725 3.10", "jku to another's keys", func() string {
			return sign(t, jose.RS256, stranger, map[string]any{"kid": "theirs", "jku": "http://127.0.0.1:1/keys"}, h.claims(nil))
		}, false},
		{"10", "RFC 8725 3.10", "embedded jwk", func() string {
			jwk := jose.JSONWebKey{Key: stranger.Public(), KeyID: "theirs"}
			return sign(t, jose.RS256, stranger, map[string]any{"jwk": jwk}, h.claims(nil))
		}, false},
		{"10", "RFC 7797", "b64 false", with(map[string]any{"b64": true, "crit": []string{"b64"}}, nil), false},
		{"10", "RFC 7515 4.1.11", "unknown crit", with(map[string]any{"crit": []string{"x"}, "x": 1}, nil), false},
		{"11", "RFC 9068", "typ JWT where the entry asks none", with(map[string]any{"typ": "JWT"}, nil), true},
		{"11", "RFC 8725 3.11", "typ logout+jwt", with(map[string]any{"typ": "logout+jwt"}, nil), false},
		{"11", "OIDC Core", "id_token: nonce", claim("nonce", "n"), false},
		{"11", "OIDC Core", "id_token: at_hash", claim("at_hash", "x"), false},
		{"11", "OIDC BC-Logout", "logout token: events", claim("events", map[string]any{}), false},
		{"12", "RFC 7519 4.1.3", "aud of another", claim("aud", "https://other.example"), false},
		{"12", "RFC 7519 4.1.3", "aud missing", claim("aud", nil), false},
		{"12", "RFC 7519 4.1.3", "aud a prefix of ours", claim("aud", "https://api.exampl"), false},
		{"12", "RFC 7519 4.1.3", "aud among others", claim("aud", []string{"x", "https://api.example"}), true},
		{"13", "RFC 7519 4.1.4", "exp missing", claim("exp", nil), false},
		{"13", "RFC 7519 4.1.4", "exp past, beyond skew", claim("exp", in(-11*time.Second)), false},
		{"13", "RFC 7519 4.1.4", "exp past, within skew", claim("exp", in(-5*time.Second)), true},
		{"13", "RFC 7519 4.1.4", "exp a string", claim("exp", "4000000000"), false},
		{"13", "RFC 7519 4.1.6", "iat in the future, within skew", claim("iat", in(5*time.Second)), true},
		{"13", "RFC 7519 4.1.6", "iat in the future", claim("iat", in(time.Minute)), false},
		{"13", "RFC 7519 4.1.5", "nbf in the future", claim("nbf", in(time.Minute)), false},
		{"34", "RFC 8725 3.8", "iss of another", claim("iss", "https://evil.example"), false},
		{"34", "RFC 8725 3.8", "iss with a slash more", claim("iss", h.URL+"/"), false},
		{"34", "RFC 8725 3.8", "iss missing", claim("iss", nil), false},
	}
	for _, r := range rows {
		_, err := p.Verify(t.Context(), secret(r.token()))
		got := map[bool]string{true: "accepted", false: "refused"}[err == nil]
		t.Logf("row %-3s %-16s %-38s %s", r.row, r.rfc, r.name, got)
		if (err == nil) != r.accepted {
			t.Errorf("row %s, %s: %v", r.row, r.name, err)
		}
	}
	if n := h.fetches.Load(); n != 1 {
		t.Errorf("%d fetches of keys, want one", n)
	}
}
