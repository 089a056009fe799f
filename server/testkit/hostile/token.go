package hostile

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Sign signs claims with a key of any kind, under a header of any content.
func Sign(t testing.TB, alg jose.SignatureAlgorithm, key any, header, claims map[string]any) string {
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

// Sign signs claims as the provider does.
func (p *Provider) Sign(t testing.TB, header, claims map[string]any) string {
	t.Helper()
	return Sign(t, jose.RS256, p.Key, With(map[string]any{"kid": KeyID}, header), claims)
}

// Forge returns a token with a header of any content and a signature of nothing.
func Forge(t testing.TB, header, claims map[string]any, signature []byte) string {
	t.Helper()
	var parts [2]string
	for i, part := range []map[string]any{header, claims} {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(text)
	}
	return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// With returns good claims with others in their place; nil takes one away.
func With(good map[string]any, others ...map[string]any) map[string]any {
	all := maps.Clone(good)
	for _, other := range others {
		for name, value := range other {
			if all[name] = value; value == nil {
				delete(all, name)
			}
		}
	}
	return all
}
