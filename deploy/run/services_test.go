//go:build unix

package run

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// trial is the services of the compose file without containers: what they mount is in a directory, their
// addresses are ports of this machine, and Postgres is the tests'.
type trial struct {
	compose

	dir   string
	ports map[string]string // by service and port of its container
	here  *strings.Replacer // what the files say, by what holds here
	roots *x509.CertPool

	app, issuer string // where browsers find Behalf and the identity provider
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	r := &trial{compose: readCompose(t), dir: t.TempDir(), ports: map[string]string{}}
	for _, address := range []string{"behalf-1:7400", "behalf-1:7480", "behalf-2:7400", "behalf-2:7480", "nginx:443", "idp:9443"} {
		r.ports[address] = fmt.Sprintf("127.0.0.1:%d", oidc.Port(t))
	}
	// Behalf takes no other name of its own machine for that of a provider.
	local := func(address string) string {
		return "https://localhost" + strings.TrimPrefix(r.ports[address], "127.0.0.1")
	}
	r.app, r.issuer = local("nginx:443"), local("idp:9443")
	pairs := []string{
		"getent hosts behalf-1 behalf-2", "getent hosts localhost", "sleep 5", "sleep 0.2",
		"https://idp.localhost:9443", r.issuer, "https://app.localhost", r.app, "0.0.0.0", "127.0.0.1",
		"postgres://behalf@postgres/behalf?sslmode=disable", pg.Database(t),
		"listen 443", "listen " + r.ports["nginx:443"],
		"/run/secrets/", r.dir + "/", "/issuers.yaml", r.dir + "/issuers.yaml", "/etc/nginx/", r.dir + "/nginx/", "/tls", r.dir + "/tls",
	}
	for address, port := range r.ports {
		pairs = append(pairs, address, port)
	}
	r.here = strings.NewReplacer(pairs...)
	put(t, filepath.Join(r.dir, "issuers.yaml"), r.here.Replace(read(t, "issuers.yaml")))
	r.make(t)
	return r
}

// make runs the commands of the README that make what the compose file needs.
func (r *trial) make(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl: apt-get install openssl")
	}
	_, commands, begun := strings.Cut(read(t, "../README.md"), "\n    cd deploy/run\n")
	commands, _, ended := strings.Cut(commands, "    sudo chown 65532 ")
	if !begun || !ended {
		t.Fatal("the README has no commands that make what the compose file needs")
	}
	r.shell(t, commands)
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range made {
		if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == file }) {
			t.Errorf("the README does not make %s", file)
		}
	}
	r.roots = x509.NewCertPool()
	r.roots.AppendCertsFromPEM([]byte(read(t, filepath.Join(r.dir, "tls", "ca.pem"))))
}

// renew puts another certificate of the same authority in the place of the first, by renaming.
func (r *trial) renew(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(read(t, "../README.md")) {
		if !strings.Contains(line, "-out tls/cert.pem") {
			continue
		}
		r.shell(t, strings.NewReplacer("tls/key.pem", "tls/new.key", "tls/cert.pem", "tls/new.pem").Replace(line))
	}
	for from, to := range map[string]string{"new.key": "key.pem", "new.pem": "cert.pem"} {
		if err := os.Rename(filepath.Join(r.dir, "tls", from), filepath.Join(r.dir, "tls", to)); err != nil {
			t.Fatal(err)
		}
	}
}

// shell runs commands of the README, whose certificates are good for localhost too.
func (r *trial) shell(t *testing.T, commands string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", strings.ReplaceAll(commands, "DNS:idp", "DNS:localhost,DNS:idp"))
	cmd.Dir = r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
}

// command returns a command with what the compose file says of the service's environment.
func (r *trial) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...) // start ends it
	cmd.Dir, cmd.Env = r.dir, os.Environ()
	for key, value := range r.Services[name].Environment {
		cmd.Env = append(cmd.Env, key+"="+r.here.Replace(value))
	}
	return cmd
}

// behalf is the command of a service of Behalf, which has a data directory of its own.
func (r *trial) behalf(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	own := strings.NewReplacer("=/data", "="+filepath.Join(r.dir, name), "=:7400", "="+r.ports[name+":7400"], "=:7480", "="+r.ports[name+":7480"])
	args := []string{binary}
	for _, word := range r.Services[name].Command {
		args = append(args, r.here.Replace(own.Replace(word)))
	}
	return r.command(t, name, args...)
}

// nginx is the command of that service, with what it mounts.
func (r *trial) nginx(t *testing.T) *exec.Cmd {
	t.Helper()
	path := ""
	for _, place := range []string{"nginx", "/usr/sbin/nginx"} { // which is in no user's path but root's
		if found, err := exec.LookPath(place); err == nil {
			path = found
		}
	}
	if path == "" {
		t.Skip("needs nginx: apt-get install nginx")
	}
	dir := filepath.Join(r.dir, "nginx")
	for _, volume := range r.Services["nginx"].Volumes {
		parts := strings.Split(volume, ":")
		if !strings.HasPrefix(parts[1], "/etc/nginx/") {
			continue
		}
		err := filepath.WalkDir(parts[0], func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				put(t, r.here.Replace(parts[1])+strings.TrimPrefix(file, filepath.Clean(parts[0])), r.here.Replace(read(t, file)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "nginx.conf"), `pid nginx.pid;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include conf.d/*.conf;
}
`)
	bin := put(t, filepath.Join(dir, "bin", "nginx"), fmt.Sprintf("#!/bin/sh\nexec %s -p %s -c nginx.conf -e stderr \"$@\"\n", path, dir))
	if err := os.Chmod(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	var args []string
	for _, word := range r.Services["nginx"].Command {
		args = append(args, r.here.Replace(word))
	}
	cmd := r.command(t, "nginx", args...)
	cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"))
	return cmd
}

// start runs a command with all that it starts, until the test ends.
func start(t *testing.T, name string, cmd *exec.Cmd) {
	t.Helper()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", name, log.String())
		}
	})
}

func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}
