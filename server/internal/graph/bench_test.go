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

func BenchmarkLoad(b *testing.B) {
	for _, n := range sizes(b) {
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

// BenchmarkList lists the parties of the user who has a tenth of all of them.
func BenchmarkList(b *testing.B) {
	eachWorld(b, func(b *testing.B, _ *world, _ *graph.Graph, s *graph.Snapshot) {
		many, _ := s.Node("user", userID(0))
		count := s.Reverse(many).Len()
		report := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/party")
		}
		b.Run("numbers", func(b *testing.B) {
			b.ReportAllocs()
			var sum graph.Node
			defer cpu(b)()
			for b.Loop() {
				c := s.Reverse(many).All()
				for run := c.Next(); len(run) > 0; run = c.Next() {
					for _, e := range run {
						sum += e.Node()
					}
				}
			}
			sink = uint32(sum)
			report(b)
		})
		b.Run("names", func(b *testing.B) {
			n := 0
			defer cpu(b)()
			for b.Loop() {
				c := s.Reverse(many).All()
				for run := c.Next(); len(run) > 0; run = c.Next() {
					for _, e := range run {
						n += len(s.ID(e.Node()))
					}
				}
			}
			sink = uint32(n)
			report(b)
		})
		q := graph.Query{Subjects: []graph.Subjects{{Type: "user", IDs: []string{userID(0)}, Plain: true}}}
		drain := func(b *testing.B, q graph.Query) {
			n := 0
			for range s.Query(q) {
				n++
			}
			if n != count {
				b.Fatalf("%d parties, want %d", n, count)
			}
		}
		b.Run("query", func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				drain(b, q)
			}
			report(b)
		})
		q.Order = graph.BySubject
		b.Run("sorted", func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				drain(b, q)
			}
			report(b)
		})
		b.Run("pages", func(b *testing.B) { // of 100, as SpiceDB reads
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				q, n := q, 0
				for q.Limit = 100; ; {
					var last graph.Tuple
					before := n
					for t := range s.Query(q) {
						last = t
						n++
					}
					if n == before {
						break
					}
					q.After = &last
				}
				if n != count {
					b.Fatalf("%d parties, want %d", n, count)
				}
			}
			report(b)
		})
	})
}

// BenchmarkQuery asks what SpiceDB asks most.
func BenchmarkQuery(b *testing.B) {
	eachWorld(b, func(b *testing.B, w *world, _ *graph.Graph, s *graph.Snapshot) {
		rng := rand.New(rand.NewPCG(9, 9))
		plain := func(typ string, ids ...string) []graph.Subjects {
			return []graph.Subjects{{Type: typ, IDs: ids, Plain: true}}
		}
		run := func(name string, ask func() graph.Query) {
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				n := 0
				defer cpu(b)()
				for b.Loop() {
					for range s.Query(ask()) {
						n++
					}
				}
				b.ReportMetric(float64(n)/float64(b.N), "tuples")
			})
		}
		run("direct", func() graph.Query {
			return graph.Query{
				ResourceType: "party", ResourceIDs: []string{partyID(rng.IntN(w.parties))}, Relation: "dagl",
				Subjects: plain("user", userID(rng.IntN(w.users))), Limit: 1,
			}
		})
		run("subjects", func() graph.Query {
			return graph.Query{ResourceType: "party", ResourceIDs: []string{partyID(rng.IntN(w.parties))}, Relation: "dagl"}
		})
		run("resources", func() graph.Query {
			return graph.Query{
				ResourceType: "party", Relation: "dagl", Order: graph.BySubject,
				Subjects: plain("user", userID(1+rng.IntN(w.users-1))),
			}
		})
		run("narrow", func() graph.Query { // one client of the firm with the most
			return graph.Query{
				ResourceType: "party", ResourceIDs: []string{partyID(rng.IntN(w.parties))}, Relation: "regn_org",
				Subjects: plain("party", partyID(0)), Order: graph.ByResource,
			}
		})
		run("page", func() graph.Query { // of an export, somewhere in the middle
			return graph.Query{
				ResourceType: "party", Order: graph.ByResource, Limit: 1000,
				After: &graph.Tuple{Relationship: relation.Relationship{
					Resource: relation.Object{Type: "party", ID: partyID(rng.IntN(w.parties))},
				}},
			}
		})
		run("none", func() graph.Query { return graph.Query{ResourceType: "party", Relation: "gone", Limit: 1} })
	})
}

// BenchmarkRemake reads random revisions of 20,000 single writes that are no longer recent.
func BenchmarkRemake(b *testing.B) {
	const old = 20_000
	eachWorld(b, func(b *testing.B, w *world, g *graph.Graph, _ *graph.Snapshot) {
		rng := rand.New(rand.NewPCG(3, 3))
		first := g.Head().Revision()
		for rev := first + 1; rev <= first+old+5_000; rev++ {
			tu := viewer(partyID(rng.IntN(w.parties)), userID(rng.IntN(w.users)))
			tu.Resource.Type = "party"
			publish(b, g, rev, time.Unix(0, 0), tu)
		}
		defer cpu(b)()
		for b.Loop() {
			if _, err := g.At(first + uint64(rng.IntN(old))); err != nil {
				b.Fatal(err)
			}
		}
	})
}
