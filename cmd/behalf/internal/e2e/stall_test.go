package e2e

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
)

// The writers beside a stalled import.
const (
	stallWriters = 4
	// stallBar is how many times their usual p99 may be. An import that holds the writer
	// makes it as long as the stall, some thousand times as much.
	stallBar = 10
)

// TestStalledImport keeps an import open, and has others write meanwhile: they take as long
// as they do without it.
func TestStalledImport(t *testing.T) {
	stall := 10 * time.Second // the subject: no client that stalls may hold the writer
	if testing.Short() {
		stall = 2 * time.Second
	}
	i := start(t)
	ctx := as(t.Context(), i.admin)
	i.writeFor(t, "warm", time.Second)
	before := i.writeFor(t, "before", stall/2)

	stream, err := i.permissions().ImportBulkRelationships(ctx)
	if err != nil {
		t.Fatal(err)
	}
	send := func(from int) {
		request := &v1.ImportBulkRelationshipsRequest{}
		for n := range 100 {
			r := chair(fmt.Sprint(from+n), time.Time{})
			r.Resource.ObjectId = "777"
			request.Relationships = append(request.Relationships, r)
		}
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
	}
	send(1)
	during := i.writeFor(t, "during", stall)
	send(101)
	done, err := stream.CloseAndRecv()
	if err != nil || done.GetNumLoaded() != 200 {
		t.Errorf("the import ended with %v, %v; want 200 relationships", done, err)
	}
	usual := percentile(append(before, i.writeFor(t, "after", stall/2)...))
	stalled := percentile(during)
	t.Logf("p99 of a write %s without, %s beside an import that stalls for %s (%d writes)", usual, stalled, stall, len(during))
	if stalled > stallBar*usual {
		t.Errorf("writes take %s beside a stalled import, %.1f times the usual %s; at most %d times", stalled, float64(stalled)/float64(usual), usual, stallBar)
	}
}

// writeFor has several clients write for a while, and returns how long each write took.
func (i *instance) writeFor(t testing.TB, name string, d time.Duration) []time.Duration {
	t.Helper()
	var (
		mu    sync.Mutex
		took  []time.Duration
		group sync.WaitGroup
		end   = time.Now().Add(d)
		ctx   = as(t.Context(), i.admin)
	)
	for w := range stallWriters {
		group.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				r := chair("1", time.Time{})
				r.Resource.ObjectId = fmt.Sprintf("%s-%d-%d", name, w, n)
				begun := time.Now()
				_, err := i.permissions().WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{{
					Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: r,
				}}})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				took = append(took, time.Since(begun))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return took
}

// percentile returns the 99th of durations.
func percentile(took []time.Duration) time.Duration {
	slices.Sort(took)
	if len(took) == 0 {
		return 0
	}
	return took[len(took)*99/100]
}
