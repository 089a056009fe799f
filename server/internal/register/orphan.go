package register

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// removeOrphans removes the parties that no source asserts any more and that no assignment,
// delegation or sub-unit names. The index must know every party.
func (p *plan) removeOrphans(ctx context.Context, tx *records.Tx) error {
	orphans := 0
	for _, s := range p.index.stubs.each() {
		if s.silent {
			orphans++
		}
	}
	if orphans == 0 {
		return nil
	}
	if err := p.markNamed(ctx, tx); err != nil {
		return err
	}
	for _, s := range p.index.stubs.each() {
		if s.silent && !s.named {
			s.removed, s.changed, s.loses, s.gains = true, true, true, false
		}
	}
	return nil
}

// markNamed marks the parties that somebody names when the plan has been carried out.
func (p *plan) markNamed(ctx context.Context, tx *records.Tx) error {
	mark := func(ids ...party.ID) {
		for _, id := range ids {
			if s := p.index.id(id); s != nil {
				s.named = true
			}
		}
	}
	for _, r := range p.rows.each() {
		if r.fate != deleted {
			mark(party.ID(r.from), party.ID(r.to))
		}
	}
	p.namedByGiven(mark)
	for _, s := range p.index.stubs.each() {
		if s.live() {
			mark(s.main)
		}
	}
	sources := make(map[string]bool, len(p.draft.sources))
	for _, source := range p.draft.sources {
		sources[source] = true
	}
	return tx.NamesOthers(ctx, sources, func(from, to party.ID) error {
		mark(from, to)
		return nil
	})
}
