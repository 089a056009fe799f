package certificate

import (
	"crypto/x509"
	"errors"
	"net"
	"sync"
	"time"
)

// connections are the open ones of both ports, with the certificates that their clients have shown.
// The zero connections are none.
type connections struct {
	mu   sync.Mutex
	open map[*connection][]*x509.Certificate // nil until the client is verified
}

// connection is one below TLS.
type connection struct {
	net.Conn

	of *connections
}

// Close closes the connection.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// listener notes the connections that it accepts.
type listener struct {
	net.Listener

	of *connections
}

// Accept returns the next connection.
func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.of.add(conn), nil
}

func (s *connections) add(conn net.Conn) *connection {
	c := &connection{conn, s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = make(map[*connection][]*x509.Certificate)
	}
	s.open[c] = nil
	return c
}

// note keeps what the client of a connection has shown.
func (s *connections) note(c *connection, shown []*x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.open[c]; open {
		s.open[c] = shown
	}
}

// cut closes the connections of clients that are strangers now, and returns how many.
func (s *connections) cut(stranger func(shown []*x509.Certificate) error) (n int) {
	s.mu.Lock()
	verified := make(map[*connection][]*x509.Certificate, len(s.open))
	for c, shown := range s.open {
		if len(shown) > 0 {
			verified[c] = shown
		}
	}
	s.mu.Unlock()
	for c, shown := range verified { // which takes time, while others connect
		if stranger(shown) != nil {
			_ = c.Close() // its client is told nothing more
			n++
		}
	}
	return n
}

// stranger returns why clients with the certificates are not let in, as the TLS layer judges those
// that connect.
func (m *material) stranger(shown []*x509.Certificate) error {
	between := x509.NewCertPool()
	for _, link := range shown[1:] {
		between.AddCert(link)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{
		Roots: m.clientCAs, Intermediates: between, CurrentTime: time.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

// admit notes whose a connection is whom the authorities of some material have let in, so that
// it is closed when they go. It refuses one that it would not find then.
func (s *Source) admit(conn net.Conn, by *material, shown []*x509.Certificate) error {
	c, ours := conn.(*connection)
	if !ours || len(shown) == 0 {
		return errors.New("the connection is none of the source's listeners'")
	}
	s.connections.note(c, shown)
	// Other authorities that came meanwhile may have looked at the open ones before this was noted.
	if now := s.holds.Load(); now != by {
		return now.stranger(shown)
	}
	return nil
}
