package checklist_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
)

func asSecret(text string) authn.Secret { return authn.Secret(text) }

// row 8
func algorithms(s *stand) {
	stranger := hostile.NewKey(s.t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(s.idp.Key.Public())
	if err != nil {
		s.t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	kid := map[string]any{"kid": hostile.KeyID}
	none := func(alg string) func(map[string]any) string {
		return func(c map[string]any) string {
			return hostile.Forge(s.t, map[string]any{"alg": alg, "kid": hostile.KeyID}, c, nil)
		}
	}
	by := func(alg jose.SignatureAlgorithm, key any) func(map[string]any) string {
		return func(c map[string]any) string { return hostile.Sign(s.t, alg, key, kid, c) }
	}
	for what, sign := range map[string]func(map[string]any) string{
		"none": none("none"), "None": none("None"), "no alg": none(""), "RS256 without a signature": none("RS256"),
		"HS256 with the public key": by(jose.HS256, public), "HS256 with the public key as PEM": by(jose.HS256, text),
		"HS512 with the modulus": by(jose.HS512, s.idp.Key.N.Bytes()), "PS256, which is not allowed": by(jose.PS256, s.idp.Key),
		"ES256 under an RSA key's id": by(jose.ES256, curve), "EdDSA under an RSA key's id": by(jose.EdDSA, edwards),
		"RS256 by a stranger": by(jose.RS256, stranger),
	} {
		s.wantToken("a token by "+what, sign(s.access(nil)), false)
		b := s.begin(s.browser(), "idp", nil)
		s.give(sign(s.person(b)), nil)
		page := s.back(b, "idp", nil)
		s.closed("a login by "+what, b.Browser, page, http.StatusForbidden)
	}
	b := s.begin(s.browser(), "idp", nil)
	s.give("", nil)
	s.closed("a login without an id_token", b.Browser, s.back(b, "idp", nil), http.StatusForbidden)
	s.wantToken("RS256", s.token(nil, nil), true)
	// A key that is for something else, by its use or its alg.
	for what, change := range map[string]func(*jose.JSONWebKey){
		"for encryption": func(k *jose.JSONWebKey) { k.Use = "enc" }, "of PS256": func(k *jose.JSONWebKey) { k.Algorithm = "PS256" },
	} {
		key := s.idp.Public()
		change(&key)
		s.idp.On(hostile.JWKS, hostile.Answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}}))
		s.start()
		s.wantToken("a key "+what, s.token(nil, nil), false)
	}
	for _, alg := range []string{"none", "HS256", "rs256"} {
		s.entries[0].Algorithms = []string{alg}
		if (provider.File{Issuers: s.entries}).Validate() == nil {
			s.t.Errorf("a file allows %s", alg)
		}
	}
}

// row 9
func keySets(s *stand) {
	fetches := func() int { return len(s.idp.Asked(hostile.JWKS)) }
	s.wantToken("a good token", s.token(nil, nil), true)
	flood := func() {
		var taken atomic.Int64
		var wait sync.WaitGroup
		signature := make([]byte, 256)
		for i := range 16 {
			wait.Go(func() {
				for j := range 625 {
					token := hostile.Forge(s.t, map[string]any{"alg": "RS256", "kid": fmt.Sprint(i, "-", j)}, s.access(nil), signature)
					if _, err := s.known.Authenticate(s.t.Context(), asSecret(token)); err == nil {
						taken.Add(1)
					}
				}
			})
		}
		wait.Wait()
		s.tried += 10_000
		if taken.Load() != 0 {
			s.t.Errorf("%d tokens of unknown keys are taken", taken.Load())
		}
	}
	// The clock stands still within a flood, whatever the machine.
	began := time.Now()
	flood()
	s.t.Logf("10,000 unknown key ids in %s: %d fetches of keys, the first one included", time.Since(began), fetches())
	if fetches() != 1 {
		s.t.Errorf("%d fetches within 30 s", fetches())
	}
	s.wantToken("a good token after the flood", s.token(nil, nil), true)
	for round := 1; round <= 3; round++ {
		s.move(31 * time.Second)
		flood()
		if fetches() != 1+round {
			s.t.Errorf("%d fetches after %d times 31 s and 10,000 tokens each", fetches(), round)
		}
	}
	// Rotation: the new key works within 30 s, and the old one goes with its tokens.
	old := s.token(nil, nil)
	if _, err := s.known.Authenticate(s.t.Context(), asSecret(old)); err != nil {
		s.t.Error(err)
	}
	second := hostile.NewKey(s.t)
	s.idp.On(hostile.JWKS, hostile.Answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: second.Public(), KeyID: "two", Algorithm: "RS256", Use: "sig"}}}))
	s.move(31 * time.Second)
	fresh := func() string {
		return hostile.Sign(s.t, jose.RS256, second, map[string]any{"kid": "two"}, s.access(nil))
	}
	s.wantToken("by a new key", fresh(), true)
	s.tried++
	if _, err := s.known.Authenticate(s.t.Context(), asSecret(old)); fault.KindOf(err) != fault.Unauthenticated {
		s.t.Errorf("a token that is remembered, of a key that has gone: %v", err)
	}
	// Outage: without keys nobody is let in, the issuer is asked every 30 s, and keys at hand go
	// on for a day.
	s.idp.Reset()
	s.idp.On(hostile.JWKS, hostile.Refuse(http.StatusBadGateway, "x"))
	s.start()
	for range 5 {
		s.tried++
		if _, err := s.providers["idp"].Verify(s.t.Context(), asSecret(s.token(nil, nil))); fault.KindOf(err) != fault.Unavailable {
			s.t.Errorf("without keys: %v", err)
		}
	}
	if fetches() != 1 {
		s.t.Errorf("%d fetches of keys that do not come", fetches())
	}
	s.idp.On(hostile.JWKS, hostile.Answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: second.Public(), KeyID: "two", Algorithm: "RS256", Use: "sig"}}}))
	s.move(31 * time.Second)
	s.wantToken("by keys that have come", fresh(), true)
	for name, broken := range map[string]http.HandlerFunc{
		"502": hostile.Refuse(http.StatusBadGateway, "x"), "no keys": hostile.Answer(jose.JSONWebKeySet{}), "hung up": hostile.HangUp,
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
	} {
		s.idp.On(hostile.JWKS, broken)
		s.move(time.Hour)
		s.wantToken("by keys at hand, and the issuer "+name, fresh(), true)
		s.wantToken("by an unknown key, and the issuer "+name, s.token(nil, nil), false)
	}
	s.move(25 * time.Hour)
	s.tried++
	if _, err := s.providers["idp"].Verify(s.t.Context(), asSecret(fresh())); fault.KindOf(err) != fault.Unavailable {
		s.t.Errorf("by keys of more than a day ago: %v", err)
	}
}

