package e2e

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// renewalKilled says to the process of a node, which is killed, where its files and its
// database are.
const renewalKilled = "BEHALF_E2E_RENEWAL_KILLED"

// renewalTTL is how long the access tokens of the test last: longer than 50 requests take.
const renewalTTL = 8 * time.Second

// renewals are nodes on one database, a real provider, and a gate before its token endpoint.
type renewals struct {
	dir, uri string
	idp      *oidc.Provider
	gate     *gate
}

// gate hands on what comes to the provider. While it is shut it keeps renewals, and those
// whose sender goes away never reach the provider.
type gate struct {
	*httptest.Server
	shut atomic.Bool
	kept chan struct{}
}

func newGate(t *testing.T, port int) *gate {
	t.Helper()
	to, err := url.Parse(fmt.Sprintf("http://127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{kept: make(chan struct{}, 1)}
	proxy := httputil.NewSingleHostReverseProxy(to)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(text))
		if r.URL.Path == "/token" && strings.Contains(string(text), "grant_type=refresh_token") && g.shut.CompareAndSwap(true, false) {
			g.kept <- struct{}{}
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// config is that of each node.
func (r *renewals) config(t *testing.T) server.Config {
	return server.Config{DataDir: t.TempDir(), Datastore: r.uri, Login: server.LoginConfig{
		IssuersFile: filepath.Join(r.dir, "issuers.yaml"), SessionKeysFile: filepath.Join(r.dir, "session.keys"),
	}}
}

// child starts a node in a process of its own and returns its URL.
func (r *renewals) child(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOneRenewal$")
	cmd.Env = append(os.Environ(), renewalKilled+"="+r.dir+"|"+r.uri)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for said := bufio.NewScanner(out); said.Scan(); {
		if address, found := strings.CutPrefix(said.Text(), "url "); found {
			return cmd, address
		}
		t.Log(said.Text())
	}
	t.Fatal("the node does not start")
	return nil, ""
}

// ask asks nodes whose session it is, 25 times at each, and returns how many of each said so.
func (r *renewals) ask(t *testing.T, cookie string, nodes ...string) []int {
	t.Helper()
	good := make([]atomic.Int64, len(nodes))
	var all sync.WaitGroup
	for range 25 {
		for n, node := range nodes {
			all.Go(func() {
				if info(t, node, cookie) == http.StatusOK {
					good[n].Add(1)
				}
			})
		}
	}
	all.Wait()
	var counts []int
	for n := range good {
		counts = append(counts, int(good[n].Load()))
	}
	return counts
}

// info returns the status of /userinfo, 0 when there is no answer.
func info(t *testing.T, node, cookie string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, node+"/userinfo", nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	req.Header.Set("Cookie", cookie)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// TestOneRenewal has 50 requests at two nodes find one access token expired: one of them
// renews it, also when that one is killed while it does. Sessions survive all nodes' restart.
func TestOneRenewal(t *testing.T) {
	if where := os.Getenv(renewalKilled); where != "" {
		dir, uri, _ := strings.Cut(where, "|")
		fmt.Println("url", startServer(t, (&renewals{dir: dir, uri: uri}).config(t)).url)
		<-t.Context().Done() // it is killed before
		return
	}
	const secret = "a-secret-that-is-long-enough-for-it"
	port := oidc.Port(t)
	r := &renewals{dir: t.TempDir(), uri: pg.Database(t), gate: newGate(t, port)}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"client.secret": secret,
		"session.keys":  time.Now().UTC().Format(time.RFC3339) + " " + base64.StdEncoding.EncodeToString(key) + "\n",
		"issuers.yaml": fmt.Sprintf("issuers:\n  - {name: people, issuer: '%s', believe: [subject], login: {client_id: behalf, client_secret_file: %s}}\n",
			r.gate.URL, filepath.Join(r.dir, "client.secret")),
	} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := startServer(t, r.config(t))
	cmd, a := r.child(t)
	r.idp = oidc.StartBehind(t, r.gate.URL, port, renewalTTL, oidc.Client{
		ID: "behalf", Secret: secret, Redirects: []string{a + "/callback/people"}, AfterLogout: []string{a + "/signed-out"},
		Grants: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, TokenAuthMethod: "client_secret_basic",
	})
	cookie, entered := r.logIn(t, a)
	if first := r.ask(t, cookie, a, b.url); first[0] != 25 || first[1] != 25 || r.idp.Count(t, "refresh_token") != 0 {
		t.Fatalf("before it expires: %v of 25 each, %d renewals", first, r.idp.Count(t, "refresh_token"))
	}

	time.Sleep(time.Until(entered.Add(renewalTTL))) // as long as the provider's access token lasts
	began := time.Now()
	got := r.ask(t, cookie, a, b.url)
	renewed := time.Now() // at the latest
	t.Logf("both nodes: %v of 25 requests each let in, %d renewal at the provider, in %s", got, r.idp.Count(t, "refresh_token"), renewed.Sub(began))
	if got[0] != 25 || got[1] != 25 || r.idp.Count(t, "refresh_token") != 1 {
		t.Fatal("want all, and one renewal")
	}

	time.Sleep(time.Until(renewed.Add(renewalTTL + time.Second)))
	r.kill(t, cmd, cookie, a, b.url)

	b.stop()
	again := startServer(t, r.config(t))
	if status := info(t, again.url, cookie); status != http.StatusOK {
		t.Errorf("after a restart of all nodes: %d", status)
	}
	before := r.idp.Count(t, "refresh_token") // one more by now if the restart took longer than a token lasts
	time.Sleep(renewalTTL + time.Second)
	if status := info(t, again.url, cookie); status != http.StatusOK || r.idp.Count(t, "refresh_token") != before+1 {
		t.Errorf("renewed after a restart: %d, %d renewals after %d", status, r.idp.Count(t, "refresh_token"), before)
	}
}

// logIn logs a person in at a node and returns the cookie, and when.
func (r *renewals) logIn(t *testing.T, node string) (string, time.Time) {
	t.Helper()
	browser := oidc.NewBrowser(t)
	page := browser.Get(browser.LogIn(node+"/login/people", "kari", node+"/callback/"))
	for _, c := range page.Cookies() {
		if c.Name == "sid" {
			return c.Name + "=" + c.Value, time.Now()
		}
	}
	t.Fatalf("no session: %d\n%s", page.StatusCode, page.Text)
	return "", time.Time{}
}

// kill kills the node that renews, after all have asked.
func (r *renewals) kill(t *testing.T, cmd *exec.Cmd, cookie, holder, other string) {
	t.Helper()
	r.gate.shut.Store(true)
	var all sync.WaitGroup
	var lost, kept []int
	all.Go(func() { lost = r.ask(t, cookie, holder) })
	select {
	case <-r.gate.kept:
	case <-time.After(time.Minute):
		t.Fatal("nobody renews")
	}
	all.Go(func() { kept = r.ask(t, cookie, other) })
	began := time.Now()
	if err := cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	all.Wait()
	t.Logf("the node that renews is killed: %v of 25 requests let in at it, %v at the other after %s, %d renewals at the provider in all",
		lost, kept, time.Since(began).Round(time.Second), r.idp.Count(t, "refresh_token"))
	if kept[0] != 25 || r.idp.Count(t, "refresh_token") != 2 {
		t.Error("want all at the other, and one renewal more")
	}
}
