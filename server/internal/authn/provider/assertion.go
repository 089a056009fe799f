package provider

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// assertionTime is how long a provider may take a client's assertion: as long as a
	// request takes, and clocks differ.
	assertionTime = time.Minute
	minRSABits    = 2048
)

// readClientKey reads a private key by which a client shows who it is: a PEM of PKCS #8, or a
// JSON Web Key. Its id is its own, or else its thumbprint (RFC 7638).
func readClientKey(path string) (jose.JSONWebKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	var key jose.JSONWebKey
	if block, _ := pem.Decode(text); block != nil {
		if key.Key, err = x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
			return key, errors.New("the file is no private key in PKCS #8")
		}
	} else if err := key.UnmarshalJSON(text); err != nil {
		return key, errors.New("the file is neither a PEM nor a JSON Web Key")
	}
	switch k := key.Key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < minRSABits {
			return key, fmt.Errorf("the key has less than %d bits", minRSABits)
		}
		if key.Algorithm != string(jose.PS256) {
			key.Algorithm = string(jose.RS256)
		}
	case *ecdsa.PrivateKey:
		if k.Curve != elliptic.P256() {
			return key, errors.New("the key's curve is not P-256")
		}
		key.Algorithm = string(jose.ES256)
	default:
		return key, errors.New("the key is neither RSA nor of P-256")
	}
	key.Use = "sig"
	if key.KeyID == "" {
		sum, err := key.Thumbprint(crypto.SHA256)
		if err != nil {
			return key, err
		}
		key.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	}
	return key, nil
}

// ClientKeys returns the public halves of the keys by which the provider's client shows who
// it is, for the provider to fetch.
func (p *Provider) ClientKeys() []jose.JSONWebKey {
	var all []jose.JSONWebKey
	for _, k := range p.secrets.keys {
		all = append(all, k.Public())
	}
	return all
}

// asClient returns what sends the client's own requests. A client that has a key shows in each
// who it is by an assertion (private_key_jwt, RFC 7523), which nobody else can use later or
// elsewhere.
func (p *Provider) asClient() *http.Client {
	if len(p.secrets.keys) == 0 {
		return p.client
	}
	asserting := *p.client
	asserting.Transport = assertions{p}
	return &asserting
}

// assertions adds an assertion to every form.
type assertions struct{ provider *Provider }

// RoundTrip implements http.RoundTripper.
func (a assertions) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, fmt.Errorf("read the client's request: %w", err)
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, errors.New("the client's request is no form")
	}
	assertion, err := a.provider.assert()
	if err != nil {
		return nil, fmt.Errorf("sign the client's assertion: %w", err)
	}
	form.Set("client_id", a.provider.entry.Login.ClientID)
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", assertion)
	body := form.Encode()
	n := r.Clone(r.Context())
	n.Body, n.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	// An assertion is used once. Nobody must send the same request again by himself.
	n.GetBody = nil
	return a.provider.client.Transport.RoundTrip(n)
}

// assert returns a new assertion of the client. Its audience is the issuer, which no endpoint
// of another can be.
func (p *Provider) assert() (string, error) {
	key := p.secrets.keys[0]
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	now, client := p.now(), p.entry.Login.ClientID
	payload, err := json.Marshal(map[string]any{
		"iss": client, "sub": client, "aud": p.entry.Issuer, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(assertionTime).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}
