package certificate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// Files names PEM files. ClientCA may be empty: then clients present no certificate.
type Files struct {
	Cert     string
	Key      string
	ClientCA string
}

// contents is what the files had at one look.
type contents struct{ cert, key, clientCA []byte }

func (c contents) equal(o contents) bool {
	return bytes.Equal(c.cert, o.cert) && bytes.Equal(c.key, o.key) && bytes.Equal(c.clientCA, o.clientCA)
}

// material is what the files say.
type material struct {
	pair      tls.Certificate
	expires   time.Time      // when clients cease to take the chain
	clientCAs *x509.CertPool // nil without clients' certificates
}

// Check returns why the files cannot be served with, nil when they can.
func Check(f Files) error {
	found, err := f.read()
	if err != nil {
		return err
	}
	_, err = f.parse(found, time.Now())
	return err
}

// read returns what the files have now. Its errors name the flag and the file.
func (f Files) read() (contents, error) {
	if f.Cert == "" || f.Key == "" {
		return contents{}, errors.New("--tls-cert and --tls-key go together, and --tls-client-ca needs both")
	}
	var c contents
	var faults []error
	for _, file := range []struct {
		flag, path string
		into       *[]byte
	}{{"--tls-cert", f.Cert, &c.cert}, {"--tls-key", f.Key, &c.key}, {"--tls-client-ca", f.ClientCA, &c.clientCA}} {
		if file.path == "" {
			continue
		}
		text, err := os.ReadFile(file.path)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file.flag, err))
		}
		*file.into = text
	}
	return c, errors.Join(faults...)
}

// parse returns what the contents say to clients that connect now. Its errors name the flags and
// the files.
func (f Files) parse(c contents, now time.Time) (material, error) {
	var m material
	var err error
	if m.pair, err = tls.X509KeyPair(c.cert, c.key); err != nil {
		return material{}, fmt.Errorf("--tls-cert %s, --tls-key %s: %w", f.Cert, f.Key, err)
	}
	chain := make([]*x509.Certificate, len(m.pair.Certificate))
	for i, der := range m.pair.Certificate {
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return material{}, fmt.Errorf("--tls-cert %s: %w", f.Cert, err)
		}
	}
	if m.expires, err = lasts(chain, now); err != nil {
		return material{}, fmt.Errorf("--tls-cert %s: %w", f.Cert, err)
	}
	if f.ClientCA == "" {
		return m, nil
	}
	m.clientCAs = x509.NewCertPool()
	if !m.clientCAs.AppendCertsFromPEM(c.clientCA) {
		return material{}, fmt.Errorf("--tls-client-ca: %s holds no PEM certificate", f.ClientCA)
	}
	return m, nil
}
