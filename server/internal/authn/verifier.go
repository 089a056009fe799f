package authn

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"github.com/behalf-authz/behalf/server/internal/caller"
)

// Verifier verifies the tokens of one issuer. The local issuer has one; other issuers
// join by bringing theirs.
type Verifier interface {
	// Issuer returns the iss of the tokens it verifies.
	Issuer() string
	// Generation changes when a key goes, so that nobody relies on a token verified before.
	Generation() uint64
	// Verify returns who bears the token and until when. The error is an Unauthenticated
	// fault when the token is not valid.
	Verify(ctx context.Context, text Secret) (Verified, error)
}

// Verified is what a valid token says.
type Verified struct {
	Caller   caller.Caller
	Identity *Identity // of a token that does not name its user by his id here
	Expires  time.Time
}

// algorithms returns those a key may have. All are of key pairs: with none of them can a
// public key be taken for a shared secret, and "none" is not among them.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.ES256, jose.ES384, jose.ES512, jose.PS256, jose.PS384, jose.PS512,
		jose.RS256, jose.RS384, jose.RS512, jose.EdDSA,
	}
}

// KeySet is the public keys of an issuer, by key id. It is safe for concurrent use.
type KeySet struct {
	keys       atomic.Pointer[map[string]jose.JSONWebKey]
	generation atomic.Uint64
}

// NewKeySet returns a set of keys.
func NewKeySet(keys ...jose.JSONWebKey) (*KeySet, error) {
	var s KeySet
	if err := s.Replace(keys...); err != nil {
		return nil, err
	}
	return &s, nil
}

// Replace makes the set hold these keys and no others. Tokens verified by a key that is
// not among them cease to be valid before it returns.
func (s *KeySet) Replace(keys ...jose.JSONWebKey) error {
	byID := make(map[string]jose.JSONWebKey, len(keys))
	for _, k := range keys {
		if _, twice := byID[k.KeyID]; twice || k.KeyID == "" {
			return fmt.Errorf("key %q: each key must have an id of its own", k.KeyID)
		}
		if !k.Valid() || !k.IsPublic() || !slices.Contains(algorithms(), jose.SignatureAlgorithm(k.Algorithm)) {
			return fmt.Errorf("key %q: not a public key with a signature algorithm", k.KeyID)
		}
		byID[k.KeyID] = k
	}
	s.keys.Store(&byID)
	// After the exchange: whoever read the old generation may have seen an old key.
	s.generation.Add(1)
	return nil
}

// TokenVerifier verifies tokens by a set of keys.
type TokenVerifier struct {
	issuer string
	keys   *KeySet
}

// NewTokenVerifier returns a verifier of the issuer's tokens.
func NewTokenVerifier(issuer string, keys *KeySet) *TokenVerifier {
	return &TokenVerifier{issuer: issuer, keys: keys}
}

// Issuer returns the iss of the tokens it verifies.
func (v *TokenVerifier) Issuer() string { return v.issuer }

// Generation changes when a key goes.
func (v *TokenVerifier) Generation() uint64 { return v.keys.generation.Load() }

// Verify returns who bears the token and until when.
func (v *TokenVerifier) Verify(_ context.Context, text Secret) (Verified, error) {
	payload, err := v.payload(text)
	if err != nil {
		return Verified{}, err
	}
	// Claims are read only now that the signature has shown whose they are.
	var c tokenClaims
	if err := json.Unmarshal(payload, &c); err != nil {
		return Verified{}, invalid("the token's claims are malformed")
	}
	if c.Issuer != v.issuer {
		return Verified{}, invalid("the token is of another issuer")
	}
	if err := c.current(time.Now()); err != nil {
		return Verified{}, err
	}
	who, err := c.caller()
	if err != nil {
		return Verified{}, err
	}
	return Verified{Caller: who, Expires: c.Expires.Time}, nil
}

// payload returns the claims of a token whose signature is right. The key is the one the
// set has under the token's key id, never one that the token brings, and the algorithm is
// the key's, never the token's choice.
func (v *TokenVerifier) payload(text Secret) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(string(text), algorithms())
	if err != nil {
		return nil, invalid("the token is malformed, or its algorithm is not accepted")
	}
	header := signed.Signatures[0].Protected
	key, ok := (*v.keys.keys.Load())[header.KeyID]
	if !ok {
		return nil, invalid("the token is signed by an unknown key")
	}
	if header.Algorithm != key.Algorithm {
		return nil, invalid("the token's algorithm is not that of its key")
	}
	payload, err := signed.Verify(key.Key)
	if err != nil {
		return nil, invalid("the token's signature is wrong")
	}
	return payload, nil
}

// issuerOf returns the issuer that a token claims, for choosing its verifier and nothing
// else: the claim is not verified here.
func issuerOf(text Secret) (string, error) {
	parts := strings.Split(string(text), ".")
	if len(parts) != 3 {
		return "", invalid("the credentials are neither a token nor an API key")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", invalid("the token is malformed")
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &c); err != nil || c.Issuer == "" {
		return "", invalid("the token's claims are malformed, or name no issuer")
	}
	return c.Issuer, nil
}

// byIssuer returns the verifiers by their issuer.
func byIssuer(verifiers []Verifier) (map[string]Verifier, error) {
	m := make(map[string]Verifier, len(verifiers))
	for _, v := range verifiers {
		if m[v.Issuer()] != nil || v.Issuer() == "" {
			return nil, fmt.Errorf("issuer %q: each issuer must have a name and one verifier", v.Issuer())
		}
		m[v.Issuer()] = v
	}
	return m, nil
}
