package register

import (
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// givenRow is a delegation of a source as recorded.
type givenRow struct {
	records.Delegation
	seen bool  // the draft says it too
	line int64 // where
	gone bool
}

// compareDelegations compares what is delegated with what each source had said.
func (p *plan) compareDelegations() {
	for source, given := range p.given {
		p.report.sources[source].recorded += int64(len(given))
	}
	for i := range p.draft.gives {
		g := &p.draft.gives[i]
		now, from, wrong := p.delegation(g)
		if len(wrong) > 0 {
			p.report.refuse(g.place, ofDelegation, wrong)
			if from != nil {
				p.spared[from.id] |= 1 << g.source // a slip in a file takes nobody's rights
			}
			continue
		}
		p.compareGiven(g, from, now)
	}
	if p.draft.whole {
		for source, given := range p.given {
			p.removeGiven(source, given)
		}
	}
}

// delegation is the row of a record, with the party that delegates.
func (p *plan) delegation(g *give) (now records.Delegation, from *stub, wrong faults) {
	find := func(field string, name Reference) *stub {
		return p.party(g.place, field, name, &wrong)
	}
	from = find("from", g.from)
	now = g.record
	now.Source = p.draft.sources[g.source]
	if from != nil {
		now.From = from.id
	}
	if now.ToSystem == "" {
		if to := find("to", g.to); to != nil {
			now.To, now.ToUser = to.id, to.user
			wrong.unless(to != from, "to", "is the party that delegates; nobody delegates to himself")
		}
	}
	if g.via.Scheme == "" {
		return now, from, wrong
	}
	if via := find("via", g.via); via != nil {
		now.Via = via.id
		wrong.unless(!natural(via.kind), "via", "is %s; a provider is an organisation", kindName(via.kind))
		wrong.unless(via != from, "via", "is the party that delegates; a provider is another")
		wrong.unless(now.ToSystem != "" || now.ToUser != 0, "to", "must be a person or a system user: agents of a provider are")
	}
	return now, from, wrong
}

func (p *plan) compareGiven(g *give, from *stub, now records.Delegation) {
	counts := &p.report.sources[g.source].Delegations
	id := now.ID()
	row := p.given[g.source][id]
	if row != nil && now.GivenAt.IsZero() {
		now.GivenAt = row.GivenAt
	}
	if now.GivenAt.IsZero() {
		now.GivenAt = p.now
	}
	switch {
	case row != nil && row.line != 0:
		var wrong faults
		wrong.because(fault.Invalid, fault.ReasonInvalidArgument, "to", "line %d says so already; give each delegation once", row.line)
		p.report.refuse(g.place, ofDelegation, wrong)
		return
	case row == nil:
		counts.Added++
		p.given[g.source][id] = &givenRow{Delegation: now, seen: true, line: max(g.line, 1)}
	case row.Delegation == now:
		counts.Unchanged++
		row.seen, row.line = true, max(g.line, 1)
		return
	default:
		counts.Changed++
		row.seen, row.line = true, max(g.line, 1)
		from.loses = true
	}
	more := p.regive(from)
	more.put = append(more.put, now)
	from.gains = true
}

// regive returns what changes of what the party delegates, to add one thing to it.
func (p *plan) regive(from *stub) *regiven {
	g := p.regiven[from.id]
	if g == nil {
		g = &regiven{}
		p.regiven[from.id] = g
	}
	from.work += 2
	from.changed = true
	return g
}

// removeGiven removes what the source no longer says, unless an entry about one of the
// parties could not be read.
func (p *plan) removeGiven(source int, given map[string]*givenRow) {
	for _, row := range given {
		from := p.index.id(row.From)
		if row.seen || from == nil || (p.sparedOf(row.From)|p.sparedOf(row.To)|p.sparedOf(row.Via))&(1<<source) != 0 {
			continue
		}
		p.report.sources[source].Delegations.Removed++
		row.gone = true
		from.loses = true
		more := p.regive(from)
		more.remove = append(more.remove, row.Delegation)
	}
}

// sparedOf says which sources' delegations stay that name the party.
func (p *plan) sparedOf(id party.ID) uint16 { return p.keptOf(id) | p.spared[id] }

// namedByGiven calls f for the parties that delegations name when the plan is carried out.
func (p *plan) namedByGiven(f func(...party.ID)) {
	for _, given := range p.given {
		for _, row := range given {
			if !row.gone {
				f(row.From, row.To, row.Via)
			}
		}
	}
}
