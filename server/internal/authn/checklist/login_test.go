package checklist_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// row 1
func codeOnly(s *stand) {
	b := s.begin(s.browser(), "idp", nil)
	if got := b.at.Get("response_type"); got != "code" || b.at.Has("response_mode") {
		s.t.Errorf("response_type %q", got)
	}
	s.give(s.idp.Sign(s.t, nil, s.person(b)), nil)
	// What the implicit flow would bring is not looked at.
	page := s.back(b, "idp", map[string]string{"code": "", "id_token": s.idp.Sign(s.t, nil, s.person(b)), "access_token": "access-token-of-kari"})
	s.closed("tokens instead of a code", b.Browser, page, http.StatusForbidden)
	if secret, _ := s.enter(nil, nil); secret == "" {
		s.t.Error("no session of a good login")
	}
	for _, asked := range s.idp.Asked(hostile.Token) {
		if got := asked.Get("grant_type"); got != "authorization_code" {
			s.t.Errorf("grant_type %q", got)
		}
	}
	if _, err := provider.Parse([]byte("issuers: [{name: a, issuer: 'https://a.example', believe: [subject], login: {client_id: b, grant: password}}]")); err == nil {
		s.t.Error("a file asks for the password grant")
	}
}

// row 2
func pkce(s *stand) {
	first, second := s.begin(s.browser(), "idp", nil), s.begin(s.browser(), "idp", nil)
	challenge := first.at.Get("code_challenge")
	if first.at.Get("code_challenge_method") != "S256" || len(challenge) != 43 || challenge == second.at.Get("code_challenge") {
		s.t.Errorf("asked %v and %v", first.at, second.at)
	}
	s.give(s.idp.Sign(s.t, nil, s.person(first)), nil)
	s.back(first, "idp", nil)
	verifier := s.idp.Asked(hostile.Token)[0].Get("code_verifier")
	s.hide(verifier)
	sum := sha256.Sum256([]byte(verifier))
	if len(verifier) < 43 || base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
		s.t.Error("the verifier is not that of the challenge")
	}
	// A real provider, which demands it.
	if s.atReal(s.browser(), "kari") == "" {
		s.t.Error("no session at the real provider")
	}
	for _, public := range []bool{false, true} {
		s.idp.Tell("code_challenge_methods_supported", []string{"plain"})
		s.change(func(e *provider.Entry) {
			if public {
				e.Login.ClientSecretFile = ""
			}
		})
		s.tried++
		if page := s.browser().Get(s.web.URL + "/login/idp"); page.StatusCode != http.StatusServiceUnavailable {
			s.t.Errorf("a provider of plain only, public client %t: %d", public, page.StatusCode)
		}
	}
}

// row 3
func state(s *stand) {
	browser := s.browser()
	b, tab := s.begin(browser, "idp", nil), s.begin(browser, "idp", nil)
	if len(b.at.Get("state")) < 22 || b.at.Get("state") == tab.at.Get("state") {
		s.t.Errorf("states %q and %q", b.at.Get("state"), tab.at.Get("state"))
	}
	for what, change := range map[string]func(b *begun) map[string]string{
		"no state":                 func(*begun) map[string]string { return map[string]string{"state": ""} },
		"a state that nobody made": func(*begun) map[string]string { return map[string]string{"state": strings.Repeat("A", 43)} },
		"a state cut short":        func(b *begun) map[string]string { return map[string]string{"state": b.at.Get("state")[:20]} },
		"a state with another end": func(b *begun) map[string]string {
			return map[string]string{"state": b.at.Get("state")[:20] + tab.at.Get("state")[20:]}
		},
		"another browser": func(b *begun) map[string]string {
			b.Browser = s.browser()
			return nil
		},
		"eleven minutes later": func(*begun) map[string]string {
			s.move(11 * time.Minute)
			return nil
		},
	} {
		b := s.begin(s.browser(), "idp", nil)
		other := change(&b)
		s.give(s.idp.Sign(s.t, nil, s.person(b)), nil)
		page := s.back(b, "idp", other)
		s.closed(what, b.Browser, page, http.StatusBadRequest)
		s.moved.Store(0)
	}
	s.give(s.idp.Sign(s.t, nil, s.person(b)), nil)
	// A cookie of another attempt, under the name of this.
	at, _ := url.Parse(s.web.URL)
	jar := s.browser()
	for _, c := range browser.Jar.Cookies(at) {
		if strings.HasSuffix(c.Name, tab.at.Get("state")[:16]) {
			c.Name = strings.Replace(c.Name, tab.at.Get("state")[:16], b.at.Get("state")[:16], 1)
			c.Path, c.Secure = "/", true
			jar.Jar.SetCookies(at, []*http.Cookie{c})
		}
	}
	page := s.back(begun{jar, b.at, b.where}, "idp", nil)
	s.closed("another tab's cookie", jar, page, http.StatusBadRequest)
	if n := len(s.idp.Asked(hostile.Token)); n != 0 {
		s.t.Errorf("%d codes were sent for answers that belong to no attempt", n)
	}
	// A real answer, and the same again, by who has kept the cookie: state and code are used once.
	real := s.browser()
	callback := real.LogIn(s.web.URL+"/login/real", "kari", s.web.URL+"/callback/")
	kept := s.browser()
	for _, c := range real.Jar.Cookies(at) {
		c.Path, c.Secure = "/", true
		kept.Jar.SetCookies(at, []*http.Cookie{c})
	}
	before := s.real.Count(s.t, "authorization_code")
	if page := real.Get(callback); page.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("a good answer: %d", page.StatusCode)
	}
	for _, b := range []*oidc.Browser{real, kept} {
		s.tried++
		if page := b.Get(callback); page.StatusCode != http.StatusBadRequest || s.real.Count(s.t, "authorization_code") != before+1 {
			s.t.Errorf("the answer replayed: %d", page.StatusCode)
		}
	}
	late := s.begin(s.browser(), "idp", nil)
	s.move(9 * time.Minute)
	s.give(s.idp.Sign(s.t, nil, s.person(late)), nil)
	if s.back(late, "idp", nil); s.session(late.Browser) == "" {
		s.t.Error("no session nine minutes later")
	}
}

