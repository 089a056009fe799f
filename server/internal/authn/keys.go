package authn

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// ReasonAPIKeyNotFound is given when there is no API key of the id.
const ReasonAPIKeyNotFound fault.Reason = "API_KEY_NOT_FOUND" //nolint:gosec // a reason, not a credential

// noSuchKey is said of every API key that is not right, whatever is wrong with it: who
// guesses learns nothing.
const noSuchKey = "the API key is not valid"

// KeyStore keeps API keys.
type KeyStore interface {
	// PutAPIKey keeps a key; it is there after a restart when it returns nil.
	PutAPIKey(ctx context.Context, k APIKey) error
	// APIKeys returns all keys.
	APIKeys(ctx context.Context) ([]APIKey, error)
	// DeleteAPIKey removes a key and says whether it was there.
	DeleteAPIKey(ctx context.Context, id string) (bool, error)
}

// KeysConfig is what Keys need.
type KeysConfig struct {
	// Store keeps the keys.
	Store KeyStore
	// Admin is the data directory's key, which is valid besides those of the store. The
	// zero APIKey is none.
	Admin APIKey
}

// Keys are the API keys of services, in memory and in a store. They are safe for
// concurrent use.
type Keys struct {
	store KeyStore
	admin APIKey

	mu    sync.Mutex // of writers; readers take the map as it is
	known atomic.Pointer[map[string]APIKey]
}

// NewKeys returns the keys. Until Load, none but the admin key is valid.
func NewKeys(c KeysConfig) (*Keys, error) {
	if c.Store == nil {
		return nil, fmt.Errorf("API keys need a store")
	}
	k := &Keys{store: c.Store, admin: c.Admin}
	k.publish(nil)
	return k, nil
}

// Load reads the keys of the store.
func (k *Keys) Load(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	stored, err := k.store.APIKeys(ctx)
	if err != nil {
		return fmt.Errorf("load the API keys: %w", err)
	}
	known := make(map[string]APIKey, len(stored))
	for _, key := range stored {
		known[key.ID] = key
	}
	k.publish(known)
	return nil
}

// Create makes a key and returns it with its text, which cannot be had again. A zero
// expires makes a key without end. Names need not be unique. The error is an Invalid fault
// when an argument is wrong.
func (k *Keys) Create(ctx context.Context, name string, scopes []caller.Scope, expires time.Time) (APIKey, Secret, error) {
	// In what a store keeps whole, so that a key looks the same after a restart.
	now, expires := time.Now().UTC().Truncate(time.Millisecond), expires.UTC().Truncate(time.Millisecond)
	if err := checkNewKey(name, scopes, expires, now); err != nil {
		return APIKey{}, "", err
	}
	key, text := newKey(name, slices.Clone(scopes), now, expires)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.store.PutAPIKey(ctx, key); err != nil {
		return APIKey{}, "", fmt.Errorf("keep API key %s: %w", key.ID, err)
	}
	known := maps.Clone(*k.known.Load())
	known[key.ID] = key
	k.publish(known)
	return key, text, nil
}

// List returns the keys by name, without the admin key.
func (k *Keys) List() []APIKey {
	known := *k.known.Load()
	keys := make([]APIKey, 0, len(known))
	for id, key := range known {
		if id != k.admin.ID {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b APIKey) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return keys
}

// Revoke ends a key: when it returns nil, and even when the store fails, the key is not
// valid here any more. The error is a NotFound fault when there is no such key; the admin
// key is ended by deleting its file and starting anew.
func (k *Keys) Revoke(ctx context.Context, id string) error {
	if id == k.admin.ID && id != "" {
		return fault.New(fault.Precondition, "ADMIN_KEY",
			"the admin key is ended by deleting admin.key in the data directory and starting the server again")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	// Memory first: a store that fails must not keep a revoked key alive.
	known := maps.Clone(*k.known.Load())
	_, held := known[id]
	delete(known, id)
	k.publish(known)
	stored, err := k.store.DeleteAPIKey(ctx, id)
	switch {
	case err != nil:
		return fmt.Errorf("remove API key %s: %w", id, err)
	case !held && !stored:
		return fault.New(fault.NotFound, ReasonAPIKeyNotFound, "there is no such API key")
	}
	return nil
}

// publish makes the keys, and the admin key, those that are valid.
func (k *Keys) publish(known map[string]APIKey) {
	if known == nil {
		known = make(map[string]APIKey)
	}
	if k.admin.ID != "" {
		known[k.admin.ID] = k.admin // last, so that no row of the store can take its place
	}
	k.known.Store(&known)
}

// verify returns whose key it is.
func (k *Keys) verify(s Secret, now time.Time) (caller.Caller, error) {
	id, wellFormed := keyID(s)
	key, found := (*k.known.Load())[id]
	// An unknown id is compared with the zero hash, so that it takes as long as a known one.
	hash := sha256.Sum256([]byte(s))
	same := subtle.ConstantTimeCompare(hash[:], key.Hash[:]) == 1
	if !wellFormed || !found || !same {
		return caller.Caller{}, invalid(noSuchKey)
	}
	// Said only to who has the secret.
	if !key.Expires.IsZero() && !now.Before(key.Expires) {
		return caller.Caller{}, invalid("the API key has expired")
	}
	return caller.Caller{Kind: caller.Service, Name: key.Name, Scopes: key.Scopes}, nil
}
