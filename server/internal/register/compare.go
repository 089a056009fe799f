package register

import (
	"cmp"
	"context"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// comparedParties is how many parties are compared at a time.
const comparedParties = 2000

// compareParties compares what each source says of each party with what it had said, and notes
// what becomes of the parties.
func (p *plan) compareParties(ctx context.Context, tx *records.Tx) error {
	some := make([]nth, 0, comparedParties)
	compare := func() error {
		changes, err := p.compared(ctx, tx, some, p.report)
		for i, c := range changes {
			p.stub(some[i]).note(c)
		}
		some = some[:0]
		return err
	}
	for n, s := range p.index.stubs.each() {
		if !s.live() {
			continue
		}
		if some = append(some, n); len(some) < comparedParties {
			continue
		}
		if err := compare(); err != nil {
			return err
		}
		if p.step != nil {
			p.step(int(n), p.index.stubs.len)
		}
	}
	return compare()
}

// note keeps what assignments, other parties and the order of writing need to know.
func (s *stub) note(c *change) {
	now := c.node.now
	s.kind, s.main, s.user = now.Kind, now.MainUnit, now.UserID
	s.silent = s.recorded && len(c.node.next) == 0
	s.work = uint32(len(c.putSays) + len(c.deleteSays))
	s.changed = c.put || s.work > 0
	s.loses, s.gains = c.loses, c.gains
}

// compared returns what is written of the records of parties, which are there.
func (p *plan) compared(ctx context.Context, tx *records.Tx, some []nth, to *report) ([]*change, error) {
	var ids []party.ID
	for _, n := range some {
		if s := p.stub(n); s.recorded {
			ids = append(ids, s.id)
		}
	}
	var (
		was  map[party.ID]party.Party
		says = make(map[party.ID][]records.Assertion, len(ids))
	)
	if len(ids) > 0 {
		all, err := tx.AssertionsOf(ctx, ids...)
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			says[a.Party] = append(says[a.Party], a)
		}
		if was, err = tx.PartiesByID(ctx, ids); err != nil {
			return nil, err
		}
	}
	changes := make([]*change, len(some))
	for i, n := range some {
		s := p.stub(n)
		claims := p.draft.statements(s.first)
		is := &node{recorded: s.recorded, was: was[s.id], says: says[s.id]}
		switch {
		case !s.recorded:
			is.was = identified(s, claims)
		case is.was.ID == 0:
			return nil, fault.New(fault.Aborted, fault.ReasonUnavailable, "party %d has gone since it was compared; run the import again", s.id)
		}
		is.now = is.was
		changes[i] = &change{node: is}
		p.compareParty(changes[i], claims, s.kept, to)
	}
	return changes, nil
}

// identified is a new party with the identifiers that it was given.
func identified(s *stub, claims []statement) party.Party {
	is := party.Party{ID: s.id, UserID: s.user}
	for i := range claims {
		r := &claims[i].record
		is.UUID = cmp.Or(is.UUID, r.UUID)
		is.OrgNumber = cmp.Or(is.OrgNumber, r.OrgNumber)
		is.NationalID = cmp.Or(is.NationalID, r.NationalID)
	}
	return is
}

func (p *plan) compareParty(c *change, claims []statement, kept uint16, to *report) {
	n := c.node
	for _, a := range n.says {
		if !slices.Contains(p.draft.sources, a.Source) {
			n.next = append(n.next, a)
		}
	}
	for i := range p.draft.sources {
		p.compareSource(c, claims, i, kept&(1<<i) != 0, &to.sources[i])
	}
	if n.recorded && len(claims) == 0 && len(n.next) == len(n.says) {
		return // nobody said anything new of it
	}
	p.settle(c, claims)
}

// compareSource compares what one source of the draft says of a party, under each of its
// keys, with what it had said.
func (p *plan) compareSource(c *change, claims []statement, source int, kept bool, to *SourceOutcome) {
	n := c.node
	var had []records.Assertion
	for _, a := range n.says {
		if a.Source == p.draft.sources[source] {
			had = append(had, a)
		}
	}
	counts := &to.Parties
	to.recorded += int64(len(had))
	for i := range claims {
		if claims[i].source != source {
			continue
		}
		says := p.assertion(n, &claims[i])
		at := slices.IndexFunc(had, func(a records.Assertion) bool { return a.Key == says.Key })
		if at < 0 && !joinedElsewhere(claims, source, had) {
			at = len(had) - 1 // the source names the party by another key now
		}
		if at < 0 {
			counts.Added++
			c.says(says)
			continue
		}
		was := had[at]
		had = slices.Delete(had, at, at+1)
		if was.Key == says.Key && was.Says == says.Says {
			counts.Unchanged++
			n.next = append(n.next, was)
			continue
		}
		counts.Changed++
		if was.Key != says.Key {
			c.deleteSays = append(c.deleteSays, was)
		}
		c.says(says)
	}
	for _, a := range had {
		if !p.draft.whole || kept {
			n.next = append(n.next, a)
			continue
		}
		counts.Removed++
		c.deleteSays = append(c.deleteSays, a)
	}
}

// joinedElsewhere reports whether what is left of what the source had said belongs to
// other records of this party, so that a record with a new key cannot be its successor.
func joinedElsewhere(claims []statement, source int, had []records.Assertion) bool {
	return slices.ContainsFunc(had, func(a records.Assertion) bool {
		return slices.ContainsFunc(claims, func(c statement) bool { return c.source == source && c.record.Key == a.Key })
	})
}

func (p *plan) assertion(n *node, c *statement) records.Assertion {
	r := &c.record
	says := party.Party{
		ID: r.ID, UUID: r.UUID, Kind: r.Kind, Name: r.Name, OrgNumber: r.OrgNumber, NationalID: r.NationalID, UnitType: r.UnitType,
		DeletedOn: r.DeletedOn, BirthDate: r.BirthDate, DiedOn: r.DiedOn, UserID: r.UserID, Login: r.Login,
	}
	if c.main != 0 {
		says.MainUnit = p.stub(c.main).id
	}
	// Of the sources of one import, the one named first counts as the one that wrote last.
	written := p.writes + int64(len(p.draft.sources)-1-c.source)
	return records.Assertion{Party: n.was.ID, Source: p.draft.sources[c.source], Key: r.Key, Says: says, Written: written}
}

// says adds what a source says from now on.
func (c *change) says(a records.Assertion) {
	c.node.next = append(c.node.next, a)
	c.putSays = append(c.putSays, a)
}

// settle works out what the party is now.
func (p *plan) settle(c *change, claims []statement) {
	n := c.node
	n.now = merge(n.was, n.next)
	switch {
	case !n.recorded:
		c.put, c.gains, c.createdBy = true, true, p.draft.sources[claims[0].source]
	case n.now != n.was:
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
