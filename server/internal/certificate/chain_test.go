package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// signer is a name with its key, which can have several certificates.
type signer struct {
	name string
	key  *ecdsa.PrivateKey
}

func newSigner(t *testing.T, name string) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{name, key}
}

// certify returns a certificate of s that by has signed, which holds between two times from now.
func (s signer) certify(t *testing.T, by signer, from, to time.Duration) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: s.name},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to),
	}
	if s.name == "leaf" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	} else {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: pkix.Name{CommonName: by.name}}, s.key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

const (
	ago   = -2 * time.Hour
	gone  = -time.Hour
	ahead = time.Hour
)

// TestChains takes the renewals that clients take, whatever the file has besides, and no other. The
// clients know the root, and the root only.
func TestChains(t *testing.T) {
	leaf, middle, root, older := newSigner(t, "leaf"), newSigner(t, "middle"), newSigner(t, "root"), newSigner(t, "older root")
	of := func(s, by signer) []byte { return s.certify(t, by, ago, ahead) }
	old := func(s, by signer) []byte { return s.certify(t, by, ago, gone) }
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(of(root, root))
	secret, err := x509.MarshalPKCS8PrivateKey(leaf.key)
	if err != nil {
		t.Fatal(err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	for name, c := range map[string]struct {
		links [][]byte
		says  string // of one that is not taken
	}{
		"the certificate alone, of the root":          {[][]byte{of(leaf, root)}, ""},
		"all links":                                   {[][]byte{of(leaf, middle), of(middle, root)}, ""},
		"the root besides":                            {[][]byte{of(leaf, middle), of(middle, root), of(root, root)}, ""},
		"the root that has expired besides":           {[][]byte{of(leaf, middle), of(middle, root), old(root, root)}, ""},
		"of the root, which has expired in the file":  {[][]byte{of(leaf, root), old(root, root)}, ""},
		"a root by an older one, which has expired":   {[][]byte{of(leaf, middle), of(middle, root), old(root, older)}, ""},
		"and that older one":                          {[][]byte{of(leaf, middle), of(middle, root), old(root, older), old(older, older)}, ""},
		"of the root by two ways, one has expired":    {[][]byte{of(leaf, root), of(root, root), old(root, older)}, ""},
		"the link twice, as an older root signed it":  {[][]byte{of(leaf, middle), old(middle, older), of(middle, root)}, ""},
		"a stranger's that has expired":               {[][]byte{of(leaf, middle), of(middle, root), old(older, older)}, ""},
		"the certificate has expired":                 {[][]byte{old(leaf, middle), of(middle, root)}, "expired at"},
		"the certificate is of later":                 {[][]byte{leaf.certify(t, middle, ahead, 2*ahead), of(middle, root)}, "not valid before"},
		"the link that signed it has expired":         {[][]byte{of(leaf, middle), old(middle, root)}, "CN=middle, which signed it: expired at"},
		"the link that signed it is of later":         {[][]byte{of(leaf, middle), middle.certify(t, root, ahead, 2*ahead)}, "CN=middle, which signed it: not valid before"},
		"the link that signed it has expired, by two": {[][]byte{of(leaf, middle), old(middle, root), old(middle, older)}, "CN=middle, which signed it: expired at"},
	} {
		t.Run(name, func(t *testing.T) {
			o := openOn(t, valid(t, 1))
			write(t, o.files.Cert, bytes.Join(c.links, nil))
			write(t, o.files.Key, key)
			o.settle(t)
			taken := o.metric(t, "behalf_tls_loads_total", "taken") == 2
			if taken != (c.says == "") || !taken && !strings.Contains(o.log.String(), c.says) {
				t.Errorf("taken: %t; the log says %s", taken, o.log)
			}
			if got := accepted(t, c.links, key, trusted); got != taken {
				t.Errorf("taken: %t, and a client takes it: %t", taken, got)
			}
		})
	}
}

// accepted reports whether a client that trusts roots takes a server's chain.
func accepted(t *testing.T, links [][]byte, key []byte, roots *x509.CertPool) bool {
	t.Helper()
	pair, err := tls.X509KeyPair(bytes.Join(links, nil), key)
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	defer func() { _ = client.Close() }()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = tls.Server(server, &tls.Config{Certificates: []tls.Certificate{pair}}).HandshakeContext(t.Context()) // the client tells
		_ = server.Close()
	}()
	err = tls.Client(client, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}).HandshakeContext(t.Context())
	_ = client.Close()
	<-served
	return err == nil
}

// TestExpires says when clients cease to take what holds.
func TestExpires(t *testing.T) {
	leaf, middle, root := newSigner(t, "leaf"), newSigner(t, "middle"), newSigner(t, "root")
	parsed := func(text []byte) *x509.Certificate {
		block, _ := pem.Decode(text)
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	of := func(to time.Duration) *x509.Certificate { return parsed(leaf.certify(t, middle, ago, to)) }
	by := func(to time.Duration) *x509.Certificate { return parsed(middle.certify(t, root, ago, to)) }
	far := parsed(root.certify(t, root, ago, time.Minute))
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		last  int // which of them expires first, of those that count
	}{
		"itself":               {[]*x509.Certificate{of(ahead), by(2 * ahead), far}, 0},
		"the link":             {[]*x509.Certificate{of(3 * ahead), by(2 * ahead), far}, 1},
		"the later of the two": {[]*x509.Certificate{of(3 * ahead), by(ahead), by(2 * ahead), far}, 2},
		"alone":                {[]*x509.Certificate{of(ahead), far}, 0},
	} {
		if got, err := lasts(c.chain, time.Now()); err != nil || !got.Equal(c.chain[c.last].NotAfter) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
