package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	spicetuple "github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/engine/migration"
	"github.com/behalf-authz/behalf/server/internal/store"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var storeTuples = flag.Int("store-tuples", 30_000, "how many relationships BenchmarkStores loads")

// BenchmarkStores writes to the embedded store and, beside it, to SpiceDB's engine over a
// Postgres that waits for its disk too: many relationships in one transaction, and one in
// each of one writer and of sixteen.
func BenchmarkStores(b *testing.B) {
	durable := postgres.Server{Durable: true}
	b.Cleanup(func() {
		if err := durable.Close(); err != nil {
			b.Error(err)
		}
	})
	for _, on := range []struct {
		name string
		open func(*testing.B) datastore.Datastore
	}{
		{"sqlite", func(b *testing.B) datastore.Datastore {
			s, err := store.Open(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "behalf.db")})
			return benched(b, s, err)
		}},
		{"postgres", func(b *testing.B) datastore.Datastore {
			s, err := engine.OpenPostgres(b.Context(), durable.Clone(b, "spicedb", migration.Postgres))
			return benched(b, s, err)
		}},
	} {
		b.Run("store="+on.name+"/load", func(b *testing.B) {
			for b.Loop() {
				s := on.open(b)
				transact(b, s, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
					_, err := tx.BulkLoad(ctx, &numbered{of: *storeTuples})
					return err
				})
				shut(b, s)
			}
			b.ReportMetric(float64(*storeTuples*b.N)/b.Elapsed().Seconds(), "tuples/s")
		})
		for _, writers := range []int{1, 16} {
			b.Run(fmt.Sprintf("store=%s/writers=%d", on.name, writers), func(b *testing.B) {
				s := on.open(b)
				writeEach(b, s, writers)
				shut(b, s)
			})
		}
	}
}

func benched(b *testing.B, s datastore.Datastore, err error) datastore.Datastore {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func shut(b *testing.B, s datastore.Datastore) {
	b.Helper()
	if err := s.Close(); err != nil && !errors.Is(err, context.Canceled) {
		b.Error(err)
	}
}

func transact(b *testing.B, s datastore.Datastore, f datastore.TxUserFunc) {
	b.Helper()
	if _, err := s.ReadWriteTx(b.Context(), f); err != nil {
		b.Error(err)
	}
}

// writeEach writes one relationship in each transaction.
func writeEach(b *testing.B, s datastore.Datastore, writers int) {
	var (
		next  atomic.Int64
		all   sync.WaitGroup
		mu    sync.Mutex
		times []time.Duration
	)
	b.ResetTimer()
	for range writers {
		all.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				began := time.Now()
				transact(b, s, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
					return tx.WriteRelationships(ctx, []spicetuple.RelationshipUpdate{spicetuple.Touch(numberedTuple(int(n)))})
				})
				took := time.Since(began)
				mu.Lock()
				times = append(times, took)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(times)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
}

// numbered gives so many relationships, three for each party.
type numbered struct{ next, of int }

// Next returns the next relationship, nil after the last.
func (n *numbered) Next(context.Context) (*spicetuple.Relationship, error) {
	if n.next == n.of {
		return nil, nil //nolint:nilnil // as the interface says
	}
	r := numberedTuple(n.next)
	n.next++
	return &r, nil
}

func numberedTuple(i int) spicetuple.Relationship {
	return spicetuple.MustParse(fmt.Sprintf("party:%d#%s@user:%d", 50_000_000+i/3, [...]string{"dagl", "lede", "medl"}[i%3], 20_000_000+i*7919%1_000_003))
}
