package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// one runs a statement that answers with one value.
func one[T any](t *testing.T, uri, statement string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var v T
	if err := conn.QueryRow(t.Context(), statement).Scan(&v); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return v
}

func run(t *testing.T, uri, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestDatabase(t *testing.T) {
	uri := pg.Database(t)
	if got := one[string](t, uri, "SHOW track_commit_timestamp"); got != "on" {
		t.Errorf("track_commit_timestamp is %s", got)
	}
	if n := one[int](t, uri, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
		t.Errorf("a new database has %d tables", n)
	}
	if other := pg.Database(t); other == uri {
		t.Error("two databases have one name")
	}
}

func TestCloneIsACopy(t *testing.T) {
	filled := 0
	fill := func(ctx context.Context, uri string) error {
		filled++
		conn, err := pgx.Connect(ctx, uri)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "CREATE TABLE number AS SELECT 7 AS n")
		return errors.Join(err, conn.Close(ctx))
	}
	a, b := pg.Clone(t, "numbered", fill), pg.Clone(t, "numbered", fill)
	one[int](t, a, "UPDATE number SET n = 8 RETURNING n")
	if n := one[int](t, b, "SELECT n FROM number"); n != 7 || filled > 1 {
		t.Errorf("the other copy has %d, and the template was filled %d times here", n, filled)
	}
}

func TestRestartKeepsWhatWasAcknowledged(t *testing.T) {
	uri := pg.Database(t)
	run(t, uri, "CREATE TABLE number AS SELECT 7 AS n")
	before := one[time.Time](t, uri, "SELECT pg_postmaster_start_time()")
	pg.Restart(t)
	if after := one[time.Time](t, uri, "SELECT pg_postmaster_start_time()"); !after.After(before) {
		t.Errorf("it runs since %s, as before", after)
	}
	if n := one[int](t, uri, "SELECT n FROM number"); n != 7 {
		t.Errorf("after a restart the row says %d", n)
	}
}

// TestKilled kills a test binary that has a server, and finds neither the server nor its
// files a little later.
func TestKilled(t *testing.T) {
	if os.Getenv("BEHALF_POSTGRES_VICTIM") != "" {
		_, _ = fmt.Println("URI", pg.Database(t))
		select {}
	}
	pg.Database(t) // skips where there is no Postgres
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.Command(self, "-test.run", "^TestKilled$")
	victim.Env = append(os.Environ(), "BEHALF_POSTGRES_VICTIM=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	dir := socketDir(t, out)
	pid, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	process, _, _ := strings.Cut(string(pid), "\n")
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // it was killed
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		_, files := os.Stat(dir)
		_, runs := os.Stat(filepath.Join("/proc", process))
		if os.IsNotExist(files) && runs != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("of the killed test there is still %s (%v), process %s (%v)", dir, files, process, runs)
		}
	}
}

func socketDir(t *testing.T, out io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "URI ")
		if !ok {
			continue
		}
		uri, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return uri.Query().Get("host")
	}
	t.Fatal("the test to be killed has not said where its server is")
	return ""
}

// TestStart starts a server as a program does that is no test, with a setting of its own.
func TestStart(t *testing.T) {
	pg.Database(t) // skips the test where there is no Postgres
	s := postgres.Server{Settings: map[string]string{"work_mem": "7MB"}}
	uri, process, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	if got := one[string](t, uri, "SHOW work_mem"); got != "7MB" {
		t.Errorf("work_mem is %s", got)
	}
	if keeper, err := os.FindProcess(process); err != nil || keeper.Signal(syscall.Signal(0)) != nil {
		t.Errorf("process %d does not run: %v", process, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if conn, err := pgx.Connect(t.Context(), uri); err == nil {
		_ = conn.Close(t.Context())
		t.Error("it answers after its end")
	}
}
