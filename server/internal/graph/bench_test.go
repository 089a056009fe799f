package graph_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// sizes are the worlds' parties. The greater ones take seconds to build.
var sizes = []int{100_000, 1_000_000}

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
	for _, n := range sizes {
		if testing.Short() && n > 100_000 {
			continue
		}
		w := newWorld(n)
		g, s := w.load(b)
		b.Run(fmt.Sprintf("parties=%d", n), func(b *testing.B) { run(b, w, g, s) })
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range sizes {
		var tuples []graph.Tuple
		newWorld(n).each(func(t *graph.Tuple) { tuples = append(tuples, *t) })
		for _, order := range []string{"sorted", "shuffled"} {
			if order == "shuffled" {
				rand.Shuffle(len(tuples), func(i, j int) { tuples[i], tuples[j] = tuples[j], tuples[i] })
			}
			b.Run(fmt.Sprintf("parties=%d/%s", n, order), func(b *testing.B) {
				before := heap()
				var g *graph.Graph
				defer cpu(b)()
				for b.Loop() {
					g, _ = graph.New(graph.Config{})
					l, err := g.NewLoader()
					if err != nil {
						b.Fatal(err)
					}
					for i := range tuples {
						if err := l.Add(&tuples[i]); err != nil {
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
				b.ReportMetric(float64(st.NameBytes+st.EdgeBytes)/float64(st.Tuples), "statsB/tuple")
			})
		}
	}
}

// pair is a question by names and by numbers.
type pair struct {
	party, user string
	res, sub    graph.Node
}

// pairs draws as many questions, half of them from tuples.
func pairs(b *testing.B, s *graph.Snapshot, w *world, rel graph.Rel, n int) []pair {
	b.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	out := make([]pair, 0, n)
	for len(out) < n {
		p := pair{party: partyID(rng.IntN(w.parties)), user: userID(rng.IntN(w.users))}
		var ok bool
		if p.res, ok = s.Node("party", p.party); !ok {
			continue
		}
		if len(out)%2 == 0 {
			c := s.Forward(p.res).Relation(rel)
			run := c.Next()
			if len(run) == 0 {
				continue
			}
			p.user = s.ID(run[0].Node())
		}
		if p.sub, ok = s.Node("user", p.user); !ok {
			continue
		}
		out = append(out, p)
	}
	return out
}

func BenchmarkHasEdge(b *testing.B) {
	eachWorld(b, func(b *testing.B, w *world, _ *graph.Graph, s *graph.Snapshot) {
		dagl, _ := s.Rel("party", "dagl")
		user, _ := s.Rel("user", "")
		typParty, _ := s.Type("party")
		typUser, _ := s.Type("user")
		asked := pairs(b, s, w, dagl, 1<<18)
		hits := 0
		b.Run("numbers", func(b *testing.B) {
			defer cpu(b)()
			for i := 0; b.Loop(); i++ {
				p := &asked[i&(1<<18-1)]
				if _, ok := s.HasEdge(p.res, dagl, p.sub, user); ok {
					hits++
				}
			}
		})
		b.Run("same", func(b *testing.B) {
			defer cpu(b)()
			for b.Loop() {
				if _, ok := s.HasEdge(asked[0].res, dagl, asked[0].sub, user); ok {
					hits++
				}
			}
		})
		b.Run("names", func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for i := 0; b.Loop(); i++ {
				p := &asked[i&(1<<18-1)]
				res, ok1 := s.NodeOf(typParty, p.party)
				sub, ok2 := s.NodeOf(typUser, p.user)
				if ok1 && ok2 {
					if _, ok := s.HasEdge(res, dagl, sub, user); ok {
						hits++
					}
				}
			}
		})
		b.Run("lookup", func(b *testing.B) {
			defer cpu(b)()
			for i := 0; b.Loop(); i++ {
				p := &asked[i&(1<<18-1)]
				if _, ok := s.NodeOf(typParty, p.party); ok {
					hits++
				}
				if _, ok := s.NodeOf(typUser, p.user); ok {
					hits++
				}
			}
		})
		b.Run("maps", func(b *testing.B) {
			parties := make(map[string]uint32, w.parties)
			for i := range w.parties {
				parties[partyID(i)] = uint32(i)
			}
			users := make(map[string]uint32, w.users)
			for i := range w.users {
				users[userID(i)] = uint32(i)
			}
			var sum uint32
			defer cpu(b)()
			for i := 0; b.Loop(); i++ {
				p := &asked[i&(1<<18-1)]
				sum += parties[p.party] + users[p.user]
			}
			sink = sum
		})
		b.Run("csr", func(b *testing.B) { benchCSR(b, s, asked, dagl, user) })
	})
}

var sink uint32

// benchCSR is the floor: the same forward lists, static and without versions.
func benchCSR(b *testing.B, s *graph.Snapshot, asked []pair, rel, kind graph.Rel) {
	starts := make([]uint32, s.Nodes()+1)
	var edges []graph.Edge
	for n := range s.Nodes() {
		c := s.Forward(graph.Node(n)).All()
		for run := c.Next(); len(run) > 0; run = c.Next() {
			edges = append(edges, run...)
		}
		starts[n+1] = uint32(len(edges))
	}
	hits := 0
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		p := &asked[i&(1<<18-1)]
		want := graph.MakeEdge(rel, kind, p.sub)
		for _, e := range edges[starts[p.res]:starts[p.res+1]] {
			if e == want {
				hits++
				break
			}
		}
	}
	sink = uint32(hits)
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
