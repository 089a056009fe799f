package graph_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

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
