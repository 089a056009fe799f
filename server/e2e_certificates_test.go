package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/behalf-authz/behalf/server"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("authority", nil)
	return a
}

// issue makes a certificate with the names, and files <name>.pem and <name>.key.
func (a *authority) issue(name string, uri *url.URL, more ...string) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: append([]string{name}, more...),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	if uri != nil {
		template.URIs = []*url.URL{uri}
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(a.dir, path), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// client returns how a client with a certificate of the name connects.
func (a *authority) client(name string) *tls.Config {
	a.t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key"))
	if err != nil {
		a.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// TestGatewaysByCertificate knows gateways by the names in certificates of the clients' authority.
func TestGatewaysByCertificate(t *testing.T) {
	a := newAuthority(t)
	a.issue("server", nil)
	a.issue("envoy.internal", nil)
	a.issue("mesh", &url.URL{Scheme: "spiffe", Host: "example.org", Path: "/envoy"})
	a.issue("other.internal", nil)
	cfg := server.Config{
		DataDir: t.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
		TLS: server.TLSConfig{CertFile: a.dir + "/server.pem", KeyFile: a.dir + "/server.key", ClientCAFile: a.dir + "/authority.pem"},
		Enforcement: server.EnforcementConfig{
			RoutesFile: file(t, "routes.yaml", enforcedRoutes), TrustedCertificates: []string{"envoy.internal", "spiffe://example.org/envoy"},
		},
	}
	s, _ := running(t, cfg)
	for name, known := range map[string]bool{"envoy.internal": true, "mesh": true, "other.internal": false, "server": false} {
		conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(a.client(name))))
		if err != nil {
			t.Fatal(err)
		}
		if got := envoyCode(t, conn, ""); (got == 0) != known {
			t.Errorf("%s over gRPC: %d", name, got)
		}
		_ = conn.Close()
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: a.client(name)}}
		for _, path := range []string{"/authz/envoy/open/a", "/auth/open/a"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.HTTPAddr()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Original-Request-Method", "GET")
			req.Header.Set("Original-Request-Uri", "/open/a")
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if (resp.StatusCode == 200) != known {
				t.Errorf("%s at %s: %d", name, path, resp.StatusCode)
			}
		}
		client.CloseIdleConnections()
	}
}
