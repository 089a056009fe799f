package register_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// nowhere takes tuples and forgets them, so that what is measured is the register alone.
type nowhere struct{ updates int }

func (n *nowhere) Write(_ context.Context, updates []relation.Update) (relation.Revision, error) {
	n.updates += len(updates)
	return "r", nil
}

func (n *nowhere) Head(context.Context) (relation.Revision, error) { return "r", nil }

// large is a register of n parties, not quite half of them sub-units, with three
// assignments each.
func large(n int) []register.Entry {
	var all []register.Entry
	for i := range n {
		id := party.ID(i + 1)
		me := fmt.Sprintf("party:%d", id)
		switch {
		case i%10 < 2:
			all = append(all, person(id, fmt.Sprintf("%011d", i), party.UserID(id)))
		case i%10 < 6:
			all = append(all, org(id, fmt.Sprintf("%09d", i), "AS"))
		default:
			all = append(all, subUnit(id, fmt.Sprintf("%09d", i), fmt.Sprintf("party:%d", i/10*10+3)))
		}
		for k, role := range []string{"DAGL", "LEDE", "MEDL"} {
			all = append(all, hold(me, role, fmt.Sprintf("party:%d", (i*7+k)%n/10*10+1)))
		}
	}
	return all
}

// TestImportOfMany imports more parties than are compared or written at a time.
func TestImportOfMany(t *testing.T) {
	const parties = 4200
	store, err := records.Open(t.Context(), records.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	directory, graph := party.NewDirectory(), &nowhere{}
	s, err := register.New(register.Config{
		Records: store, Relations: graph, Directory: directory, Catalogue: catalogue(t), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	all := large(parties)
	for _, step := range []struct {
		name                 string
		entries              []register.Entry
		parties, assignments register.Counts
		left                 int
	}{
		{"first", all, register.Counts{Added: parties}, register.Counts{Added: 3 * parties}, parties},
		{"again", all, register.Counts{Unchanged: parties}, register.Counts{Unchanged: 3 * parties}, parties},
		{"nothing", nil, register.Counts{Removed: parties}, register.Counts{Removed: 3 * parties}, 0},
	} {
		before := graph.updates
		i, err := s.Begin(register.Header{Sources: []string{"test"}, AllowRemovals: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.Add("test", step.entries); err != nil {
			t.Fatal(err)
		}
		compared, written := int64(0), int64(0)
		outcome, err := i.Commit(t.Context(), func(p register.Progress) {
			done := &compared
			if p.Phase == register.Writing {
				done = &written
			}
			if p.Done < *done || p.Done > p.Total {
				t.Errorf("%s: progress goes from %d to %+v", step.name, *done, p)
			}
			*done = p.Done
		})
		i.Close()
		if err != nil || len(outcome.Refusals) > 0 {
			t.Fatal(err, outcome.Refusals)
		}
		counts(t, outcome.Sources[0], step.parties, step.assignments)
		if directory.Len() != step.left {
			t.Errorf("%s: %d parties are left, want %d", step.name, directory.Len(), step.left)
		}
		if wrote := graph.updates > before; wrote == (step.name == "again") || (written > 0) != wrote {
			t.Errorf("%s: %d updates, %d parties written", step.name, graph.updates-before, written)
		}
	}
}

func BenchmarkImport(b *testing.B) {
	const parties = 100_000
	entries := large(parties)
	graph := &nowhere{}
	for b.Loop() {
		store, err := records.Open(b.Context(), records.Config{})
		if err != nil {
			b.Fatal(err)
		}
		s, err := register.New(register.Config{
			Records: store, Relations: graph, Directory: party.NewDirectory(), Catalogue: catalogue(b), Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			b.Fatal(err)
		}
		for _, phase := range []string{"first", "second"} {
			start := b.Elapsed()
			i, err := s.Begin(register.Header{Sources: []string{"test"}})
			if err != nil {
				b.Fatal(err)
			}
			for at := 0; at < len(entries); at += 10_000 {
				if _, err := i.Add("test", entries[at:min(at+10_000, len(entries))]); err != nil {
					b.Fatal(err)
				}
			}
			outcome, err := i.Commit(b.Context(), func(register.Progress) {})
			if err != nil || len(outcome.Refusals) > 0 {
				b.Fatal(err, outcome.Refusals)
			}
			i.Close()
			b.ReportMetric((b.Elapsed() - start).Seconds(), phase+"-s")
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(graph.updates)/float64(b.N), "updates/op")
}
