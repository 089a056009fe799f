package walk

import "github.com/behalf-authz/behalf/server/internal/graph"

// brief answers what most checks come to: unions over a few short lists of unconditional
// tuples. It needs no scratch, and gives up on all else, for the walk to begin anew.
type brief struct {
	View
	kind graph.Rel
	end  graph.Edge // the subject, as a tuple names it
	left int        // edges that it may still look at
}

const (
	briefEdges = 128 // looked at in vain, they cost a walk a tenth of what it takes to go over them
	briefHops  = 4   // and so it cannot go round for long
)

// brief evaluates a program of an object. It is open what it gives up on.
func (c *Checker) brief(object, subject graph.Node) truth {
	if c.asked >= 0 {
		return open
	}
	b := brief{c.View, c.kind, graph.MakeEdge(0, c.kind, subject), briefEdges}
	return b.eval(c.plan, object, 1, briefHops)
}

// eval evaluates a plan on an object. level is as for a walker, hops how many may follow.
func (b *brief) eval(p *plan, object graph.Node, level, hops int) truth {
	if !p.plain || level+p.height > MaxDepth {
		return open
	}
	run, ok := b.snap.Short(object)
	if b.left -= len(run); !ok || b.left < 0 {
		return open
	}
	mask := maskOf(p.direct, b.kind)
	for _, e := range run {
		if e.Names(b.end) && mask.Has(e.Rel()) {
			if !e.Unconditional() {
				return open
			}
			return yes
		}
	}
	if len(p.follow) == 0 {
		return no
	}
	for _, e := range run {
		if at := p.at[e.Rel()]; at != 0 {
			if in := b.onwards(&p.follow[at-1], e, level, hops); in != no {
				return in
			}
		}
	}
	return no
}

// onwards evaluates what a tuple leads to.
func (b *brief) onwards(f *follow, e graph.Edge, level, hops int) truth {
	k := f.hopsOf(e.Kind())
	if k == nil {
		return open
	}
	for _, h := range k.hops {
		plan := b.bound.plans[h.to].Load()
		if plan == nil || hops == 0 || !e.Unconditional() {
			return open
		}
		if in := b.eval(plan, e.Node(), level+h.offset+1, hops-1); in != no {
			return in
		}
	}
	return no
}
