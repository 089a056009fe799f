//go:build unix

package run

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// until asks again until there is no error.
func until(t *testing.T, ask func() error) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := ask()
		if err == nil {
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatal(err)
		}
	}
}

// browser is one that trusts the services' authority.
func (r *trial) browser(t *testing.T) *oidc.Browser {
	t.Helper()
	b := oidc.NewBrowser(t)
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: r.roots}}
	t.Cleanup(transport.CloseIdleConnections)
	b.Transport = transport
	return b
}

// serial returns the number of the certificate that a service shows to who calls it by a name.
func (r *trial) serial(address, name string) (string, error) {
	conn, err := tls.Dial("tcp", r.ports[address], &tls.Config{RootCAs: r.roots, ServerName: name, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		return "", fmt.Errorf("%s: %w", address, err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}

// TestTrial starts what the compose file starts, as its README says. Somebody logs in at the identity
// provider and out again, and each service takes a new certificate.
func TestTrial(t *testing.T) {
	dir := oidc.Install(t, os.DirFS("idp"))
	r := newTrial(t)
	if out, err := r.behalf(t, "migrate").CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, name := range []string{"behalf-1", "behalf-2"} {
		start(t, name, r.behalf(t, name))
	}
	start(t, "nginx", r.nginx(t))
	idp := r.command(t, "idp", "node", "provider.mjs")
	idp.Dir = dir
	start(t, "idp", idp)

	names := map[string]string{"nginx:443": "app.localhost", "idp:9443": "localhost"}
	for _, address := range []string{"behalf-1:7400", "behalf-1:7480", "behalf-2:7400", "behalf-2:7480"} {
		names[address] = "behalf"
	}
	first := map[string]string{}
	for address, name := range names {
		until(t, func() (err error) {
			first[address], err = r.serial(address, name)
			return err
		})
	}
	t.Run("discovery", func(t *testing.T) {
		var told struct{ Issuer string }
		page := r.browser(t).Get(r.issuer + "/.well-known/openid-configuration")
		if err := json.Unmarshal([]byte(page.Text), &told); err != nil || told.Issuer != r.issuer {
			t.Errorf("%v: %s", err, page.Text)
		}
	})
	t.Run("login", r.login)
	t.Run("gRPC", r.grpc)
	t.Run("renewal", func(t *testing.T) {
		r.renew(t)
		for address := range maps.Keys(names) {
			until(t, func() error {
				now, err := r.serial(address, names[address])
				if err == nil && now == first[address] {
					err = fmt.Errorf("%s has its first certificate", address)
				}
				return err
			})
		}
		r.login(t)
	})
}

// login logs somebody in and out, at the identity provider and here.
func (r *trial) login(t *testing.T) {
	b := r.browser(t)
	answers := func(status int) {
		t.Helper()
		until(t, func() error {
			if page := b.Get(r.app + "/userinfo"); page.StatusCode != status || status == http.StatusOK && !strings.Contains(page.Text, `"kari"`) {
				return fmt.Errorf("%s: %s", page.Status, page.Text)
			}
			return nil
		})
	}
	in := func() {
		t.Helper()
		answers(http.StatusUnauthorized)
		if to := b.LogIn(r.app+"/login?return=/userinfo", "kari", r.app+"/userinfo"); to != r.app+"/userinfo" {
			t.Fatalf("the login leads to %s", to)
		}
		for range 4 { // of both servers
			answers(http.StatusOK)
		}
	}
	in()
	b.LogOut(r.issuer + "/session/end?client_id=behalf&post_logout_redirect_uri=" + url.QueryEscape(r.app+"/signed-out"))
	in() // once the provider has told of it
	to, err := b.Post(r.app+"/logout", nil).Location()
	if err != nil {
		t.Fatal(err)
	}
	if back := b.LogOut(to.String()); !strings.HasPrefix(back, r.app+"/signed-out") {
		t.Errorf("the logout leads to %s", back)
	}
}

// grpc asks a question of both servers without credentials, which is refused.
func (r *trial) grpc(t *testing.T) {
	b := r.browser(t)
	for range 4 {
		ask, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.app+"/behalf.v1.CheckService/Check", bytes.NewReader(make([]byte, 5)))
		if err != nil {
			t.Fatal(err)
		}
		ask.Header.Set("Content-Type", "application/grpc")
		ask.Header.Set("TE", "trailers")
		if answer := b.Do(ask); answer.Header.Get("Grpc-Status")+answer.Trailer.Get("Grpc-Status") != "16" {
			t.Errorf("%s: %v, %v", answer.Status, answer.Header, answer.Trailer)
		}
	}
}
