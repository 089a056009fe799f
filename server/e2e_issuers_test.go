package server_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server"
)

// TestForeignTokens has tokens of three issuers, with one key and the same claims, open what
// each issuer is believed for and nothing else.
func TestForeignTokens(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Algorithm: "RS256"}}})
	}))
	t.Cleanup(keys.Close)
	dir := t.TempDir()
	file, text := filepath.Join(dir, "issuers.yaml"), "issuers:\n"
	for name, rest := range map[string]string{
		"subject": "believe: [subject]", "pid": "believe: [pid]", "made": "believe: [subject], provision: true",
		"scopes": "believe: [scopes]", "ours": "believe: [behalf]", "altinn": "believe: [altinn]",
	} {
		text += fmt.Sprintf("  - {name: %s, issuer: 'https://%s.example', jwks: '%s', bearer: {audiences: [api]}, %s}\n", name, name, keys.URL, rest)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startAltinnServerWith(t, server.Config{DataDir: filepath.Join(dir, "data"), Login: server.LoginConfig{IssuersFile: file}})
	s.loadSmallRegister()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "one"))
	if err != nil {
		t.Fatal(err)
	}
	token := func(issuer string, other map[string]any) string {
		all := map[string]any{
			"iss": "https://" + issuer + ".example", "aud": "api", "sub": "kari", "client_id": "web",
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		}
		maps.Copy(all, other)
		payload, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: Bearer " + compact
	}
	person := map[string]any{"pid": "07124912037", "urn:altinn:userid": 20000490, "urn:altinn:partyid": 50002598, "scope": "behalf:admin"}
	program := map[string]any{"sub": "web", "scope": "behalf:admin behalf:parties.read"}
	for _, row := range []struct {
		issuer string
		claims map[string]any
		target string
		status int
		text   string
		not    string
	}{
		{"subject", person, "/v1/caller", 200, `"subject":"kari"`, `"userId":"2`},
		{"subject", person, "/v1/parties", 200, "", "FJELLHEIM"},
		{"subject", person, "/v1/parties?userId=20000490", 403, "OTHER_USER", ""},
		{"subject", person, "/v1/parties/50076451/roles", 200, "", "DAGL"},
		{"subject", person, "/authorization/api/v1/parties?userid=20000490", 403, "", "FJELLHEIM"},
		{"pid", person, "/v1/caller", 200, `"userId":"20000490"`, ""},
		{"pid", person, "/v1/parties", 200, "FJELLHEIM", ""},
		{"pid", map[string]any{"pid": "00000000000"}, "/v1/parties", 200, "", "FJELLHEIM"},
		{"altinn", person, "/v1/parties", 200, "FJELLHEIM", ""},
		{"made", person, "/v1/parties", 200, "made ", "FJELLHEIM"},
		{"scopes", person, "/v1/parties", 200, "", "FJELLHEIM"},
		{"subject", program, "/v1/parties?userId=20000490", 403, "SCOPE_MISSING", ""},
		{"scopes", program, "/v1/parties?userId=20000490", 403, "SCOPE_MISSING", ""},
		{"ours", program, "/v1/parties?userId=20000490", 200, "FJELLHEIM", ""},
		{"ours", map[string]any{"sub": "web", "scope": "behalf:gateway"}, "/v1/parties?userId=20000490", 403, "SCOPE_MISSING", ""},
		{"unknown", person, "/v1/caller", 401, "CREDENTIALS_INVALID", ""},
		{"pid", map[string]any{"pid": "07124912037", "aud": "other"}, "/v1/caller", 401, "CREDENTIALS_INVALID", ""},
	} {
		status, body := s.get(t, http.MethodGet, row.target, token(row.issuer, row.claims))
		body = strings.ReplaceAll(body, `": `, `":`)
		if status != row.status || !strings.Contains(body, row.text) || row.not != "" && strings.Contains(body, row.not) {
			t.Errorf("%s as %s: %d %s", row.target, row.issuer, status, body)
		}
	}
	// A user that is made is made once, and is the same at his next token.
	_, first := s.get(t, http.MethodGet, "/v1/caller", token("made", nil))
	_, second := s.get(t, http.MethodGet, "/v1/caller", token("made", map[string]any{"jti": "2"}))
	_, other := s.get(t, http.MethodGet, "/v1/caller", token("made", map[string]any{"sub": "ola"}))
	if first != second || first == other || !strings.Contains(first, `"userId"`) {
		t.Errorf("made users: %s, %s, %s", first, second, other)
	}
}
