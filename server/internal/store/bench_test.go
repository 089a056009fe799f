package store_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/sqlite"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// bulk is how many relationships are loaded. The full measure is -bulk 3000000.
var bulk = flag.Int("bulk", 300_000, "how many relationships the benchmarks load")

// invented makes n relationships: three per party, as a register has them.
type invented struct{ i, n int }

// Next returns the next relationship.
func (v *invented) Next(context.Context) (*tuple.Relationship, error) {
	if v.i == v.n {
		return nil, nil
	}
	r := inventedTuple(v.i)
	v.i++
	return &r, nil
}

func inventedTuple(i int) tuple.Relationship {
	relations := [...]string{"dagl", "lede", "regn_org"}
	subject := tuple.ObjectAndRelation{ObjectType: "user", ObjectID: fmt.Sprint(20_000_000 + i*7919%1_000_003), Relation: tuple.Ellipsis}
	if i%3 == 2 {
		subject.ObjectType = "party"
	}
	return tuple.Relationship{RelationshipReference: tuple.RelationshipReference{
		Resource: tuple.ObjectAndRelation{ObjectType: "party", ObjectID: fmt.Sprint(50_000_000 + i/3), Relation: relations[i%3]},
		Subject:  subject,
	}}
}

func load(b *testing.B, s *store.Store) {
	b.Helper()
	_, err := s.ReadWriteTx(b.Context(), func(ctx context.Context, w datastore.ReadWriteTransaction) error {
		_, err := w.BulkLoad(ctx, &invented{n: *bulk})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBulkLoad loads relationships into an empty store.
func BenchmarkBulkLoad(b *testing.B) {
	for b.Loop() {
		load(b, open(b, b.TempDir()))
	}
	b.ReportMetric(float64(*bulk*b.N)/b.Elapsed().Seconds(), "tuples/s")
}

// plain opens a migrated database without a store.
func plain(b *testing.B) *sql.DB {
	b.Helper()
	db, err := sqlite.Open(filepath.Join(b.TempDir(), "plain.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := sqlite.Migrate(b.Context(), db); err != nil {
		b.Fatal(err)
	}
	return db
}

func insertPlain(b *testing.B, db *sql.DB) {
	b.Helper()
	tx, err := db.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	insert, err := tx.PrepareContext(b.Context(), `INSERT INTO tuple (id, hash, relation, resource, kind, subject, created, expires, caveat, context, note)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		b.Fatal(err)
	}
	for i := range *bulk {
		r := inventedTuple(i)
		hash := int64(uint64(i+1) * 0x9E3779B185EBCA87) // as good as any
		if _, err := insert.ExecContext(b.Context(), i+1, hash, i%3+1, r.Resource.ObjectID, i%2+4, r.Subject.ObjectID, 1, nil, nil, nil, nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBulkLoadPlain inserts the same rows, with the same indexes, without a store.
func BenchmarkBulkLoadPlain(b *testing.B) {
	for b.Loop() {
		insertPlain(b, plain(b))
	}
	b.ReportMetric(float64(*bulk*b.N)/b.Elapsed().Seconds(), "tuples/s")
}

// BenchmarkRestart opens a store that has relationships.
func BenchmarkRestart(b *testing.B) {
	dir := b.TempDir()
	filled, err := store.Open(b.Context(), store.Config{Path: filepath.Join(dir, "behalf.db")})
	if err != nil {
		b.Fatal(err)
	}
	load(b, filled)
	if err := filled.Close(); err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		s, err := store.Open(b.Context(), store.Config{Path: filepath.Join(dir, "behalf.db")})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(*bulk*b.N)/b.Elapsed().Seconds(), "tuples/s")
	b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(*bulk), "heapB/tuple")
}

// BenchmarkRestartPlain scans the same rows.
func BenchmarkRestartPlain(b *testing.B) {
	db := plain(b)
	insertPlain(b, db)
	for b.Loop() {
		rows, err := db.QueryContext(b.Context(), `SELECT id, hash, relation, resource, kind, subject, created, expires, caveat, context, note
			FROM tuple NOT INDEXED WHERE deleted IS NULL`)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for rows.Next() {
			var (
				id, hash, relation, kind, created    int64
				resource, subject                    string
				expires, caveat, scanContext, remark any
			)
			if err := rows.Scan(&id, &hash, &relation, &resource, &kind, &subject, &created, &expires, &caveat, &scanContext, &remark); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if err := rows.Err(); err != nil || n != *bulk {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(*bulk*b.N)/b.Elapsed().Seconds(), "tuples/s")
}

// BenchmarkWrite writes one relationship per transaction, with so many writers.
func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s := open(b, b.TempDir())
			var next atomic.Int64
			measure(b, writers, func() error {
				r := inventedTuple(int(next.Add(1)))
				_, err := s.ReadWriteTx(b.Context(), func(ctx context.Context, w datastore.ReadWriteTransaction) error {
					return w.WriteRelationships(ctx, []tuple.RelationshipUpdate{tuple.Touch(r)})
				})
				return err
			})
		})
	}
}

// BenchmarkWritePlain writes one row per transaction, without a store.
func BenchmarkWritePlain(b *testing.B) {
	db := plain(b)
	n := 0
	measure(b, 1, func() error {
		n++
		tx, err := db.BeginTx(b.Context(), nil)
		if err != nil {
			return err
		}
		r := inventedTuple(n)
		if _, err := tx.ExecContext(b.Context(), `INSERT INTO tuple (id, hash, relation, resource, kind, subject, created) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			n, n*7919, 1, r.Resource.ObjectID, 2, r.Subject.ObjectID, n); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// measure runs f by so many goroutines and reports how many runs there were per second,
// and how long half of them took.
func measure(b *testing.B, goroutines int, f func() error) {
	b.Helper()
	var (
		wait  sync.WaitGroup
		left  atomic.Int64
		mu    sync.Mutex
		times []time.Duration
	)
	left.Store(int64(b.N))
	b.ResetTimer()
	for range goroutines {
		wait.Go(func() {
			var own []time.Duration
			for left.Add(-1) >= 0 {
				start := time.Now()
				if err := f(); err != nil {
					b.Error(err)
					return
				}
				own = append(own, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, own...)
		})
	}
	wait.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	b.ReportMetric(float64(median(times).Microseconds()), "p50-µs")
}
