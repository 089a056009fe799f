package server

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// Local is a data directory that is open without a server: nobody else can reach it. End it
// with Close.
type Local struct{ server *Server }

// OpenLocal opens a data directory that no other process has open, and makes it when there
// is none. Only DataDir, Loading and Logger of the configuration are looked at; nothing that
// is in the directory is removed for its age.
func OpenLocal(ctx context.Context, cfg Config) (_ *Local, err error) {
	cfg = Config{DataDir: cfg.DataDir, Loading: cfg.Loading, Logger: cfg.Logger}
	s := &Server{cfg: cfg.withDefaults(), registry: prometheus.NewRegistry(), started: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if _, err := s.build(ctx, ""); err != nil {
		return nil, err
	}
	return &Local{s}, nil
}

// Conn returns a connection to the services, as an administrator.
func (l *Local) Conn() (grpc.ClientConnInterface, error) {
	key, err := ReadAdminKey(l.server.cfg.DataDir)
	if err != nil {
		return nil, err
	}
	return adminConn{l.server.inproc, "Bearer " + key}, nil
}

// Close ends what OpenLocal began.
func (l *Local) Close() error { return l.server.Close() }

// adminConn puts the admin key into each call.
type adminConn struct {
	grpc.ClientConnInterface
	bearer string
}

// Invoke makes a call.
func (c adminConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return c.ClientConnInterface.Invoke(c.with(ctx), method, args, reply, opts...)
}

// NewStream begins a call that streams.
func (c adminConn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.ClientConnInterface.NewStream(c.with(ctx), desc, method, opts...)
}

func (c adminConn) with(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", c.bearer)
}
