package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/bench"
)

// newBenchFloor is `behalf bench floor`, which bench runs beside itself.
func newBenchFloor(t Terminal) *cobra.Command {
	return &cobra.Command{
		Use: "floor API ANSWER", Short: "Serve one ready answer until standard input ends", Hidden: true,
		Args: arguments(2, 2, "an API and an answer in base64"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return bench.ServeFloor(cmd.Context(), bench.API(args[0]), args[1], t.In, t.Out)
		},
	}
}

// open returns what is measured, at the client's address or at a URL.
func (c *benchCommand) open(to client, base string) (target bench.Target, done func(), err error) {
	consistency := bench.Consistency(c.consistency)
	if bench.API(c.api) == bench.REST {
		return c.openREST(to, base, consistency)
	}
	var conns []grpc.ClientConnInterface
	var closers []func() error
	done = func() {
		for _, closeConn := range closers {
			_ = closeConn()
		}
	}
	for range min(c.connections, c.load.Concurrency) {
		conn, err := to.dial()
		if err != nil {
			done()
			return nil, nil, err
		}
		conns, closers = append(conns, conn), append(closers, conn.Close)
	}
	if target, err = bench.New(bench.API(c.api), conns, c.permission, consistency); err != nil {
		done()
		return nil, nil, err
	}
	return target, done, nil
}

func (c *benchCommand) openREST(to client, base string, consistency bench.Consistency) (bench.Target, func(), error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, usagef("--url: %q is not a URL such as http://127.0.0.1:7480", base)
	}
	if u.Scheme == "http" && !to.mayPlaintext(u.Hostname()) {
		return nil, nil, usagef("--url: credentials would go to %s in the clear; use https, or allow it with --insecure-plaintext", u.Host)
	}
	to.address = u.Host
	token, tokenErr := to.bearer(u.Hostname())
	config, tlsErr := to.tlsConfig()
	if err := errors.Join(tokenErr, tlsErr); err != nil {
		return nil, nil, err
	}
	transport := &http.Transport{
		TLSClientConfig: config, DisableCompression: true, IdleConnTimeout: time.Minute,
		MaxConnsPerHost: c.load.Concurrency, MaxIdleConnsPerHost: c.load.Concurrency,
	}
	done := transport.CloseIdleConnections
	return bench.NewREST(&http.Client{Transport: transport}, base, token, c.permission, consistency), done, nil
}

// token returns the credentials that the server gets.
func (c *benchCommand) token() (string, error) {
	host, _, err := net.SplitHostPort(c.client.address)
	if bench.API(c.api) == bench.REST {
		var u *url.URL
		if u, err = url.Parse(c.url); err == nil {
			host = u.Hostname()
		}
	}
	if err != nil {
		return "", err
	}
	return c.client.bearer(host)
}

// probe asks the first question.
func (c *benchCommand) probe(ctx context.Context, target bench.Target, questions *bench.Questions) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.load.Timeout)
	defer cancel()
	return target.Probe(ctx, questions.At(0))
}

// measureFloor puts the same load on a bare server that sends the answer. Its processor
// time counts when that of the server does.
func (c *benchCommand) measureFloor(ctx context.Context, answer []byte, questions *bench.Questions,
	tell func(string, time.Duration, time.Duration),
) (bench.Measurement, error) {
	program, err := os.Executable()
	if err != nil {
		return bench.Measurement{}, err
	}
	floor, err := bench.StartFloor(ctx, bench.API(c.api), answer, program, "bench", "floor")
	if err != nil {
		return bench.Measurement{}, err
	}
	defer floor.Close()
	token, err := c.token() // the requests are to be as long
	if err != nil {
		return bench.Measurement{}, err
	}
	target, done, err := c.open(client{address: floor.Address, token: token}, "http://"+floor.Address)
	if err != nil {
		return bench.Measurement{}, err
	}
	defer done()
	if _, err := c.probe(ctx, target, questions); err != nil {
		return bench.Measurement{}, err
	}
	var processes bench.Processes
	if len(c.pids) > 0 {
		processes = bench.Processes{floor.PID}
	}
	what := fmt.Sprintf("the same requests to a bare server that sends a ready answer of %d bytes", len(answer))
	return c.load.Measure(ctx, "floor", what, bench.Blind{Target: target}, questions, processes, tell)
}