// row 4
func nonce(s *stand) {
	if b := s.begin(s.browser(), "idp", nil); len(b.at.Get("nonce")) < 22 {
		s.t.Errorf("nonce %q", b.at.Get("nonce"))
	}
	s.wantLogin("good", nil, nil, true)
	s.wantLogin("none", map[string]any{"nonce": nil}, nil, false)
	s.wantLogin("null", map[string]any{"nonce": []any{}}, nil, false)
	s.wantLogin("empty", map[string]any{"nonce": ""}, nil, false)
	s.wantLogin("another", map[string]any{"nonce": strings.Repeat("A", 43)}, nil, false)
	// An id_token of another login: first it is good, then it is replayed.
	first, second := s.begin(s.browser(), "idp", nil), s.begin(s.browser(), "idp", nil)
	s.give(s.idp.Sign(s.t, nil, s.person(first)), nil)
	if s.back(first, "idp", nil); s.session(first.Browser) == "" {
		s.t.Error("no session of a good login")
	}
	page := s.back(second, "idp", nil)
	s.closed("an id_token replayed", second.Browser, page, http.StatusForbidden)
}

// row 5
func issInCallback(s *stand) {
	for _, row := range []struct {
		announced bool
		iss       string
		good      bool
	}{
		{true, "", false}, {true, s.other.URL, false}, {true, s.idp.URL + "/", false}, {true, s.idp.URL, true},
		{false, "", true}, {false, s.other.URL, false}, {false, s.idp.URL, true},
	} {
		s.idp.Reset()
		s.idp.Tell("authorization_response_iss_parameter_supported", row.announced)
		s.start()
		b := s.begin(s.browser(), "idp", nil)
		s.give(s.idp.Sign(s.t, nil, s.person(b)), nil)
		page := s.back(b, "idp", map[string]string{"iss": row.iss})
		if row.good != (s.session(b.Browser) != "") || !row.good && (page.StatusCode != http.StatusBadRequest || len(s.idp.Asked(hostile.Token)) != 0) {
			s.t.Errorf("announced %t, iss %q: %d, %d codes sent", row.announced, row.iss, page.StatusCode, len(s.idp.Asked(hostile.Token)))
		}
	}
}

