package zed_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/schemadsl/compiler"
	"github.com/authzed/spicedb/pkg/schemadsl/input"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
	"github.com/behalf-authz/behalf/server/internal/walk/zed"
)

// world is a register in the shape of the real one: 45 % of the parties are sub-units, the
// others have a manager, a board, an accountant and now and then an auditor. The
// accountants' clients follow a power law, and user 0 has 10,000 parties.
type world struct {
	parties, users int
	snap           *graph.Snapshot
	schema         *walk.Schema
	static         static
}

func partyID(i int) string { return strconv.Itoa(50_000_000 + i) }
func userID(i int) string  { return strconv.Itoa(200_000_000 + i) }

// static is the same world as an index that cannot change: who has a role of a party
// himself, of whom as a firm, and which party it is a sub-unit of.
type static struct {
	users, firms [][]uint32
	main         []uint32 // 1 more than the party
	keys         [][]uint32
}

func (s *static) represents(party, user uint32) bool {
	for {
		for _, u := range s.users[party] {
			if u == user {
				return true
			}
		}
		for _, f := range s.firms[party] {
			for _, u := range s.keys[f] {
				if u == user {
					return true
				}
			}
		}
		if s.main[party] == 0 {
			return false
		}
		party = s.main[party] - 1
	}
}

const many = 10_000 // parties of user 0

