package deploy_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/testkit/chromium"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// person is somebody at a browser.
type person struct {
	*chromium.Browser
	t       *testing.T
	service *upstream
}

// logIn answers the provider's forms.
func (p *person) logIn(name string) {
	p.t.Helper()
	p.Fill("input[name=login]", name)
	p.Fill("input[name=password]", "x")
	p.Press("button[type=submit]")
	p.Press("button[type=submit]") // consent
}

// sees says that the browser is at an address, and what the service was told of who asks.
func (p *person) sees(address, identity string) {
	p.t.Helper()
	s := p.service.take()
	if s == nil {
		p.t.Fatalf("the service is not asked; the browser is at %s:\n%s", p.Address(), p.Text())
	}
	if s.identity() != identity || p.Address() != address || !strings.Contains(p.Text(), identity) {
		p.t.Errorf("at %s the service is told %q, want %s and %q:\n%s", p.Address(), s.identity(), address, identity, p.Text())
	}
}

// keptOut says that the service was not asked.
func (p *person) keptOut(what string) {
	p.t.Helper()
	if s := p.service.take(); s != nil {
		p.t.Errorf("%s: the service is asked %s %s of %q", what, s.Method, s.Target, s.identity())
	}
}

// TestLogin has somebody open a closed page in a browser, through each gateway as its example
// sets it up: she logs in at a real provider, lands on the page, chooses a party to act for, loses
// a role, and is logged out where she logged in.
func TestLogin(t *testing.T) {
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			s, service := newSetup(t), startUpstream(t)
			t.Setenv("NODE_EXTRA_CA_CERTS", s.identity.cert) // for the provider, which calls back through the gateway
			p := &person{chromium.Open(t, s.identity.certificate), t, service}
			w, idp := startWithProvider(t, s)
			s.behalf, s.service = w.http, service.address
			door := g.start(t, s, nil)

			asked := fmt.Sprintf("%s/for/%d/accounts?year=2026&q=a%%26b", door.url(), unit)
			p.Go(asked)
			p.keptOut("before the login")
			if !strings.HasPrefix(p.Address(), idp.Issuer) {
				t.Fatalf("the browser is at %s, not at the provider:\n%s", p.Address(), p.Text())
			}
			p.logIn(kariPID)
			p.sees(asked, "20000490|0|50074838|"+uuid+"03|910042971")

			p.Go(door.url() + "/act")
			p.sees(door.url()+"/act", "20000490|0|50002598|"+uuid+"01|")
			p.Go(door.url() + "/for/50090001/accounts")
			p.keptOut("for a party that is not hers")
			p.Go(door.url() + "/open/admin")
			p.keptOut("without the group")
			p.Go(door.url() + "/session/party?return=/act")
			p.Press(fmt.Sprintf("button[value='%d']", fjellheim))
			p.sees(door.url()+"/act", "20000490|0|50076451|"+uuid+"02|910042963")

			if _, err := w.register.DeleteAssignment(w.admin, &behalfv1.DeleteAssignmentRequest{Source: "test", Assignment: managing()}); err != nil {
				t.Fatal(err)
			}
			p.Go(asked)
			p.keptOut("after the role has ended")
			if p.Address() != asked {
				t.Errorf("after the role has ended she is sent to %s", p.Address())
			}
			p.Go(door.url() + "/act")
			p.keptOut("for the party that she has chosen, after the role has ended")
			p.Go(door.url() + "/me")
			p.sees(door.url()+"/me", "20000490|0|||")

			p.Go(idp.Issuer + "/session/end?client_id=behalf&post_logout_redirect_uri=" + url.QueryEscape(door.url()+"/signed-out"))
			p.Press("button[value=yes]")
			if !strings.HasPrefix(p.Address(), door.url()+"/signed-out") {
				t.Errorf("after the logout she is at %s:\n%s", p.Address(), p.Text())
			}
			for began := time.Now(); ; { // the provider tells Behalf by a call of its own
				p.Go(door.url() + "/me")
				if strings.HasPrefix(p.Address(), idp.Issuer) {
					break
				}
				if time.Since(began) > 20*time.Second {
					t.Fatalf("the session goes on, at %s:\n%s", p.Address(), p.Text())
				}
			}
			service.take()
			p.Go(door.url() + "/open/a")
			p.sees(door.url()+"/open/a", "||||")
		})
	}
}

// startWithProvider runs Behalf and a provider that knows it by the gateway.
func startWithProvider(t *testing.T, s setup) (*world, *oidc.Provider) {
	t.Helper()
	const secret = "a-secret-that-is-long-enough-for-it"
	dir, port := t.TempDir(), oidc.Port(t)
	idp := oidc.Start(t, port, time.Hour, oidc.Client{
		ID: "behalf", Secret: secret, Redirects: []string{s.url() + "/callback/people"}, AfterLogout: []string{s.url() + "/signed-out"},
		BackChannel: s.url() + "/logout/backchannel/people", BackChannelSID: true,
		Grants: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, TokenAuthMethod: "client_secret_basic",
	})
	issuers := write(t, dir, "issuers.yaml", fmt.Sprintf(`issuers:
  - name: people
    issuer: %s
    believe: [subject, pid]
    login: {client_id: behalf, client_secret_file: %s, title: {en: People}}
`, idp.Issuer, write(t, dir, "client.secret", secret)))
	return startWorld(t, s.url(), issuers), idp
}
