package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// DefaultEvery is how often the files are looked at, unless the configuration says otherwise.
const DefaultEvery = 2 * time.Second

// Config is what a Source needs.
type Config struct {
	Files      Files
	Every      time.Duration
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Source has the certificate that new connections get.
type Source struct {
	files  Files
	every  time.Duration
	logger *slog.Logger
	holds  atomic.Pointer[material]
	taken  contents // that the material is of
	seen   contents // at the last look
	told   string   // what was last said of the files

	connections connections

	expires prometheus.Gauge
	current prometheus.Gauge
	loads   *prometheus.CounterVec
}

// Open reads the files. A fault of them is an error: a server that was asked for TLS never
// answers without.
func Open(c Config) (*Source, error) {
	if c.Logger == nil || c.Registerer == nil {
		return nil, errors.New("certificate: needs a logger and a registerer")
	}
	if c.Every <= 0 {
		c.Every = DefaultEvery
	}
	found, err := c.Files.read()
	if err != nil {
		return nil, err
	}
	m, err := c.Files.parse(found, time.Now())
	if err != nil {
		return nil, err
	}
	s := &Source{
		files: c.Files, every: c.Every, logger: c.Logger, seen: found,
		expires: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "behalf_tls_certificate_expiry_timestamp_seconds",
			Help: "When the certificate that new connections get expires, or the one that signed it, in seconds since 1970.",
		}),
		current: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "behalf_tls_files_current", Help: "Whether certificate, key and clients' authorities are those of the files as they are now.",
		}),
		loads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "behalf_tls_loads_total", Help: "Changes of the certificate's files, by whether they were taken.",
		}, []string{"result"}),
	}
	for _, metric := range []prometheus.Collector{s.expires, s.current, s.loads} {
		if err := c.Registerer.Register(metric); err != nil {
			return nil, fmt.Errorf("register the metrics of the certificate: %w", err)
		}
	}
	s.take(found, m)
	return s, nil
}

// Listener returns a port's listener, below TLS, whose connections are closed when the authorities
// of their clients go.
func (s *Source) Listener(l net.Listener) net.Listener {
	if s.files.ClientCA == "" {
		return l
	}
	return listener{l, &s.connections}
}

// TLS returns how a port that speaks the protocols serves the connections of Listener: each with
// what holds when it begins.
func (s *Source) TLS(protocols ...string) *tls.Config {
	common := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols}
	if s.files.ClientCA != "" {
		common.ClientAuth = tls.RequireAndVerifyClientCert
		// A session that is resumed is one of a client whom the authorities of that time knew.
		common.SessionTicketsDisabled = true
	}
	out := common.Clone()
	out.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		m := s.holds.Load()
		now := common.Clone()
		now.Certificates, now.ClientCAs = []tls.Certificate{m.pair}, m.clientCAs
		if m.clientCAs != nil {
			now.VerifyConnection = func(of tls.ConnectionState) error { return s.admit(hello.Conn, m, of.PeerCertificates) }
		}
		return now, nil
	}
	return out
}

// Run looks at the files until ctx is done. It returns nil.
func (s *Source) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			s.look(ctx)
		}
	}
}

// look takes the files if they have changed, are the same as at the last look and have no fault:
// between the writing of a certificate and that of its key, they are not a pair.
func (s *Source) look(ctx context.Context) {
	now, err := s.files.read()
	settled := now.equal(s.seen)
	s.seen = now
	switch {
	case !settled:
		return
	case err != nil:
		s.refuse(ctx, err)
		return
	case now.equal(s.taken):
		if s.told != "" {
			s.told = ""
			s.current.Set(1)
			s.logger.InfoContext(ctx, "the certificate's files are again as those that hold", "cert", s.files.Cert)
		}
		return
	}
	m, err := s.files.parse(now, time.Now())
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	s.told = ""
	others := !bytes.Equal(now.clientCA, s.taken.clientCA)
	s.take(now, m)
	s.logger.InfoContext(ctx, "certificate loaded", "cert", s.files.Cert, "expires", m.expires)
	if others { // after those that connect are held to them, so that nobody slips in between
		n := s.connections.cut(m.stranger)
		s.logger.InfoContext(ctx, "clients' authorities loaded", "client_ca", s.files.ClientCA, "connections_closed", n)
	}
}

func (s *Source) take(c contents, m material) {
	s.taken = c
	s.holds.Store(&m)
	s.expires.Set(float64(m.expires.Unix()))
	s.current.Set(1)
	s.loads.WithLabelValues("taken").Inc()
}

// refuse keeps what holds, and says so once for each fault.
func (s *Source) refuse(ctx context.Context, err error) {
	s.current.Set(0)
	if told := err.Error(); told != s.told {
		s.told = told
		s.loads.WithLabelValues("refused").Inc()
		s.logger.ErrorContext(ctx, "the certificate's files are not taken; the last good ones hold", "error", err)
	}
}
