package provider_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
)

// issuer signs whatever its test says.
type issuer struct{ *hostile.Provider }

func (h issuer) entry(believe ...provider.Belief) provider.Entry {
	return provider.Entry{
		Name: "hostile", Issuer: h.URL, Believe: believe,
		Bearer: &provider.Bearer{Audiences: []string{"https://api.example"}},
	}
}

// token returns one with good claims, some exchanged.
func (h issuer) token(t *testing.T, other map[string]any) string {
	t.Helper()
	return h.Sign(t, map[string]any{"typ": "at+jwt"}, hostile.With(map[string]any{
		"iss": h.URL, "sub": "kari", "aud": "https://api.example", "client_id": "web",
		"exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
	}, other))
}

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

// TestBelief has every claim that there is in one token, and says what each belief adds.
func TestBelief(t *testing.T) {
	h := issuer{hostile.Start(t, hostile.NewKey(t))}
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
	h := issuer{hostile.Start(t, hostile.NewKey(t))}
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
