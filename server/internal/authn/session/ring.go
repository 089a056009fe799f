package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	ringKeyBytes = 32
	ringIDBytes  = 8
	// ringAge is how old the key may be that seals, before another is made.
	ringAge = 30 * 24 * time.Hour
	// ringKeep is how many keys are kept: what the oldest has sealed has long expired.
	ringKeep = 4
)

// errSealed is given for what none of the keys has sealed. It says no more: who guesses learns nothing.
var errSealed = errors.New("it is not sealed with a key of ours")

// Ring is keys that seal what is kept or sent away. The first seals; all open.
type Ring struct{ keys []ringKey }

type ringKey struct {
	id   [ringIDBytes]byte
	aead cipher.AEAD
}

// ParseRing reads keys, a line each: when it was made, a space, and 32 bytes in base64.
func ParseRing(text []byte) (*Ring, error) {
	var r Ring
	for line := range strings.Lines(string(text)) {
		_, encoded, found := strings.Cut(strings.TrimSpace(line), " ")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !found || err != nil || len(key) != ringKeyBytes {
			return nil, errors.New("a line of the session keys is not a time and 32 bytes in base64")
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("the session keys: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("the session keys: %w", err)
		}
		sum := sha256.Sum256(append([]byte("behalf session key id"), key...))
		r.keys = append(r.keys, ringKey{[ringIDBytes]byte(sum[:]), aead})
	}
	if len(r.keys) == 0 {
		return nil, errors.New("there is no session key")
	}
	return &r, nil
}

// NextRing returns the text of a ring with a new key before the others, when the first is too
// old or there is none. changed is false when it may stay as it is.
func NextRing(text []byte, now time.Time) (next []byte, changed bool) {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	made, _, _ := strings.Cut(lines[0], " ")
	if first, err := time.Parse(time.RFC3339, made); err == nil && now.Sub(first) < ringAge {
		return text, false
	}
	key := make([]byte, ringKeyBytes)
	_, _ = rand.Read(key) // never fails: it ends the process instead
	line := now.UTC().Format(time.RFC3339) + " " + base64.StdEncoding.EncodeToString(key)
	if lines[0] == "" {
		lines = nil
	}
	lines = append([]string{line}, lines...)
	return []byte(strings.Join(lines[:min(len(lines), ringKeep)], "\n") + "\n"), true
}

// Seal returns a text that only a ring with the key opens, and only for the same purpose.
func (r *Ring) Seal(text []byte, purpose string) []byte {
	k := r.keys[0]
	return k.aead.Seal(k.id[:], nil, text, []byte(purpose)) //nolint:gosec // it makes its nonce itself
}

// Open returns what Seal was given.
func (r *Ring) Open(sealed []byte, purpose string) ([]byte, error) {
	if len(sealed) < ringIDBytes {
		return nil, errSealed
	}
	for _, k := range r.keys {
		if k.id == [ringIDBytes]byte(sealed) {
			text, err := k.aead.Open(nil, nil, sealed[ringIDBytes:], []byte(purpose))
			if err != nil {
				return nil, errSealed
			}
			return text, nil
		}
	}
	return nil, errSealed
}
