package authn_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// local is a local issuer, its key, and an authenticator that trusts it.
type local struct {
	*authn.Issuer
	dir string
	key *ecdsa.PrivateKey
	kid string
	who *authn.Authenticator
}

func newLocal(t *testing.T) *local {
	t.Helper()
	l := &local{dir: t.TempDir()}
	var err error
	if l.Issuer, err = authn.OpenIssuer(l.dir); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(l.dir, "issuer.key"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(content)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	l.key = parsed.(*ecdsa.PrivateKey)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(must(t)(l.JWKS()), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("JWKS: %v, %v", set, err)
	}
	l.kid = set.Keys[0].KeyID
	verifier, err := l.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	if l.who, err = authn.New(authn.Config{Verifiers: []authn.Verifier{verifier}}); err != nil {
		t.Fatal(err)
	}
	return l
}

func must(t *testing.T) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func (l *local) sign(t *testing.T, claims map[string]any) authn.Secret {
	t.Helper()
	token, err := l.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return authn.Secret(token)
}

// forge returns a token of the header and the payload, signed with the issuer's own key by
// ES256 whatever the header says, so that nothing but what is tested is wrong with it.
func (l *local) forge(t *testing.T, header, payload string) authn.Secret {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, l.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return authn.Secret(input + "." + encode(signature))
}

func (l *local) header(alg string) string {
	return `{"alg":"` + alg + `","kid":"` + l.kid + `"}`
}

func wantRefused(t *testing.T, who *authn.Authenticator, s authn.Secret) {
	t.Helper()
	c, err := who.Authenticate(t.Context(), s)
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != fault.Unauthenticated || e.Reason != fault.ReasonCredentialsInvalid {
		t.Errorf("got %+v, %v; want CREDENTIALS_INVALID", c, err)
	} else if diff := cmp.Diff(caller.Caller{}, c); diff != "" {
		t.Errorf("refused, and yet a caller: %s", diff)
	} else if len(s) > 20 && strings.Contains(err.Error(), string(s[:20])) {
		t.Errorf("the error repeats the credentials: %v", err)
	}
}

func signWith(t *testing.T, alg jose.SignatureAlgorithm, key any, kid, payload string) authn.Secret {
	t.Helper()
	return serialize(t, jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, &jose.SignerOptions{}, payload)
}

// embedded returns a token that brings the key to verify it by.
func embedded(t *testing.T, key *ecdsa.PrivateKey, payload string) authn.Secret {
	t.Helper()
	return serialize(t, jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true}, payload)
}

func serialize(t *testing.T, key jose.SigningKey, options *jose.SignerOptions, payload string) authn.Secret {
	t.Helper()
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return authn.Secret(text)
}
