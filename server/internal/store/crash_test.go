package store_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// crashes is how often the writer is killed. By hand: go test -run Crash -crashes 2000.
var crashes = flag.Int("crashes", 20, "how often TestCrash kills its writer")

const (
	crashDir     = "BEHALF_TEST_CRASH_DIR" // makes the test binary a writer
	crashWriters = 4
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := crashWrite(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crashWrite writes until it is killed. Each writer moves a relationship of its own from
// one number to the next, and a row with the same number, and says so when it was answered.
func crashWrite(dir string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(dir, "behalf.db")})
	if err != nil {
		return err
	}
	h, err := s.HeadRevision(ctx)
	if err != nil {
		return err
	}
	faults := make(chan error)
	for w := range crashWriters {
		at, err := crashAt(ctx, s, h.Revision, w)
		if err != nil {
			return err
		}
		go func() {
			for n := at + 1; ; n++ {
				r, err := s.Write(ctx, crashStep(s, w, n))
				if err != nil {
					faults <- err
					return
				}
				fmt.Printf("%d %d %s\n", w, n, r) //nolint:forbidigo // this process talks to its test
			}
		}()
	}
	return <-faults
}

// crashStep moves a writer to its next number, in the graph and in a row.
func crashStep(s *store.Store, w, n int) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Statement("INSERT INTO store (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2")
		if err != nil {
			return err
		}
		if _, err := row.ExecContext(ctx, crashName(w), strconv.Itoa(n)); err != nil {
			return err
		}
		_, err = s.ReadWriteTx(ctx, func(ctx context.Context, rw datastore.ReadWriteTransaction) error {
			updates := []tuple.RelationshipUpdate{tuple.Create(crashTuple(w, n))}
			if n > 1 {
				updates = append(updates, tuple.Delete(crashTuple(w, n-1)))
			}
			return rw.WriteRelationships(ctx, updates)
		})
		return err
	}
}

func crashName(w int) string { return fmt.Sprintf("crash-%d", w) }

func crashTuple(w, n int) tuple.Relationship {
	return tuple.MustParse(fmt.Sprintf("writer:%d#place@number:%d", w, n))
}

// crashAt returns the number at which a writer is in the graph.
func crashAt(ctx context.Context, s *store.Store, r datastore.Revision, w int) (int, error) {
	found, err := s.SnapshotReader(r).QueryRelationships(ctx, datastore.RelationshipsFilter{
		OptionalResourceType: "writer", OptionalResourceIds: []string{strconv.Itoa(w)},
	})
	if err != nil {
		return 0, err
	}
	at := 0
	for r, err := range found {
		if err != nil {
			return 0, err
		}
		if at != 0 {
			return 0, fmt.Errorf("writer %d is in two places", w)
		}
		if at, err = strconv.Atoi(r.Subject.ObjectID); err != nil {
			return 0, err
		}
	}
	return at, nil
}

// TestCrash kills a process that writes, at random moments, and looks at what it left.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	cursor := head(t, first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	var told, was [crashWriters]int // by watchers, and before the crash
	for n := range *crashes {
		acked := crash(t, dir, time.Duration(rand.IntN(60_000))*time.Microsecond)
		s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "behalf.db")})
		if err != nil {
			t.Fatalf("after crash %d: %v", n+1, err)
		}
		end := head(t, s)
		for w := range crashWriters {
			at, err := crashAt(t.Context(), s, end, w)
			if err != nil {
				t.Fatalf("after crash %d: %v", n+1, err)
			}
			row, err := s.Rows(t.Context(), "SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM store WHERE name = '"+crashName(w)+"'")
			if err != nil || int(row) != at {
				t.Errorf("crash %d: writer %d is at %d in the graph and at %d in its row, %v", n+1, w, at, row, err)
			}
			if least := max(acked[w], was[w]); at < least || at > least+1 {
				t.Errorf("crash %d: writer %d is at %d; %d was answered", n+1, w, at, least)
			}
			was[w] = at
		}
		for _, e := range watched(t, s, cursor) {
			follow(t, e, &told)
		}
		if told != was {
			t.Errorf("crash %d: watchers know of %d, the graph of %d", n+1, told, was)
		}
		cursor = end
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d crashes, %d writes", *crashes, was)
}

// follow applies an event to what a watcher knows: exactly one writer takes one step.
func follow(t *testing.T, e event, told *[crashWriters]int) {
	t.Helper()
	for _, u := range e.Updates {
		var w, n int
		if _, err := fmt.Sscanf(u, "TOUCH writer:%d#place@number:%d", &w, &n); err == nil {
			if n != told[w]+1 {
				t.Errorf("revision %s: writer %d goes from %d to %d", e.Revision, w, told[w], n)
			}
			told[w] = n
		}
	}
	if len(e.Updates) > 2 || len(e.Updates) == 0 {
		t.Errorf("revision %s: %q is no step", e.Revision, e.Updates)
	}
}

// crash starts a writer, kills it some time after its first answer, and returns the last
// number of each writer that it answered.
func crash(t *testing.T, dir string, after time.Duration) (acked [crashWriters]int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break // the rest of a line is no answer
		}
		if err != nil {
			t.Fatal(err)
		}
		var w, n int
		if _, err := fmt.Sscan(line, &w, &n); err != nil {
			t.Fatalf("the writer said %q", line)
		}
		acked[w] = n
		once.Do(func() {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended by itself, and then said why
		})
	}
	_ = cmd.Wait() // killed, which is an error
	if complaint.Len() > 0 {
		t.Fatalf("the writer complains: %s", complaint.String())
	}
	return acked
}
