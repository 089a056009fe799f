package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// ID is the SHA-256 of what a browser holds of its session.
type ID [sha256.Size]byte

// Session is a browser's session, as it is kept.
type Session struct {
	ID         ID
	Provider   string // by its name in the issuers file
	Issuer     string
	Subject    string // as the provider calls him
	SID        string // the provider's name of its own session; may be empty
	Identity   Believed
	Tokens     []byte    // sealed
	RenewAfter time.Time // zero when it is not renewed
	Expires    time.Time
	Version    int64  // counts the renewals
	Holder     string // who renews it, until HeldUntil
	HeldUntil  time.Time
	Party      int64     // that its holder last chose to act for, 0 for none
	Seen       time.Time // when it was last noted to be used; zero when nobody has
}

// Believed is what the provider is believed of who has logged in.
type Believed struct {
	Caller   caller.Caller  `json:"caller"`
	Identity authn.Identity `json:"identity"`
}

// Store keeps sessions.
type Store interface {
	// PutSession keeps a new session, and may forget those that ended before now.
	PutSession(ctx context.Context, s Session, now time.Time) error
	// Session returns a session; ok is false when there is none.
	Session(ctx context.Context, id ID) (s Session, ok bool, err error)
	// DeleteSession ends a session and says whether there was one.
	DeleteSession(ctx context.Context, id ID) (bool, error)
	// EndSessions ends those of a provider's session, or all of a subject when sid is empty.
	EndSessions(ctx context.Context, issuer, sid, subject string) error
	// Use says whether what has the hash is used for the first time.
	Use(ctx context.Context, hash [32]byte, now, until time.Time) (bool, error)
}

// Leases keep who renews a session, over all servers of a database.
type Leases interface {
	// HoldSession makes the holder the one who renews, unless the session has another version
	// by now or another holder at the time.
	HoldSession(ctx context.Context, id ID, version int64, holder string, now, until time.Time) (bool, error)
	// RenewSession keeps new tokens, and lets the session go, if the holder holds it.
	RenewSession(ctx context.Context, id ID, holder string, tokens []byte, renewAfter time.Time) (bool, error)
}

// Marks keep what the use of a session changes of it.
type Marks interface {
	// ChooseParty keeps for which party the holder acts; false when there is no such session.
	ChooseParty(ctx context.Context, id ID, party int64) (bool, error)
	// SeeSession notes when it was used last, unless that was noted less than within before.
	SeeSession(ctx context.Context, id ID, at time.Time, within time.Duration) error
}

// secretBytes is how many random bytes a session has: 256 bits.
const secretBytes = 32

// newSecret returns what a browser holds of a new session, and its id.
func newSecret() (authn.Secret, ID) {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // never fails: it ends the process instead
	text := authn.Secret(base64.RawURLEncoding.EncodeToString(random))
	return text, sha256.Sum256([]byte(text))
}

// idOf returns the id of what a browser sends.
func idOf(s authn.Secret) (id ID, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(string(s))
	if err != nil || len(raw) != secretBytes {
		return id, false
	}
	return sha256.Sum256([]byte(s)), true
}
