package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// How long keys are believed.
const (
	// KeysInterval is the least time between two requests for the keys of an issuer.
	KeysInterval = 30 * time.Second
	// KeysFresh is after how long keys are asked for again, while the old ones are in use.
	KeysFresh = 10 * time.Minute
	// KeysStale is how long keys are used when the issuer cannot be reached.
	KeysStale = 24 * time.Hour
)

// keys are an issuer's public keys. They implement oidc.KeySet.
type keys struct {
	client     *http.Client
	address    func(context.Context) (string, error)
	algorithms []jose.SignatureAlgorithm
	now        func() time.Time
	logger     *slog.Logger

	mu         sync.Mutex // of who fetches
	tried      time.Time  // under mu
	current    atomic.Pointer[fetched]
	generation atomic.Uint64
	refreshing atomic.Bool
}

// fetched is the keys as they came.
type fetched struct {
	byID map[string][]jose.JSONWebKey
	at   time.Time
}

// VerifySignature returns the payload of a token that one of the keys has signed.
func (k *keys) VerifySignature(ctx context.Context, text string) ([]byte, error) {
	payload, _, err := k.verify(ctx, text)
	return payload, err
}

func (k *keys) verify(ctx context.Context, text string) ([]byte, jose.Header, error) {
	signed, err := jose.ParseSignedCompact(text, k.algorithms)
	if err != nil {
		return nil, jose.Header{}, refused("the token is malformed, or its algorithm is not one that its issuer may use")
	}
	header := signed.Signatures[0].Protected
	if _, unencoded := header.ExtraHeaders["b64"]; unencoded {
		return nil, header, refused("the token's header b64 is not supported")
	}
	candidates, err := k.find(ctx, header)
	if err != nil {
		return nil, header, err
	}
	for _, key := range candidates {
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, header, nil
		}
	}
	return nil, header, refused("the token's signature is wrong")
}

// find returns the keys that may have signed a token with the header. An unknown key id is
// asked for once in KeysInterval: whoever sends random ones makes no more requests than that.
func (k *keys) find(ctx context.Context, header jose.Header) ([]jose.JSONWebKey, error) {
	now := k.current.Load()
	if now == nil || k.now().Sub(now.at) > KeysStale {
		if err := k.fetch(ctx, now); err != nil {
			return nil, unavailable("the keys of the token's issuer cannot be had now").Because(err)
		}
		now = k.current.Load()
	}
	found := now.fit(header)
	if len(found) == 0 {
		if err := k.fetch(ctx, now); err == nil {
			found = k.current.Load().fit(header)
		}
	} else if k.now().Sub(now.at) > KeysFresh {
		k.refresh(now)
	}
	if len(found) == 0 {
		return nil, refused("the token is signed by an unknown key")
	}
	return found, nil
}

// fit returns the keys under the header's id that its algorithm can be of.
func (f *fetched) fit(header jose.Header) []jose.JSONWebKey {
	candidates := f.byID[header.KeyID]
	if header.KeyID == "" { // which names a key only where there is one
		for _, some := range f.byID {
			candidates = append(candidates, some...)
		}
		if len(candidates) != 1 {
			return nil
		}
	}
	return slices.DeleteFunc(slices.Clone(candidates), func(key jose.JSONWebKey) bool {
		return key.Algorithm != "" && key.Algorithm != header.Algorithm
	})
}

// refresh asks for the keys while those at hand are in use.
func (k *keys) refresh(seen *fetched) {
	if !k.refreshing.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer k.refreshing.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), answerTime)
		defer cancel()
		_ = k.fetch(ctx, seen) // logged there; the old ones go on
	}()
}

var errTooSoon = errors.New("the keys were asked for a moment ago")

// fetch asks for the keys, unless somebody has since the caller looked, or too short ago.
func (k *keys) fetch(ctx context.Context, seen *fetched) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current.Load() != seen {
		return nil
	}
	if !k.tried.IsZero() && k.now().Sub(k.tried) < KeysInterval {
		return errTooSoon
	}
	k.tried = k.now()
	// The caller may go away; what he has begun is of use to the next.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	byID, err := k.request(ctx)
	if err != nil {
		k.logger.WarnContext(ctx, "the keys of an issuer cannot be had", "error", err)
		return err
	}
	k.current.Store(&fetched{byID: byID, at: k.now()})
	if seen != nil && lost(seen.byID, byID) {
		// After the exchange: whoever read the old generation may have seen an old key.
		k.generation.Add(1)
	}
	return nil
}

// lost reports whether a key is gone.
func lost(was, is map[string][]jose.JSONWebKey) bool {
	for id, old := range was {
		for _, key := range old {
			text, err := key.MarshalJSON()
			if err != nil || !slices.ContainsFunc(is[id], func(k jose.JSONWebKey) bool {
				other, err := k.MarshalJSON()
				return err == nil && string(other) == string(text)
			}) {
				return true
			}
		}
	}
	return false
}

func (k *keys) request(ctx context.Context) (map[string][]jose.JSONWebKey, error) {
	address, err := k.address(ctx)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the keys: %w", err)
	}
	answer, err := k.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for the keys: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for the keys: status %d: %w", answer.StatusCode, err)
	}
	return readKeys(text)
}

// readKeys reads a JSON Web Key Set. A key that is not for us, such as one of a kind that we
// do not know, does not spoil the others; a set with none that is leaves the old one.
func readKeys(text []byte) (map[string][]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("the keys are no JSON Web Key Set: %w", err)
	}
	byID := make(map[string][]jose.JSONWebKey)
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
			continue
		}
		byID[key.KeyID] = append(byID[key.KeyID], key)
	}
	if len(byID) == 0 {
		return nil, errors.New("the JSON Web Key Set has no public key for signatures")
	}
	return byID, nil
}

// refused returns the fault of a token that is not valid.
func refused(public string) *fault.Error {
	return fault.New(fault.Unauthenticated, fault.ReasonCredentialsInvalid, "%s", public)
}

func unavailable(public string) *fault.Error {
	return fault.New(fault.Unavailable, fault.ReasonUnavailable, "%s", public)
}
