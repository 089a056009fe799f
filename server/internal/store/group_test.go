package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

func asOf(ctx context.Context, at time.Time) context.Context { return relation.WithInstant(ctx, at) }

// result is what a writer of a group was answered.
type result struct {
	revision datastore.Revision
	err      error
}

// grouped runs writers as one group, in their order: the first holds the turn until the
// others wait.
func grouped(t *testing.T, s *store.Store, writers ...func(ctx context.Context, tx *store.Tx) error) []result {
	t.Helper()
	results := make([]result, len(writers))
	var wait sync.WaitGroup
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	for i, f := range writers {
		wait.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					results[i].err = fmt.Errorf("panic: %v", p)
				}
			}()
			results[i].revision, results[i].err = s.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				if i == 0 {
					once.Do(func() { close(held) })
					<-release
				}
				return f(ctx, tx)
			})
		})
		if i == 0 {
			<-held
			continue
		}
		for end := time.Now().Add(patience); s.Queued() < i; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("a writer does not queue")
			}
		}
	}
	close(release)
	wait.Wait()
	return results
}

// put writes a relationship, and a row that is no relationship's, in one transaction.
func put(s *store.Store, text string, then error) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		insert, err := tx.Statement("INSERT INTO store (name, value) VALUES (?, '')")
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, text); err != nil {
			return err
		}
		_, err = s.ReadWriteTx(ctx, func(ctx context.Context, w datastore.ReadWriteTransaction) error {
			return w.WriteRelationships(ctx, []tuple.RelationshipUpdate{tuple.Create(tuple.MustParse(text))})
		})
		return errors.Join(err, then)
	}
}

