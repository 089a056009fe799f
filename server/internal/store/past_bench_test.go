package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// rebuiltTuples is how many relationships the state has that BenchmarkRebuild loads.
const rebuiltTuples = 300_000

// BenchmarkRebuild loads states from the file that memory no longer has, a new one each time.
func BenchmarkRebuild(b *testing.B) {
	s := open(b, b.TempDir(), func(c *store.Config) { c.Rebuilt = 1 })
	for from := 0; from < rebuiltTuples; from += 10_000 {
		_, err := s.ReadWriteTx(b.Context(), func(ctx context.Context, w datastore.ReadWriteTransaction) error {
			updates := make([]tuple.RelationshipUpdate, 10_000)
			for i := range updates {
				updates[i] = touch(fmt.Sprintf("party:%d#dagl@user:%d", (from+i)/3, from+i))
			}
			return w.WriteRelationships(ctx, updates)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	var revisions []datastore.Revision
	for n := range 3 {
		revisions = append(revisions, write(b, s, touch(fmt.Sprintf("party:0#dagl@user:later%d", n))))
	}
	forget(b, s)
	n := 0
	for b.Loop() {
		ctx, end := context.WithCancel(b.Context())
		pastOf(ctx, b, s, revisions[n%2], time.Time{})
		end()
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/rebuild")
}
