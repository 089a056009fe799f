package checklist_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// signText signs a payload that is no map.
func signText(s *stand, header, payload string) string {
	s.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: s.idp.Key}, (&jose.SignerOptions{}).WithHeader("kid", hostile.KeyID))
	if err != nil {
		s.t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// row 18
func fixation(s *stand) {
	at, err := url.Parse(s.web.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	// Mallory puts a session of hers, and one that she made up, into a browser.
	hers, _ := s.enter(map[string]any{"sub": "mallory"}, nil)
	for _, planted := range []string{hers, strings.Repeat("A", 43)} {
		b := s.browser()
		b.Jar.SetCookies(at, []*http.Cookie{{Name: authn.SessionCookie, Value: planted, Path: "/", Secure: true}})
		login := s.begin(b, "idp", nil)
		s.give(s.idp.Sign(s.t, nil, s.person(login)), nil)
		s.back(login, "idp", nil)
		is := s.session(b)
		if raw, err := base64.RawURLEncoding.DecodeString(is); err != nil || len(raw) < 32 || is == planted || s.alive(planted) || !s.alive(is) {
			s.t.Errorf("the session after the login is %d bytes, the planted one %t alive", len(raw), s.alive(planted))
		}
		// A step up makes another again.
		higher := s.begin(b, "idp", url.Values{"acr_values": {"high"}})
		s.give(s.idp.Sign(s.t, nil, hostile.With(s.person(higher), map[string]any{"acr": "high"})), nil)
		s.back(higher, "idp", nil)
		if next := s.session(b); next == is || s.alive(is) || !s.alive(next) {
			s.t.Errorf("the session after a step up: new %t, the old one %t alive", next != is, s.alive(is))
		}
		// What is kept would open nothing.
		for _, name := range []string{s.file, s.file + "-wal"} {
			kept, err := os.ReadFile(name)
			if err == nil && (bytes.Contains(kept, []byte(s.session(b))) || bytes.Contains(kept, []byte("access-token-of-kari"))) {
				s.t.Errorf("%s holds the session or its tokens", name)
			}
		}
	}
}

// row 19
func cookies(s *stand) {
	b := s.begin(s.browser(), "idp", nil)
	tab := s.browser().Get(s.web.URL + "/login/idp")
	s.give(s.idp.Sign(s.t, nil, s.person(b)), nil)
	page := s.back(b, "idp", nil)
	for _, c := range append(tab.Cookies(), page.Cookies()...) {
		s.tried++
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
			s.t.Errorf("cookie %s", c)
		}
		if strings.Count(c.Value, ".") == 2 {
			s.t.Errorf("the cookie %s is a token", c.Name)
		}
	}
	if len(tab.Cookies()) != 1 || len(page.Cookies()) != 2 || page.Cookies()[0].MaxAge >= 0 {
		s.t.Errorf("cookies %v at the beginning, %v at the end", tab.Cookies(), page.Cookies())
	}
	// Two tabs of one browser end in the order in which they did not begin.
	browser := s.browser()
	first, second := s.begin(browser, "idp", url.Values{"return": {"/one"}}), s.begin(browser, "idp", url.Values{"return": {"/two"}})
	for _, login := range []struct {
		begun
		want string
	}{{second, "/two"}, {first, "/one"}} {
		s.give(s.idp.Sign(s.t, nil, s.person(login.begun)), nil)
		if page := s.back(login.begun, "idp", nil); page.Header.Get("Location") != login.want {
			s.t.Errorf("back at %q, want %q", page.Header.Get("Location"), login.want)
		}
	}
	// Of two sessions, one was put there by somebody else.
	secret := s.session(browser)
	r, err := http.NewRequest(http.MethodGet, s.web.URL+"/userinfo", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Cookie", authn.SessionCookie+"="+secret+"; "+authn.SessionCookie+"="+secret)
	s.tried++
	if page := s.browser().Do(r); page.StatusCode != http.StatusUnauthorized {
		s.t.Errorf("two sessions at once: %d", page.StatusCode)
	}
}

// row 20
func crossSite(s *stand) {
	browser := s.browser()
	b := s.begin(browser, "idp", nil)
	s.give(s.idp.Sign(s.t, nil, s.person(b)), nil)
	s.back(b, "idp", nil)
	secret := s.session(browser)
	for _, headers := range []http.Header{
		{}, {"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Sec-Fetch-Site": {"none"}}, {"Origin": {"https://evil.example"}},
		{"Origin": {"null"}}, {"Origin": {s.web.URL, "https://evil.example"}}, {"Sec-Fetch-Site": {"same-origin", "cross-site"}},
		{"Sec-Fetch-Site": {"cross-site"}, "Origin": {s.web.URL}},
	} {
		r, err := http.NewRequest(http.MethodPost, s.web.URL+"/logout", http.NoBody)
		if err != nil {
			s.t.Fatal(err)
		}
		r.Header = headers
		s.tried++
		if page := browser.Do(r); page.StatusCode != http.StatusForbidden || !s.alive(secret) {
			s.t.Errorf("%v: %d, session %t", headers, page.StatusCode, s.alive(secret))
		}
	}
	s.tried++
	if page := browser.Get(s.web.URL + "/logout"); page.StatusCode != http.StatusOK || !s.alive(secret) {
		s.t.Errorf("a link to the logout: %d, session %t", page.StatusCode, s.alive(secret))
	}
	if browser.Post(s.web.URL+"/logout", nil); s.alive(secret) {
		s.t.Error("a logout from a page of ours, and the session goes on")
	}
}

// row 22
func refresh(s *stand) {
	secret := asSecret(s.atReal(s.browser(), "kari"))
	nodes := []*session.Service{s.sessions}
	s.start()
	nodes = append(nodes, s.sessions) // which share the records only
	ask := func() (failed []error) {
		var mu sync.Mutex
		var wait sync.WaitGroup
		for i := range 50 {
			wait.Go(func() {
				if _, err := nodes[i%2].Caller(s.t.Context(), secret); err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		s.tried += 50
		return failed
	}
	before := s.real.Count(s.t, "refresh_token")
	for round := 1; round <= 3; round++ {
		s.fails.Store(int64(round)) // what was given must not be lost
		s.move(2 * time.Hour)       // the access token lasts one
		if failed := ask(); len(failed) > 0 {
			s.t.Errorf("round %d: %d of 50 failed: %v", round, len(failed), failed[0])
		}
		if n := s.real.Count(s.t, "refresh_token") - before; n != round {
			s.t.Errorf("50 requests of round %d: %d renewals in all", round, n)
		}
	}
	s.t.Logf("3 times 50 requests at two nodes: %d renewals", s.real.Count(s.t, "refresh_token")-before)

	// The hostile provider: it gives no new refresh token, another one, and answers wrongly.
	with := func(token map[string]any) authn.Secret {
		b := s.begin(s.browser(), "idp", nil)
		s.give(s.idp.Sign(s.t, nil, s.person(b)), hostile.With(map[string]any{"refresh_token": "refresh-token-of-kari"}, token))
		s.back(b, "idp", nil)
		return asSecret(s.session(b.Browser))
	}
	last := func() string {
		all := s.idp.Asked(hostile.Token)
		return all[len(all)-1].Get("refresh_token")
	}
	renewed := with(nil)
	s.idp.On(hostile.Token, hostile.Answer(map[string]any{"access_token": "x", "token_type": "Bearer", "expires_in": 600, "refresh_token": "another-refresh-token"}))
	for _, want := range []string{"refresh-token-of-kari", "another-refresh-token"} {
		s.move(time.Hour)
		s.tried++
		if _, err := s.sessions.Caller(s.t.Context(), renewed); err != nil || last() != want {
			s.t.Errorf("renewed by %q: %v", last(), err)
		}
		s.start() // what was given is kept, not remembered
	}
	for name, answer := range map[string]http.HandlerFunc{
		"502": hostile.Refuse(http.StatusBadGateway, "x"), "429": hostile.Refuse(http.StatusTooManyRequests, "x"), "hung up": hostile.HangUp,
	} {
		s.idp.On(hostile.Token, answer)
		s.move(time.Hour)
		asked := len(s.idp.Asked(hostile.Token))
		s.tried++
		if _, err := s.sessions.Caller(s.t.Context(), renewed); err != nil {
			s.t.Errorf("the provider answers %s: %v", name, err)
		}
		for range 10 { // and is left alone for a while
			_, _ = s.sessions.Caller(s.t.Context(), renewed)
		}
		if n := len(s.idp.Asked(hostile.Token)) - asked; n > 2 { // a transport asks again where an idle connection was cut
			s.t.Errorf("the provider answers %s: asked %d times", name, n)
		}
	}
	s.idp.On(hostile.Token, hostile.Refuse(http.StatusBadRequest, "invalid_grant"))
	s.move(time.Hour)
	for range 2 {
		s.tried++
		if _, err := s.sessions.Caller(s.t.Context(), renewed); fault.KindOf(err) != fault.Unauthenticated {
			s.t.Errorf("the provider has ended the login: %v", err)
		}
	}
}

// row 23
func rpLogout(s *stand) {
	b := s.browser()
	secret := s.atReal(b, "kari")
	s.tried++
	page := b.Post(s.web.URL+"/logout", nil)
	to, err := page.Location()
	if err != nil || !strings.HasPrefix(to.String(), s.real.Issuer) || s.alive(secret) || s.session(b) != "" {
		s.t.Fatalf("logout leads to %v, session %t: %v", to, s.alive(secret), err)
	}
	q := to.Query()
	s.hide(q.Get("id_token_hint"))
	if strings.Count(q.Get("id_token_hint"), ".") != 2 || q.Get("post_logout_redirect_uri") != s.web.URL+"/signed-out" || q.Get("state") == "" {
		s.t.Errorf("asked %v", q)
	}
	if back := b.LogOut(to.String()); !strings.HasPrefix(back, s.web.URL+"/signed-out") {
		s.t.Errorf("the provider sends back to %s", back)
	}
	// A provider that is down, or offers no logout: the session here ends all the same.
	for _, down := range []bool{true, false} {
		s.idp.Reset()
		if !down {
			s.idp.Tell("end_session_endpoint", nil)
		}
		s.start()
		login := s.begin(s.browser(), "idp", nil)
		s.give(s.idp.Sign(s.t, nil, s.person(login)), map[string]any{"refresh_token": "refresh-token-of-kari"})
		s.back(login, "idp", nil)
		secret := s.session(login.Browser)
		if down {
			s.start() // which forgets what discovery told
			s.idp.On(hostile.Discovery, hostile.HangUp)
		}
		if page := login.Post(s.web.URL+"/logout", nil); page.StatusCode != http.StatusSeeOther || page.Header.Get("Location") != "/signed-out" || s.alive(secret) {
			s.t.Errorf("down %t: %d to %q, session %t", down, page.StatusCode, page.Header.Get("Location"), s.alive(secret))
		}
	}
}

// logoutToken are the claims of a good one.
func (s *stand) logoutToken(jti string) map[string]any {
	return map[string]any{
		"iss": s.idp.URL, "aud": "behalf", "sub": "kari", "sid": "s1", "jti": jti, "iat": s.in(0), "exp": s.in(time.Minute),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
}

// logOut sends a logout token as a provider does.
func (s *stand) logOut(name string, form url.Values) oidc.Page {
	s.t.Helper()
	s.tried++
	r, err := http.NewRequest(http.MethodPost, s.web.URL+"/logout/backchannel/"+name, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	page := s.browser().Do(r)
	if page.Header.Get("Cache-Control") != "no-store" {
		s.t.Errorf("Cache-Control %q", page.Header.Get("Cache-Control"))
	}
	return page
}

// row 24
func backChannel(s *stand) {
	secret, _ := s.enter(nil, nil)
	events := func(value any) map[string]any { return map[string]any{"events": value} }
	const event = "http://schemas.openid.net/event/backchannel-logout"
	send := func(header, other map[string]any, jti string) int {
		token := s.idp.Sign(s.t, header, hostile.With(s.logoutToken(jti), other))
		s.hide(token)
		return s.logOut("idp", url.Values{"logout_token": {token}}).StatusCode
	}
	for what, other := range map[string]map[string]any{
		"nonce": {"nonce": "n"}, "empty nonce": {"nonce": ""}, "no events": events(nil), "another event": events(map[string]any{"x": map[string]any{}}),
		"an event that is no object": events(map[string]any{event: true}), "events as a list": events([]string{event}),
		"aud of another": {"aud": "another"}, "aud of others too": {"aud": []string{"behalf", "another"}}, "aud missing": {"aud": nil},
		"iss of another": {"iss": s.other.URL}, "iss missing": {"iss": nil}, "jti missing": {"jti": nil}, "exp missing": {"exp": nil},
		"expired": {"exp": s.in(-time.Minute)}, "iat missing": {"iat": nil}, "iat of the future": {"iat": s.in(time.Hour)},
		"iat an hour ago": {"iat": s.in(-time.Hour)}, "neither sub nor sid": {"sub": nil, "sid": nil}, "an id_token": {"events": nil, "nonce": "n"},
	} {
		if status := send(nil, other, "a "+what); status != http.StatusBadRequest || !s.alive(secret) {
			s.t.Errorf("%s: %d, session %t", what, status, s.alive(secret))
		}
	}
	if status := send(map[string]any{"typ": "at+jwt"}, nil, "typ"); status != http.StatusBadRequest || !s.alive(secret) {
		s.t.Errorf("typ at+jwt: %d", status)
	}
	good := s.idp.Sign(s.t, nil, s.logoutToken("good"))
	for what, form := range map[string]url.Values{
		"no token": {}, "an empty one": {"logout_token": {""}}, "two": {"logout_token": {good, good}}, "nonsense": {"logout_token": {"a.b.c"}},
		"alg none":   {"logout_token": {hostile.Forge(s.t, map[string]any{"alg": "none"}, s.logoutToken("none"), nil)}},
		"a stranger": {"logout_token": {hostile.Sign(s.t, jose.RS256, s.other.Key, map[string]any{"kid": hostile.KeyID}, s.logoutToken("stranger"))}},
	} {
		if page := s.logOut("idp", form); page.StatusCode != http.StatusBadRequest || !s.alive(secret) {
			s.t.Errorf("%s: %d, session %t", what, page.StatusCode, s.alive(secret))
		}
	}
	// The same sid of another issuer is another session; and a sid of another session ends none.
	theirs := hostile.Sign(s.t, jose.RS256, s.other.Key, map[string]any{"kid": hostile.KeyID}, hostile.With(s.logoutToken("theirs"), map[string]any{"iss": s.other.URL}))
	if page := s.logOut("other", url.Values{"logout_token": {theirs}}); page.StatusCode != http.StatusOK || !s.alive(secret) {
		s.t.Errorf("sid of another issuer: %d, session %t", page.StatusCode, s.alive(secret))
	}
	if status := send(nil, map[string]any{"sid": "s2"}, "other sid"); status != http.StatusOK || !s.alive(secret) {
		s.t.Errorf("another sid: %d, session %t", status, s.alive(secret))
	}
	if page := s.logOut("idp", url.Values{"logout_token": {good}}); page.StatusCode != http.StatusOK || s.alive(secret) {
		s.t.Errorf("a good one: %d, session %t", page.StatusCode, s.alive(secret))
	}
	// Replayed, it ends no later session; without a sid it ends all of the subject.
	again, _ := s.enter(nil, nil)
	ola, _ := s.enter(map[string]any{"sub": "ola", "sid": "s7"}, nil)
	if page := s.logOut("idp", url.Values{"logout_token": {good}}); page.StatusCode != http.StatusBadRequest || !s.alive(again) {
		s.t.Errorf("replayed: %d, session %t", page.StatusCode, s.alive(again))
	}
	if status := send(map[string]any{"typ": "logout+jwt"}, map[string]any{"sid": nil}, "all"); status != http.StatusOK || s.alive(again) || !s.alive(ola) {
		s.t.Errorf("all of the subject: %d, sessions %t, of another %t", status, s.alive(again), s.alive(ola))
	}
}

// row 26
func revocation(s *stand) {
	for name, answer := range map[string]http.HandlerFunc{"200": hostile.Answer(map[string]any{}), "503": hostile.Refuse(503, "x"), "hung up": hostile.HangUp} {
		s.idp.Reset()
		s.idp.On(hostile.Revocation, answer)
		login := s.begin(s.browser(), "idp", nil)
		s.give(s.idp.Sign(s.t, nil, s.person(login)), map[string]any{"refresh_token": "refresh-token-of-kari"})
		s.back(login, "idp", nil)
		secret := s.session(login.Browser)
		if page := login.Post(s.web.URL+"/logout", nil); page.StatusCode != http.StatusSeeOther || s.alive(secret) {
			s.t.Errorf("%s: %d, session %t", name, page.StatusCode, s.alive(secret))
		}
		asked := s.idp.Asked(hostile.Revocation)
		if len(asked) == 0 || asked[0].Get("token") != "refresh-token-of-kari" || asked[0].Get("token_type_hint") != "refresh_token" || asked[0].Get("by") != "behalf" {
			s.t.Errorf("%s: asked %v", name, asked)
		}
	}
}

// row 27
func introspection(s *stand) {
	good := s.access(map[string]any{"active": true})
	n := 0
	ask := func(answer http.HandlerFunc) error {
		s.tried++
		n++
		s.idp.On(hostile.Introspection, answer)
		token := "opaque-token-" + strings.Repeat("x", n)
		s.hide(token)
		_, err := s.known.Authenticate(s.t.Context(), asSecret(token))
		return err
	}
	for what, other := range map[string]map[string]any{
		"not active": {"active": false}, "active as a text": {"active": "true"}, "active 1": {"active": 1}, "no active": {"active": nil},
		"aud of another": {"aud": "another"}, "no aud": {"aud": nil}, "iss of another": {"iss": s.other.URL}, "expired": {"exp": s.in(-time.Minute)},
		"no exp": {"exp": nil}, "not yet": {"nbf": s.in(time.Hour)},
	} {
		if err := ask(hostile.Answer(hostile.With(good, other))); fault.KindOf(err) != fault.Unauthenticated {
			s.t.Errorf("%s: %v", what, err)
		}
	}
	for what, answer := range map[string]http.HandlerFunc{
		"502": hostile.Refuse(502, "x"), "401 for us": hostile.Refuse(401, "invalid_client"), "hung up": hostile.HangUp,
	} {
		if err := ask(answer); fault.KindOf(err) != fault.Unavailable {
			s.t.Errorf("%s: %v", what, err)
		}
	}
	if err := ask(hostile.Answer(good)); err != nil {
		s.t.Error(err)
	}
	// Believed for 30 s and no longer, and no longer than the token lasts.
	asked := func() int { return len(s.idp.Asked(hostile.Introspection)) }
	token := asSecret("opaque-token-" + strings.Repeat("x", n))
	before := asked()
	for range 5 {
		_, _ = s.known.Authenticate(s.t.Context(), token)
	}
	if asked() != before {
		s.t.Errorf("asked %d times more within 30 s", asked()-before)
	}
	s.idp.On(hostile.Introspection, hostile.Answer(map[string]any{"active": false}))
	s.move(31 * time.Second)
	s.tried++
	if _, err := s.known.Authenticate(s.t.Context(), token); fault.KindOf(err) != fault.Unauthenticated {
		s.t.Errorf("revoked 31 s ago: %v", err)
	}
	if all := s.idp.Asked(hostile.Introspection); all[0].Get("by") != "behalf" {
		s.t.Errorf("asked as %q", all[0].Get("by"))
	}
	// A token for the eye of everybody is not asked about: it must hold by its signature.
	before = asked()
	s.wantToken("a JWT", hostile.Forge(s.t, map[string]any{"alg": "RS256", "kid": hostile.KeyID}, s.access(nil), []byte("x")), false)
	if asked() != before {
		s.t.Error("a JWT with a wrong signature is asked about")
	}
}
