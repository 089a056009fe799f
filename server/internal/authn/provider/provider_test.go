package provider_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

func secret(s string) authn.Secret { return authn.Secret(s) }

func open(t *testing.T, e provider.Entry) *provider.Provider {
	t.Helper()
	if err := (provider.File{Issuers: []provider.Entry{e}}).Validate(); err != nil {
		t.Fatal(err)
	}
	p, err := provider.New(provider.Config{Entry: e, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFloodOfUnknownKeys sends 10,000 tokens of unknown keys, in parallel.
func TestFloodOfUnknownKeys(t *testing.T) {
	h := newHostile(t)
	p := open(t, h.entry(provider.Subject))
	if _, err := p.Verify(t.Context(), secret(h.token(t, nil))); err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this build signs with no short key, and long ones take minutes: ", err)
	}
	var accepted atomic.Int64
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 1250 {
				text := sign(t, jose.RS256, stranger, map[string]any{"kid": fmt.Sprint(i, "-", j)}, h.claims(nil))
				if _, err := p.Verify(t.Context(), secret(text)); err == nil {
					accepted.Add(1)
				}
			}
		})
	}
	wait.Wait()
	t.Logf("10,000 unknown key ids: %d accepted, %d fetches of keys in all", accepted.Load(), h.fetches.Load())
	if accepted.Load() != 0 || h.fetches.Load() > 2 {
		t.Errorf("%d accepted, %d fetches; want none, and one beside the first", accepted.Load(), h.fetches.Load())
	}
	if _, err := p.Verify(t.Context(), secret(h.token(t, nil))); err != nil {
		t.Errorf("a good token after the flood: %v", err)
	}
}

// TestKeysOutage has keys used while their issuer is down, and says so when there are none.
func TestKeysOutage(t *testing.T) {
	h := newHostile(t)
	h.setDown(true)
	p := open(t, h.entry(provider.Subject))
	_, err := p.Verify(t.Context(), secret(h.token(t, nil)))
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("without keys: %v, want Unavailable", err)
	}
	h.setDown(false)
	p = open(t, h.entry(provider.Subject))
	if _, err := p.Verify(t.Context(), secret(h.token(t, nil))); err != nil {
		t.Fatal(err)
	}
	h.setDown(true)
	if _, err := p.Verify(t.Context(), secret(h.token(t, nil))); err != nil {
		t.Errorf("with keys, and the issuer down: %v", err)
	}
	text := sign(t, jose.RS256, h.key, map[string]any{"kid": "new"}, h.claims(nil))
	if _, err := p.Verify(t.Context(), secret(text)); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("an unknown key while the issuer is down: %v, want Unauthenticated", err)
	}
}

// TestNewKey has a key that the issuer begins to use accepted without a restart.
func TestNewKey(t *testing.T) {
	h := newHostile(t)
	p := open(t, h.entry(provider.Subject))
	second, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	h.serve(jose.JSONWebKey{Key: second.Public(), KeyID: "two", Algorithm: "RS256", Use: "sig"})
	text := sign(t, jose.RS256, second, map[string]any{"kid": "two"}, h.claims(nil))
	if _, err := p.Verify(t.Context(), secret(text)); err != nil {
		t.Error(err)
	}
}

