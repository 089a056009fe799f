package register

import (
	"cmp"
	"slices"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// compareParties compares what each source says of each party with what it had said.
func (p *plan) compareParties() {
	for _, n := range p.index.nodes {
		if !n.live() {
			continue
		}
		for _, a := range n.says {
			if !slices.Contains(p.draft.sources, a.Source) {
				n.next = append(n.next, a)
			}
		}
		for i := range p.draft.sources {
			p.compareSource(n, i)
		}
		if n.recorded && len(n.claims) == 0 && len(n.next) == len(n.says) {
			continue // nobody said anything new of it
		}
		p.settle(n)
	}
}

// compareSource compares what one source of the draft says of a party, under each of its
// keys, with what it had said.
func (p *plan) compareSource(n *node, source int) {
	var had []records.Assertion
	for _, a := range n.says {
		if a.Source == p.draft.sources[source] {
			had = append(had, a)
		}
	}
	counts := &p.report.sources[source].Parties
	p.report.sources[source].recorded += int64(len(had))
	for _, c := range n.claims {
		if c.source != source {
			continue
		}
		says := p.assertion(n, c)
		i := slices.IndexFunc(had, func(a records.Assertion) bool { return a.Key == says.Key })
		if i < 0 && !p.joinedElsewhere(n, source, had) {
			i = len(had) - 1 // the source names the party by another key now
		}
		if i < 0 {
			counts.Added++
			p.says(n, says)
			continue
		}
		was := had[i]
		had = slices.Delete(had, i, i+1)
		if was.Key == says.Key && was.Says == says.Says {
			counts.Unchanged++
			n.next = append(n.next, was)
			continue
		}
		counts.Changed++
		if was.Key != says.Key {
			p.unsays(n, was)
		}
		p.says(n, says)
	}
	for _, a := range had {
		if !p.draft.whole || n.kept&(1<<source) != 0 {
			n.next = append(n.next, a)
			continue
		}
		counts.Removed++
		p.unsays(n, a)
	}
}

// joinedElsewhere reports whether what is left of what the source had said belongs to
// other records of this party, so that a record with a new key cannot be its successor.
func (p *plan) joinedElsewhere(n *node, source int, had []records.Assertion) bool {
	return slices.ContainsFunc(had, func(a records.Assertion) bool {
		return slices.ContainsFunc(n.claims, func(c *claim) bool { return c.source == source && c.record.Key == a.Key })
	})
}

func (p *plan) assertion(n *node, c *claim) records.Assertion {
	r := c.record
	says := party.Party{
		ID: r.ID, UUID: r.UUID, Kind: r.Kind, Name: r.Name, OrgNumber: r.OrgNumber, NationalID: r.NationalID, UnitType: r.UnitType,
		DeletedOn: r.DeletedOn, BirthDate: r.BirthDate, DiedOn: r.DiedOn, UserID: r.UserID, Login: r.Login,
	}
	if c.main != nil {
		says.MainUnit = c.main.was.ID
	}
	// Of the sources of one import, the one named first counts as the one that wrote last.
	written := p.writes + int64(len(p.draft.sources)-1-c.source)
	return records.Assertion{Party: n.was.ID, Source: p.source(c), Key: r.Key, Says: says, Written: written}
}

func (p *plan) says(n *node, a records.Assertion) {
	n.next = append(n.next, a)
	c := p.change(n)
	c.putSays = append(c.putSays, a)
}

func (p *plan) unsays(n *node, a records.Assertion) {
	c := p.change(n)
	c.deleteSays = append(c.deleteSays, a)
}

// settle works out what the party is now.
func (p *plan) settle(n *node) {
	n.now = merge(n.was, n.next)
	switch {
	case !n.recorded:
		c := p.change(n)
		c.put, c.gains, c.createdBy = true, true, p.source(n.claims[0])
	case n.now != n.was:
		c := p.change(n)
		c.put, c.loses, c.gains = true, true, true
	}
}

// merge returns a party as its sources say it is. Identifiers that are known stay; a link
// to a main unit and a login go with the last source that asserts them.
func merge(was party.Party, says []records.Assertion) party.Party {
	says = slices.Clone(says)
	slices.SortStableFunc(says, func(a, b records.Assertion) int {
		return cmp.Or(-cmp.Compare(strength(a), strength(b)), -cmp.Compare(a.Written, b.Written))
	})
	now := was
	now.MainUnit, now.Login = 0, false
	if len(says) == 0 {
		return now
	}
	now = party.Party{ID: was.ID}
	for _, a := range says {
		s := a.Says
		now.UUID = cmp.Or(now.UUID, s.UUID)
		now.Kind = cmp.Or(now.Kind, s.Kind)
		now.Name = cmp.Or(now.Name, s.Name)
		now.OrgNumber = cmp.Or(now.OrgNumber, s.OrgNumber)
		now.NationalID = cmp.Or(now.NationalID, s.NationalID)
		now.UnitType = cmp.Or(now.UnitType, s.UnitType)
		now.MainUnit = cmp.Or(now.MainUnit, s.MainUnit)
		now.DeletedOn = cmp.Or(now.DeletedOn, s.DeletedOn)
		now.BirthDate = cmp.Or(now.BirthDate, s.BirthDate)
		now.DiedOn = cmp.Or(now.DiedOn, s.DiedOn)
		now.UserID = cmp.Or(now.UserID, s.UserID)
		now.Login = now.Login || s.Login
	}
	now.UUID = cmp.Or(now.UUID, was.UUID)
	now.OrgNumber = cmp.Or(now.OrgNumber, was.OrgNumber)
	now.NationalID = cmp.Or(now.NationalID, was.NationalID)
	now.UserID = cmp.Or(now.UserID, was.UserID)
	if now.Kind != party.SubUnit {
		now.MainUnit = 0
	}
	return now
}

// strength ranks what sources say: a source that knows the party by a key of its own only
// may have its name from somewhere else.
func strength(a records.Assertion) int {
	s := a.Says
	if s.ID != 0 || s.UUID != "" || s.OrgNumber != "" || s.NationalID != "" {
		return 1
	}
	return 0
}

// compareAssignments compares who holds what with what each source had said.
func (p *plan) compareAssignments() {
	for source, held := range p.held {
		p.report.sources[source].recorded += int64(len(held))
	}
	for i := range p.draft.holds {
		h := &p.draft.holds[i]
		var wrong faults
		from, to := p.party(h, "from", h.from, &wrong), p.party(h, "to", h.to, &wrong)
		if len(wrong) == 0 {
			allowed(h, from, to, &wrong)
		}
		if len(wrong) > 0 {
			p.report.refuse(h.place, ofAssignment, wrong)
			p.keepHeld(h, from, to)
			continue
		}
		p.compareHeld(h, from, to)
	}
	if p.draft.whole {
		for source, held := range p.held {
			p.removeHeld(source, held)
		}
	}
}

// party finds a party that an assignment names.
func (p *plan) party(h *hold, field string, name Reference, wrong *faults) *node {
	n := p.index.find(p.draft.sources[h.source], name)
	if n == nil {
		wrong.because(fault.NotFound, fault.ReasonPartyNotFound, field, "no party is known as %s; give the party in the same file or before", name)
		return nil
	}
	if len(n.next) == 0 && slices.ContainsFunc(n.says, func(a records.Assertion) bool { return a.Source == p.draft.sources[h.source] }) {
		wrong.because(fault.NotFound, fault.ReasonPartyNotFound, field, "the file no longer has the party %s; take the assignment out as well", name)
		return nil
	}
	return n
}

// allowed says what speaks against the role being held so.
func allowed(h *hold, from, to *node, wrong *faults) {
	refuse := func(field, format string, args ...any) {
		wrong.because(fault.Invalid, ReasonHolderNotAllowed, field, format, args...)
	}
	switch {
	case h.role.Link != roles.NoLink:
		if natural(from.now.Kind) || natural(to.now.Kind) {
			refuse("role", "%s links units, and is neither held nor given by a person", h.role.Code)
		} else if h.role.Link == roles.MainUnit && (from.now.Kind != party.SubUnit || from.now.MainUnit != to.now.ID) {
			refuse("to", "%s names the main unit that the sub-unit's own record gives as main_unit", h.role.Code)
		}
	case natural(to.now.Kind) && h.role.Holders == roles.Organisations:
		refuse("to", "%s is held by an organisation, not by %s", h.role.Code, kindName(to.now.Kind))
	case !natural(to.now.Kind) && h.role.Holders == roles.Persons:
		refuse("to", "%s is held by a person, not by %s", h.role.Code, kindName(to.now.Kind))
	}
}

// keepHeld keeps what the source had said when its new record was refused, where it can
// be told what that was.
func (p *plan) keepHeld(h *hold, from, to *node) {
	if from == nil || to == nil {
		return
	}
	if row := p.held[h.source][holdKey{from.now.ID, to.now.ID, h.role.Relation}]; row != nil {
		row.seen = true
	}
}

func (p *plan) compareHeld(h *hold, from, to *node) {
	counts := &p.report.sources[h.source].Assignments
	key := holdKey{from.now.ID, to.now.ID, h.role.Relation}
	now := records.Assignment{
		AssignmentKey: records.AssignmentKey{From: key.from, Role: key.role, To: key.to, Source: p.draft.sources[h.source]},
		User:          to.now.UserID,
		Expires:       h.expires,
	}
	row := p.held[h.source][key]
	switch {
	case row != nil && row.line != 0:
		var wrong faults
		wrong.add("to", "line %d says so already; give each assignment once", row.line)
		p.report.refuse(h.place, ofAssignment, wrong)
		return
	case row == nil:
		counts.Added++
		p.held[h.source][key] = &heldRow{Assignment: now, seen: true, line: max(h.line, 1)}
	case row.Expires.Equal(now.Expires):
		counts.Unchanged++
		row.seen, row.line = true, max(h.line, 1)
		return
	default:
		counts.Changed++
		row.seen, row.line = true, max(h.line, 1)
		p.change(from).loses = true
	}
	c := p.change(from)
	c.putHeld = append(c.putHeld, now)
	c.gains = true
}

// removeHeld removes what the source no longer says, unless an entry about one of the
// parties could not be read.
func (p *plan) removeHeld(source int, held map[holdKey]*heldRow) {
	for key, row := range held {
		from, to := p.index.byID[key.from], p.index.byID[key.to]
		if row.seen || from == nil || (from.kept|keptOf(to))&(1<<source) != 0 {
			continue
		}
		p.report.sources[source].Assignments.Removed++
		row.gone = true
		c := p.change(from)
		c.loses = true
		c.deleteHeld = append(c.deleteHeld, row.AssignmentKey)
	}
}

func keptOf(n *node) uint32 {
	if n == nil {
		return 0
	}
	return n.kept
}
