package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// openWithClients is openOn with clients' authorities.
func openWithClients(t *testing.T, authorities ...identity) opened {
	t.Helper()
	dir := t.TempDir()
	own := valid(t, 1)
	files := Files{Cert: filepath.Join(dir, "c"), Key: filepath.Join(dir, "k"), ClientCA: filepath.Join(dir, "ca")}
	write(t, files.Cert, own.cert)
	write(t, files.Key, own.key)
	write(t, files.ClientCA, together(authorities...))
	return open(t, files)
}

func together(authorities ...identity) (text []byte) {
	for _, a := range authorities {
		text = slices.Concat(text, a.cert)
	}
	return text
}

// echoing serves a port that sends back what it gets.
func echoing(t *testing.T, o opened) string {
	t.Helper()
	port := o.listen(t)
	t.Cleanup(func() { _ = port.Close() })
	go func() {
		for {
			conn, err := port.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn) // until either end closes it
				_ = conn.Close()
			}()
		}
	}()
	return port.Addr().String()
}

func dial(t *testing.T, address string, id identity) net.Conn {
	t.Helper()
	pair, err := tls.X509KeyPair(id.cert, id.key)
	if err != nil {
		t.Fatal(err)
	}
	how := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}
	conn, err := (&tls.Dialer{Config: how}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil { // rather than wait for ever
		t.Fatal(err)
	}
	return conn
}

// alive returns why nothing comes back over a connection.
func alive(conn net.Conn) error {
	if _, err := conn.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}

func (o opened) openConnections() int {
	o.connections.mu.Lock()
	defer o.connections.mu.Unlock()
	return len(o.connections.open)
}

// TestStrangersAreCutOff takes an authority away from the clients': the open connections of those
// that it has signed are closed, and those of others are not, whatever else changes.
func TestStrangersAreCutOff(t *testing.T) {
	goes, stays, comes := valid(t, 2), valid(t, 3), valid(t, 4)
	o := openWithClients(t, goes, stays)
	address := echoing(t, o)
	cut, kept := dial(t, address, goes), dial(t, address, stays)
	both := func(when string) {
		t.Helper()
		for _, conn := range []net.Conn{cut, kept} {
			if err := alive(conn); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
	}
	both("before")
	renewed := valid(t, 5)
	write(t, o.files.Cert, renewed.cert)
	write(t, o.files.Key, renewed.key)
	o.settle(t)
	both("with a new certificate")
	write(t, o.files.ClientCA, together(stays, comes, goes))
	o.settle(t)
	both("with one more authority")
	write(t, o.files.ClientCA, []byte("nothing"))
	o.settle(t)
	both("with a file that is not taken")
	write(t, o.files.ClientCA, together(comes, stays))
	o.settle(t)
	if err := alive(cut); err == nil {
		t.Error("a client whose authority has gone goes on")
	}
	if err := alive(kept); err != nil {
		t.Errorf("a client whose authority has stayed: %v", err)
	}
	if !strings.Contains(o.log.String(), "connections_closed=1") {
		t.Errorf("the log says %s", o.log)
	}
	if n := o.openConnections(); n != 1 {
		t.Errorf("%d connections are kept account of, want 1", n)
	}
}

// TestNobodySlipsIn has authorities change while a client is being verified by the old ones.
func TestNobodySlipsIn(t *testing.T) {
	goes, stays := valid(t, 2), valid(t, 3)
	o := openWithClients(t, goes, stays)
	before := o.holds.Load()
	write(t, o.files.ClientCA, together(stays))
	o.settle(t)
	for _, c := range []struct {
		client identity
		want   bool
	}{{goes, false}, {stays, true}} {
		pair, err := tls.X509KeyPair(c.client.cert, c.client.key)
		if err != nil {
			t.Fatal(err)
		}
		near, far := net.Pipe()
		conn := o.connections.add(near)
		if err := o.admit(conn, before, chainOf(t, pair)); (err == nil) != c.want {
			t.Errorf("a client that the old authorities know is let in: %v, want %t", err, c.want)
		}
		if err := o.admit(near, o.holds.Load(), chainOf(t, pair)); err == nil {
			t.Error("a connection is let in that could not be closed later")
		}
		_, _ = conn.Close(), far.Close()
	}
	if n := o.openConnections(); n != 0 {
		t.Errorf("%d closed connections are kept account of", n)
	}
}

func chainOf(t *testing.T, pair tls.Certificate) []*x509.Certificate {
	t.Helper()
	chain := make([]*x509.Certificate, len(pair.Certificate))
	for i, der := range pair.Certificate {
		var err error
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
	}
	return chain
}
