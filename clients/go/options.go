package behalf

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// DefaultTimeout is how long a call may take whose context has no deadline.
const DefaultTimeout = 10 * time.Second

const (
	pingAfter   = 30 * time.Second // of silence; the server takes no more than one ping in 10 s
	pingTimeout = 10 * time.Second
	maxAnswer   = 64 << 20 // bytes: a list may be asked for in one piece
)

// TokenSource returns the token that a call carries. It is asked for every call, so it keeps the
// token until it must be renewed. An error ends the call. ctx ends when the call does and has no
// values: checks of many callers share calls, so a token cannot be that of one of them. Client.As
// calls as somebody else.
type TokenSource func(ctx context.Context) (string, error)

// Option says how a client is made.
type Option func(*settings)

type settings struct {
	token     TokenSource
	tls       *tls.Config
	plaintext bool
	timeout   time.Duration
	more      []grpc.DialOption
}

// WithToken calls with a token or API key.
func WithToken(token string) Option {
	return func(s *settings) { s.token = fixedToken(token) }
}

// WithTokenSource calls with whatever token the source returns.
func WithTokenSource(source TokenSource) Option {
	return func(s *settings) { s.token = source }
}

// WithTLS speaks TLS as configured: with other roots, or a client's certificate.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) { s.tls = config.Clone() }
}

// WithPlaintext sends credentials in the clear to another machine, where the network itself
// secures them, as that of a service mesh does.
func WithPlaintext() Option {
	return func(s *settings) { s.plaintext = true }
}

// WithTimeout sets how long a call may take whose context has no deadline, in place of
// DefaultTimeout. 0 or less leaves it without one.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) { s.timeout = timeout }
}

// WithDialOptions adds options of gRPC, such as a stats handler for traces. They come last and
// prevail.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.more = append(s.more, options...) }
}

func gather(options []Option) settings {
	s := settings{timeout: DefaultTimeout}
	for _, option := range options {
		option(&s)
	}
	return s
}

func (s *settings) dialOptions(address string) ([]grpc.DialOption, error) {
	transport, err := s.transport(address)
	if err != nil {
		return nil, err
	}
	return append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingTimeout}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
	}, s.more...), nil
}

func (s *settings) transport(address string) (credentials.TransportCredentials, error) {
	switch {
	case s.tls != nil && s.plaintext:
		return nil, errTLSAndPlaintext
	case s.tls != nil:
		return credentials.NewTLS(s.tls), nil
	case s.plaintext || thisMachine(address):
		return insecure.NewCredentials(), nil
	}
	return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12}), nil
}

// thisMachine reports whether what is sent to address leaves no machine: it is host:port of the
// loopback interface, or a Unix socket.
func thisMachine(address string) bool {
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func fixedToken(token string) TokenSource {
	return func(context.Context) (string, error) { return token, nil }
}
