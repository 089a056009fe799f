package hostile

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// The paths of its endpoints.
const (
	Discovery     = "/.well-known/openid-configuration"
	JWKS          = "/jwks"
	Authorization = "/auth"
	Token         = "/token"
	UserInfo      = "/me"
	Introspection = "/introspection"
	Revocation    = "/revocation"
	EndSession    = "/end"
)

// KeyID is the id of its key.
const KeyID = "one"

// Provider is an OpenID provider. It is safe for concurrent use.
type Provider struct {
	URL string
	Key *rsa.PrivateKey

	mu      sync.Mutex
	told    map[string]any // by discovery
	answers map[string]http.HandlerFunc
	asked   map[string][]url.Values
}

// NewKey returns a key for a provider, or for who is none.
func NewKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Start starts a provider with a key, well-behaved as yet. It stops with the test.
func Start(t testing.TB, key *rsa.PrivateKey) *Provider {
	t.Helper()
	p := &Provider{Key: key, answers: make(map[string]http.HandlerFunc), asked: make(map[string][]url.Values)}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	p.URL = s.URL
	p.Reset()
	return p
}

// Reset has the provider behave again, and forget what it was asked.
func (p *Provider) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = map[string]any{
		"issuer": p.URL, "jwks_uri": p.URL + JWKS, "authorization_endpoint": p.URL + Authorization, "token_endpoint": p.URL + Token,
		"userinfo_endpoint": p.URL + UserInfo, "introspection_endpoint": p.URL + Introspection, "revocation_endpoint": p.URL + Revocation,
		"end_session_endpoint": p.URL + EndSession, "code_challenge_methods_supported": []string{"S256"},
	}
	clear(p.answers)
	clear(p.asked)
	p.answers[JWKS] = Answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.Public()}})
	p.answers[Revocation] = Answer(map[string]any{})
}

// Public is the key that it signs with, as its key set has it.
func (p *Provider) Public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: p.Key.Public(), KeyID: KeyID, Algorithm: "RS256", Use: "sig"}
}

// Tell has discovery say something else; nil has it say nothing.
func (p *Provider) Tell(name string, value any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told[name] = value; value == nil {
		delete(p.told, name)
	}
}

// On has an endpoint answer something else.
func (p *Provider) On(path string, answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[path] = answer
}

// Answer answers with a value as JSON.
func Answer(value any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	}
}

// Refuse answers with a status and an error of OAuth.
func Refuse(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
	}
}

// HangUp is no answer at all.
func HangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// Asked returns what an endpoint was asked: the parameters of each request.
func (p *Provider) Asked(path string) []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]url.Values(nil), p.asked[path]...)
}

// ServeHTTP answers a request.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(text))
	if id, _, ok := r.BasicAuth(); ok {
		form.Set("by", id) // the client
	}
	p.mu.Lock()
	p.asked[r.URL.Path] = append(p.asked[r.URL.Path], form)
	answer, found := p.answers[r.URL.Path]
	if !found && r.URL.Path == Discovery {
		told := make(map[string]any)
		for name, value := range p.told {
			told[name] = value
		}
		answer, found = Answer(told), true
	}
	p.mu.Unlock()
	if !found {
		http.NotFound(w, r)
		return
	}
	answer(w, r)
}
