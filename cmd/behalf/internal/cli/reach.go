package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server"
)

// probeTime is how long a server may take to say that it is there.
const probeTime = 5 * time.Second

// reach returns a connection to the running server or, when none answers on this machine,
// to the data directory itself, which is opened for the time of the command. The default
// directory is opened only when a server has made it: a slip in an address must not make a
// new one.
func (c *client) reach(ctx context.Context, bar *progress) (_ grpc.ClientConnInterface, release func() error, err error) {
	conn, dialErr := c.dial()
	if dialErr == nil {
		missing := c.probe(ctx, conn)
		if missing == nil {
			return conn, conn.Close, nil
		}
		_ = conn.Close()
		dialErr = c.explain(missing)
	}
	if usage, ok := errors.AsType[*exitError](dialErr); ok {
		return nil, nil, usage
	}
	if !c.mayOpen() {
		if c.meansServer() {
			return nil, nil, fmt.Errorf("%w; a data directory is opened in its place only without a token and without TLS, which mean a server", dialErr)
		}
		return nil, nil, fmt.Errorf("%w; or name a data directory with --data-dir, which is opened while no server runs", dialErr)
	}
	config := server.Config{DataDir: c.dataDir}
	if bar.terminal {
		config.Loading = bar.count("loading")
	}
	local, err := server.OpenLocal(ctx, config)
	bar.end()
	if err != nil {
		return nil, nil, fmt.Errorf("no server answers at %s, and the data directory cannot be opened: %w", c.address, err)
	}
	opened, err := local.Conn()
	if err != nil {
		return nil, nil, errors.Join(err, local.Close())
	}
	return opened, local.Close, nil
}

// ask calls f with a connection to the running server or, when none runs, to the data
// directory itself, and explains what the server finds fault with.
func (c *client) ask(ctx context.Context, stderr io.Writer, f func(grpc.ClientConnInterface, *progress) error) (err error) {
	bar := newProgress(stderr)
	defer bar.end()
	conn, release, err := c.reach(ctx, bar)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return c.explain(f(conn, bar))
}

// probe returns why there is no server, nil when one answers, whatever it says.
func (c *client) probe(ctx context.Context, conn grpc.ClientConnInterface) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	_, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	if status.Code(err) != codes.Unavailable {
		return nil //nolint:nilerr // somebody has answered: the command itself says what is wrong
	}
	if reason, _ := details(status.Convert(err)); reason != "" {
		return nil
	}
	return err
}

// meansServer reports whether a server is meant, and no data but its own: by who has a token, or
// says how TLS is spoken. The address may be a port through which a server far away is reached.
func (c *client) meansServer() bool { return c.token != "" || c.secure() }

// mayOpen reports whether the data directory stands for the server that does not answer.
func (c *client) mayOpen() bool {
	host, _, err := net.SplitHostPort(c.address)
	if err != nil || !local(host) || c.meansServer() {
		return false
	}
	if c.dataDir != defaultDataDir {
		return true
	}
	_, err = server.ReadAdminKey(c.dataDir)
	return !errors.Is(err, fs.ErrNotExist)
}
