package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/bench"
)

// newBenchFloor is `behalf bench floor`, which bench runs beside itself.
func newBenchFloor(t Terminal) *cobra.Command {
	return &cobra.Command{
		Use: "floor API ANSWER TIMES", Short: "Serve one ready answer until standard input ends", Hidden: true,
		Args: arguments(3, 3, "an API, an answer in base64, and how often a list has it"),
		RunE: func(cmd *cobra.Command, args []string) error {
			times, err := strconv.Atoi(args[2])
			if err != nil {
				return usagef("%q is not how often", args[2])
			}
			defer keepHeapGoal(os.LookupEnv)()
			return bench.ServeFloor(cmd.Context(), bench.API(args[0]), args[1], times, t.In, t.Out)
		},
	}
}

// dialled is a server that is measured: connections, or a client and its base URL.
type dialled struct {
	conns       []grpc.ClientConnInterface
	http        *http.Client
	base, token string
	close       func()
}

// dial connects to a client's address, or to a URL when HTTP is measured.
func (c *benchCommand) dial(to client, base string) (*dialled, error) {
	if bench.API(c.api) == bench.REST {
		return c.dialHTTP(to, base)
	}
	return connect(min(c.connections, c.load.Concurrency), to.dial)
}

// connect makes connections.
func connect(n int, dial func() (*grpc.ClientConn, error)) (*dialled, error) {
	var closers []func() error
	d := &dialled{close: func() {
		for _, closeConn := range closers {
			_ = closeConn()
		}
	}}
	for range n {
		conn, err := dial()
		if err != nil {
			d.close()
			return nil, err
		}
		d.conns, closers = append(d.conns, conn), append(closers, conn.Close)
	}
	return d, nil
}

func (c *benchCommand) dialHTTP(to client, base string) (*dialled, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--url: %q is not a URL such as http://127.0.0.1:7480", base)
	}
	if u.Scheme == "http" && !to.mayPlaintext(u.Hostname()) {
		return nil, usagef("--url: credentials would go to %s in the clear; use https, or allow it with --insecure-plaintext", u.Host)
	}
	to.address = u.Host
	token, tokenErr := to.bearer(u.Hostname())
	config, tlsErr := to.tlsConfig()
	if err := errors.Join(tokenErr, tlsErr); err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig: config, DisableCompression: true, IdleConnTimeout: time.Minute,
		MaxConnsPerHost: c.load.Concurrency, MaxIdleConnsPerHost: c.load.Concurrency,
	}
	return &dialled{http: &http.Client{Transport: transport}, base: base, token: token, close: transport.CloseIdleConnections}, nil
}

// checks returns the check of a server.
func (c *benchCommand) checks(d *dialled) bench.Target {
	if d.http != nil {
		return bench.NewREST(d.http, d.base, d.token, c.permission, bench.Consistency(c.consistency))
	}
	return bench.New(bench.API(c.api), d.conns, c.permission, bench.Consistency(c.consistency))
}

// chain returns the method of a server that does nothing.
func (c *benchCommand) chain(d *dialled) bench.Target {
	if d.http != nil {
		return bench.NewRESTChain(d.http, d.base, d.token)
	}
	return bench.NewChain(d.conns)
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

// telling is told of a part of the run, and how far it is.
type telling func(phase string, done, total time.Duration)

// measureBeside measures what else is asked for: lists, and peers.
func (c *benchCommand) measureBeside(ctx context.Context, to *dialled, questions *bench.Questions, tell telling) (all []bench.Measurement, err error) {
	if c.roster != nil {
		lists, err := c.measureLists(ctx, to, tell)
		if err != nil {
			return nil, err
		}
		all = append(all, lists...)
	}
	peers, err := c.measurePeers(ctx, questions, tell)
	return append(all, peers...), err
}

// compared returns the check, and what calls cost without one. The floor among it serves
// until end is called, which may be called again.
func (c *benchCommand) compared(ctx context.Context, to *dialled, check bench.Target, method string, answer []byte, questions *bench.Questions,
) (all []bench.Measurand, end func(), err error) {
	all = append(all, bench.Measurand{Name: bench.CheckName, What: method, Asker: check, Processes: c.pids})
	if !c.floor {
		return all, func() {}, nil
	}
	if method := bench.API(c.api).ChainMethod(); method != "" {
		target := c.chain(to)
		own, err := c.probe(ctx, target, questions)
		if err != nil {
			return nil, nil, c.client.explain(err)
		}
		what := fmt.Sprintf("%s, with an answer of %d bytes", method, len(own))
		all = append(all, bench.Measurand{Name: bench.ChainName, What: what, Asker: bench.Blind{Asker: target}, Processes: c.pids})
	}
	floor, end, err := c.bare(ctx, answer, questions)
	if err != nil {
		return nil, nil, fmt.Errorf("measure the floor: %w", err)
	}
	return append(all, floor), end, nil
}

// bare starts a bare server that sends the answer to the same requests. Its processor time
// counts when that of the server does.
func (c *benchCommand) bare(ctx context.Context, answer []byte, questions *bench.Questions) (m bench.Measurand, end func(), err error) {
	floor, to, err := c.startFloor(ctx, bench.API(c.api), answer, 1)
	if err != nil {
		return m, nil, err
	}
	end = sync.OnceFunc(func() {
		to.close()
		floor.Close()
	})
	target := c.checks(to)
	if _, err := c.probe(ctx, target, questions); err != nil {
		end()
		return m, nil, err
	}
	what := fmt.Sprintf("the same requests to a bare server that sends a ready answer of %d bytes", len(answer))
	return bench.Measurand{Name: bench.FloorName, What: what, Asker: bench.Blind{Asker: target}, Processes: c.floorProcesses(floor)}, end, nil
}

// floorProcesses is the process of a floor when processor time is measured.
func (c *benchCommand) floorProcesses(f *bench.Floor) bench.Processes {
	if len(c.pids) == 0 {
		return nil
	}
	return bench.Processes{f.PID}
}

// startFloor starts a bare server, and connects to it as to the server that is measured.
func (c *benchCommand) startFloor(ctx context.Context, api bench.API, answer []byte, times int) (*bench.Floor, *dialled, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	token, err := c.token() // the requests are to be as long
	if err != nil {
		return nil, nil, err
	}
	floor, err := bench.StartFloor(ctx, api, answer, times, program, "bench", "floor")
	if err != nil {
		return nil, nil, err
	}
	to, err := c.dial(client{address: floor.Address, token: token}, "http://"+floor.Address)
	if err != nil {
		floor.Close()
		return nil, nil, err
	}
	return floor, to, nil
}
