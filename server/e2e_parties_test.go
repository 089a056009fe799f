package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

const actingRoutes = `
identity: {preset: plain, token: {audience: orders}}
routes:
  - {name: orders, methods: [GET], path: /orders, party: {}, rule: {authenticated: true}}
`

// startActing returns a server whose users log in and act for parties at a gateway, and a
// browser of Kari's that is logged in.
func startActing(t *testing.T) (*loginServer, *oidc.Browser) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte(actingRoutes), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startLoginServerWith(t, server.EnforcementConfig{
		RoutesFile: file, TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	s.loadSmallRegister()
	kari := oidc.NewBrowser(t)
	s.in(kari, "07124912037")
	return s, kari
}

// in logs a person in.
func (s *loginServer) in(b *oidc.Browser, person string) {
	b.LogIn(s.base+"/login/people?return="+url.QueryEscape("/signed-out"), person, s.base+"/signed-out")
}

// asks has a browser's request come to a gateway, and returns the party that the service sees,
// or why it sees nothing.
func (s *loginServer) asks(t *testing.T, b *oidc.Browser, headers ...string) string {
	t.Helper()
	base, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	var cookies []string
	for _, c := range b.Jar.Cookies(base) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	got := s.do(t, http.MethodGet, "/authz/forward", nil, append(headers, "X-Forwarded-Method: GET", "X-Forwarded-Proto: https",
		"X-Forwarded-Host: app.example", "X-Forwarded-Uri: /orders", "Cookie: "+strings.Join(cookies, "; "))...)
	if got.status != http.StatusOK {
		return got.header.Get("Behalf-Reason")
	}
	if strings.Count(got.header.Get("Behalf-Identity"), ".") != 2 {
		t.Errorf("the identity token is %q", got.header.Get("Behalf-Identity"))
	}
	return got.header.Get("Behalf-Party-Id")
}

// send sends a request of a page of this origin, unless the headers say otherwise.
func (s *loginServer) sends(t *testing.T, b *oidc.Browser, method, path, body string, headers ...string) oidc.Page {
	t.Helper()
	r, err := http.NewRequest(method, s.base+path, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return b.Do(r)
}

// TestActingForAParty has a person choose whom she acts for, in the page and from a page of
// others, and the service behind a gateway see it.
func TestActingForAParty(t *testing.T) {
	s, kari := startActing(t)
	if got := s.asks(t, kari); got != "50002598" {
		t.Errorf("before a choice she acts for %s", got)
	}
	list := func(query string) (names []string, next string, chosen string) {
		t.Helper()
		page := s.sends(t, kari, http.MethodGet, "/session/parties?"+query, "")
		var answer struct {
			Parties       []struct{ PartyID, Name string }
			NextPageToken string
			ChosenPartyID string
		}
		if err := json.Unmarshal([]byte(page.Text), &answer); err != nil || page.StatusCode != 200 || page.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v %s", query, page.StatusCode, err, page.Text)
		}
		for _, p := range answer.Parties {
			names = append(names, p.Name)
		}
		return names, answer.NextPageToken, answer.ChosenPartyID
	}
	first, next, chosen := list("page_size=5")
	rest, end, _ := list("page_size=5&page_token=" + url.QueryEscape(next))
	if all, _, _ := list(""); len(first) != 5 || end != "" || len(all) != len(first)+len(rest) || chosen != "50002598" {
		t.Errorf("pages %v and %v of %v, chosen %s", first, rest, all, chosen)
	}
	if found, _, _ := list("search=fjellheim"); len(found) != 1 || found[0] != "FJELLHEIM OG STRAND" {
		t.Errorf("found %v", found)
	}
	for _, row := range []struct {
		name, body string
		headers    []string
		want       int
		acts       string
	}{
		{"by id", `{"partyId": 50076451}`, nil, 200, "50076451"},
		{"by UUID", `{"partyUuid": "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d005"}`, nil, 403, "50076451"},
		{"by number", `{"orgNumber": "910090066"}`, nil, 200, "50090006"},
		{"what she may not", `{"partyId": 50090007}`, nil, 403, "50090006"},
		{"what there is not", `{"partyId": 99}`, nil, 403, "50090006"},
		{"nothing", `{}`, nil, 400, "50090006"},
		{"no JSON", `party=1`, nil, 400, "50090006"},
		{"another site", `{"partyId": 50076451}`, []string{"Sec-Fetch-Site: cross-site"}, 403, "50090006"},
		{"another host of the site", `{"partyId": 50076451}`, []string{"Sec-Fetch-Site: same-site"}, 403, "50090006"},
		{"another media type", `{"partyId": 50076451}`, []string{"Content-Type: text/plain"}, 415, "50090006"},
		{"a form of another site", `party=50076451`, []string{"Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: cross-site"}, 403, "50090006"},
		{"the form", `party=50076451&return=/orders`, []string{"Content-Type: application/x-www-form-urlencoded"}, 303, "50076451"},
		{"the form, what she may not", `party=50090007`, []string{"Content-Type: application/x-www-form-urlencoded"}, 403, "50076451"},
	} {
		page := s.sends(t, kari, http.MethodPost, "/session/party", row.body, row.headers...)
		if page.StatusCode != row.want {
			t.Errorf("%s: %d %s", row.name, page.StatusCode, page.Text)
		}
		if row.want == 303 && page.Header.Get("Location") != "/orders" {
			t.Errorf("%s: sent to %s", row.name, page.Header.Get("Location"))
		}
		if got := s.asks(t, kari); got != row.acts {
			t.Errorf("%s: then she acts for %s, want %s", row.name, got, row.acts)
		}
	}
	if got := s.asks(t, kari, "Behalf-Party: 50090006"); got != "50090006" {
		t.Errorf("by the header she acts for %s", got)
	}
	t.Run("the choice of another login", func(t *testing.T) {
		other := oidc.NewBrowser(t)
		s.in(other, "07124912037")
		if got := s.asks(t, other); got != "50002598" {
			t.Errorf("she acts for %s", got)
		}
	})
	t.Run("the same browser logs in again", func(t *testing.T) {
		s.in(kari, "07124912037")
		if got := s.asks(t, kari); got != "50076451" {
			t.Errorf("she acts for %s", got)
		}
	})
	t.Run("the right is taken away", func(t *testing.T) {
		_, err := s.register.DeleteAssignment(s.admin(), &behalfv1.DeleteAssignmentRequest{
			Source: "test", Assignment: &behalfv1.AssignmentRecord{From: "party:50076451", Role: "DAGL", To: "party:50002598"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.asks(t, kari); got != "PARTY_NOT_REPRESENTED" {
			t.Errorf("at the next request she acts for %s", got)
		}
	})
	t.Run("pages", func(t *testing.T) { s.pagesOfParties(t, kari) })
}

// pagesOfParties looks at the chooser.
func (s *loginServer) pagesOfParties(t *testing.T, kari *oidc.Browser) {
	for _, row := range []struct {
		query, lang string
		want        []string
	}{
		{"", "en", []string{"Choose whom you act on behalf of", `lang="en"`, `<label for="search">`, `role="status"`, `value="50090005"`, "910090055", "deleted"}},
		{"?return=/orders", "nb", []string{"Velg hvem du vil handle på vegne av", `href="/orders"`, `name="return" type="hidden" value="/orders"`, "slettet"}},
		{"?search=tall", "nn", []string{`value="tall"`, "TALL OG TAKST REGNSKAP", "Antall: 1"}},
		{"?return=https://evil.example/", "en", []string{`href="/"`}},
		{"?search=%22%3E%3Cscript%3E", "en", []string{"&#34;&gt;&lt;script&gt;", "Number found: 0"}},
	} {
		page := s.sends(t, kari, http.MethodGet, "/session/party"+row.query, "", "Accept-Language: "+row.lang)
		for _, want := range row.want {
			if page.StatusCode != 200 || !strings.Contains(page.Text, want) {
				t.Errorf("%s in %s: %d without %s:\n%s", row.query, row.lang, page.StatusCode, want, page.Text)
			}
		}
		policy := page.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || !strings.Contains(policy, "form-action 'self'") ||
			strings.Contains(policy, "evil") || strings.Contains(page.Text, "<script") {
			t.Errorf("%s: policy %q", row.query, policy)
		}
	}
	stranger := oidc.NewBrowser(t)
	if page := stranger.Get(s.base + "/session/party?return=/orders"); page.StatusCode != 303 ||
		page.Header.Get("Location") != "/login?return=%2Fsession%2Fparty%3Freturn%3D%252Forders" {
		t.Errorf("nobody is logged in: %d to %s", page.StatusCode, page.Header.Get("Location"))
	}
	if page := stranger.Get(s.base + "/session/parties"); page.StatusCode != 401 {
		t.Errorf("nobody is logged in: %d %s", page.StatusCode, page.Text)
	}
	if page := s.sends(t, kari, http.MethodPost, "/session/party", "party=50090007", "Content-Type: application/x-www-form-urlencoded", "Accept-Language: nb"); page.StatusCode != 403 ||
		!strings.Contains(page.Text, `<p role="alert">Du kan ikke handle på vegne av`) {
		t.Errorf("what she may not: %d %s", page.StatusCode, page.Text)
	}
}

// TestCookieOfAltinn has a browser bring Altinn's choice, which goes before that of the session.
func TestCookieOfAltinn(t *testing.T) {
	s, kari := startActing(t)
	base, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	kari.Jar.SetCookies(base, []*http.Cookie{{Name: "AltinnPartyId", Value: "50090005", Path: "/"}})
	if got := s.asks(t, kari); got != "50090005" {
		t.Errorf("by the cookie she acts for %s", got)
	}
	if page := s.sends(t, kari, http.MethodPost, "/session/party", `{"partyId": 50076451}`); page.StatusCode != 200 {
		t.Errorf("%d %s", page.StatusCode, page.Text)
	}
	if got := s.asks(t, kari); got != "50076451" {
		t.Errorf("after a choice she acts for %s", got)
	}
}

// TestLinkingIdentities has an administrator say who a stranger is.
func TestLinkingIdentities(t *testing.T) {
	s, _ := startActing(t)
	stranger := oidc.NewBrowser(t)
	s.in(stranger, "stranger")
	userOf := func() any {
		_, who := s.info(t, stranger)
		return who["userId"]
	}
	nobody := s.idp.Issuer + "#stranger"
	if got := userOf(); got != nobody {
		t.Fatalf("before, he is %v", got)
	}
	admin := "Authorization: Bearer " + s.adminKey
	call := func(method, path, body, credentials string, want int) string {
		t.Helper()
		got := s.do(t, method, path, []byte(body), credentials, "Content-Type: application/json")
		if got.status != want {
			t.Errorf("%s %s %s: %d %s", method, path, body, got.status, got.body)
		}
		return got.body
	}
	link := func(subject, user string) string {
		return `{"identity": {"issuer": "` + s.idp.Issuer + `", "subject": "` + subject + `", "userId": "` + user + `"}}`
	}
	user := "Authorization: Bearer " + s.token(t, server.UserClaims(20000490, 50002598, 4))
	call(http.MethodPost, "/v1/identities", link("stranger", "20000490"), user, 403)
	call(http.MethodPost, "/v1/identities", link("stranger", "20009999"), admin, 404)
	if got := userOf(); got != nobody {
		t.Errorf("after refused links, he is %v", got)
	}
	call(http.MethodPost, "/v1/identities", link("stranger", "20000490"), admin, 200)
	call(http.MethodPost, "/v1/identities", link("another", "20000490"), admin, 200)
	if got := userOf(); got != "20000490" {
		t.Errorf("linked, he is %v", got)
	}
	if got := s.asks(t, stranger, "Behalf-Party: 50076451"); got != "50076451" {
		t.Errorf("linked, he acts for %s", got)
	}
	first := call(http.MethodGet, "/v1/identities?user_id=20000490&page_size=1", "", admin, 200)
	var page struct {
		Identities    []struct{ Subject string }
		NextPageToken string
	}
	if err := json.Unmarshal([]byte(first), &page); err != nil || len(page.Identities) != 1 || page.Identities[0].Subject != "another" {
		t.Errorf("listed %s: %v", first, err)
	}
	second := call(http.MethodGet, "/v1/identities?user_id=20000490&page_size=1&page_token="+page.NextPageToken, "", admin, 200)
	if !strings.Contains(second, `"stranger"`) || !strings.Contains(second, `"nextPageToken":""`) {
		t.Errorf("then %s", second)
	}
	if all := call(http.MethodGet, "/v1/identities?issuer="+url.QueryEscape(s.idp.Issuer), "", admin, 200); strings.Count(all, `"subject"`) != 2 {
		t.Errorf("of the issuer: %s", all)
	}
	unlink := `{"issuer": "` + s.idp.Issuer + `", "subject": "stranger"}`
	if was := call(http.MethodPost, "/v1/identities:unlink", unlink, admin, 200); !strings.Contains(was, `"20000490"`) {
		t.Errorf("was %s", was)
	}
	call(http.MethodPost, "/v1/identities:unlink", unlink, admin, 404)
	if got := userOf(); got != nobody {
		t.Errorf("unlinked, he is %v", got)
	}
	records := call(http.MethodGet, "/v1/audit?kind=change", "", admin, 200)
	if strings.Count(records, `"link"`) != 2 || strings.Count(records, `"unlink"`) != 1 || !strings.Contains(records, "was user 20000490") ||
		!strings.Contains(records, `"service/`) {
		t.Errorf("recorded: %s", records)
	}
}

// TestManagerOfOthers has one server ask another, as it would ask an authentication manager of
// Mia-Platform's, who makes a request.
func TestManagerOfOthers(t *testing.T) {
	a, kari := startActing(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	b := &loginServer{startAltinnServerWith(t, server.Config{
		DataDir: filepath.Join(dir, "data"),
		Login: server.LoginConfig{IssuersFile: write("issuers.yaml", `issuers: [{name: other, issuer: other, believe: [subject, groups],
			manager: {userinfo: `+a.base+`/userinfo}}]`)},
		Enforcement: server.EnforcementConfig{
			RoutesFile: write("routes.yaml", actingRoutes), TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		},
	}), a.idp}
	b.loadSmallRegister()
	if got := b.asks(t, oidc.NewBrowser(t)); got != "CREDENTIALS_MISSING" {
		t.Errorf("without a session: %s", got)
	}
	// The jar has cookies by host, not by port, so this is what a gateway of both sends.
	if got := b.asks(t, kari); got != "RULE_DENIES" {
		t.Errorf("whom nobody has linked: %s", got)
	}
	answer := b.do(t, http.MethodPost, "/v1/identities", []byte(`{"identity": {"issuer": "other", "subject": "20000490", "userId": "20000490"}}`),
		"Authorization: Bearer "+b.adminKey, "Content-Type: application/json")
	if answer.status != 200 {
		t.Fatalf("link: %d %s", answer.status, answer.body)
	}
	if got := b.asks(t, kari); got != "50002598" {
		t.Errorf("linked, she acts for %s", got)
	}
	kari.Post(a.base+"/logout", nil)
	if got := b.asks(t, kari); got != "CREDENTIALS_MISSING" && got != "CREDENTIALS_INVALID" {
		t.Errorf("logged out there: %s", got)
	}
	a.stop()
	if got := b.asks(t, oidc.NewBrowser(t), "Authorization: Bearer x"); got != "UNAVAILABLE" {
		t.Errorf("it is down: %s", got)
	}
}