// row 6
func redirectURIs(s *stand) {
	b := s.begin(s.browser(), "idp", nil)
	other := s.begin(b.Browser, "other", nil)
	for name, at := range map[string]url.Values{"idp": b.at, "other": other.at} {
		if got := at.Get("redirect_uri"); got != s.web.URL+"/callback/"+name {
			s.t.Errorf("%s: redirect_uri %s", name, got)
		}
	}
	// Mix-up: the answer to one comes to the other's address, and its code goes nowhere.
	s.give(s.idp.Sign(s.t, nil, s.person(b)), nil)
	page := s.back(b, "other", nil)
	s.closed("at another's address", b.Browser, page, http.StatusBadRequest)
	page = s.back(b, "nobody", nil)
	s.closed("at nobody's address", b.Browser, page, http.StatusNotFound)
	if n := len(s.idp.Asked(hostile.Token)) + len(s.other.Asked(hostile.Token)); n != 0 {
		s.t.Errorf("%d codes were sent", n)
	}
}

// row 14
func authTime(s *stand) {
	s.change(func(e *provider.Entry) { e.Login.MaxAge = provider.Duration(time.Minute) })
	if b := s.begin(s.browser(), "idp", nil); b.at.Get("max_age") != "60" {
		s.t.Errorf("max_age %q", b.at.Get("max_age"))
	}
	for d, made := range map[time.Duration]bool{0: true, -65 * time.Second: true, -75 * time.Second: false, -time.Hour: false} {
		s.wantLogin("asked "+d.String()+" ago", map[string]any{"auth_time": s.in(d)}, nil, made)
	}
	s.wantLogin("auth_time missing", map[string]any{"auth_time": nil}, nil, false)
	s.wantLogin("auth_time a text", map[string]any{"auth_time": "now"}, nil, false)
}

// row 15
func levels(s *stand) {
	asks := func(acr string) url.Values { return url.Values{"acr_values": {acr}, "return": {"/after?x=1"}} }
	for _, row := range []struct {
		asked string
		acr   any
		made  bool
	}{
		{"substantial", "substantial", true}, {"substantial", "high", true}, {"high", "substantial", false}, {"low", "HIGH", false},
		{"low", nil, false}, {"low", "", false}, {"high", "unknown", false},
	} {
		s.wantLogin("asked "+row.asked, map[string]any{"acr": row.acr}, asks(row.asked), row.made)
	}
	s.tried++
	if page := s.browser().Get(s.web.URL + "/login/idp?acr_values=unknown"); page.StatusCode != http.StatusBadRequest {
		s.t.Errorf("a level that the file does not know: %d", page.StatusCode)
	}
	for acr, want := range map[string]int{"high": 4, "substantial": 3, "unknown": 0} {
		secret, page := s.enter(map[string]any{"acr": acr}, url.Values{"return": {"/after?x=1"}})
		who, err := s.sessions.Caller(s.t.Context(), asSecret(secret))
		if err != nil || who.Level != want || page.Header.Get("Location") != "/after?x=1" {
			s.t.Errorf("acr %s: level %d, back at %s: %v", acr, who.Level, page.Header.Get("Location"), err)
		}
	}
	// amr raises a level only where the file says so.
	s.change(func(e *provider.Entry) { e.Levels.AMR = map[string]int{"BankID": 4} })
	if who, err := s.bears(s.token(nil, map[string]any{"amr": []string{"pwd", "BankID"}})); err != nil || who.Level != 4 {
		s.t.Errorf("amr: level %d: %v", who.Level, err)
	}
	if who, err := s.bears(s.token(nil, map[string]any{"amr": "bankid"})); err != nil || who.Level != 0 {
		s.t.Errorf("an amr that the file does not know: level %d: %v", who.Level, err)
	}
}

// row 16
func userInfo(s *stand) {
	s.change(func(e *provider.Entry) { e.Login.UserInfo = true })
	for _, row := range []struct {
		what   string
		info   map[string]any
		made   bool
		groups []string
	}{
		{"of the same", map[string]any{"sub": "kari", "groups": []string{"staff"}}, true, []string{"staff"}},
		{"of another", map[string]any{"sub": "ola", "groups": []string{"staff"}}, false, nil},
		{"of nobody", map[string]any{"groups": []string{"staff"}}, false, nil},
		{"of a number", map[string]any{"sub": 7, "groups": []string{"staff"}}, false, nil},
		{"with wrong groups", map[string]any{"sub": "kari", "groups": 7}, false, nil},
	} {
		s.idp.On(hostile.UserInfo, hostile.Answer(row.info))
		s.wantLogin(row.what, nil, nil, row.made)
	}
	// What the id_token says stands, and what makes it valid is not told elsewhere.
	s.idp.On(hostile.UserInfo, hostile.Answer(map[string]any{"sub": "kari", "groups": []string{"admin"}, "acr": "high", "sid": "s9"}))
	secret, _ := s.enter(map[string]any{"groups": []string{"guest"}, "acr": "low"}, nil)
	if who, err := s.sessions.Caller(s.t.Context(), asSecret(secret)); err != nil || !slices.Equal(who.Groups, []string{"guest"}) || who.Level != 2 {
		s.t.Errorf("user info against the id_token: %v, level %d: %v", who.Groups, who.Level, err)
	}
	s.idp.On(hostile.UserInfo, hostile.Refuse(http.StatusBadGateway, "x"))
	s.tried++
	if secret, page := s.enter(nil, nil); secret != "" || page.StatusCode != http.StatusServiceUnavailable {
		s.t.Errorf("no user info: %d", page.StatusCode)
	}
}

