package graph_test

import (
	"math/rand/v2"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

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