func newWorld(tb testing.TB, parties int) *world {
	tb.Helper()
	compiled, err := compiler.Compile(compiler.InputSchema{Source: input.Source("behalf"), SchemaString: relations.Schema}, compiler.AllowUnprefixedObjectType())
	if err != nil {
		tb.Fatal(err)
	}
	definitions := map[string]*core.NamespaceDefinition{}
	for _, d := range compiled.ObjectDefinitions {
		definitions[d.GetName()] = d
	}
	w := &world{parties: parties, users: parties * 6 / 10, schema: walk.Compile(zed.Definitions(definitions))}
	w.static = static{make([][]uint32, parties), make([][]uint32, parties), make([]uint32, parties), make([][]uint32, parties)}
	g, err := graph.New(graph.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	l, err := g.NewLoader()
	if err != nil {
		tb.Fatal(err)
	}
	w.fill(func(party int, rel, subjectType, subjectID string) {
		t := graph.Tuple{Relationship: relation.Relationship{
			Resource: relation.Object{Type: "party", ID: partyID(party)}, Relation: rel,
			Subject: relation.Subject{Object: relation.Object{Type: subjectType, ID: subjectID}},
		}}
		if err := l.Add(&t); err != nil {
			tb.Fatal(err)
		}
	})
	if w.snap, err = l.Finish(1, time.Unix(0, 0)); err != nil {
		tb.Fatal(err)
	}
	return w
}

func (w *world) fill(put func(party int, rel, subjectType, subjectID string)) {
	rng := rand.New(rand.NewPCG(1, uint64(w.parties)))
	mains := w.parties * 55 / 100
	user := func() int { return rng.IntN(w.users-1) + 1 }
	person := func(party int, rel string, user int, key bool) {
		put(party, rel, "user", userID(user))
		w.static.users[party] = append(w.static.users[party], uint32(user))
		if key {
			w.static.keys[party] = append(w.static.keys[party], uint32(user))
		}
	}
	firm := func(party int, rel string) {
		f := int(math.Pow(float64(max(w.parties/500, 2)), rng.Float64())) - 1
		put(party, rel, "party", partyID(f))
		w.static.firms[party] = append(w.static.firms[party], uint32(f))
	}
	for i := range mains {
		dagl := user()
		if i < many && i >= w.parties/500 {
			dagl = 0
		}
		person(i, "dagl", dagl, true)
		firm(i, "regn_org")
		if rng.IntN(4) == 0 {
			firm(i, "revi_org")
		}
		person(i, "lede", user(), true)
		board := user()
		for m := range rng.IntN(4) {
			person(i, "medl", (board+m)%(w.users-1)+1, false)
		}
	}
	for i := mains; i < w.parties; i++ {
		main := max(many, w.parties/500) + rng.IntN(mains-max(many, w.parties/500))
		put(i, "main_unit", "party", partyID(main))
		w.static.main[i] = uint32(main) + 1
	}
}

func (w *world) question(party, user int) relation.Question {
	return relation.Question{
		Object: relation.Object{Type: "party", ID: partyID(party)}, Permission: "represent",
		Subject: relation.Subject{Object: relation.Object{Type: "user", ID: userID(user)}},
	}
}

// pairs draws questions, half of them with a user who has a role of the party.
func (w *world) pairs(n int) (out [][2]int) {
	rng := rand.New(rand.NewPCG(7, 7))
	for len(out) < n {
		party, user := rng.IntN(w.parties), rng.IntN(w.users)
		if len(out)%2 == 0 {
			at := party
			if w.static.main[at] != 0 {
				at = int(w.static.main[at]) - 1
			}
			user = int(w.static.users[at][0])
		}
		out = append(out, [2]int{party, user})
	}
	return out
}

// The walk of Behalf's own schema gives what the index gives.
func TestStatic(t *testing.T) {
	w := newWorld(t, 30_000)
	view := w.schema.Over(w.snap)
	for _, p := range w.pairs(20_000) {
		got, why := view.Check(t.Context(), w.question(p[0], p[1]), time.Now())
		want := walk.Denied
		if w.static.represents(uint32(p[0]), uint32(p[1])) {
			want = walk.Allowed
		}
		if got != want {
			t.Fatalf("party %d, user %d: %v (%s), want %v", p[0], p[1], got, why, want)
		}
	}
	found, why := view.Resources(t.Context(), nil, nil, "party", "represent", w.question(0, 0).Subject, time.Now())
	want := 0
	for i := range w.parties {
		if w.static.represents(uint32(i), 0) {
			want++
		}
	}
	if why != walk.Answered || len(found) != want {
		t.Errorf("%d parties (%s), want %d", len(found), why, want)
	}
	if n := testing.AllocsPerRun(100, func() { view.Check(t.Context(), w.question(100, 1), time.Time{}) }); n > 6 { // the question's texts
		t.Errorf("%v allocations per check", n)
	}
}

// cpu reports the processor time of an operation, which says more than the clock where
// others use the machine.
func cpu(b *testing.B) func() {
	b.Helper()
	spent := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	b.ReportAllocs()
	start := spent()
	return func() { b.ReportMetric(float64((spent()-start).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

func eachWorld(b *testing.B, f func(b *testing.B, w *world)) {
	sizes := []int{100_000}
	if !testing.Short() {
		sizes = append(sizes, 3_000_000)
	}
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) { f(b, newWorld(b, n)) })
	}
}

func BenchmarkCheck(b *testing.B) {
	eachWorld(b, func(b *testing.B, w *world) {
		all := w.checks(b)
		for _, c := range all {
			b.Run(c.name, func(b *testing.B) {
				defer cpu(b)()
				c.run(0, b.N)
			})
		}
		b.Run("ratios", func(b *testing.B) { benchRatios(b, all) })
	})
}

// checks are as many checks, from the one with a number on, or what they are measured against.
type checks struct {
	name string
	run  func(from, n int)
}

// checks returns checks by strings and the two look-ups in maps of the same size that are their
// floor, and checks by numbers and theirs, the index that cannot change.
func (w *world) checks(b *testing.B) []checks {
	b.Helper()
	const n = 1 << 18
	view, pairs := w.schema.Over(w.snap), w.pairs(n)
	questions, asked := make([]relation.Question, n), make([][2]graph.Node, n)
	parties, users := map[string]uint32{}, map[string]uint32{}
	for i := range w.parties {
		parties[partyID(i)] = uint32(i)
	}
	for i := range w.users {
		users[userID(i)] = uint32(i)
	}
	for i, p := range pairs {
		questions[i] = w.question(p[0], p[1])
		asked[i][0], _ = w.snap.Node("party", questions[i].Object.ID)
		asked[i][1], _ = w.snap.Node("user", questions[i].Subject.ID)
	}
	checker, _ := view.Checker("party", "represent", "user", "")
	ctx, now := b.Context(), time.Now()
	var sum uint32
	b.Cleanup(func() { runtime.KeepAlive(sum) })
	return []checks{
		{"strings", func(from, count int) {
			for i := from; i < from+count; i++ {
				if v, _ := view.Check(ctx, questions[i&(n-1)], now); v == walk.Undecided {
					panic("undecided")
				}
			}
		}},
		{"maps", func(from, count int) {
			for i := from; i < from+count; i++ {
				q := &questions[i&(n-1)]
				sum += parties[q.Object.ID] + users[q.Subject.ID]
			}
		}},
		{"numbers", func(from, count int) {
			for i := from; i < from+count; i++ {
				a := &asked[i&(n-1)]
				if v, _ := checker.Check(ctx, a[0], a[1], now); v == walk.Undecided {
					panic("undecided")
				}
			}
		}},
		{"static", func(from, count int) {
			for i := from; i < from+count; i++ {
				p := &pairs[i&(n-1)]
				if w.static.represents(uint32(p[0]), uint32(p[1])) {
					sum++
				}
			}
		}},
	}
}

// benchRatios takes the checks and their floors in turns, for what a machine gives changes from
// second to second: it reports the medians of what each turn took by what its floor took.
func benchRatios(b *testing.B, all []checks) {
	const turn = 1 << 15
	ratios := map[string][]float64{}
	for i := 0; b.Loop(); i++ {
		var took [4]float64
		for k, c := range all {
			start := time.Now()
			c.run(i*turn, turn)
			took[k] = float64(time.Since(start))
		}
		for k := 0; k < len(all); k += 2 {
			name := all[k].name + "/" + all[k+1].name
			ratios[name] = append(ratios[name], took[k]/took[k+1])
		}
	}
	for name, r := range ratios {
		slices.Sort(r)
		b.ReportMetric(r[len(r)/2], name)
	}
}

func BenchmarkResources(b *testing.B) {
	eachWorld(b, func(b *testing.B, w *world) {
		view, subject := w.schema.Over(w.snap), w.question(0, 0).Subject
		ctx, now := b.Context(), time.Now()
		var found []graph.Node
		b.Run("numbers", func(b *testing.B) {
			defer cpu(b)()
			for b.Loop() {
				found, _ = view.Resources(ctx, found[:0], nil, "party", "represent", subject, now)
			}
			b.ReportMetric(float64(len(found)), "parties")
		})
		b.Run("sorted", func(b *testing.B) {
			defer cpu(b)()
			for b.Loop() {
				found, _ = view.Resources(ctx, found[:0], nil, "party", "represent", subject, now)
				ids := make([]string, len(found))
				for i, n := range found {
					ids[i] = w.snap.ID(n)
				}
				slices.Sort(ids)
			}
		})
	})
}

func BenchmarkSubjects(b *testing.B) {
	eachWorld(b, func(b *testing.B, w *world) {
		view := w.schema.Over(w.snap)
		defer cpu(b)()
		for i := 0; b.Loop(); i++ {
			view.Subjects(b.Context(), nil, relation.Object{Type: "party", ID: partyID(i % w.parties)}, "represent", "user", "", time.Now())
		}
	})
}
