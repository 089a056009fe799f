package authn

import (
	"time"

	"github.com/behalf-authz/behalf/server/internal/caller"
)

// APIKey is what is kept of a service's key. The secret itself is not kept.
type APIKey struct {
	ID      string // public part, in the key's text and in logs
	Name    string // whose key it is
	Hash    [32]byte
	Scopes  []caller.Scope
	Created time.Time
	Expires time.Time // zero for a key without end
}
