package register

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// removeOrphans removes the parties that no source asserts any more and that no assignment,
// delegation or sub-unit names. The index must know every party.
func (p *plan) removeOrphans(ctx context.Context, tx *records.Tx) error {
	var orphans []*node
	for _, n := range p.index.nodes {
		if n.recorded && len(n.next) == 0 {
			orphans = append(orphans, n)
		}
	}
	if len(orphans) == 0 {
		return nil
	}
	if err := p.markNamed(ctx, tx); err != nil {
		return err
	}
	for _, n := range orphans {
		if n.named {
			continue
		}
		n.removed = true
		c := p.change(n)
		c.put, c.remove, c.loses, c.gains = false, true, true, false
	}
	return nil
}

// markNamed marks the parties that somebody names when the plan has been carried out.
func (p *plan) markNamed(ctx context.Context, tx *records.Tx) error {
	mark := func(ids ...party.ID) {
		for _, id := range ids {
			if n, ok := p.index.byID[id]; ok {
				n.named = true
			}
		}
	}
	sources := make(map[string]bool, len(p.draft.sources))
	for i, held := range p.held {
		sources[p.draft.sources[i]] = true
		for key, row := range held {
			if !row.gone {
				mark(key.from, key.to)
			}
		}
	}
	p.namedByGiven(mark)
	for _, n := range p.index.nodes {
		if n.live() {
			mark(n.now.MainUnit)
		}
	}
	return tx.NamesOthers(ctx, sources, func(from, to party.ID) error {
		mark(from, to)
		return nil
	})
}
