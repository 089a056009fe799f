package certificate

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// identity is a self-signed certificate for 127.0.0.1, and its key, as PEM.
type identity struct{ cert, key []byte }

func newIdentity(t *testing.T, serial int64, expires time.Time) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: expires, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return identity{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
}

func valid(t *testing.T, serial int64) identity {
	t.Helper()
	return newIdentity(t, serial, time.Now().Add(time.Hour))
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// opened is a source on files, and its log.
type opened struct {
	*Source

	files   Files
	log     *bytes.Buffer
	metrics *prometheus.Registry
}

// metric returns the value of a metric, with its label if it has one.
func (o opened) metric(t *testing.T, name, label string) float64 {
	t.Helper()
	families, err := o.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && (label == "" || m.GetLabel()[0].GetValue() == label) {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func open(t *testing.T, files Files) opened {
	t.Helper()
	var log bytes.Buffer
	metrics := prometheus.NewRegistry()
	s, err := Open(Config{Files: files, Logger: slog.New(slog.NewTextHandler(&log, nil)), Registerer: metrics})
	if err != nil {
		t.Fatal(err)
	}
	return opened{s, files, &log, metrics}
}

// openOn is open on files of an identity.
func openOn(t *testing.T, id identity) opened {
	t.Helper()
	dir := t.TempDir()
	files := Files{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	write(t, files.Cert, id.cert)
	write(t, files.Key, id.key)
	return open(t, files)
}

// settle looks until files that do not change are judged.
func (o opened) settle(t *testing.T) {
	t.Helper()
	o.look(t.Context())
	o.look(t.Context())
}

// listen opens a port as the server does.
func (o opened) listen(t *testing.T) net.Listener {
	t.Helper()
	port, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return tls.NewListener(o.Listener(port), o.TLS("h2", "http/1.1"))
}

// serial connects, and returns the serial number of the certificate that the client is shown.
// The client presents its own, if there is one.
func (o opened) serial(t *testing.T, own ...tls.Certificate) (int64, error) {
	t.Helper()
	port := o.listen(t)
	defer func() { _ = port.Close() }()
	served := make(chan error, 1)
	go func() {
		conn, err := port.Accept()
		if err == nil {
			err = errors.Join(conn.(*tls.Conn).HandshakeContext(t.Context()), conn.Close())
		}
		served <- err
	}()
	how := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}, Certificates: own} // it looks at what it is shown
	conn, err := (&tls.Dialer{Config: how}).DialContext(t.Context(), "tcp", port.Addr().String())
	if err := errors.Join(err, <-served); err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	state := conn.(*tls.Conn).ConnectionState()
	if state.NegotiatedProtocol != "h2" {
		t.Errorf("the protocol is %q", state.NegotiatedProtocol)
	}
	return state.PeerCertificates[0].SerialNumber.Int64(), nil
}

func (o opened) shows(t *testing.T, when string, serial int64, current float64) {
	t.Helper()
	if got, err := o.serial(t); err != nil || got != serial {
		t.Errorf("%s: certificate %d, %v; want %d", when, got, err, serial)
	}
	if got := o.metric(t, "behalf_tls_files_current", ""); got != current {
		t.Errorf("%s: behalf_tls_files_current is %v, want %v", when, got, current)
	}
}

// TestReplaced replaces certificate and key in each way that is usual.
func TestReplaced(t *testing.T) {
	old, renewed := valid(t, 1), newIdentity(t, 2, time.Unix(4e9, 0))
	replacements := map[string]func(t *testing.T) (o opened, replace func()){
		"written anew": func(t *testing.T) (opened, func()) {
			o := openOn(t, old)
			return o, func() {
				write(t, o.files.Cert, renewed.cert)
				write(t, o.files.Key, renewed.key)
			}
		},
		"renamed": func(t *testing.T) (opened, func()) {
			o := openOn(t, old)
			return o, func() {
				for path, text := range map[string][]byte{o.files.Cert: renewed.cert, o.files.Key: renewed.key} {
					write(t, path+".new", text)
					if err := os.Rename(path+".new", path); err != nil {
						t.Fatal(err)
					}
				}
			}
		},
		"a mounted secret": func(t *testing.T) (opened, func()) {
			// Kubernetes turns ..data, through which the files are reached.
			dir := t.TempDir()
			turn := func(to string, id identity) {
				if err := os.Mkdir(filepath.Join(dir, to), 0o700); err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, to, "tls.crt"), id.cert)
				write(t, filepath.Join(dir, to, "tls.key"), id.key)
				if err := os.Symlink(to, filepath.Join(dir, "..data_tmp")); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
					t.Fatal(err)
				}
			}
			turn("..1", old)
			files := Files{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
			for _, path := range []string{files.Cert, files.Key} {
				if err := os.Symlink(filepath.Join("..data", filepath.Base(path)), path); err != nil {
					t.Fatal(err)
				}
			}
			return open(t, files), func() {
				turn("..2", renewed)
				if err := os.RemoveAll(filepath.Join(dir, "..1")); err != nil {
					t.Fatal(err)
				}
			}
		},
	}
	for name, start := range replacements {
		t.Run(name, func(t *testing.T) {
			o, replace := start(t)
			o.settle(t)
			o.shows(t, "before", 1, 1)
			replace()
			o.settle(t)
			o.shows(t, "after", 2, 1)
			if got := o.metric(t, "behalf_tls_certificate_expiry_timestamp_seconds", ""); got != 4e9 {
				t.Errorf("expires at %v", got)
			}
			if got := o.metric(t, "behalf_tls_loads_total", "taken"); got != 2 {
				t.Errorf("%v loads", got)
			}
			if !strings.Contains(o.log.String(), "certificate loaded") || strings.Contains(o.log.String(), "ERROR") {
				t.Errorf("the log says %s", o.log)
			}
		})
	}
}