// row 17
func codeInjection(s *stand) {
	victim, mallory := s.browser(), s.browser()
	stolen, err := url.Parse(victim.LogIn(s.web.URL+"/login/real", "kari", s.web.URL+"/callback/"))
	if err != nil {
		s.t.Fatal(err)
	}
	own, err := url.Parse(mallory.LogIn(s.web.URL+"/login/real", "mallory", s.web.URL+"/callback/"))
	if err != nil {
		s.t.Fatal(err)
	}
	q := own.Query()
	s.hide(q.Get("code"), stolen.Query().Get("code"))
	q.Set("code", stolen.Query().Get("code"))
	own.RawQuery = q.Encode()
	s.tried++
	s.closed("another's code", mallory, mallory.Get(own.String()), http.StatusForbidden)
	// The person goes back in the history: a page that offers to begin again.
	b := s.browser()
	callback := b.LogIn(s.web.URL+"/login/real?return=/x", "kari", s.web.URL+"/callback/")
	b.Get(callback)
	secret := s.session(b)
	s.tried++
	page := b.Get(callback)
	if page.StatusCode != http.StatusBadRequest || !strings.Contains(page.Text, `href="/login"`) || !s.alive(secret) {
		s.t.Errorf("back in the history: %d, session %t\n%s", page.StatusCode, s.alive(secret), page.Text)
	}
	s.wantLogin("at_hash of another access token", map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, nil, false)
	login := s.begin(s.browser(), "idp", nil)
	s.closed("the provider refuses", login.Browser, s.back(login, "idp", map[string]string{"code": "", "error": "access_denied"}), http.StatusForbidden)
}

// row 21
func returns(s *stand) {
	for text, want := range map[string]string{
		"/a?b=c&d#e": "/a?b=c&d#e", "": "/", "x": "/", "//evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/",
		"/\t/evil.example": "/", "https://evil.example/": "/", s.web.URL + "@evil.example/": "/", "javascript:alert(1)": "/",
		"/%2f%2fevil.example": "/", "/%252fevil.example": "/", "/%5cevil.example": "/", "https:///evil.example": "/", "https:evil.example": "/",
		"/a\r\nSet-Cookie: x": "/", "data:text/html,x": "/",
	} {
		secret, page := s.enter(nil, url.Values{"return": {text}})
		if got := page.Header.Get("Location"); got != want || page.StatusCode != http.StatusSeeOther || secret == "" {
			s.t.Errorf("%q leads to %q with %d, want %q", text, got, page.StatusCode, want)
		}
	}
	// Kept on the way by the attempt, not by the provider or the address.
	if b := s.begin(s.browser(), "idp", url.Values{"return": {"/somewhere"}}); strings.Contains(b.at.Encode(), "somewhere") {
		s.t.Errorf("the provider is told of the return: %v", b.at)
	}
}

// row 31
func pushed(s *stand) {
	s.entries[2].Login.PAR = true
	s.start()
	browser := s.browser()
	s.tried++
	page := browser.Get(s.web.URL + "/login/real")
	to, err := page.Location()
	if err != nil || to.Query().Get("request_uri") == "" || to.Query().Has("state") || to.Query().Has("code_challenge") || to.Query().Has("redirect_uri") {
		s.t.Errorf("the browser goes to %v: %v", to, err)
	}
	if s.atReal(s.browser(), "kari") == "" {
		s.t.Error("no session by a pushed request")
	}
	// One that demands it, and takes none: the browser is not sent without.
	for _, answer := range []http.HandlerFunc{nil, hostile.Refuse(http.StatusBadRequest, "invalid_request"), hostile.Answer(map[string]any{"request_uri": "urn:x"})} {
		s.idp.Reset()
		s.idp.Tell("require_pushed_authorization_requests", true)
		if answer != nil {
			s.idp.Tell("pushed_authorization_request_endpoint", s.idp.URL+"/par")
			s.idp.On("/par", answer)
		}
		s.start()
		s.tried++
		if page := s.browser().Get(s.web.URL + "/login/idp"); page.StatusCode != http.StatusServiceUnavailable {
			s.t.Errorf("pushed, and refused: %d", page.StatusCode)
		}
	}
}

