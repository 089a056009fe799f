package graph_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// publish writes one tuple as one revision.
func publish(t testing.TB, g *graph.Graph, rev uint64, at time.Time, tu graph.Tuple) {
	t.Helper()
	tx := g.Begin()
	if _, err := tx.Touch(tu); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Seal(rev, at); err != nil {
		t.Fatal(err)
	}
	if err := g.Publish(rev); err != nil {
		t.Fatal(err)
	}
}

// TestHistoryByAge: a revision can be read until it has been superseded for long enough,
// and is then refused; it is never answered from another one.
func TestHistoryByAge(t *testing.T) {
	g := newGraph(t, graph.Config{Age: time.Minute, Recent: 48})
	const last = 600 // one a second
	m := make(model)
	models := []model{maps.Clone(m)}
	for rev := uint64(1); rev <= last; rev++ {
		tu := viewer(fmt.Sprint("d", rev%50), fmt.Sprint("u", rev%7))
		publish(t, g, 2*rev, epoch.Add(time.Duration(rev)*time.Second), tu)
		m[tu.String()] = tu
		models = append(models, maps.Clone(m))
	}
	if _, err := g.At(2*last + 1); !errors.Is(err, graph.ErrNotYet) {
		t.Errorf("a revision after the head: %v", err)
	}
	if _, err := g.Log(2*last + 1); !errors.Is(err, graph.ErrNotYet) {
		t.Errorf("the log after the head: %v", err)
	}
	oldest := g.Oldest()
	if kept := 2*last - oldest; kept != 2*60 {
		t.Errorf("%d revisions are kept, want those of a minute", kept/2)
	}
	for rev := uint64(1); rev <= 2*last; rev++ {
		s, err := g.At(rev)
		if rev < oldest {
			if !errors.Is(err, graph.ErrTooOld) {
				t.Fatalf("revision %d, before the oldest: %v", rev, err)
			}
			if _, err := g.Log(rev); !errors.Is(err, graph.ErrTooOld) {
				t.Fatalf("the log after revision %d, before the oldest: %v", rev, err)
			}
			continue
		}
		// An odd revision was given to nobody: its state is that of the one before.
		if err != nil || s.Revision() != rev/2*2 || s.Sum() != models[rev/2].sum() {
			t.Fatalf("revision %d: %v", rev, err)
		}
		commits, err := g.Log(rev)
		if err != nil || uint64(len(commits)) != last-rev/2 {
			t.Fatalf("the log after revision %d has %d commits: %v", rev, len(commits), err)
		}
	}
	compareState(t, g.Head(), m)
	g.Trim(epoch.Add(2 * last * time.Second)) // nothing was written for long
	if g.Oldest() != 2*last {
		t.Errorf("after Trim the oldest revision is %d, want the head", g.Oldest())
	}
	if commits, err := g.Log(2 * last); err != nil || len(commits) != 0 {
		t.Errorf("the log after the head: %d commits, %v", len(commits), err)
	}
}

// TestHistoryByChanges: the log holds so many changes, but always the newest commit's.
func TestHistoryByChanges(t *testing.T) {
	g := newGraph(t, graph.Config{Changes: 600, Recent: 60})
	for rev := uint64(1); rev <= 1000; rev++ {
		publish(t, g, rev, epoch, viewer(fmt.Sprint("d", rev), "u"))
		if st := g.Stats(); st.Commits > 101 || st.Snapshots > 11 {
			t.Fatalf("revision %d: %+v", rev, st)
		}
	}
	if oldest := g.Oldest(); oldest != 900 {
		t.Errorf("the oldest revision is %d", oldest)
	}
	tx := g.Begin()
	for i := range 5000 {
		if _, err := tx.Touch(viewer(fmt.Sprint("d", i), "v")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Seal(1001, epoch); err != nil {
		t.Fatal(err)
	}
	if err := g.Publish(1001); err != nil {
		t.Fatal(err)
	}
	if commits, err := g.Log(1000); err != nil || len(commits) != 1 || commits[0].Len() != 5000 {
		t.Errorf("the newest commit is not in the log: %d commits, %v", len(commits), err)
	}
	publish(t, g, 1002, epoch, viewer("d", "w"))
	if _, err := g.Log(1000); !errors.Is(err, graph.ErrTooOld) {
		t.Errorf("a commit larger than the bound is kept beside another: %v", err)
	}
	if commits, err := g.Log(1001); err != nil || len(commits) != 1 {
		t.Errorf("the log after it: %d commits, %v", len(commits), err)
	}
}

// TestHistoryNoChange: a transaction that changes nothing still is a revision.
func TestHistoryNoChange(t *testing.T) {
	g := newGraph(t, graph.Config{})
	tu := viewer("1", "a")
	publish(t, g, 1, epoch, tu)
	publish(t, g, 2, epoch.Add(time.Second), tu)
	tx := g.Begin()
	for _, op := range []func(graph.Tuple) (bool, error){tx.Delete, tx.Touch, tx.Delete, tx.Touch} {
		if _, err := op(tu); err != nil {
			t.Fatal(err)
		}
	}
	other := viewer("2", "b")
	if _, err := tx.Touch(other); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Delete(other); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Seal(3, epoch); err != nil {
		t.Fatal(err)
	}
	if err := g.Publish(3); err != nil {
		t.Fatal(err)
	}
	commits, err := g.Log(0)
	if err != nil || len(commits) != 3 || commits[1].Len() != 0 || !commits[1].At().Equal(epoch.Add(time.Second)) {
		t.Fatalf("log: %d commits, %v", len(commits), err)
	}
	// Deleted and written again is one touch; written and deleted again is nothing.
	if commits[2].Len() != 1 {
		t.Fatalf("the third revision has %d changes, want 1", commits[2].Len())
	}
	for u := range commits[2].Updates() {
		if u.Tuple != tu {
			t.Errorf("the third revision changed %s", u.Tuple)
		}
	}
}

// TestHistoryMemory writes and deletes for many revisions. What is kept of the past must
// be bounded by the configuration, not by the number of writes.
func TestHistoryMemory(t *testing.T) {
	w := newWorld(5_000)
	g, s := w.load(t)
	users, parties := w.users, w.parties
	rng := rand.New(rand.NewPCG(5, 5))
	rev := s.Revision()
	churn := func(n int) uint64 {
		for range n {
			rev++
			tx := g.Begin()
			i := rng.IntN(parties) // each tuple comes and goes: the graph itself does not grow
			tu := viewer(partyID(i), userID(i%users))
			tu.Resource.Type = "party"
			if deleted, err := tx.Delete(tu); err != nil {
				t.Fatal(err)
			} else if !deleted {
				if _, err := tx.Touch(tu); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := tx.Seal(rev, epoch.Add(time.Duration(rev)*20*time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if err := g.Publish(rev); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	g.Trim(epoch)
	first := churn(2_000)
	// Fifty revisions a second for ten minutes: 30,000 are kept.
	second := churn(40_000)
	third := churn(40_000)
	st := g.Stats()
	t.Logf("heap after 2,000 revisions %d kB, 42,000 %d kB, 82,000 %d kB; %+v", first>>10, second>>10, third>>10, st)
	if per := float64(second-first) / 30_000; per > 600 {
		t.Errorf("a revision that is kept takes %.0f bytes", per)
	}
	if third > second+second/4 {
		t.Errorf("the heap grew from %d to %d bytes without more being kept", second, third)
	}
	if st.Commits > 30_001 || st.Snapshots > 16_384/6+1 {
		t.Errorf("kept: %+v", st)
	}
}
