//go:build unix

package authzed_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// checkTuples are the sizes of the registers of BenchmarkCheckPermission. The full measure
// is -check-tuples 300000,3000000. Postgres has the first only.
var checkTuples = flag.String("check-tuples", "30000", "how many relationships the benchmark of checks has, sizes between commas")

// What is wanted of a check that a walk answers.
const (
	leastGain  = 4.0 // times less than on Postgres
	mostGrowth = 1.5 // growth from the first size to the last
)

var checked = []string{"has_dagl", "has_utinn", "represent"}

// BenchmarkCheckPermission asks CheckPermission, fully consistent and behind the interceptors
// of this API but without a connection. No answer is cached: neither walks nor the engine
// keep any. Its figure is processor time, of this process and of Postgres, as time that
// passes says little on a busy machine. By "by": "walk" and "spicedb" are the embedded
// store, where a walk of the graph answers, and where SpiceDB does because the question has a
// context; "postgres" is SpiceDB on Postgres. At the end it compares them.
func BenchmarkCheckPermission(b *testing.B) {
	cost := make(map[string]time.Duration)
	var sizes []int
	for text := range strings.SplitSeq(*checkTuples, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		sizes = append(sizes, n)
	}
	b.Run(fmt.Sprintf("store=postgres/tuples=%d", sizes[0]), func(b *testing.B) {
		data, uri := openPostgres(b)
		askAll(b, cost, "postgres", sizes[0], data, func() { vacuum(b, uri) })
	})
	for _, n := range sizes {
		b.Run(fmt.Sprintf("store=sqlite/tuples=%d", n), func(b *testing.B) {
			data, err := store.Open(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "behalf.db")})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = data.Close() })
			askAll(b, cost, "walk", n, data, func() {})
		})
	}
	compare(b, cost, sizes)
}

// askAll loads a register and asks every question about it.
func askAll(b *testing.B, cost map[string]time.Duration, by string, size int, data datastore.Datastore, loaded func()) {
	e := engineOver(b, data)
	r := newRegister(size)
	start := time.Now()
	given := r.load(b, data)
	loaded()
	b.Logf("%s: %d relationships loaded in %s", by, given, time.Since(start).Round(time.Millisecond))
	ask := directly(b, e)
	engines := []string{by}
	if by == "walk" {
		engines = append(engines, "spicedb")
	}
	for _, by := range engines {
		for _, permission := range checked {
			for _, hit := range []bool{true, false} {
				answer := map[bool]string{true: "hit", false: "miss"}[hit]
				b.Run(fmt.Sprintf("by=%s/permission=%s/answer=%s", by, permission, answer), func(b *testing.B) {
					cost[kind(by, size, permission, answer)] = askOne(b, ask, by, permission, hit, r.pairs(permission, hit))
				})
			}
		}
	}
}

// kind names a kind of question.
func kind(by string, size int, permission, answer string) string {
	return fmt.Sprint(by, " ", size, " ", permission, " ", answer)
}

// askOne measures one kind of question and returns the processor time of one.
func askOne(b *testing.B, ask *direct, by, permission string, hit bool, pairs []pair) time.Duration {
	want := permissionshipOf(hit)
	requests := make([]*v1.CheckPermissionRequest, len(pairs))
	for i, p := range pairs {
		requests[i] = &v1.CheckPermissionRequest{
			Consistency: full(), Resource: ref("party", p.party), Permission: permission, Subject: sub("user", p.user),
		}
		if by == "spicedb" {
			requests[i].Context = &structpb.Struct{} // walks leave it to SpiceDB
		}
	}
	n := 0
	one := func() {
		response, err := ask.check(b.Context(), requests[n%len(requests)])
		if err != nil || response.GetPermissionship() != want {
			b.Fatalf("%s of %v: %v, %v", permission, pairs[n%len(pairs)], response, err)
		}
		n++
	}
	for range 20 { // connections are open and statements prepared
		one()
	}
	walked := ask.walks(b)
	own, database := ownCPU(b), databaseCPU(b, by)
	asked := 0
	for b.Loop() {
		one()
		asked++
	}
	own, database = ownCPU(b)-own, databaseCPU(b, by)-database
	if walked = ask.walks(b) - walked; (walked > 0) != (by == "walk") {
		b.Errorf("walks answered %g of %d", walked, asked)
	}
	b.ReportMetric(float64(own.Nanoseconds())/float64(asked), "server-cpu-ns/op")
	b.ReportMetric(float64(database.Nanoseconds())/float64(asked), "database-cpu-ns/op")
	return (own + database) / time.Duration(asked)
}

// compare says how the engines stand to each other, and fails where too little is gained.
func compare(b *testing.B, cost map[string]time.Duration, sizes []int) {
	first, last := sizes[0], sizes[len(sizes)-1]
	for _, permission := range checked {
		for _, answer := range []string{"hit", "miss"} {
			of := func(by string, size int) float64 { return float64(cost[kind(by, size, permission, answer)]) }
			if of("walk", first) == 0 || of("spicedb", first) == 0 || of("postgres", first) == 0 || of("walk", last) == 0 {
				continue // left out
			}
			b.Run(fmt.Sprintf("ratios/permission=%s/answer=%s", permission, answer), func(b *testing.B) {
				gain, growth := of("postgres", first)/of("walk", first), of("walk", last)/of("walk", first)
				b.ReportMetric(0, "ns/op") // leaves it out
				b.ReportMetric(gain, "postgres/walk")
				b.ReportMetric(of("postgres", first)/of("spicedb", first), "postgres/spicedb")
				b.ReportMetric(growth, "walk-growth")
				b.ReportMetric(of("spicedb", last)/of("spicedb", first), "spicedb-growth")
				if gain < leastGain {
					b.Errorf("%.1f times less than on Postgres, want %g", gain, leastGain)
				}
				if growth > mostGrowth {
					b.Errorf("grows %.2f times from %d to %d tuples, want %g at most", growth, first, last, mostGrowth)
				}
			})
		}
	}
}

func permissionshipOf(hit bool) v1.CheckPermissionResponse_Permissionship {
	if hit {
		return v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
	}
	return v1.CheckPermissionResponse_PERMISSIONSHIP_NO_PERMISSION
}