// TestBelief has every claim that there is in one token, and says what each belief adds.
func TestBelief(t *testing.T) {
	h := newHostile(t)
	person := map[string]any{
		"pid": "07124912037", "urn:altinn:userid": 7, "urn:altinn:partyid": 8, "urn:altinn:authlevel": 4,
		"groups": []string{"b", "a", "b"}, "permissions": "read", "acr": "high", "amr": []string{"BankID"},
		"scope": "behalf:admin other:scope", "urn:altinn:app": "studio.designer", "urn:altinn:org": "skd",
		"realm_access": map[string]any{"roles": []string{"x"}},
	}
	program := map[string]any{
		"sub": "client", "client_id": "client", "scope": "behalf:admin other:scope", "urn:altinn:scope": "behalf:check",
		"urn:altinn:app": "studio.designer", "urn:altinn:org": "skd",
		"consumer": map[string]any{"authority": "iso6523-actorid-upis", "ID": "0192:910753614"},
	}
	user := func(f func(*caller.Caller)) caller.Caller {
		c := caller.Caller{Kind: caller.User, Issuer: h.URL}
		f(&c)
		return c
	}
	service := func(f func(*caller.Caller)) caller.Caller {
		c := caller.Caller{Kind: caller.Service, Issuer: h.URL, Name: "hostile"}
		f(&c)
		return c
	}
	for _, tc := range []struct {
		believe []provider.Belief
		claims  map[string]any
		want    caller.Caller
		pid     string
	}{
		{[]provider.Belief{provider.Subject}, person, user(func(c *caller.Caller) { c.IssuedTo = "kari" }), ""},
		{[]provider.Belief{provider.PID}, person, user(func(*caller.Caller) {}), "07124912037"},
		{[]provider.Belief{provider.Altinn}, person, user(func(c *caller.Caller) { c.UserID, c.PartyID, c.Level = 7, 8, 4 }), ""},
		{[]provider.Belief{provider.Consumer}, person, user(func(*caller.Caller) {}), ""},
		{[]provider.Belief{provider.Groups}, person, user(func(c *caller.Caller) { c.Groups = []string{"a", "b"} }), ""},
		{[]provider.Belief{provider.Permissions}, person, user(func(c *caller.Caller) { c.Permissions = []string{"read"} }), ""},
		{[]provider.Belief{provider.Scopes}, person, user(func(*caller.Caller) {}), ""},
		{[]provider.Belief{provider.Behalf}, person, user(func(*caller.Caller) {}), ""},
		{[]provider.Belief{provider.Levels}, person, user(func(c *caller.Caller) { c.Level = 3 }), ""},
		{[]provider.Belief{provider.Subject}, program, service(func(c *caller.Caller) { c.IssuedTo, c.Name = "client", "hostile:client" }), ""},
		{[]provider.Belief{provider.PID}, program, service(func(*caller.Caller) {}), ""},
		{[]provider.Belief{provider.Altinn}, program, service(func(*caller.Caller) {}), ""},
		{[]provider.Belief{provider.Consumer}, program, service(func(c *caller.Caller) { c.Consumer, c.Name = "910753614", "hostile:910753614" }), ""},
		{[]provider.Belief{provider.Scopes}, program, service(func(c *caller.Caller) { c.Granted = []string{"other:scope"} }), ""},
		{[]provider.Belief{provider.Behalf}, program, service(func(c *caller.Caller) { c.Scopes = []caller.Scope{caller.Admin} }), ""},
	} {
		t.Run(fmt.Sprint(tc.believe, tc.want.Kind), func(t *testing.T) {
			e := h.entry(tc.believe...)
			if tc.believe[0] == provider.Levels {
				e.Levels = provider.LevelMap{ACR: map[string]int{"high": 3}}
			}
			v, err := open(t, e).Verify(t.Context(), secret(h.token(t, tc.claims)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, v.Caller); diff != "" || v.Identity.PID != tc.pid {
				t.Errorf("pid %q, caller (-want +got):\n%s", v.Identity.PID, diff)
			}
		})
	}
}

// TestWrongClaims refuses what an issuer is believed for and says wrongly.
func TestWrongClaims(t *testing.T) {
	h := newHostile(t)
	e := h.entry(provider.Subject, provider.PID, provider.Altinn, provider.Consumer, provider.Groups, provider.Scopes)
	e.Claims.Groups = "realm_access.roles"
	p := open(t, e)
	for name, claims := range map[string]map[string]any{
		"pid a number":         {"pid": 7124912037},
		"pid of ten digits":    {"pid": "0712491203"},
		"userid 0":             {"urn:altinn:userid": 0},
		"userid text":          {"urn:altinn:userid": "seven"},
		"level 5":              {"urn:altinn:userid": 7, "urn:altinn:authlevel": 5},
		"consumer text":        {"consumer": "0192:910753614"},
		"consumer's authority": {"consumer": map[string]any{"authority": "x", "ID": "0192:910753614"}},
		"consumer foreign":     {"consumer": map[string]any{"authority": "iso6523-actorid-upis", "ID": "9999:910753614"}},
		"groups numbers":       {"realm_access": map[string]any{"roles": []int{1}}},
		"groups empty name":    {"realm_access": map[string]any{"roles": []string{""}}},
		"person and program": {"pid": "07124912037", "consumer": map[string]any{
			"authority": "iso6523-actorid-upis", "ID": "0192:910753614",
		}},
	} {
		if v, err := p.Verify(t.Context(), secret(h.token(t, claims))); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%s: %v, %v", name, v.Caller, err)
		}
	}
}

