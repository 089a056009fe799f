package server

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/gateway"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// LimitsConfig says what callers may take of a server. The zero value lets them call as
// often as they like.
type LimitsConfig struct {
	// Rate is how many calls a second one caller may make: a user, a service, or an address
	// whose caller nothing makes known. 0 means any number.
	Rate float64
	// Burst is how many of them may come at once. 0 means those of a second.
	Burst int
	// Connections is how many connections each port has at once. 0 means any number.
	Connections int
	// MessageBytes is how long a message of gRPC and a body of HTTP may be. 0 means 4 MiB.
	MessageBytes int
	// CallTime is how long a call may take that is no stream, whatever its caller asks for. 0
	// means what he asks for, and 30 s when he does not.
	CallTime time.Duration
}

// Validate returns every fault of c joined, nil when there is none.
func (c LimitsConfig) Validate() error {
	var faults []error
	negative := func(is bool, flag string) {
		if is {
			faults = append(faults, fmt.Errorf("%s: is negative", flag))
		}
	}
	if !(c.Rate >= 0 && c.Rate <= 1e9) {
		faults = append(faults, fmt.Errorf("--rate-limit: %v is not from 0 to a milliard calls a second", c.Rate))
	}
	negative(c.Burst < 0, "--rate-burst")
	negative(c.Connections < 0, "--max-connections")
	negative(c.MessageBytes < 0, "--max-message-bytes")
	negative(c.CallTime < 0, "--max-call-time")
	if c.Burst > 0 && c.Rate == 0 {
		faults = append(faults, errors.New("--rate-burst: needs --rate-limit"))
	}
	return errors.Join(faults...)
}

// calls returns the limits of calls.
func (c LimitsConfig) calls(inHand int) interceptor.Limits {
	return interceptor.Limits{Concurrent: inHand, Rate: c.Rate, Burst: c.Burst, Longest: c.CallTime}
}

// messages returns the option of the gRPC port.
func (c LimitsConfig) messages() []grpc.ServerOption {
	if c.MessageBytes == 0 {
		return nil
	}
	return []grpc.ServerOption{grpc.MaxRecvMsgSize(c.MessageBytes)}
}

// requestTime returns the time of an HTTP request, 0 for the gateway's own.
func (c LimitsConfig) requestTime() time.Duration {
	if c.CallTime < gateway.DefaultTimeout {
		return c.CallTime
	}
	return 0
}

// limitConnections bounds the connections of both ports.
func (s *Server) limitConnections() error {
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "behalf_connections_refused_total",
		Help: "Connections closed at once as the port had as many as it may, by port.",
	}, []string{"port"})
	if err := s.registry.Register(refused); err != nil {
		return fmt.Errorf("register the metrics of connections: %w", err)
	}
	s.grpcListener = limited(s.grpcListener, s.cfg.Limits.Connections, refused.WithLabelValues("grpc"))
	s.httpListener = limited(s.httpListener, s.cfg.Limits.Connections, refused.WithLabelValues("http"))
	return nil
}

// limited returns a listener that closes what comes while it has as many connections as it
// may. One that waited instead would have clients, and probes, wait without knowing for what.
func limited(l net.Listener, most int, refused prometheus.Counter) net.Listener {
	if most <= 0 {
		return l
	}
	return &limitedListener{Listener: l, slots: make(chan struct{}, most), refused: refused}
}

type limitedListener struct {
	net.Listener

	slots   chan struct{}
	refused prometheus.Counter
}

// Accept returns the next connection that there is room for.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &limitedConn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
		default:
			l.refused.Inc()
			_ = c.Close() // its client learns of nothing else
		}
	}
}

type limitedConn struct {
	net.Conn

	release func()
}

// Close closes the connection, and makes room for another.
func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
