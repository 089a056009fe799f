package authn

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/caller"
)

// keyPrefix begins the text of every API key: behalf_<id>_<secret>. It lets people and
// scanners of leaked secrets recognize one.
const keyPrefix = "behalf_"

// secretBytes is how many random bytes an API key has: 256 bits.
const secretBytes = 32

// secretSeparator stands between the id of an API key and its secret, which is in base64 of the
// alphabet for URLs, without padding.
const secretSeparator = "_"

// The id of an API key: small letters and digits, so many of them.
const (
	idCharacters = "abcdefghijklmnopqrstuvwxyz0123456789"
	shortestID   = 12
	longestID    = 64
)

// newKey returns a new API key and its text.
func newKey(name string, scopes []caller.Scope, created, expires time.Time) (APIKey, Secret) {
	id := strings.ToLower(rand.Text())
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails: it ends the process instead
	text := Secret(keyPrefix + id + secretSeparator + base64.RawURLEncoding.EncodeToString(secret))
	return APIKey{
		ID: id, Name: name, Hash: sha256.Sum256([]byte(text)),
		Scopes: scopes, Created: created, Expires: expires,
	}, text
}

// keyID returns the public part of an API key's text.
func keyID(s Secret) (id string, ok bool) {
	rest, prefixed := strings.CutPrefix(string(s), keyPrefix)
	id, secret, separated := strings.Cut(rest, secretSeparator)
	if !prefixed || !separated || len(id) < shortestID || len(id) > longestID || strings.Trim(id, idCharacters) != "" {
		return "", false
	}
	var bytes [secretBytes]byte
	if len(secret) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return "", false
	}
	// Strict: one secret has one text.
	n, err := base64.RawURLEncoding.Strict().Decode(bytes[:], []byte(secret))
	return id, err == nil && n == secretBytes
}
