package authn_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/authn"
)

// keyPEM returns a new key on a curve as a file has it.
func keyPEM(t *testing.T, on elliptic.Curve) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(on, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// keyFile writes a file of keys.
func keyFile(t *testing.T, keys ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shared.key")
	if err := os.WriteFile(path, bytes.Join(keys, []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sharing is a server with a file of keys.
type sharing struct {
	*authn.Issuer

	who *authn.Authenticator
}

func share(t *testing.T, keys ...[]byte) sharing {
	t.Helper()
	issuer, err := authn.ReadIssuerKeys(keyFile(t, keys...))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := issuer.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	who, err := authn.New(authn.Config{Verifiers: []authn.Verifier{verifier}})
	if err != nil {
		t.Fatal(err)
	}
	return sharing{issuer, who}
}

// TestRotation puts a new key into the file of servers that are started again one after the other:
// at no time does one refuse what another has signed, and in the end the old key's tokens are void.
func TestRotation(t *testing.T) {
	before, after := keyPEM(t, elliptic.P256()), keyPEM(t, elliptic.P256())
	var last authn.Secret
	for step, files := range [][2][][]byte{ // of two servers
		{{before}, {before}},
		{{before, after}, {before}},
		{{before, after}, {before, after}},
		{{after, before}, {before, after}},
		{{after, before}, {after, before}},
		{{after}, {after, before}},
		{{after}, {after}},
	} {
		servers := [2]sharing{share(t, files[0]...), share(t, files[1]...)}
		for _, by := range servers {
			text, err := by.Sign(authn.UserClaims(authn.TokenUser{UserID: 7}))
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range servers {
				if who, err := at.who.Authenticate(t.Context(), authn.Secret(text)); err != nil || who.UserID != 7 {
					t.Errorf("step %d: %+v, %v", step, who, err)
				}
			}
			if step == 0 {
				last = authn.Secret(text)
			}
		}
		for n, at := range servers {
			knows := slices.ContainsFunc(files[n], func(key []byte) bool { return bytes.Equal(key, before) })
			if _, err := at.who.Authenticate(t.Context(), last); (err == nil) != knows {
				t.Errorf("step %d: a token of the beginning: %v", step, err)
			}
		}
	}
}

// TestFileOfKeys signs with the first key of a file, publishes all, and takes nothing else.
func TestFileOfKeys(t *testing.T) {
	first, second := keyPEM(t, elliptic.P256()), keyPEM(t, elliptic.P256())
	i := share(t, first, second)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(must(t)(i.JWKS()), &set); err != nil {
		t.Fatal(err)
	}
	var published []string
	for _, k := range set.Keys {
		if !k.IsPublic() {
			t.Fatal("a private key is published")
		}
		published = append(published, k.KeyID)
	}
	alone := share(t, first).KeyIDs()
	if ids := i.KeyIDs(); len(ids) != 2 || !slices.Equal(ids, published) || ids[0] != alone[0] {
		t.Errorf("ids %v, published %v, of the first %v", ids, published, alone)
	}
	text, err := i.Sign(map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || signed.Signatures[0].Protected.KeyID != alone[0] {
		t.Errorf("signed by %+v, %v", signed, err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})
	for says, keys := range map[string][][]byte{
		"no PEM block":   nil,
		"twice":          {first, second, first},
		"on P-256":       {first, keyPEM(t, elliptic.P384())},
		"something else": {first, public},
		"than PEM":       {first, []byte("and a word")},
	} {
		if _, err := authn.ReadIssuerKeys(keyFile(t, keys...)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	path := keyFile(t, first)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := authn.ReadIssuerKeys(path); err == nil || !strings.Contains(err.Error(), "0644") {
		t.Errorf("a file that all may read: %v", err)
	}
}
