package records_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/outbox"
	behalfpostgres "github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// sealedTokens is the size of what a session keeps of its provider: an access token and an
// id_token of a kilobyte each, and a refresh token.
const sealedTokens = 2200

// BenchmarkSessionsHeld fills a database with sessions and says how many fit into a GiB of it,
// what each takes of the server's memory, and how long one takes to find. Its figures settle
// with the number of sessions:
//
//	go test ./server/internal/records -run '^$' -bench SessionsHeld -benchtime 100000x
func BenchmarkSessionsHeld(b *testing.B) {
	b.Run("file", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "records.db")
		s, err := records.Open(b.Context(), records.Config{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		hold(b, s, func() (size int64) {
			for _, name := range []string{path, path + "-wal"} {
				if info, err := os.Stat(name); err == nil {
					size += info.Size()
				}
			}
			return size
		})
	})
	b.Run("postgres", func(b *testing.B) {
		uri := pg.Clone(b, "behalf", func(ctx context.Context, uri string) error {
			db, err := behalfpostgres.Open(uri, behalfpostgres.Options{Conns: 2})
			if err != nil {
				return err
			}
			return errors.Join(behalfpostgres.Migrate(ctx, db), db.Close())
		})
		o, err := outbox.Open(b.Context(), outbox.Config{URI: uri, Graph: noGraph{}, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = o.Close() })
		db, err := behalfpostgres.Open(uri, behalfpostgres.Options{Conns: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = db.Close() })
		hold(b, records.In(o), func() (size int64) {
			if err := db.QueryRowContext(b.Context(), "SELECT pg_total_relation_size('behalf.session')").Scan(&size); err != nil {
				b.Fatal(err)
			}
			return size
		})
	})
}

// hold puts sessions into a store, and reports what they take.
func hold(b *testing.B, s *records.Store, size func() int64) {
	b.Helper()
	now := time.Now()
	n := func(i int) session.Session {
		is := newSession(fmt.Sprint(i), "https://idporten.no", fmt.Sprintf("sid-%032d", i), fmt.Sprintf("subject-%032d", i), now.Add(8*time.Hour))
		is.Tokens = make([]byte, sealedTokens)
		_, _ = rand.Read(is.Tokens) // as what is sealed, it cannot be made smaller
		return is
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	empty, i := size(), 0
	for b.Loop() {
		if err := s.PutSession(b.Context(), n(i), now); err != nil {
			b.Fatal(err)
		}
		i++
	}
	taken := float64(size()-empty) / float64(i)
	runtime.GC()
	runtime.ReadMemStats(&after)
	const looks = 2000
	began := time.Now()
	for k := range looks {
		if _, found, err := s.Session(b.Context(), n(k*max(1, i/looks)%i).ID); err != nil || !found {
			b.Fatalf("session %d: found %t: %v", k, found, err)
		}
	}
	b.ReportMetric(float64(time.Since(began).Microseconds())/looks, "µs/look")
	b.ReportMetric(taken, "B/session")
	b.ReportMetric((1<<30)/taken, "sessions/GiB")
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/float64(i), "heap-B/session")
}
