package authn

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// DefaultIssuer is the name of the local issuer, the iss of its tokens.
const DefaultIssuer = "https://behalf.local"

// PlatformIssuer is the iss of a PlatformAccessToken: a token by which a part of Altinn's
// platform says which it is. The local issuer makes and verifies them with its own key.
const PlatformIssuer = "platform"

// DefaultLifetime is how long a token of the local issuer lasts that does not say.
const DefaultLifetime = time.Hour

const issuerFile = "issuer.key"

// Issuer is the local issuer: it signs tokens with a key of its own, or one that servers share, and
// publishes the public half. There may be more keys, whose tokens are still, or already, verified.
type Issuer struct {
	name   string
	keys   []jose.JSONWebKey // public; that of the signer first
	signer jose.Signer
}

// OpenIssuer returns the issuer of a data directory, and makes its key when there is none.
func OpenIssuer(dir string) (*Issuer, error) {
	return issuerFrom(openPrivate(filepath.Join(dir, issuerFile), newIssuerKey))
}

// ReadIssuer returns the issuer of a data directory. The error is fs.ErrNotExist when it
// has no key, for those who must not start a directory by a slip of the keyboard.
func ReadIssuer(dir string) (*Issuer, error) {
	return issuerFrom(readPrivate(filepath.Join(dir, issuerFile)))
}

// ReadIssuerKeys returns the issuer of a file of keys that servers of one database share.
func ReadIssuerKeys(path string) (*Issuer, error) {
	return issuerFrom(readPrivate(path))
}

// As returns the same issuer under another name.
func (i *Issuer) As(name string) *Issuer {
	c := *i
	c.name = name
	return &c
}

// Name returns the iss of the issuer's tokens.
func (i *Issuer) Name() string { return i.name }

// Verifier returns what verifies the issuer's tokens.
func (i *Issuer) Verifier() (*TokenVerifier, error) {
	keys, err := NewKeySet(i.keys...)
	if err != nil {
		return nil, err
	}
	return NewTokenVerifier(i.name, keys), nil
}

// JWKS returns the issuer's public keys as a JSON Web Key Set.
func (i *Issuer) JWKS() ([]byte, error) {
	return json.Marshal(jose.JSONWebKeySet{Keys: i.keys})
}

// KeyIDs returns the ids of the keys that it verifies tokens by. It signs with the first.
func (i *Issuer) KeyIDs() []string {
	ids := make([]string, len(i.keys))
	for n, key := range i.keys {
		ids[n] = key.KeyID
	}
	return ids
}

// Sign returns a token with the claims. It adds iss, iat, exp and jti where they are absent.
func (i *Issuer) Sign(claims map[string]any) (string, error) {
	now := time.Now()
	all := map[string]any{
		"iss": i.name,
		"iat": now.Unix(),
		"exp": now.Add(DefaultLifetime).Unix(),
		"jti": rand.Text(),
	}
	maps.Copy(all, claims)
	payload, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("encode the claims: %w", err)
	}
	signed, err := i.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return signed.CompactSerialize()
}

// newIssuerKey returns a new key as PEM.
func newIssuerKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate the issuer's key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the issuer's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
