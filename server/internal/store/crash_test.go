package store_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// crashes is how often the writer is killed. In full: go test -run '^TestCrash$' -crashes 2000.
var crashes = flag.Int("crashes", 20, "how often TestCrash kills its writer")

const (
	crashesPerFile = 40 // so that the first start is killed as well
	crashHistory   = 24 * time.Hour
)

// crashWrite walks until it is killed. It says what it was answered, and what a watcher is
// told that starts after the revision in arg; what is older than that is removed meanwhile.
func crashWrite(ctx context.Context, dir, arg string) error {
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(dir, "behalf.db"), History: crashHistory})
	if err != nil {
		return err
	}
	at, err := inspect(ctx, s)
	if err != nil {
		return err
	}
	cursor, err := s.RevisionFromString(arg)
	if err != nil {
		return err
	}
	old, err := s.Rows(ctx, "SELECT at FROM revision WHERE revision = "+arg)
	if err != nil {
		return err
	}
	tell("ready")
	faults := make(chan error)
	go func() { faults <- crashWatch(ctx, s, cursor) }()
	go func() {
		if err := s.SweepAt(ctx, time.UnixMicro(old-1).Add(crashHistory)); err != nil {
			faults <- err
		}
	}()
	for w, n := range at {
		go func() {
			for n++; ; n++ {
				r, err := walk(ctx, s, w, n)
				if err != nil {
					faults <- err
					return
				}
				tell("done %d %d %s", w, n, r)
			}
		}()
	}
	return <-faults
}

// crashWatch says what a watcher is told.
func crashWatch(ctx context.Context, s *store.Store, after datastore.Revision) error {
	changes, faults := s.Watch(ctx, after, datastore.WatchOptions{
		Content: datastore.WatchRelationships, WatchBufferWriteTimeout: patience,
	})
	for c := range changes {
		text, err := json.Marshal(eventOf(c))
		if err != nil {
			return err
		}
		tell("told %s", text)
	}
	return <-faults
}

// trail is what is known of a store whose processes are killed again and again.
type trail struct {
	dir     string
	path    string
	cursor  string            // the last revision that a watcher was told of
	told    places            // where watchers know the walkers to be
	acked   places            // the last steps that were answered
	given   map[string]string // the revisions of steps since the last start
	startup time.Duration
}

func newTrail(t *testing.T, dir string) *trail {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return &trail{dir: dir, path: filepath.Join(dir, "behalf.db"), cursor: "1", given: make(map[string]string), startup: 200 * time.Millisecond}
}

// TestCrash kills a process that writes, at random moments of its start and of its work.
// After each, every answered step is there, none is there in part, graph and file are equal,
// and a watcher that goes on where one in the killed process was gets what it missed, no
// less and no more.
func TestCrash(t *testing.T) {
	random := rand.New(rand.NewPCG(*seed, 1))
	dir := t.TempDir()
	var (
		tr           *trail
		steps, early int
	)
	for n := range *crashes {
		if n%crashesPerFile == 0 {
			if tr != nil {
				steps += tr.sum()
				if err := os.RemoveAll(tr.dir); err != nil {
					t.Fatal(err)
				}
			}
			tr = newTrail(t, filepath.Join(dir, strconv.Itoa(n)))
		}
		before := tr.acked
		tr.crash(t, n%4 == 0, random)
		if before == tr.acked {
			early++
		}
		tr.check(t)
		if t.Failed() {
			t.Fatalf("after crash %d of seed %d", n+1, *seed)
		}
	}
	t.Logf("%d crashes, %d before anything was answered, %d steps", *crashes, early, steps+tr.sum())
}

func (tr *trail) sum() (n int) {
	for _, at := range tr.told {
		n += at
	}
	return n
}

// crash starts a writer and kills it, early from its start on, else from its first answer
// on, and takes in what it says.
func (tr *trail) crash(t *testing.T, early bool, random *rand.Rand) {
	t.Helper()
	cmd := process(t, "crash", tr.dir, tr.cursor)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func(within time.Duration) {
		time.AfterFunc(time.Duration(random.Int64N(int64(within))), func() { _ = cmd.Process.Kill() }) // it may have ended by itself, and then said why
	}
	answered := false
	if early {
		kill(tr.startup * 3 / 2)
	}
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch kind {
		case "ready":
			tr.startup = time.Since(begun)
		case "told":
			var e event
			if err := json.Unmarshal([]byte(rest), &e); err != nil {
				t.Fatalf("the writer said %q", line)
			}
			tr.follow(t, e)
		case "done":
			tr.answer(t, rest)
			if !early && !answered {
				kill(60 * time.Millisecond)
			}
			answered = true
		default:
			t.Fatalf("the writer said %q", line)
		}
	}
	_ = cmd.Wait() // killed, which is an error
	if complaint.Len() > 0 {
		t.Fatalf("the writer complains: %s", complaint.String())
	}
}

// answer takes in that a step was answered.
func (tr *trail) answer(t *testing.T, text string) {
	t.Helper()
	var (
		w, n int
		r    string
	)
	if _, err := fmt.Sscan(text, &w, &n, &r); err != nil {
		t.Fatalf("the writer said %q", text)
	}
	tr.acked[w] = n
	tr.give(t, stepName(w, n), r)
}

// give takes in the revision of a step, which must be the same from whomever one hears it.
func (tr *trail) give(t *testing.T, name, r string) {
	t.Helper()
	if is, ok := tr.given[name]; ok && is != r {
		t.Errorf("step %s has revisions %s and %s", name, is, r)
	}
	tr.given[name] = r
}

// follow takes in an event: exactly one walker takes exactly its next step.
func (tr *trail) follow(t *testing.T, e event) {
	t.Helper()
	was, err1 := strconv.Atoi(tr.cursor)
	is, err2 := strconv.Atoi(e.Revision)
	if err := errors.Join(err1, err2); err != nil || is <= was {
		t.Errorf("a watcher is told of revision %s after %s, %v", e.Revision, tr.cursor, err)
	}
	tr.cursor = e.Revision
	for w, at := range tr.told {
		want := stepEvent(w, at+1)
		want.Revision = e.Revision
		if slices.Equal(e.Metadata, want.Metadata) {
			if diff := cmp.Diff(want, e); diff != "" {
				t.Errorf("a watcher is told of another step (-want +got):\n%s", diff)
			}
			tr.told[w]++
			tr.give(t, e.Metadata[0], e.Revision)
			return
		}
	}
	t.Errorf("a watcher that knows walkers at %d is told %+v", tr.told, e)
}

// check looks at what a killed process left.
func (tr *trail) check(t *testing.T) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: tr.path, History: crashHistory})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	at, err := inspect(t.Context(), s)
	if err != nil {
		t.Error(err)
	}
	for w, n := range at {
		if n < tr.acked[w] || n > tr.acked[w]+1 {
			t.Errorf("walker %d is at %d, and was answered at %d", w, n, tr.acked[w])
		}
		if n < tr.told[w] {
			t.Errorf("walker %d is at %d, and a watcher was told of %d", w, n, tr.told[w])
		}
	}
	cursor, err := s.RevisionFromString(tr.cursor)
	if err != nil {
		t.Fatal(err)
	}
	if cursor.GreaterThan(head(t, s)) {
		t.Fatalf("a watcher was told of revision %s, the head is %s", cursor, head(t, s))
	}
	for _, e := range watched(t, s, cursor) {
		tr.follow(t, e)
	}
	clear(tr.given)
	if tr.told != at {
		t.Errorf("watchers know of walkers at %d, the graph of %d", tr.told, at)
	}
	tr.acked = at
}
