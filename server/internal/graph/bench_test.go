package graph_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// parties is the sizes of the worlds that are measured. Two million take 3 GB in
// BenchmarkLoad, which holds the tuples as well.
var parties = flag.String("parties", "100000,1000000", "the sizes of the benchmarks' worlds")

func sizes(b *testing.B) []int {
	b.Helper()
	var out []int
	for text := range strings.SplitSeq(*parties, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		if n <= 100_000 || !testing.Short() {
			out = append(out, n)
		}
	}
	return out
}

// cpu reports the processor time of an operation, garbage collection included, beside the
// wall time: on a machine that others use as well, it is the figure to compare.
func cpu(b *testing.B) func() {
	b.Helper()
	spent := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := spent()
	return func() { b.ReportMetric(float64((spent()-start).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func eachWorld(b *testing.B, run func(b *testing.B, w *world, g *graph.Graph, s *graph.Snapshot)) {
	for _, n := range sizes(b) {
		w := newWorld(n)
		g, s := w.load(b)
		b.Run(fmt.Sprintf("parties=%d", n), func(b *testing.B) { run(b, w, g, s) })
	}
}

// compact is a tuple of the world with numbers for ids: millions of texts would give the
// collector more to do than the graph does. Making them is measured as well.
type compact struct {
	party, subject      int32
	relation, subjectOf string
}

func (c *compact) fill(t *graph.Tuple) {
	t.Resource = relation.Object{Type: "party", ID: strconv.Itoa(int(c.party))}
	t.Relation = c.relation
	t.Subject.Object = relation.Object{Type: c.subjectOf, ID: strconv.Itoa(int(c.subject))}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range sizes(b) {
		var tuples []compact
		words := make(map[string]string)
		newWorld(n).each(func(t *graph.Tuple) {
			party, _ := t.Resource.Number()
			subject, _ := relation.Object{ID: t.Subject.ID}.Number()
			words[t.Relation], words[t.Subject.Type] = t.Relation, t.Subject.Type
			tuples = append(tuples, compact{int32(party), int32(subject), words[t.Relation], words[t.Subject.Type]})
		})
		for _, order := range []string{"sorted", "shuffled"} {
			if order == "shuffled" {
				rand.Shuffle(len(tuples), func(i, j int) { tuples[i], tuples[j] = tuples[j], tuples[i] })
			}
			b.Run(fmt.Sprintf("parties=%d/%s", n, order), func(b *testing.B) { benchLoad(b, tuples) })
		}
	}
}

func benchLoad(b *testing.B, tuples []compact) {
	before := heap()
	var g *graph.Graph
	defer cpu(b)()
	for b.Loop() {
		g = newGraph(b, graph.Config{})
		l, err := g.NewLoader()
		if err != nil {
			b.Fatal(err)
		}
		var t graph.Tuple
		for i := range tuples {
			tuples[i].fill(&t)
			if err := l.Add(&t); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := l.Finish(1, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(tuples))*float64(b.N)/b.Elapsed().Seconds(), "tuples/s")
	b.ReportMetric(float64(heap()-before)/float64(len(tuples)), "B/tuple")
	st := g.Stats()
	b.ReportMetric(float64(st.NameBytes)/float64(st.Names), "B/name")
}

func BenchmarkWrite(b *testing.B) {
	eachWorld(b, func(b *testing.B, w *world, g *graph.Graph, _ *graph.Snapshot) {
		rng := rand.New(rand.NewPCG(3, 3))
		rev := g.Head().Revision()
		one := func(b *testing.B, t graph.Tuple) {
			tx := g.Begin()
			if _, err := tx.Touch(t); err != nil {
				b.Fatal(err)
			}
			rev++
			if _, err := tx.Seal(rev, time.Unix(int64(rev)/1000, 0)); err != nil {
				b.Fatal(err)
			}
			if err := g.Publish(rev); err != nil {
				b.Fatal(err)
			}
		}
		tuple := func(party, user string) graph.Tuple {
			return graph.Tuple{Relationship: relation.Relationship{
				Resource: relation.Object{Type: "party", ID: party}, Relation: "hadm",
				Subject: relation.Subject{Object: relation.Object{Type: "user", ID: user}},
			}}
		}
		b.Run("known", func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				one(b, tuple(partyID(rng.IntN(w.parties)), userID(rng.IntN(w.users))))
			}
		})
		b.Run("new", func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for i := 0; b.Loop(); i++ {
				one(b, tuple(strconv.Itoa(80_000_000+int(rev)), strconv.Itoa(800_000_000+int(rev))))
			}
		})
		b.Run("large", func(b *testing.B) { // the user with a tenth of all parties
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				one(b, tuple(partyID(rng.IntN(w.parties)), userID(0)))
			}
		})
		b.Run("batch", func(b *testing.B) { // 1,000 tuples a transaction; the figure is of one
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				tx := g.Begin()
				for range 1000 {
					if _, err := tx.Touch(tuple(partyID(rng.IntN(w.parties)), userID(rng.IntN(w.users)))); err != nil {
						b.Fatal(err)
					}
				}
				rev++
				if _, err := tx.Seal(rev, time.Unix(int64(rev)/1000, 0)); err != nil {
					b.Fatal(err)
				}
				if err := g.Publish(rev); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/tuple")
		})
	})
}