func TestLevels(t *testing.T) {
	p := open(t, provider.Entry{
		Name: "idporten", Issuer: "https://idporten.no", Believe: []provider.Belief{provider.Levels},
		Bearer: &provider.Bearer{AnyAudience: true},
		Levels: provider.LevelMap{
			ACR: map[string]int{"idporten-loa-substantial": 3, "idporten-loa-high": 4},
			AMR: map[string]int{"Minid-PIN": 2},
		},
	})
	for _, tc := range []struct {
		acr  string
		amr  []string
		want int
	}{
		{"idporten-loa-substantial", nil, 3},
		{"idporten-loa-high", []string{"BankID"}, 4},
		{"idporten-loa-HIGH", nil, 0},
		{"", nil, 0},
		{"", []string{"Minid-PIN"}, 2},
		{"unknown", []string{"unknown"}, 0},
	} {
		if got := p.Level(tc.acr, tc.amr); got != tc.want {
			t.Errorf("%q, %q: level %d, want %d", tc.acr, tc.amr, got, tc.want)
		}
	}
}

func TestIntrospection(t *testing.T) {
	h := newHostile(t)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := provider.Entry{
		Name: "opaque", Issuer: h.URL, Believe: []provider.Belief{provider.Subject},
		Introspection: &provider.Introspection{ClientID: "behalf", ClientSecretFile: file, Audiences: []string{"https://api.example"}},
	}
	p := open(t, e)
	good := h.claims(map[string]any{"active": true})
	ask := func(token string, answer map[string]any) error {
		h.mu.Lock()
		h.active = answer
		h.mu.Unlock()
		_, err := p.Introspect(t.Context(), secret(token))
		return err
	}
	if err := ask("good", good); err != nil {
		t.Fatal(err)
	}
	before := h.fetches.Load()
	if err := ask("good", nil); err != nil || h.fetches.Load() != before {
		t.Errorf("the second time within 30 s: %v, %d questions", err, h.fetches.Load()-before)
	}
	for name, answer := range map[string]map[string]any{
		"not active":       {"active": false},
		"active text":      h.claims(map[string]any{"active": "true"}),
		"active missing":   h.claims(nil),
		"active 1":         h.claims(map[string]any{"active": 1}),
		"meant for others": h.claims(map[string]any{"active": true, "aud": "x"}),
		"no audience":      h.claims(map[string]any{"active": true, "aud": nil}),
		"of another":       h.claims(map[string]any{"active": true, "iss": "https://evil.example"}),
		"expired":          h.claims(map[string]any{"active": true, "exp": time.Now().Add(-time.Minute).Unix()}),
	} {
		if err := ask(name, answer); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%s: %v, want Unauthenticated", name, err)
		}
	}
	h.setDown(true)
	if err := ask("another", good); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the issuer is down: %v, want Unavailable", err)
	}
}
