package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
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

// Issuer is the local issuer: it signs tokens for trying and testing with the key of a
// data directory, and publishes the public half.
type Issuer struct {
	name   string
	key    jose.JSONWebKey // public
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
	keys, err := NewKeySet(i.key)
	if err != nil {
		return nil, err
	}
	return NewTokenVerifier(i.name, keys), nil
}

// JWKS returns the issuer's public key as a JSON Web Key Set.
func (i *Issuer) JWKS() ([]byte, error) {
	return json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.key}})
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

// issuerFrom makes an issuer of the content of its key file.
func issuerFrom(content []byte, err error) (*Issuer, error) {
	if err != nil {
		return nil, fmt.Errorf("open the issuer's key: %w", err)
	}
	private, err := parseIssuerKey(content)
	if err != nil {
		return nil, fmt.Errorf("the issuer's key: %w", err)
	}
	public := jose.JSONWebKey{Key: private.Public(), Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("the issuer's key: %w", err)
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: public.KeyID}},
		(&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		return nil, fmt.Errorf("the issuer's key: %w", err)
	}
	return &Issuer{name: DefaultIssuer, key: public, signer: signer}, nil
}

func parseIssuerKey(content []byte) (*ecdsa.PrivateKey, error) {
	block, rest := pem.Decode(content)
	if block == nil || block.Type != "PRIVATE KEY" || len(rest) != 0 {
		return nil, fmt.Errorf("the file is not one PEM block of type PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("the key is not an ECDSA key on P-256")
	}
	return key, nil
}