// holds checks that a store has these relationships and their rows and no others, now and
// after a restart, which compares the file's checksum.
func holds(t *testing.T, dir string, s *store.Store, want ...string) {
	t.Helper()
	slices.Sort(want)
	for range 2 {
		if diff := cmp.Diff(want, tuples(t, s, head(t, s))); diff != "" {
			t.Errorf("relationships (-want +got):\n%s", diff)
		}
		if n, err := s.Rows(t.Context(), "SELECT count(*) FROM store WHERE name LIKE 'party:%'"); err != nil || n != int64(len(want)) {
			t.Errorf("%d rows, %v; want %d", n, err, len(want))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
	}
}

func TestFailingMemberLeavesNoTrace(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	refusal := errors.New("no")
	start := head(t, s)
	results := grouped(t, s,
		put(s, "party:1#dagl@user:1", nil),
		put(s, "other:1#new@thing:1", refusal), // with names that nobody else has
		put(s, "party:2#dagl@user:2", nil),
		func(context.Context, *store.Tx) error { panic("oh") },
		put(s, "party:1#dagl@user:1", nil), // its row is there already, not yet committed
		func(ctx context.Context, _ *store.Tx) error { // ignores that a part failed
			_, _ = s.ReadWriteTx(ctx, func(ctx context.Context, w datastore.ReadWriteTransaction) error {
				return w.WriteRelationships(ctx, []tuple.RelationshipUpdate{
					tuple.Create(tuple.MustParse("party:9#dagl@user:9")), tuple.Create(tuple.MustParse("party:2#dagl@user:2")),
				})
			})
			return nil
		},
		put(s, "party:3#dagl@user:3", nil),
	)
	for i, ok := range []bool{true, false, true, false, false, false, true} {
		if (results[i].err == nil) != ok {
			t.Errorf("member %d: %v", i, results[i].err)
		}
	}
	if !errors.Is(results[1].err, refusal) {
		t.Errorf("member 1 got %v, want its own error", results[1].err)
	}
	if status.Code(results[5].err) != codes.AlreadyExists {
		t.Errorf("member 5 got %v, want the error of its part", results[5].err)
	}
	last := start
	for _, i := range []int{0, 2, 6} {
		if !results[i].revision.GreaterThan(last) {
			t.Errorf("member %d has revision %s after %s", i, results[i].revision, last)
		}
		last = results[i].revision
	}
	if events := watched(t, s, start); len(events) != 3 {
		t.Errorf("watchers are told %+v", events)
	}
	if got := tuples(t, s, results[0].revision); len(got) != 1 {
		t.Errorf("at the first member's revision there is %q", got)
	}
	holds(t, dir, s, "party:1#dagl@user:1", "party:2#dagl@user:2", "party:3#dagl@user:3")
}

func TestFailingCommitDropsAll(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Write(t.Context(), put(s, "party:1#dagl@user:1", nil)); err != nil {
		t.Fatal(err)
	}
	start := head(t, s)
	results := grouped(t, s,
		put(s, "party:2#dagl@user:2", nil),
		func(ctx context.Context, tx *store.Tx) error { // a reference to nobody, that only the commit finds
			for _, text := range []string{
				"PRAGMA defer_foreign_keys = true",
				"INSERT INTO assignment (from_id, role, to_id, source) VALUES (1, 'dagl', 2, 'test')",
			} {
				statement, err := tx.Statement(text)
				if err != nil {
					return err
				}
				if _, err := statement.ExecContext(ctx); err != nil {
					return err
				}
			}
			return nil
		},
		put(s, "new:1#new@new:1", nil),
	)
	for i, r := range results {
		if status.Code(r.err) != codes.Unavailable {
			t.Errorf("member %d: %v, want that nothing was written", i, r.err)
		}
	}
	if !head(t, s).Equal(start) {
		t.Errorf("the head is %s, want %s", head(t, s), start)
	}
	if _, err := s.Write(t.Context(), put(s, "party:3#dagl@user:3", nil)); err != nil {
		t.Fatalf("a write after that: %v", err)
	}
	if events := watched(t, s, start); len(events) != 1 || len(events[0].Updates) != 1 {
		t.Errorf("watchers are told %+v", events)
	}
	holds(t, dir, s, "party:1#dagl@user:1", "party:3#dagl@user:3")
}

func TestLostTransaction(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var attempts int
	again := make(chan error, 1)
	results := grouped(t, s,
		put(s, "party:1#dagl@user:1", nil),
		func(ctx context.Context, tx *store.Tx) error { // as SQLite does when the disk is full
			go func() {
				_, err := s.ReadWriteTx(t.Context(), func(ctx context.Context, w datastore.ReadWriteTransaction) error {
					attempts++
					return w.WriteRelationships(ctx, []tuple.RelationshipUpdate{touch("party:2#dagl@user:2")})
				})
				again <- err
			}()
			statement, err := tx.Statement("ROLLBACK")
			if err != nil {
				return err
			}
			if _, err := statement.ExecContext(ctx); err != nil {
				return err
			}
			return errors.New("lost")
		},
	)
	if !errors.Is(results[0].err, store.ErrRetry) || results[1].err == nil || errors.Is(results[1].err, store.ErrRetry) {
		t.Errorf("the group was answered %+v", results)
	}
	if err := <-again; err != nil || attempts == 0 {
		t.Errorf("the next one was answered %v after %d attempts", err, attempts)
	}
	if _, err := s.Write(t.Context(), put(s, "party:1#dagl@user:1", nil)); err != nil {
		t.Errorf("tried again: %v", err)
	}
	write(t, s, remove("party:2#dagl@user:2"))
	holds(t, dir, s, "party:1#dagl@user:1")
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Write(t.Context(), put(s, "party:1#dagl@user:1", nil)); err != nil {
		t.Fatal(err)
	}
	limit := func(text string) {
		t.Helper()
		_, err := s.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			statement, err := tx.Statement(text)
			if err != nil {
				return err
			}
			var pages int
			return statement.QueryRowContext(ctx).Scan(&pages)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit("PRAGMA max_page_count = 1") // which is what it has
	many := func(ctx context.Context, w datastore.ReadWriteTransaction) error {
		var updates []tuple.RelationshipUpdate
		for i := range 2000 {
			updates = append(updates, touch(fmt.Sprintf("party:%d#lede@user:%d", i, i)))
		}
		return w.WriteRelationships(ctx, updates)
	}
	for range 3 {
		if _, err := s.ReadWriteTx(t.Context(), many); status.Code(err) != codes.ResourceExhausted {
			t.Fatalf("a write to a full disk: %v", err)
		}
		if got := tuples(t, s, head(t, s)); len(got) != 1 {
			t.Fatalf("on a full disk %d relationships are read", len(got))
		}
	}
	limit("PRAGMA max_page_count = 1000000")
	if _, err := s.Write(t.Context(), put(s, "party:2#dagl@user:2", nil)); err != nil {
		t.Fatalf("a write when there is room again: %v", err)
	}
	holds(t, dir, s, "party:1#dagl@user:1", "party:2#dagl@user:2")
}

func TestConcurrentWriters(t *testing.T) {
	s := open(t, t.TempDir())
	start := head(t, s)
	const writers, each = 8, 100
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		seen = make(map[string]bool)
	)
	for w := range writers {
		wait.Go(func() {
			last := start
			for i := range each {
				r, err := s.ReadWriteTx(t.Context(), func(ctx context.Context, rw datastore.ReadWriteTransaction) error {
					return rw.WriteRelationships(ctx, []tuple.RelationshipUpdate{touch(fmt.Sprintf("party:%d#dagl@user:%d", w, i))})
				})
				if err != nil || !r.GreaterThan(last) {
					t.Errorf("writer %d: revision %v after %v, %v", w, r, last, err)
					return
				}
				last = r
				mu.Lock()
				if seen[r.String()] {
					t.Errorf("revision %s was given twice", r)
				}
				seen[r.String()] = true
				mu.Unlock()
				if !slices.Contains(tuples(t, s, r), fmt.Sprintf("party:%d#dagl@user:%d", w, i)) {
					t.Errorf("revision %s lacks what it wrote", r)
				}
			}
		})
	}
	wait.Wait()
	if events := watched(t, s, start); len(events) != writers*each {
		t.Errorf("watchers are told of %d revisions, want %d", len(events), writers*each)
	}
}

func TestCanceledWriterLeavesTheQueue(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	results := grouped(t, s,
		func(context.Context, *store.Tx) error {
			go func() {
				_, err := s.Write(ctx, func(context.Context, *store.Tx) error { return nil })
				gone <- err
			}()
			for s.Queued() == 0 {
				time.Sleep(time.Millisecond)
			}
			cancel()
			if err := <-gone; status.Code(err) != codes.Canceled {
				return fmt.Errorf("the one who left got %w", err)
			}
			return nil
		},
	)
	if results[0].err != nil {
		t.Error(results[0].err)
	}
	write(t, s, touch("party:1#dagl@user:1"))
}
