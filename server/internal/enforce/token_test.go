package enforce_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

const tokenRoutes = `
identity: {preset: mia, token: {lifetime: 30s}}
routes:
  - {name: open, methods: [GET], path: /open, rule: {public: true}}
  - {name: known, methods: [GET], path: /known, rule: {authenticated: true}}
  - {name: for, methods: [GET], path: "/for/{id}", party: {parameter: id}, rule: {authenticated: true}}
`

func header(v enforce.Verdict, name string) (value string, there bool) {
	for _, h := range v.Identity {
		if h.Name == name {
			return h.Value, true
		}
	}
	return "", false
}

// TestIdentityToken has services verify who asks by the published keys.
func TestIdentityToken(t *testing.T) {
	issuer, err := authn.OpenIssuer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := issuer.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(jwks, &keys); err != nil {
		t.Fatal(err)
	}
	w := &world{answers: yes}
	c := configOf(t, tokenRoutes, w, w)
	c.Signer = issuer
	s, err := enforce.New(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		who  caller.Caller
		path string
		want map[string]any // nil for no token
	}{
		"nobody": {caller.Caller{}, "/open", nil},
		"a user": {kari, "/known", map[string]any{
			"sub": "user:7", "user": 7.0, "level": 3.0, "groups": []any{"admin", "a,b"}, "permissions": []any{"read:orders"},
		}},
		"who acts for a party": {caller.Caller{Kind: caller.User, UserID: 7}, "/for/3", map[string]any{
			"sub": "user:7", "user": 7.0, "level": 0.0, "party_id": 3.0,
		}},
		"a service that is called as a user is": {caller.Caller{Kind: caller.Service, Name: "7"}, "/known", map[string]any{"sub": "service:7"}},
		"a stranger": {caller.Caller{Kind: caller.User, Issuer: "https://idp", IssuedTo: "7"}, "/known", map[string]any{
			"sub": "subject:https://idp#7", "level": 0.0, "idp": "https://idp",
		}},
	} {
		w.who = row.who
		var sent []enforce.Header
		if row.who.Kind != caller.Nobody {
			sent = append(sent, bearer)
		}
		v, err := s.Authorize(t.Context(), get(row.path, append(sent, enforce.Header{Name: "Behalf-Identity", Value: "forged"})...))
		token, there := header(v, "Behalf-Identity")
		if err != nil || v.Outcome != enforce.Allowed || !there {
			t.Errorf("%s: %+v, %v", name, v, err)
			continue
		}
		if row.want == nil {
			if token != "" {
				t.Errorf("%s: a token %s", name, token)
			}
			continue
		}
		got := verified(t, keys, token)
		issued, ends := time.Unix(int64(got["iat"].(float64)), 0), time.Unix(int64(got["exp"].(float64)), 0)
		if age := time.Since(issued); age < 0 || age > 5*time.Second || ends.Sub(issued) != 30*time.Second || got["jti"] == "" {
			t.Errorf("%s: from %s to %s", name, issued, ends)
		}
		row.want["iss"], row.want["aud"] = "https://behalf.local/identity", "https://a.test"
		for _, passing := range []string{"iat", "exp", "nbf", "jti"} {
			delete(got, passing)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		refusedAsCredential(t, issuer, token)
	}
}

// refusedAsCredential has a service call us with the token that it got.
func refusedAsCredential(t *testing.T, issuer *authn.Issuer, token string) {
	t.Helper()
	ours, err := issuer.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	platform, err := issuer.As(authn.PlatformIssuer).Verifier()
	if err != nil {
		t.Fatal(err)
	}
	a, err := authn.New(authn.Config{Verifiers: []authn.Verifier{ours, platform}})
	if err != nil {
		t.Fatal(err)
	}
	if who, err := a.Authenticate(t.Context(), authn.Secret(token)); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("as a credential of calls: %+v, %v", who, err)
	}
}

func verified(t *testing.T, keys jose.JSONWebKeySet, token string) (claims map[string]any) {
	t.Helper()
	signed, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(keys.Key(signed.Signatures[0].Header.KeyID)[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// TestNoSignerClosesTheDoor has nothing sign what a route promises.
func TestNoSignerClosesTheDoor(t *testing.T) {
	w := &world{who: kari}
	s := serviceOf(t, tokenRoutes, w, w)
	if v, err := s.Authorize(t.Context(), get("/known", bearer)); err == nil || v.Outcome == enforce.Allowed {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestFaultyTokenTexts(t *testing.T) {
	for text, want := range map[string]string{
		"{token: {lifetime: 1h}}":                             "lifetime",
		"{token: {lifetime: soon}}":                           "lifetime",
		"{token: {issuer: platform}}":                         "issues tokens of calls",
		"{token: {issuer: 'https://behalf.local'}}":           "issues tokens of calls",
		"{token: {header: Authorization}}":                    "for something else",
		"{token: {header: Behalf-User}}":                      "two headers",
		"{token: {header: my_identity}}":                      "name of a header",
		"{token: {audiences: [x]}}":                           "audiences",
		"{preset: mia, token: {header: X-Original-Identity}}": "for something else",
	} {
		_, err := enforce.Parse([]byte("identity: " + text + "\nroutes: [{name: a, methods: [GET], path: /, rule: {public: true}}]"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// counting counts what it has signed.
type counting struct{ n int }

func (c *counting) Sign(claims map[string]any) (string, error) {
	c.n++
	return fmt.Sprint(claims["sub"], " ", claims["aud"], " ", c.n), nil
}

// TestTokensAreUsedAgain has requests of which a token says the same share one for a moment.
func TestTokensAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer := &counting{}
		w := &world{who: kari}
		c := configOf(t, tokenRoutes, w, w)
		c.Signer = signer
		s, err := enforce.New(c)
		if err != nil {
			t.Fatal(err)
		}
		token := func(host string) string {
			r := get("/known", bearer)
			r.Host = host
			v, err := s.Authorize(t.Context(), r)
			text, _ := header(v, "Behalf-Identity")
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		first := token("a.test")
		if again := token("a.test"); again != first || signer.n != 1 {
			t.Errorf("%q, then %q", first, again)
		}
		if other := token("b.test"); other == first {
			t.Errorf("another audience has %q", other)
		}
		w.who.Level = 4
		if stepped := token("a.test"); stepped == first {
			t.Errorf("another level has %q", stepped)
		}
		w.who.Level = 3
		time.Sleep(5 * time.Second)
		if later := token("a.test"); later == first || signer.n != 4 {
			t.Errorf("later %q, of %d", later, signer.n)
		}
	})
}