// row 32
func clientKeys(s *stand) {
	// A real provider takes the assertions, for a code, a pushed request, a renewal and a revocation.
	s.entries[2].Login.ClientID, s.entries[2].Login.ClientSecretFile = "behalf-with-a-key", ""
	s.entries[2].Login.PrivateKeyFiles, s.entries[2].Login.PAR = []string{s.keyFile}, true
	s.start()
	browser := s.browser()
	secret := s.atReal(browser, "kari")
	before := s.real.Count(s.t, "refresh_token")
	s.move(2 * time.Hour)
	s.tried++
	if !s.alive(secret) || s.real.Count(s.t, "refresh_token") != before+1 {
		s.t.Errorf("renewed by a key: %t, %d renewals", s.alive(secret), s.real.Count(s.t, "refresh_token")-before)
	}
	if page := browser.Post(s.web.URL+"/logout", nil); page.StatusCode != http.StatusSeeOther {
		s.t.Errorf("logout: %d", page.StatusCode)
	}
	// The hostile one shows what it was sent. The first of two keys signs, both are told.
	next := writeKey(s.t, hostile.NewKey(s.t))
	s.change(func(e *provider.Entry) {
		e.Login.ClientSecretFile, e.Login.PrivateKeyFiles = "", []string{s.keyFile, next}
	})
	told := s.providers["idp"].ClientKeys()
	if len(told) != 2 || !told[0].IsPublic() || told[0].KeyID == told[1].KeyID {
		s.t.Fatalf("%d keys are told", len(told))
	}
	seen := make(map[string]bool)
	for range 2 {
		b := s.begin(s.browser(), "idp", nil)
		s.give(s.idp.Sign(s.t, nil, s.person(b)), map[string]any{"refresh_token": "refresh-token-of-kari"})
		s.back(b, "idp", nil)
		b.Post(s.web.URL+"/logout", nil)
	}
	for _, asked := range append(s.idp.Asked(hostile.Token), s.idp.Asked(hostile.Revocation)...) {
		s.tried++
		assertion := asked.Get("client_assertion")
		s.hide(assertion)
		signed, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			s.t.Fatalf("asked %v: %v", asked, err)
		}
		payload, err := signed.Verify(told[0].Key)
		var c struct {
			Issuer   string `json:"iss"`
			Subject  string `json:"sub"`
			Audience string `json:"aud"`
			ID       string `json:"jti"`
			From     int64  `json:"iat"`
			Until    int64  `json:"exp"`
		}
		if err != nil || json.Unmarshal(payload, &c) != nil {
			s.t.Fatal(err)
		}
		lasts := c.Until - c.From
		if c.Issuer != "behalf" || c.Subject != "behalf" || c.Audience != s.idp.URL || len(c.ID) < 22 || seen[c.ID] || lasts <= 0 || lasts > 120 {
			s.t.Errorf("claims %s", payload)
		}
		seen[c.ID] = true
		if asked.Has("by") || asked.Has("client_secret") || asked.Get("client_id") != "behalf" {
			s.t.Errorf("asked %v", asked)
		}
	}
	if len(seen) != 4 {
		s.t.Errorf("%d assertions", len(seen))
	}
}

// row 33
func resources(s *stand) {
	s.change(func(e *provider.Entry) { e.Login.Resource = api })
	b := s.begin(s.browser(), "idp", nil)
	s.give(s.idp.Sign(s.t, nil, s.person(b)), nil)
	s.back(b, "idp", nil)
	if got := []string{b.at.Get("resource"), s.idp.Asked(hostile.Token)[0].Get("resource")}; !slices.Equal(got, []string{api, api}) {
		s.t.Errorf("resource %q", got)
	}
	s.wantToken("for another API", s.token(nil, map[string]any{"aud": "https://other.example"}), false)
	for _, text := range []string{"api", "https://api.example#x", "//api.example"} {
		s.entries[0].Login.Resource = text
		if err := (provider.File{Issuers: s.entries}).Validate(); err == nil {
			s.t.Errorf("resource %q is taken", text)
		}
	}
}
