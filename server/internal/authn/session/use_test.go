package session_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// held is a session in records, with a clock.
type held struct {
	*session.Service
	store *records.Store
	now   time.Time

	sees func() // when the use of a session is noted; nil for nothing
}

// SeeSession implements session.Marks, as the records do.
func (h *held) SeeSession(ctx context.Context, id session.ID, at time.Time, within time.Duration) error {
	if h.sees != nil {
		h.sees()
	}
	return h.store.SeeSession(ctx, id, at, within)
}

// ChooseParty implements session.Marks.
func (h *held) ChooseParty(ctx context.Context, id session.ID, party int64) (bool, error) {
	return h.store.ChooseParty(ctx, id, party)
}

func newHeld(t *testing.T) *held {
	t.Helper()
	store, err := records.Open(t.Context(), records.Config{Path: filepath.Join(t.TempDir(), "records.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	logger := slog.New(slog.DiscardHandler)
	idp, err := provider.New(provider.Config{Entry: provider.Entry{
		Name: "idp", Issuer: "https://idp.example", Believe: []provider.Belief{provider.Subject}, Login: &provider.Login{ClientID: "behalf"},
	}, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := session.NextRing(nil, time.Now())
	ring, err := session.ParseRing(text)
	if err != nil {
		t.Fatal(err)
	}
	h := &held{store: store, now: time.Now()}
	h.Service, err = session.New(session.Config{
		Store: store, Leases: store, Marks: h, Ring: ring, Providers: []*provider.Provider{idp}, Users: users{},
		Origin: func() string { return "" }, Idle: 30 * time.Minute, Logger: logger, Now: func() time.Time { return h.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// users says that everybody is user 7.
type users struct{}

func (users) UserOf(context.Context, authn.Identity) (int64, int64, error) { return 7, 1, nil }

// put keeps a session that was seen then.
func (h *held) put(t *testing.T, name string, seen time.Time) authn.Secret {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	secret := base64.RawURLEncoding.EncodeToString(sum[:])
	err := h.store.PutSession(t.Context(), session.Session{
		ID: sha256.Sum256([]byte(secret)), Provider: "idp", Issuer: "https://idp.example", Subject: name, Seen: seen,
		Identity: session.Believed{Caller: caller.Caller{Kind: caller.User}, Identity: authn.Identity{Issuer: "https://idp.example", Subject: name}},
		Tokens:   []byte{}, Expires: h.now.Add(8 * time.Hour),
	}, h.now)
	if err != nil {
		t.Fatal(err)
	}
	return authn.Secret(secret)
}

// TestUnusedSessionsEnd uses one session now and then, and another not.
func TestUnusedSessionsEnd(t *testing.T) {
	h := newHeld(t)
	used, unused, old := h.put(t, "used", h.now), h.put(t, "unused", h.now), h.put(t, "old", time.Time{})
	for range 4 {
		h.now = h.now.Add(25 * time.Minute)
		for _, s := range []authn.Secret{used, old} { // of the one nobody had noted anything before
			if _, err := h.Caller(t.Context(), s); err != nil {
				t.Fatalf("used every 25 minutes: %v", err)
			}
		}
	}
	if _, err := h.Caller(t.Context(), unused); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("unused: %v", err)
	}
	h.now = h.now.Add(-100 * time.Minute) // it is gone, not only closed
	if _, err := h.Caller(t.Context(), unused); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("unused, by an earlier clock: %v", err)
	}
}

// TestUseIsNotedOnce has many requests use a session at once: none notes it beside another.
func TestUseIsNotedOnce(t *testing.T) {
	h := newHeld(t)
	s := h.put(t, "kari", h.now)
	h.now = h.now.Add(2 * time.Minute)
	var at, most atomic.Int64
	h.sees = func() {
		n := at.Add(1)
		defer at.Add(-1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		time.Sleep(20 * time.Millisecond) // so long the others have to come
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := h.Caller(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d requests note its use at once", most.Load())
	}
}

// TestChoice keeps for which party somebody acts, as long as his session lasts.
func TestChoice(t *testing.T) {
	h := newHeld(t)
	kari, ola := h.put(t, "kari", h.now), h.put(t, "ola", h.now)
	if err := h.Choose(t.Context(), kari, 50076451); err != nil {
		t.Fatal(err)
	}
	if who, err := h.Caller(t.Context(), kari); err != nil || who.Chosen != 50076451 || who.UserID != 7 {
		t.Errorf("%+v, %v", who, err)
	}
	if who, err := h.Caller(t.Context(), ola); err != nil || who.Chosen != 0 {
		t.Errorf("another's session: %+v, %v", who, err)
	}
	if _, err := h.End(t.Context(), kari); err != nil {
		t.Fatal(err)
	}
	if err := h.Choose(t.Context(), kari, 1); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("after the end: %v", err)
	}
}
