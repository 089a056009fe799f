package delegation_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

var grants = flag.Int("grants", 300, "how many grants and revocations TestRevocation makes")

// TestRevocation grants and revokes at random while others ask: no answer that was asked for
// after a revocation had returned is yes on the strength of what it took back, and none that
// was asked for after a grant is no.
func TestRevocation(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	targets := []*target{
		{grant: right(to(10)), who: person(10)},
		{grant: right(to(buyer)), who: person(7)},
		{grant: right(system(standardSystem)), who: relation.SystemUser(standardSystem)},
		{grant: pkg(to(8), "jordbruk"), who: person(8)},
		{grant: pkg(to(other), "fiske"), who: person(9)},
		{grant: client(to(5)), who: person(5)},
		{grant: client(system(agentSystem)), who: relation.SystemUser(agentSystem)},
	}
	var (
		asking sync.WaitGroup
		asked  atomic.Int64
	)
	for i := range 4 {
		asking.Add(1)
		go func() {
			defer asking.Done()
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for ctx.Err() == nil {
				if !targets[random.IntN(len(targets))].ask(ctx, w) {
					t.Error("an answer went by what was no longer, or not yet, granted")
					stop()
				}
				asked.Add(1)
			}
		}()
	}
	random := rand.New(rand.NewPCG(7, 7))
	for range *grants {
		if ctx.Err() != nil {
			break
		}
		targets[random.IntN(len(targets))].turn(t, w)
	}
	stop()
	asking.Wait()
	t.Logf("%d grants and revocations, %d questions meanwhile", *grants, asked.Load())
}

// target is something that is granted and revoked, again and again.
type target struct {
	grant delegation.Grant
	who   relation.Subject
	given delegation.Delegation

	mu     sync.Mutex
	stands bool   // as of the last write that returned
	writes uint64 // odd while one is under way
}

// turn grants it, or takes it back.
func (g *target) turn(t *testing.T, w *world) {
	t.Helper()
	g.mark(func() { g.writes++ })
	if g.stands {
		w.revoke(g.given, g.grant.By)
	} else {
		g.given = w.give(g.grant)
	}
	g.mark(func() { g.stands, g.writes = !g.stands, g.writes+1 })
}

func (g *target) mark(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// ask asks whether it is granted, and reports whether the answer is right. While a write is
// under way either is.
func (g *target) ask(ctx context.Context, w *world) bool {
	var stands bool
	var before, after uint64
	g.mark(func() { stands, before = g.stands, g.writes })
	allowed, err := g.allowed(ctx, w)
	g.mark(func() { after = g.writes })
	if err != nil {
		return ctx.Err() != nil
	}
	return before%2 == 1 || before != after || allowed == stands
}

func (g *target) allowed(ctx context.Context, w *world) (bool, error) {
	ctx, _, err := shared.Pin(ctx, relation.At{})
	if err != nil {
		return false, err
	}
	if g.grant.Package == "" {
		_, ok, err := w.Delegated(ctx, delegation.Asking{Party: shop, Resource: "app_skd_skatt", Action: "read"}, []relation.Subject{g.who})
		return ok, err
	}
	p, _ := w.catalogue.Package(g.grant.Package)
	held, err := w.Packages(ctx, party.ID(shop), g.who, []roles.Package{p})
	return len(held) == 1, err
}
