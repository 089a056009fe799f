package enforce

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// maxSigned is how many tokens are held to be used again.
const maxSigned = 10_000

// signedTokens are tokens that were signed just now, by what they say. That somebody may pass
// is never held, only who he is. The zero signedTokens is ready.
type signedTokens struct {
	mu     sync.Mutex
	byWhat map[[sha256.Size]byte]signedToken
}

type signedToken struct {
	text  string
	until time.Time // that it is used again
}

// get returns a token with the claims: one that was signed no longer ago than reuse, or a new one.
func (s *signedTokens) get(claims map[string]any, now time.Time, reuse time.Duration, sign func(now time.Time) (string, error)) (string, error) {
	what, err := json.Marshal(claims) // in the order of their names
	if err != nil {
		return "", fmt.Errorf("encode an identity token: %w", err)
	}
	key := sha256.Sum256(what)
	s.mu.Lock()
	found, ok := s.byWhat[key]
	s.mu.Unlock()
	if ok && now.Before(found.until) {
		return found.text, nil
	}
	text, err := sign(now)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byWhat == nil || len(s.byWhat) >= maxSigned {
		s.byWhat = make(map[[sha256.Size]byte]signedToken)
	}
	s.byWhat[key] = signedToken{text, now.Add(reuse)}
	return text, nil
}