// row 10
func joseHeaders(s *stand) {
	stranger := hostile.NewKey(s.t)
	served := hostile.Start(s.t, stranger) // whose keys a header points to
	theirs := map[string]any{"jwk": jose.JSONWebKey{Key: stranger.Public(), KeyID: "x"}}
	for what, header := range map[string]map[string]any{
		"jku": {"kid": "x", "jku": served.URL + hostile.JWKS}, "x5u": {"kid": "x", "x5u": served.URL}, "jwk": theirs,
		"jwk under a known id": hostile.With(theirs, map[string]any{"kid": hostile.KeyID}),
	} {
		s.wantToken(what, hostile.Sign(s.t, jose.RS256, stranger, header, s.access(nil)), false)
	}
	if n := len(served.Asked(hostile.JWKS)); n != 0 {
		s.t.Errorf("%d fetches of keys that a token names", n)
	}
	s.wantToken("jku beside a good signature", s.token(map[string]any{"jku": served.URL + hostile.JWKS}, nil), true)
	s.wantToken("unknown crit", s.token(map[string]any{"crit": []string{"x"}, "x": 1}, nil), false)
	s.wantToken("b64", s.token(map[string]any{"crit": []string{"b64"}, "b64": true}, nil), false)
	s.wantToken("b64, and not crit", s.token(map[string]any{"b64": false}, nil), false)
}

// row 11
func types(s *stand) {
	b := s.begin(s.browser(), "idp", nil)
	idToken := s.idp.Sign(s.t, nil, s.person(b))
	s.wantToken("an id_token", idToken, false)
	s.wantToken("an id_token for the API", s.idp.Sign(s.t, nil, hostile.With(s.person(b), map[string]any{"aud": api})), false)
	s.wantToken("an id_token of code and token", s.token(map[string]any{"typ": "JWT"}, map[string]any{"at_hash": "x"}), false)
	s.wantToken("a logout token", s.token(map[string]any{"typ": "logout+jwt"}, nil), false)
	s.wantToken("a logout token of typ JWT", s.token(map[string]any{"typ": "JWT"}, map[string]any{"events": map[string]any{}}), false)
	s.wantToken("dpop+jwt", s.token(map[string]any{"typ": "dpop+jwt"}, nil), false)
	s.wantToken("typ JWT", s.token(map[string]any{"typ": "JWT"}, nil), true)
	s.wantToken("no typ", s.token(map[string]any{"typ": nil}, nil), true)
	s.change(func(e *provider.Entry) { e.Bearer.Type = "at+jwt" })
	s.wantToken("at+jwt, which the entry asks", s.token(nil, nil), true)
	s.wantToken("application/at+JWT", s.token(map[string]any{"typ": "application/at+JWT"}, nil), true)
	s.wantToken("typ JWT where the entry asks at+jwt", s.token(map[string]any{"typ": "JWT"}, nil), false)
	s.wantToken("no typ where the entry asks at+jwt", s.token(map[string]any{"typ": nil}, nil), false)
	s.entries[0].Bearer.Audiences = []string{"behalf"}
	if (provider.File{Issuers: s.entries}).Validate() == nil {
		s.t.Error("a file has the client as an audience of the API")
	}
}

