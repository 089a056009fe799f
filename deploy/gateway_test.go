package deploy_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// gateway is a running API gateway.
type gateway struct {
	address string
	trust   *x509.CertPool
}

func (g *gateway) url() string { return "https://" + g.address }

// setup is where a gateway listens, with which certificate, and what is behind it.
type setup struct {
	port            int
	identity        identity
	behalf, service string
}

func newSetup(t *testing.T) setup {
	t.Helper()
	return setup{port: oidc.Port(t), identity: newIdentity(t)}
}

func (s setup) url() string { return fmt.Sprintf("https://127.0.0.1:%d", s.port) }

// gateways are those that are installed from packages.
var gateways = []struct {
	name    string
	program string
	start   func(t *testing.T, s setup, edit func(name, text string) string) *gateway
}{{"nginx", "nginx", startNginx}, {"Caddy", "caddy", startCaddy}}

// startNginx runs nginx with the example. edit, if there is one, changes its files.
func startNginx(t *testing.T, s setup, edit func(name, text string) string) *gateway {
	t.Helper()
	path := tool(t, "nginx")
	dir := t.TempDir()
	for _, name := range []string{"behalf.conf", "behalf/identity.conf"} {
		write(t, dir, name, example(t, filepath.Join("nginx", name), edit))
	}
	write(t, dir, "behalf/upstreams.conf", fmt.Sprintf("upstream behalf { server %s; }\nupstream service { server %s; }\n", s.behalf, s.service))
	write(t, dir, "behalf/listen.conf", fmt.Sprintf("listen 127.0.0.1:%d ssl http2;\nserver_name app.example.com;\nssl_certificate %s;\nssl_certificate_key %s;\n",
		s.port, s.identity.cert, s.identity.key))
	main := write(t, dir, "nginx.conf", `daemon off; master_process off; pid nginx.pid; error_log stderr notice;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include behalf.conf;
}
`)
	return run(t, s, exec.Command(path, "-p", dir, "-c", main, "-e", "stderr"))
}

// startCaddy runs Caddy with the example.
func startCaddy(t *testing.T, s setup, edit func(name, text string) string) *gateway {
	t.Helper()
	path := tool(t, "caddy")
	dir := t.TempDir()
	site := write(t, dir, "site", example(t, "caddy/Caddyfile", edit))
	main := write(t, dir, "Caddyfile", "{\n\tadmin off\n\tauto_https off\n}\nimport "+site+"\n")
	cmd := exec.Command(path, "run", "--config", main, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir, "SITE="+s.url()+fmt.Sprintf(", https://app.example.com:%d, https://other.example.com:%d", s.port, s.port),
		"SITE_TLS=tls "+s.identity.cert+" "+s.identity.key, "BEHALF="+s.behalf, "SERVICE="+s.service)
	return run(t, s, cmd)
}

// tool returns the path of a program, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path := find(name)
	if path == "" {
		t.Skipf("needs %s: apt-get install %s", name, name)
	}
	return path
}

// find returns the path of a program, empty when it is not installed.
func find(name string) string {
	for _, place := range []string{name, "/usr/sbin/" + name} { // which is in no user's path but root's
		if path, err := exec.LookPath(place); err == nil {
			return path
		}
	}
	return ""
}

// example returns a file of this directory.
func example(t *testing.T, name string, edit func(name, text string) string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		return edit(name, string(text))
	}
	return string(text)
}

// run runs a gateway until the test ends, and returns when it listens.
func run(t *testing.T, s setup, cmd *exec.Cmd) *gateway {
	t.Helper()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var how error
	ended := make(chan struct{})
	go func() {
		how = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(cmd.Path), log.String())
		}
	})
	g := &gateway{"127.0.0.1:" + strconv.Itoa(s.port), x509.NewCertPool()}
	g.trust.AddCert(s.identity.certificate)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := g.dial(); err == nil {
			_ = conn.Close()
			return g
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %v\n%s", cmd.Path, how, log.String())
		default:
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("%s does not listen", cmd.Path)
		}
	}
}

func (g *gateway) dial() (net.Conn, error) {
	return tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", g.address, &tls.Config{RootCAs: g.trust})
}

// answer is what a client gets. Its status is 0 when the connection is closed without one.
type answer struct {
	status int
	header http.Header
	body   string
}

// exchange sends a request as it is written, and reads the answer.
func exchange(dial func() (net.Conn, error), method, text string) (answer, error) {
	conn, err := dial()
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return answer{}, err
	}
	_, _ = io.WriteString(conn, text) // what refuses a request may close while it is being sent
	r, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return answer{}, nil
	}
	defer func() { _ = r.Body.Close() }()
	body, _ := io.ReadAll(r.Body)
	return answer{r.StatusCode, r.Header, string(body)}, nil
}

// line returns a request. Headers are lines "Name: value"; the host is the gateway's unless
// they name one.
func (g *gateway) line(method, target string, headers ...string) string {
	return request(method, target, g.address, headers...)
}

func request(method, target, host string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	named := func(name string) bool {
		for _, h := range headers {
			if strings.HasPrefix(strings.ToLower(h), name+":") {
				return true
			}
		}
		return false
	}
	if !named("host") {
		fmt.Fprintf(&b, "Host: %s\r\n", host)
	}
	if !named("connection") {
		b.WriteString("Connection: close\r\n")
	}
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}