// TestWrongFiles replaces files with what is no pair: the old ones hold, each fault is told
// once, and a good pair is taken after it.
func TestWrongFiles(t *testing.T) {
	old, other := valid(t, 1), valid(t, 2)
	expired := newIdentity(t, 3, time.Now().Add(-time.Hour))
	o := openOn(t, old)
	for n, c := range []struct {
		fault, tells string
		id           identity
	}{
		{"another's key", "does not match public key", identity{old.cert, other.key}},
		{"no key", "find any PEM data in key", identity{old.cert, []byte("nothing")}},
		{"no certificate", "find any PEM data in certificate", identity{nil, old.key}},
		{"expired", "expired at", expired},
	} {
		write(t, o.files.Cert, c.id.cert)
		write(t, o.files.Key, c.id.key)
		o.look(t.Context())
		o.shows(t, "while written: "+c.fault, 1, float64(1-min(n, 1)))
		o.look(t.Context())
		o.settle(t)
		o.shows(t, c.fault, 1, 0)
		if got := o.metric(t, "behalf_tls_loads_total", "refused"); got != float64(n+1) {
			t.Errorf("%s: refused %v times", c.fault, got)
		}
		if said := o.log.String(); strings.Count(said, "ERROR") != n+1 || !strings.Contains(said, c.tells) || !strings.Contains(said, o.files.Cert) {
			t.Errorf("%s: the log says %s", c.fault, said)
		}
	}
	if err := os.Remove(o.files.Key); err != nil {
		t.Fatal(err)
	}
	o.settle(t)
	o.shows(t, "a file that is gone", 1, 0)
	if said := o.log.String(); !strings.Contains(said, "--tls-key: open "+o.files.Key) {
		t.Errorf("a file that is gone: the log says %s", said)
	}
	write(t, o.files.Cert, old.cert)
	write(t, o.files.Key, old.key)
	o.settle(t)
	o.shows(t, "the old pair again", 1, 1)
	if !strings.Contains(o.log.String(), "again as those that hold") {
		t.Errorf("the log says %s", o.log)
	}
	write(t, o.files.Cert, other.cert)
	write(t, o.files.Key, other.key)
	o.settle(t)
	o.shows(t, "a good pair", 2, 1)
}

