package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/hostile"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// TestWhoSomebodyIsFollowsOtherNodes has one node change a person. The other, which is asked
// with a session, through a manager or with a certificate only, says at once who he is now.
func TestWhoSomebodyIsFollowsOtherNodes(t *testing.T) {
	uri := server.Postgres.Database(t)
	a := startAltinnServerWith(t, server.Config{DataDir: t.TempDir(), Datastore: uri, Migrate: true})
	kari := func(name, died string) {
		t.Helper()
		a.party(&behalfv1.PartyRecord{
			PartyId: 50002598, Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: name, NationalId: "07124912037",
			UserId: 20000490, Login: true, DiedOn: died,
		})
	}
	kari("KARI", "")
	t.Run("sessions and managers", func(t *testing.T) {
		idp, other := hostile.Start(t, hostile.NewKey(t)), hostile.Start(t, hostile.NewKey(t))
		b := &enforcingServer{altinnServer: startAltinnServerWith(t, server.Config{
			DataDir: t.TempDir(), Datastore: uri,
			Login: server.LoginConfig{IssuersFile: file(t, "issuers.yaml", fmt.Sprintf(`issuers:
  - {name: people, issuer: '%s', believe: [subject, pid], login: {client_id: behalf}}
  - {name: other, issuer: other, believe: [subject, pid], manager: {userinfo: '%s/who', headers: [x-who]}}
`, idp.URL, other.URL))},
			Enforcement: server.EnforcementConfig{
				RoutesFile: file(t, "routes.yaml", enforcedRoutes), TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			},
		})}
		other.On("/who", hostile.Answer(map[string]any{"sub": "kari", "pid": "07124912037"}))
		cookie := followedSession(t, b, idp)
		forward := adapters[len(adapters)-1]
		doors := map[string]func() string{
			"a session": func() string {
				_, body := b.get(t, http.MethodGet, "/userinfo", cookie)
				return body
			},
			"a session at a gateway": func() string {
				_, at := b.ask(t, forward.tell("GET", "api.example.com", "/me"), cookie)
				return at.header.Get("Behalf-User")
			},
			"a manager": func() string {
				_, at := b.ask(t, forward.tell("GET", "api.example.com", "/me"), "X-Who: kari")
				return at.header.Get("Behalf-User")
			},
		}
		for name, ask := range doors {
			for _, died := range []string{"", "2026-01-02", ""} {
				kari("KARI", died)
				if said := ask(); strings.Contains(said, "20000490") != (died == "") {
					t.Errorf("%s of a person who died on %q: %q", name, died, said)
				}
			}
		}
	})
	t.Run("certificates", func(t *testing.T) {
		ca := newAuthority(t)
		ca.issueWith(t, "server", "")
		ca.issueWith(t, "portal.internal", "")
		b := startAltinnServerWith(t, server.Config{
			DataDir: t.TempDir(), Datastore: uri,
			TLS:   server.TLSConfig{CertFile: ca.dir + "/server.pem", KeyFile: ca.dir + "/server.key", ClientCAFile: ca.dir + "/authority.pem"},
			Login: server.LoginConfig{IssuersFile: file(t, "issuers.yaml", servicesByCertificate)},
		})
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: ca.client("portal.internal")}}
		defer client.CloseIdleConnections()
		for _, name := range []string{"KARI", "ANNA", "EVA"} {
			kari(name, "")
			resp, err := client.Get(strings.Replace(b.base, "http:", "https:", 1) + "/v1/parties/50002598")
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || !strings.Contains(string(text), name) {
				t.Errorf("%s: %d %s, %v", name, resp.StatusCode, text, err)
			}
		}
	})
}

// followedSession logs Kari in and returns the cookie of her session.
func followedSession(t *testing.T, s *enforcingServer, idp *hostile.Provider) string {
	t.Helper()
	browser := oidc.NewBrowser(t)
	to, err := browser.Get(s.base + "/login/people").Location()
	if err != nil {
		t.Fatal(err)
	}
	q := to.Query()
	idp.On(hostile.Token, hostile.Answer(map[string]any{
		"access_token": "x", "token_type": "Bearer",
		"id_token": idp.Sign(t, nil, map[string]any{
			"iss": idp.URL, "sub": "kari", "pid": "07124912037", "aud": "behalf", "nonce": q.Get("nonce"),
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		}),
	}))
	page := browser.Get(s.base + "/callback/people?" + url.Values{"state": {q.Get("state")}, "code": {"c"}}.Encode())
	for _, c := range page.Cookies() {
		if c.Name == "sid" {
			return "Cookie: sid=" + c.Value
		}
	}
	t.Fatalf("no session: %d %s", page.StatusCode, page.Text)
	return ""
}
