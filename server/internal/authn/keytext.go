package authn

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/caller"
)

// keyPrefix begins the text of every API key: behalf_<id>_<secret>. It lets people and
// scanners of leaked secrets recognize one.
const keyPrefix = "behalf_"

// secretBytes is how many random bytes an API key has: 256 bits.
const secretBytes = 32

// keyText is the shape of an API key: the id is 26 letters and digits, the secret 32 bytes
// in base64url, of which the last character carries 4 bits.
var keyText = regexp.MustCompile(`^behalf_([a-z0-9]{12,64})_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$`)

// newKey returns a new API key and its text.
func newKey(name string, scopes []caller.Scope, created, expires time.Time) (APIKey, Secret) {
	id := strings.ToLower(rand.Text())
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails: it ends the process instead
	text := Secret(keyPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(secret))
	return APIKey{
		ID: id, Name: name, Hash: sha256.Sum256([]byte(text)),
		Scopes: scopes, Created: created, Expires: expires,
	}, text
}

// keyID returns the public part of an API key's text.
func keyID(s Secret) (id string, ok bool) {
	m := keyText.FindStringSubmatch(string(s))
	if m == nil {
		return "", false
	}
	return m[1], true
}
