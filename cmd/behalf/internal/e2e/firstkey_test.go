package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server"
)

// TestFirstKey makes the first API key of a server whose certificate is for its name in a cluster,
// and not for this machine: with the key that servers share, as from elsewhere, and beside the
// server with its admin key.
func TestFirstKey(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	key := func(name string) *ecdsa.PrivateKey {
		t.Helper()
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		writePEM(t, path(name), "PRIVATE KEY", der)
		return k
	}
	own := key("tls.key")
	key("issuer.key")
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"behalf"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, own.Public(), own)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path("tls.crt"), "CERTIFICATE", der)
	i := startServer(t, server.Config{
		DataDir: data, Datastore: datastoreOf(t, data), IssuerKeyFile: path("issuer.key"),
		TLS: server.TLSConfig{CertFile: path("tls.crt"), KeyFile: path("tls.key")},
	})
	create := func(more ...string) (code int, said string) {
		t.Helper()
		args := []string{"apikey", "create", "--name", "portal", "--scope", "behalf:check", "--address", i.address, "--ca-cert", path("tls.crt")}
		code, out, diagnostics := behalf(t, append(args, more...)...)
		return code, out + diagnostics
	}
	token := strings.TrimSpace(run(t, "token", "--issuer-key", path("issuer.key"), "--scope", "behalf:admin", "--ttl", "5m"))
	for name, with := range map[string][]string{"the servers' key": {"--token", token}, "the admin key": {"--data-dir", data}} {
		if code, said := create(append(with, "--server-name", "behalf")...); code != 0 || !strings.Contains(said, "behalf_") {
			t.Errorf("with %s: %d %s", name, code, said)
		}
	}
	if code, said := create("--token", token, "--server-name", "other"); code == 0 || !strings.Contains(said, "not other") {
		t.Errorf("of a server with another name: %d %s", code, said)
	}
	if code, said := create("--token", token); code == 0 {
		t.Errorf("of a server whose name is not asked for: %s", said)
	}
	// While no server runs, its data directory stands for it, but not for who means a server.
	i.stop()
	if code, said := create("--token", token, "--server-name", "behalf", "--data-dir", data); code == 0 || !strings.Contains(said, "mean a server") {
		t.Errorf("with the servers' key, of none: %d %s", code, said)
	}
	if code, said := create("--server-name", "behalf", "--data-dir", data); code == 0 || !strings.Contains(said, "mean a server") {
		t.Errorf("with a certificate, of none: %d %s", code, said)
	}
	if *datastoreFlag != server.DatastoreSQLite {
		return // Postgres has what the directory has of a file
	}
	run(t, "apikey", "create", "--name", "portal", "--scope", "behalf:check", "--address", i.address, "--data-dir", data)
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
