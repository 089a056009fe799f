package authn_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// service is the keys of a real store, and an authenticator that knows them.
type service struct {
	store *records.Store
	keys  *authn.Keys
	who   *authn.Authenticator
}

func newService(t *testing.T, admin authn.APIKey) *service {
	t.Helper()
	store, err := records.Open(t.Context(), records.Config{Path: filepath.Join(t.TempDir(), "records.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &service{store: store}
	s.open(t, store, admin)
	return s
}

// open makes the keys and the authenticator as a server does when it starts.
func (s *service) open(t *testing.T, store authn.KeyStore, admin authn.APIKey) {
	t.Helper()
	var err error
	if s.keys, err = authn.NewKeys(authn.KeysConfig{Store: store, Admin: admin}); err != nil {
		t.Fatal(err)
	}
	if err := s.keys.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.who, err = authn.New(authn.Config{Keys: s.keys}); err != nil {
		t.Fatal(err)
	}
}

func (s *service) create(t *testing.T, expires time.Time, scopes ...caller.Scope) (authn.APIKey, authn.Secret) {
	t.Helper()
	key, secret, err := s.keys.Create(t.Context(), "billing", scopes, expires)
	if err != nil {
		t.Fatal(err)
	}
	return key, secret
}

func TestAPIKey(t *testing.T) {
	s := newService(t, authn.APIKey{})
	key, secret := s.create(t, time.Now().Add(time.Hour), caller.Check, caller.PartiesRead)
	if !regexp.MustCompile(`^behalf_[a-z0-9]{12,}_[A-Za-z0-9_-]{43}$`).MatchString(string(secret)) {
		t.Errorf("the key's text has another shape")
	}
	if key.Hash != sha256.Sum256([]byte(secret)) {
		t.Errorf("the hash is not that of the text")
	}
	want := caller.Caller{Kind: caller.Service, Name: "billing", Scopes: []caller.Scope{caller.Check, caller.PartiesRead}}
	got, err := s.who.Authenticate(t.Context(), secret)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}

	s.open(t, s.store, authn.APIKey{}) // starts anew
	if _, err := s.who.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if diff := cmp.Diff([]authn.APIKey{key}, s.keys.List()); diff != "" {
		t.Errorf("list after a restart (-want +got):\n%s", diff)
	}
}

func TestWrongAPIKeys(t *testing.T) {
	s := newService(t, authn.APIKey{})
	key, secret := s.create(t, time.Time{}, caller.Check)
	_, other := s.create(t, time.Time{}, caller.Admin)
	text := string(secret)
	flipped := "A"
	if strings.HasSuffix(text[:len(text)-1], "A") {
		flipped = "B"
	}
	for name, wrong := range map[string]string{
		"a character off":  text[:len(text)-2] + flipped + text[len(text)-1:],
		"a character less": text[:len(text)-1],
		"a character more": text + "A",
		"another's secret": text[:len("behalf_")+len(key.ID)+1] + string(other)[len("behalf_")+len(key.ID)+1:],
		"unknown id":       "behalf_" + strings.Repeat("a", 26) + text[len("behalf_")+len(key.ID):],
		"no secret":        "behalf_" + key.ID + "_",
		"no id":            "behalf__" + text[len("behalf_")+len(key.ID)+1:],
		"prefix only":      "behalf_",
		"capitals":         strings.ToUpper(text),
		"trailing newline": text + "\n",
		"trailing bits":    text[:len(text)-1] + "_",
		"the hash":         "behalf_" + key.ID + "_" + strings.Repeat("A", 43),
		"over 16 KiB":      text + strings.Repeat("A", 16<<10),
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, s.who, authn.Secret(wrong)) })
	}
	if _, err := s.who.Authenticate(t.Context(), ""); !isReason(err, fault.ReasonCredentialsMissing) {
		t.Errorf("no credentials: %v", err)
	}
}

func isReason(err error, r fault.Reason) bool {
	e, ok := errors.AsType[*fault.Error](err)
	return ok && e.Reason == r
}

func TestAPIKeyExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(service)
		s.open(t, memory{}, authn.APIKey{})
		_, secret := s.create(t, time.Now().Add(time.Minute), caller.Check)
		time.Sleep(time.Minute - time.Nanosecond)
		if _, err := s.who.Authenticate(t.Context(), secret); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Nanosecond)
		wantRefused(t, s.who, secret)
	})
}

func TestRevokeIsEffectiveAtOnce(t *testing.T) {
	s := newService(t, authn.APIKey{})
	key, secret := s.create(t, time.Time{}, caller.Check)
	_, stays := s.create(t, time.Time{}, caller.Check)
	if err := s.keys.Revoke(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, s.who, secret)
	if err := s.keys.Revoke(t.Context(), key.ID); !isReason(err, authn.ReasonAPIKeyNotFound) {
		t.Errorf("a second time: %v", err)
	}
	s.open(t, s.store, authn.APIKey{})
	wantRefused(t, s.who, secret)
	if _, err := s.who.Authenticate(t.Context(), stays); err != nil {
		t.Errorf("the other key: %v", err)
	}
}

// memory is a store that keeps nothing.
type memory struct{ fail error }

func (m memory) PutAPIKey(context.Context, authn.APIKey) error      { return m.fail }
func (m memory) APIKeys(context.Context) ([]authn.APIKey, error)    { return nil, nil }
func (m memory) DeleteAPIKey(context.Context, string) (bool, error) { return false, m.fail }

func TestAStoreThatFails(t *testing.T) {
	s := newService(t, authn.APIKey{})
	key, secret := s.create(t, time.Time{}, caller.Check)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.keys.Create(t.Context(), "x", []caller.Scope{caller.Check}, time.Time{}); err == nil || len(s.keys.List()) != 1 {
		t.Errorf("a key that was not kept: %v, %d keys", err, len(s.keys.List()))
	}
	if err := s.keys.Revoke(t.Context(), key.ID); err == nil {
		t.Error("Revoke says nothing of the store's failure")
	}
	wantRefused(t, s.who, secret) // and yet the key is dead
	if err := s.keys.Load(t.Context()); err == nil {
		t.Error("Load says nothing of the store's failure")
	}
}

func TestCreateRefuses(t *testing.T) {
	s := newService(t, authn.APIKey{})
	_, _, err := s.keys.Create(t.Context(), "-x", []caller.Scope{"behalf:check", "behalf:checks"}, time.Unix(0, 0))
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Invalid {
		t.Fatalf("got %v", err)
	}
	var fields []string
	for _, v := range e.Violations {
		fields = append(fields, v.Field)
	}
	if diff := cmp.Diff([]string{"name", "scopes[1]", "expires_at"}, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if text := e.Violations[1].Message; !strings.Contains(text, `"behalf:checks"`) || !strings.Contains(text, "behalf:audit.read") {
		t.Errorf("of the scope it says %q", text)
	}
	if _, _, err := s.keys.Create(t.Context(), "x", nil, time.Time{}); !isReason(err, fault.ReasonInvalidArgument) {
		t.Errorf("a key without scopes: %v", err)
	}
	if n := len(s.keys.List()); n != 0 {
		t.Errorf("%d keys were made", n)
	}
}

func TestListIsByName(t *testing.T) {
	s := newService(t, authn.APIKey{})
	for _, name := range []string{"b", "a", "b"} { // names need not be unique
		if _, _, err := s.keys.Create(t.Context(), name, []caller.Scope{caller.Check}, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, k := range s.keys.List() {
		names = append(names, k.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "b"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
