package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

// startTime is how long a server may take to answer.
const startTime = 2 * time.Minute

// house is where the peers run: their processes and databases, which end with it.
type house struct {
	options

	ctx       context.Context //nolint:containedctx // it is the house's life
	leave     context.CancelFunc
	says      io.Writer
	processes []*process
	databases []*database
	ended     chan error // of the first process that ends
}

func newHouse(ctx context.Context, o options, says io.Writer) *house {
	h := &house{options: o, says: says, ended: make(chan error, 1)}
	h.ctx, h.leave = context.WithCancel(ctx)
	return h
}

// wait returns when the house is to be left, or why a process has ended before.
func (h *house) wait() error {
	select {
	case <-h.ctx.Done():
		return nil
	case err := <-h.ended:
		return err
	}
}

// close ends the processes, and then their databases.
func (h *house) close() error {
	h.leave()
	for _, p := range h.processes {
		<-p.done
	}
	var errs []error
	for _, d := range h.databases {
		errs = append(errs, d.server.Close())
	}
	return errors.Join(errs...)
}

// process is a server that runs.
type process struct {
	id   int
	log  string
	done chan struct{} // closed when it has ended
}

// start starts an executable among the servers. Its log is a file.
func (h *house) start(name string, args ...string) (*process, error) {
	p := &process{log: filepath.Join(h.logs, name+".log"), done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()                          // the process has its own
	cmd := exec.CommandContext(h.ctx, h.program(name), args...) //nolint:gosec // of whoever runs this
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.id = cmd.Process.Pid
	h.processes = append(h.processes, p)
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = errors.New("exit code 0")
		}
		close(p.done)
		select {
		case h.ended <- fmt.Errorf("%s has ended: %w; its log is %s", name, err, p.log):
		default: // another has before
		}
	}()
	return p, nil
}

// once runs an executable among the servers to its end.
func (h *house) once(name string, args ...string) error {
	text, err := exec.CommandContext(h.ctx, h.program(name), args...).CombinedOutput() //nolint:gosec // of whoever runs this
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, text)
	}
	return nil
}

func (h *house) program(name string) string { return filepath.Join(h.servers, name) }

// await makes a call that waits for a server, and gives up when the server ends.
func (h *house) await(p *process, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(h.ctx, startTime)
	defer cancel()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := call(ctx); err != nil {
		return fmt.Errorf("%w; the log is %s", err, p.log)
	}
	return nil
}

// database is a Postgres of a peer's own.
type database struct {
	server  postgres.Server
	uri     string
	process int
	version string
}

// database starts a Postgres that keeps what it acknowledges, with the memory that its
// documentation starts from.
func (h *house) database() (*database, error) {
	d := &database{server: postgres.Server{Durable: true, Settings: map[string]string{"shared_buffers": "512MB"}}}
	var err error
	if d.uri, d.process, err = d.server.Start(); err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	h.databases = append(h.databases, d)
	return d, d.ask(h.ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SHOW server_version").Scan(&d.version)
	})
}

// analyze has Postgres look at what it holds, as it would by itself in time, and write it down.
func (d *database) analyze(ctx context.Context) error {
	return d.ask(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "VACUUM ANALYZE")
		if err == nil {
			_, err = conn.Exec(ctx, "CHECKPOINT")
		}
		return err
	})
}

func (d *database) ask(ctx context.Context, question func(context.Context, *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, d.uri)
	if err != nil {
		return err
	}
	return errors.Join(question(ctx, conn), conn.Close(ctx))
}

// freePort returns an address of this machine that nobody listens on now. The servers are
// told where to listen, and cannot say where they do.
func (h *house) freePort() (string, error) {
	listener, err := new(net.ListenConfig).Listen(h.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