// row 12
func audiences(s *stand) {
	for _, row := range []struct {
		what   string
		claims map[string]any
		token  bool
		login  bool
	}{
		{"iss of another", map[string]any{"iss": "https://evil.example"}, false, false},
		{"iss with a slash more", map[string]any{"iss": s.idp.URL + "/"}, false, false},
		{"iss missing", map[string]any{"iss": nil}, false, false},
		{"aud of another", map[string]any{"aud": "another"}, false, false},
		{"aud missing", map[string]any{"aud": nil}, false, false},
		{"aud empty", map[string]any{"aud": []string{}}, false, false},
		{"aud a number", map[string]any{"aud": 7}, false, false},
		{"aud a prefix of ours", map[string]any{"aud": []string{"https://api.exampl", "behal"}}, false, false},
		{"aud twice, of ours and another", map[string]any{"aud": []string{api, "behalf", "another"}}, true, false},
		{"azp of another", map[string]any{"azp": "another"}, true, false},
		{"azp ours", map[string]any{"azp": "behalf"}, true, true},
	} {
		s.wantToken(row.what, s.token(nil, row.claims), row.token)
		s.wantLogin(row.what, row.claims, nil, row.login)
	}
	// A claim that comes twice, which readers read differently.
	head, tail := `{"alg":"RS256","kid":"one"}`, fmt.Sprintf(`{"iss":%q,"sub":"kari","aud":"another","aud":%q,"exp":%d}`, s.idp.URL, api, s.in(time.Minute))
	s.wantToken("aud that comes twice", signText(s, head, tail), false)
}

// row 13
func times(s *stand) {
	const skew = provider.DefaultSkew
	for _, row := range []struct {
		what  string
		name  string
		value any
		good  bool
	}{
		{"exp missing", "exp", nil, false}, {"exp a text", "exp", "4000000000", false}, {"exp negative", "exp", -1, false},
		{"exp beyond the skew", "exp", -skew - 3*time.Second, false}, {"exp within the skew", "exp", -skew + 5*time.Second, true},
		{"iat in the future, within the skew", "iat", skew - 5*time.Second, true},
		{"iat in the future", "iat", skew + 5*time.Second, false}, {"iat in the far future", "iat", 24 * 365 * time.Hour, false},
		{"iat a text", "iat", "now", false},
		{"nbf in the future, within the skew", "nbf", skew - 5*time.Second, true}, {"nbf in the future", "nbf", skew + 5*time.Second, false},
	} {
		if d, ok := row.value.(time.Duration); ok {
			row.value = s.in(d)
		}
		s.wantToken(row.what, s.token(nil, map[string]any{row.name: row.value}), row.good)
		s.wantLogin(row.what, map[string]any{row.name: row.value}, nil, row.good)
	}
	s.wantLogin("an id_token of an hour ago", map[string]any{"iat": s.in(-time.Hour)}, nil, false)
	s.wantLogin("iat missing", map[string]any{"iat": nil}, nil, false)
	s.change(func(e *provider.Entry) { e.Bearer.MaxAge = provider.Duration(10 * time.Minute) })
	s.wantToken("of nine minutes ago", s.token(nil, map[string]any{"iat": s.in(-9 * time.Minute)}), true)
	s.wantToken("older than its issuer's may be", s.token(nil, map[string]any{"iat": s.in(-11 * time.Minute)}), false)
	s.wantToken("of no age where there is a limit", s.token(nil, map[string]any{"iat": nil}), false)
	wide := provider.Duration(61 * time.Second)
	s.entries[0].Skew = &wide
	if (provider.File{Issuers: s.entries}).Validate() == nil {
		s.t.Error("a file has a skew of more than a minute")
	}
}