// TestClientsAuthorities replaces the authorities of clients: those of the old are strangers then.
func TestClientsAuthorities(t *testing.T) {
	dir := t.TempDir()
	own, before, after := valid(t, 1), valid(t, 2), valid(t, 3)
	files := Files{Cert: filepath.Join(dir, "c"), Key: filepath.Join(dir, "k"), ClientCA: filepath.Join(dir, "ca")}
	write(t, files.Cert, own.cert)
	write(t, files.Key, own.key)
	write(t, files.ClientCA, before.cert)
	o := open(t, files)
	let := func(when string, id identity, want bool) {
		t.Helper()
		pair, err := tls.X509KeyPair(id.cert, id.key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.serial(t, pair); (err == nil) != want {
			t.Errorf("%s: %v", when, err)
		}
	}
	let("the authority", before, true)
	let("a stranger", after, false)
	if _, err := o.serial(t); err == nil {
		t.Error("a client without a certificate is let in")
	}
	write(t, files.ClientCA, []byte("nothing"))
	o.settle(t)
	let("the authority, with a file that has none", before, true)
	let("a stranger, with a file that has none", after, false)
	write(t, files.ClientCA, after.cert)
	o.settle(t)
	let("the old authority", before, false)
	let("the new authority", after, true)
}

// TestStart refuses wrong files at the start, by their names.
func TestStart(t *testing.T) {
	dir := t.TempDir()
	a, b, old := valid(t, 1), valid(t, 2), newIdentity(t, 3, time.Now().Add(-time.Hour))
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string][]byte{
		"a.crt": a.cert, "a.key": a.key, "b.key": b.key, "none": []byte("nothing"), "old.crt": old.cert, "old.key": old.key,
	} {
		write(t, path(name), text)
	}
	for _, c := range []struct {
		files Files
		want  []string
	}{
		{Files{path("a.crt"), path("a.key"), ""}, nil},
		{Files{path("a.crt"), path("b.key"), ""}, []string{"--tls-cert " + path("a.crt"), "--tls-key " + path("b.key"), "does not match"}},
		{Files{path("a.crt"), path("none"), ""}, []string{"--tls-key " + path("none")}},
		{Files{path("old.crt"), path("old.key"), ""}, []string{"--tls-cert " + path("old.crt"), "expired at"}},
		{Files{path("none"), path("a.key"), ""}, []string{"--tls-cert " + path("none")}},
		{Files{path("x"), path("y"), path("z")}, []string{"--tls-cert: open " + path("x"), "--tls-key: open " + path("y"), "--tls-client-ca: open " + path("z")}},
		{Files{path("a.crt"), path("a.key"), path("none")}, []string{"--tls-client-ca: " + path("none")}},
		{Files{ClientCA: path("a.crt")}, []string{"--tls-cert and --tls-key"}},
	} {
		_, opening := Open(Config{Files: c.files, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
		for _, err := range []error{Check(c.files), opening} {
			if (err == nil) != (c.want == nil) {
				t.Errorf("%v: %v", c.files, err)
				continue
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v: %q is not in %v", c.files, part, err)
				}
			}
		}
	}
}

// TestRun has the files looked at, until the stop.
func TestRun(t *testing.T) {
	o := openOn(t, valid(t, 1))
	o.every = time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	renewed := valid(t, 2)
	write(t, o.files.Cert, renewed.cert)
	write(t, o.files.Key, renewed.key)
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if got, err := o.serial(t); err == nil && got == 2 {
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal("the new certificate did not come")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
