package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is the Postgres of a test binary. The zero Server starts when a test first asks
// for a database. Its owner is a variable of the test's package:
//
//	var pg postgres.Server
//
//	func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }
type Server struct {
	// Durable makes the server wait for its disk, as one does that is not for tests. It
	// is set before the first test.
	Durable bool
	// Settings are Postgres' own, in place of those that tests get. They are set before the
	// first test.
	Settings map[string]string

	starting sync.Once
	missing  string // why there is no Postgres to start
	failed   error  // why it did not start

	dir    string
	keeper *exec.Cmd
	orders io.WriteCloser // a line restarts the server; its end stops it
	news   *bufio.Reader  // a line for each start

	making    sync.Mutex        // held while a database is made, as its template must be idle
	templates map[string]string // name of each by what it is a template of
	databases atomic.Int64
}

// startTime is how long the server may take to answer.
const startTime = time.Minute

// Run runs the tests and stops the server. It returns the code to exit with.
func (s *Server) Run(m *testing.M) int {
	code := m.Run()
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the Postgres of the tests:", err)
		return max(code, 1)
	}
	return code
}

// Close stops the server and removes its files.
func (s *Server) Close() error {
	if s.keeper == nil {
		return nil
	}
	if err := s.orders.Close(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.keeper.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(startTime):
		return fmt.Errorf("it does not end; its files are in %s", s.dir)
	}
}

// start starts the server once. A test without it is skipped, or fails when it should be there.
func (s *Server) start(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs Postgres, which -short leaves out")
	}
	s.starting.Do(func() {
		programs, err := find()
		if err != nil {
			s.missing = err.Error()
			return
		}
		if s.failed = s.launch(programs); s.failed != nil {
			s.failed = errors.Join(s.failed, s.Close())
		}
	})
	if s.missing != "" {
		t.Skip(s.missing)
	}
	if s.failed != nil {
		t.Fatalf("start Postgres: %v", s.failed)
	}
}

// Start starts the server for a program that is no test. It returns the URI of its database,
// and the process that all processes of the server are below. Close stops it.
func (s *Server) Start() (uri string, process int, err error) {
	programs, err := find()
	if err != nil {
		return "", 0, err
	}
	if err := s.launch(programs); err != nil {
		return "", 0, errors.Join(err, s.Close())
	}
	return s.uri("postgres"), s.keeper.Process.Pid, nil
}

// find returns the directory of Postgres' programs: the one on the path, else the newest
// where Debian and its kin put them.
func find() (string, error) {
	const programs = "/usr/lib/postgresql/*/bin/"
	found, _ := filepath.Glob(programs + "initdb") // a fault of the pattern only
	version := func(f string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(f)))) // 0 sorts last
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if path, err := exec.LookPath("initdb"); err == nil {
		found = slices.Insert(found, 0, path)
	}
	for _, f := range found {
		f, err := filepath.EvalSymlinks(f)
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(f), "postgres")); err == nil {
			return filepath.Dir(f), nil
		}
	}
	return "", errors.New("needs Postgres 14 or newer; there is none on the path or in " + programs +
		": install the package postgresql-15 (Debian), postgresql@15 (Homebrew) or their like")
}

// keep is the shell program between the test and the server. It ends the server and
// removes the files when its input ends, which the kernel sees to even when the test is
// killed: a signal on a parent's death would leave the files, and follows a thread of the
// parent only. QUIT is Postgres' immediate stop: what a crash would leave.
const keep = `trap '' HUP INT QUIT TERM
dir=$1
shift
while :; do
	"$@" >>"$dir/log" 2>&1 &
	echo started
	read -r order
	go_on=$?
	kill -QUIT $!
	wait $!
	[ $go_on = 0 ] || break
done
rm -rf "$dir"
`

func (s *Server) launch(programs string) (err error) {
	if s.dir, err = makeDir(); err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	//nolint:gosec // programs are those of this machine's Postgres
	initdb := exec.Command(filepath.Join(programs, "initdb"), "--pgdata", data, "--username", "behalf",
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
	if err := asOwner(initdb, s.dir); err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	if text, err := initdb.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("initdb: %w\n%s", err, text), os.RemoveAll(s.dir))
	}
	arguments := []string{"-c", keep, "sh", s.dir, filepath.Join(programs, "postgres"), "-D", data}
	for name, value := range s.settings() {
		arguments = append(arguments, "-c", name+"="+value)
	}
	keeper := exec.Command("sh", arguments...) //nolint:gosec // of our own text and paths
	if err := asOwner(keeper, s.dir); err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	if s.orders, err = keeper.StdinPipe(); err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	news, err := keeper.StdoutPipe()
	if err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := keeper.Start(); err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	s.keeper, s.news = keeper, bufio.NewReader(news)
	return s.await()
}

// settings are those that differ from Postgres' own.
func (s *Server) settings() map[string]string {
	settings := map[string]string{
		"listen_addresses":        "",
		"unix_socket_directories": s.dir,
		"unix_socket_permissions": "0700",
		"track_commit_timestamp":  "on",
		"max_connections":         "300",
		"shared_buffers":          "64MB",
	}
	if !s.Durable {
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
	}
	maps.Copy(settings, s.Settings)
	return settings
}

// await waits until the server that was last started answers.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	if _, err := s.news.ReadString('\n'); err != nil {
		return fmt.Errorf("the keeper of Postgres has ended: %w", err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.uri("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			text, _ := os.ReadFile(filepath.Join(s.dir, "log")) // err says enough
			return fmt.Errorf("it does not answer: %w\n%s", err, text)
		}
	}
}

// Restart stops the server as a crash would, without a word to its clients, and waits
// until it answers again. What it had acknowledged is there.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.start(t)
	if _, err := io.WriteString(s.orders, "restart\n"); err != nil {
		t.Fatalf("restart Postgres: %v", err)
	}
	if err := s.await(); err != nil {
		t.Fatalf("restart Postgres: %v", err)
	}
}

// uri names a database of the server.
func (s *Server) uri(database string) string {
	return "postgres://behalf@/" + database + "?host=" + url.QueryEscape(s.dir)
}