// rows 29 and 30: a token that is bound to a key is no bearer's, as long as nobody asks for the key.
func bound(to string) func(*stand) {
	return func(s *stand) {
		cnf := map[string]any{"cnf": map[string]any{to: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}
		s.wantToken("bound by "+to, s.token(nil, cnf), false)
		s.idp.On(hostile.Introspection, hostile.Answer(hostile.With(s.access(cnf), map[string]any{"active": true})))
		s.tried++
		if _, err := s.known.Authenticate(s.t.Context(), "opaque-token-of-kari"); fault.KindOf(err) != fault.Unauthenticated {
			s.t.Errorf("opaque, and bound by %s: %v", to, err)
		}
	}
}

// row 34
func issuers(s *stand) {
	// A token of nobody's makes nobody be asked.
	for _, iss := range []any{"https://evil.example", s.other.URL + "/x", "", nil, 7, []string{s.idp.URL}} {
		s.tried++
		token := hostile.Sign(s.t, jose.RS256, s.idp.Key, map[string]any{"kid": hostile.KeyID}, s.access(map[string]any{"iss": iss}))
		if _, err := s.known.Authenticate(s.t.Context(), asSecret(token)); fault.KindOf(err) != fault.Unauthenticated {
			s.t.Errorf("iss %v: %v", iss, err)
		}
	}
	if n := len(s.idp.Asked(hostile.Discovery)) + len(s.other.Asked(hostile.Discovery)); n != 0 {
		s.t.Errorf("%d questions for tokens of nobody's", n)
	}
	// One issuer's key signs nothing for another.
	s.tried++
	if _, err := s.known.Authenticate(s.t.Context(), asSecret(s.token(nil, map[string]any{"iss": s.other.URL}))); fault.KindOf(err) != fault.Unauthenticated {
		s.t.Errorf("signed by another issuer: %v", err)
	}
	// The same sub of two issuers is two; an e-mail address is nobody.
	other := hostile.Sign(s.t, jose.RS256, s.other.Key, map[string]any{"kid": hostile.KeyID}, s.access(map[string]any{"iss": s.other.URL}))
	one, err := s.providers["idp"].Verify(s.t.Context(), asSecret(s.token(nil, nil)))
	two, err2 := s.providers["other"].Verify(s.t.Context(), asSecret(other))
	if err != nil || err2 != nil || one.Identity.Issuer == two.Identity.Issuer || one.Identity.Subject != two.Identity.Subject {
		s.t.Errorf("%+v and %+v: %v, %v", one.Identity, two.Identity, err, err2)
	}
	s.change(func(e *provider.Entry) { e.Believe = []provider.Belief{provider.Groups, provider.Levels} })
	s.tried++
	v, err := s.providers["idp"].Verify(s.t.Context(), asSecret(s.token(nil, map[string]any{"email": "kari@example.no", "email_verified": true})))
	if err != nil || v.Identity.Subject != "" || v.Identity.PID != "" || v.Caller.IssuedTo != "" {
		s.t.Errorf("whom an issuer names that is believed for groups only: %+v: %v", v, err)
	}
	s.wantLogin("sub missing", map[string]any{"sub": nil}, nil, false)
}

// row 35
func groups(s *stand) {
	many := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprint("group-", i))
		}
		return all
	}
	long := make([]byte, 257)
	for i := range long {
		long[i] = 'x'
	}
	for _, row := range []struct {
		what   string
		groups any
		taken  bool
		want   int
	}{
		{"a text", "staff", true, 1}, {"a list", []string{"a", "b", "a"}, true, 2}, {"null", nil, true, 0}, {"512", many(512), true, 512},
		{"513", many(513), false, 0}, {"a number", 7, false, 0}, {"an object", map[string]any{"a": true}, false, 0},
		{"a list with a number", []any{"a", 7}, false, 0}, {"a list of lists", []any{[]string{"a"}}, false, 0}, {"an empty name", []string{""}, false, 0},
		{"a name of 257 bytes", []string{string(long)}, false, 0},
	} {
		who, err := s.bears(s.token(nil, map[string]any{"groups": row.groups}))
		if (err == nil) != row.taken || len(who.Groups) != row.want {
			s.t.Errorf("%s: %d groups: %v", row.what, len(who.Groups), err)
		}
		s.wantLogin(row.what, map[string]any{"groups": row.groups}, nil, row.taken)
	}
	s.change(func(e *provider.Entry) { e.Believe = []provider.Belief{provider.Subject, provider.Levels} })
	if who, err := s.bears(s.token(nil, map[string]any{"groups": []string{"admin"}})); err != nil || len(who.Groups) != 0 {
		s.t.Errorf("groups of an issuer that is not believed for them: %v: %v", who.Groups, err)
	}
}

// row 39
func clock(s *stand) {
	token := s.token(nil, map[string]any{"exp": s.in(time.Minute)})
	s.wantToken("a minute before its end", token, true)
	s.move(time.Minute + provider.DefaultSkew - 5*time.Second)
	s.wantToken("before the end of the skew", token, true)
	s.move(7 * time.Second)
	s.wantToken("after the end of the skew", token, false)
	s.move(-10 * time.Minute)
	s.wantToken("of the future, by a clock that was set back", token, false)
	secret, _ := s.enter(nil, nil)
	s.move(30*24*time.Hour - time.Minute)
	s.tried++
	if !s.alive(secret) {
		s.t.Error("a session before its end")
	}
	s.move(2 * time.Minute)
	s.tried++
	if s.alive(secret) {
		s.t.Error("a session after its end")
	}
}
