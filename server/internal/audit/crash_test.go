package audit_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/audit"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// childVariable says to the test's own binary that it is a child, and in which directory.
const childVariable = "BEHALF_AUDIT_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		os.Exit(child(dir, os.Getenv(childVariable+"_LIMIT") != ""))
	}
	os.Exit(m.Run())
}

// sinksIn returns the configuration of two sinks in a directory.
func sinksIn(dir string) audit.Config {
	return audit.Config{
		Sinks: []string{audit.Records, audit.File}, Table: filepath.Join(dir, "audit.db"), File: filepath.Join(dir, "audit.jsonl"),
	}
}

// child records from several goroutines until it is killed, and tells of each record that was
// taken. Where its files are limited it ends when a record is not taken.
func child(dir string, limited bool) int {
	l, err := audit.Open(context.Background(), sinksIn(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() { _ = l.Run(context.Background()) }()
	if limited {
		const most = 64 << 10
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for n := 1; ; n++ {
				name := fmt.Sprintf("w%d-%d", worker, n)
				if err := l.Record(context.Background(), []decision.Record{record(party.UserID(worker+1), name, xacml.Permit)}); err != nil {
					return
				}
				fmt.Println(name) // it is how the parent is told
			}
		})
	}
	all.Wait()
	return 0
}

// startChild starts a child and returns a scanner of what it tells.
func startChild(t *testing.T, dir string, more ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), childVariable+"="+dir), more...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// TestKilled kills a process that records, and finds in both sinks all of what it was told was
// taken, up to the last word.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	var told []string
	for round := range 3 {
		cmd, out := startChild(t, dir)
		for n := 0; out.Scan(); n++ {
			told = append(told, out.Text())
			if n == 100*(round+1) {
				if err := cmd.Process.Kill(); err != nil { // SIGKILL; what it has told until then is read on
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // it was killed
	}
	t.Logf("%d records were taken by processes that were killed", len(told))
	kept(t, dir, told)
}

// kept fails for each record that a sink lacks.
func kept(t *testing.T, dir string, told []string) {
	t.Helper()
	l := open(t, sinksIn(dir))
	table, file := map[string]int{}, map[string]int{}
	for f := (audit.Filter{}); ; {
		found, more, err := l.Search(t.Context(), f, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			table[e.Resource]++
			f.After, _ = audit.ParseMark(e.ID)
		}
		if !more {
			break
		}
	}
	put(t, l, record(1, "the last", xacml.Permit)) // ends a line that was torn
	text, err := os.ReadFile(filepath.Join(dir, "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, after, ok := strings.Cut(line, `"resource":"`); ok && strings.HasSuffix(line, "}\n") {
			name, _, _ := strings.Cut(after, `"`)
			file[name]++
		}
	}
	counts := map[string]int{}
	for _, name := range told {
		counts[name]++
	}
	for name, n := range counts { // each round tells the same names once
		if table[name] < n || file[name] < n {
			t.Errorf("%s: told %d times, the table has it %d times, the file %d", name, n, table[name], file[name])
		}
	}
	if file["the last"] != 1 {
		t.Error("the record after a torn line is not on a line of its own")
	}
}

// TestLimitedFiles lets a process write no file beyond a size: what was taken is kept, and
// then nothing is taken any more.
func TestLimitedFiles(t *testing.T) {
	dir := t.TempDir()
	cmd, out := startChild(t, dir, childVariable+"_LIMIT=1")
	var told []string
	for out.Scan() {
		told = append(told, out.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Logf("the process ended: %v", err)
	}
	if len(told) == 0 {
		t.Fatal("nothing was taken before the limit")
	}
	t.Logf("%d records were taken before the limit", len(told))
	kept(t, dir, told)
}
