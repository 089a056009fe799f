package register

import (
	"cmp"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// matchParties finds the party that each record means. A record that none of its
// identifiers finds is a new party, which later records can mean.
func (p *plan) matchParties() {
	for n, c := range p.draft.claims.each() {
		var wrong faults
		at, r := p.draft.record(c)
		node := p.match(at, &r, &wrong)
		if node != 0 && len(wrong) == 0 {
			p.fits(at, &r, node, &wrong)
		}
		if len(wrong) > 0 {
			p.refuseClaim(c, wrong)
			continue
		}
		if node == 0 {
			node = p.index.stubs.add(stub{})
		}
		p.accept(n, at, &r, node)
	}
}

func (p *plan) refuseClaim(c *claim, wrong faults) {
	c.node = 0
	at, r := p.draft.record(c)
	p.report.refuse(at, ofParty, wrong)
	p.draft.keepRecord(at.source, r)
}

// named is one identifier of a record and the party it names.
type named struct {
	field string
	node  nth
}

// match returns the party that the record's identifiers name, none when they name none.
func (p *plan) match(at place, r *PartyRecord, wrong *faults) nth {
	x := p.index
	first := named{}
	for _, id := range []named{
		{"party_id", x.byID[uint32(r.ID)]},
		{"party_uuid", x.uuid(r.UUID)},
		{"org_number", x.byOrgNumber[uint32(numeral(r.OrgNumber))]},
		{"national_id", x.byNationalID[numeral(r.NationalID)]},
		{"user_id", x.byUser[uint32(r.UserID)]},
	} {
		switch {
		case id.node == 0 || !p.stub(id.node).live():
		case first.node == 0:
			first = id
		case first.node != id.node:
			conflict(wrong, id.field, "names %s, but %s names %s", p.stub(id.node).title(), first.field, p.stub(first.node).title())
		}
	}
	if r.Key == "" {
		return first.node
	}
	key := x.byKey[keyOf(p.draft.sources[at.source], r.Key)].now
	switch {
	case key == 0 || !p.stub(key).live() || key == first.node:
		return first.node
	case first.node == 0:
		return key
	case p.draft.whole && p.stub(key).derived():
		// The source has found out who the person is that it only knew by its own key. In
		// the whole truth of the source the key now means him, and what the source said of
		// the derived person goes, like everything that the file lacks.
		return first.node
	}
	conflict(wrong, "source_key", "names %s, but %s names %s; join them if they are one person",
		p.stub(key).title(), first.field, p.stub(first.node).title())
	return first.node
}

func conflict(wrong *faults, field, format string, args ...any) {
	wrong.because(fault.Precondition, ReasonPartyConflict, field, format, args...)
}

func (p *plan) stub(n nth) *stub { return p.index.stubs.at(n) }

// derived reports whether the party is a person known by keys of sources only.
func (s *stub) derived() bool {
	return s.recorded && s.was == party.Person && s.number == 0 && !s.login
}

func (s *stub) title() string {
	if s.id == 0 {
		return "a new party of this file"
	}
	return fmt.Sprintf("party %d", s.id)
}

// fits says what speaks against the record being of the party.
func (p *plan) fits(at place, r *PartyRecord, node nth, wrong *faults) {
	s := p.stub(node)
	if family(s.kind) != family(r.Kind) {
		conflict(wrong, "kind", "%s is %s and cannot become %s", s.title(), kindName(s.kind), kindName(r.Kind))
	}
	if s.parent && r.Kind == party.SubUnit {
		wrong.because(fault.Precondition, ReasonPartyHasSubUnits, "kind", "%s has sub-units and cannot be one", s.title())
	}
	if s.id != 0 && r.ID != 0 && s.id != r.ID {
		conflict(wrong, "party_id", "is %d for this party, not %d", s.id, r.ID)
	}
	if s.user != 0 && r.UserID != 0 && s.user != r.UserID && (s.login || s.user < records.FirstNumber || !s.recorded) {
		conflict(wrong, "user_id", "is %d for this person, not %d; only a number that the server gave to a person without login is replaced", s.user, r.UserID)
	}
	number := numberOf(r.Kind, r.OrgNumber, r.NationalID)
	if r.ID == 0 && r.UUID == "" && natural(s.kind) == natural(r.Kind) && s.number != 0 && number != 0 && s.number != number {
		// Nothing that outlasts a correction says that it is the same party.
		if natural(r.Kind) {
			conflict(wrong, "national_id", "is another for this person; give party_id or party_uuid to correct it")
		} else {
			conflict(wrong, "org_number", "is %09d for this party, not %s; give party_id or party_uuid to correct it", s.number-1, r.OrgNumber)
		}
	}
	claims := p.draft.statements(s.first)
	for _, other := range claims {
		if other.source == at.source && !p.joined(at, r, node, claims) {
			wrong.add(identifierField(r), "line %d of this source is about the same party; give each party once", other.line)
			break
		}
	}
}

// joined reports whether the record's key was already one of the party's. A source may say
// something under each key of a party that was joined from several.
func (p *plan) joined(at place, r *PartyRecord, node nth, claims []statement) bool {
	if r.Key == "" {
		return false
	}
	for _, other := range claims {
		if other.source == at.source && other.record.Key == r.Key {
			return false
		}
	}
	return p.index.byKey[keyOf(p.draft.sources[at.source], r.Key)].was == node
}

func identifierField(r *PartyRecord) string {
	switch {
	case r.ID != 0:
		return "party_id"
	case r.UUID != "":
		return "party_uuid"
	case r.OrgNumber != "":
		return "org_number"
	case r.NationalID != "":
		return "national_id"
	}
	return "source_key"
}

// family returns a kind that stands for those which a party may change between.
func family(k party.Kind) party.Kind {
	if natural(k) {
		return k
	}
	return party.Organisation
}

// accept takes the record of a claim as one of the party.
func (p *plan) accept(n nth, at place, r *PartyRecord, node nth) {
	c, s := p.draft.claims.at(n), p.stub(node)
	c.node = node
	if s.last != 0 {
		p.draft.claims.at(s.last).next = n
	} else {
		s.first = n
	}
	s.last, s.kind = n, r.Kind
	p.index.name(node, records.Identifiers{ID: r.ID, UUID: r.UUID, OrgNumber: r.OrgNumber, NationalID: r.NationalID, UserID: r.UserID})
	if r.Key != "" {
		key := keyOf(p.draft.sources[at.source], r.Key)
		p.index.byKey[key] = keyed{was: p.index.byKey[key].was, now: node}
	}
	p.numbers.take(r.ID, r.UserID)
	if s.recorded {
		return
	}
	// A new party's identifiers are held against those that later records give it.
	s.id = max(s.id, r.ID)
	s.user = max(s.user, r.UserID)
	s.number = cmp.Or(s.number, numberOf(r.Kind, r.OrgNumber, r.NationalID))
}

// matchMainUnits finds the main unit of each sub-unit, which may stand later in the file.
// A sub-unit whose main unit cannot be found is refused; no main unit is lost by that.
func (p *plan) matchMainUnits() {
	for n, c := range p.draft.claims.each() {
		if c.node == 0 || p.draft.kind(c) != party.SubUnit {
			continue
		}
		var wrong faults
		at, r := p.draft.record(c)
		name, _ := ParseReference(r.MainUnit)
		main := p.index.find(p.draft.sources[at.source], name)
		switch {
		case main == 0:
			wrong.because(fault.NotFound, fault.ReasonPartyNotFound, "main_unit", "no party is known as %s; give its main unit in the same file or before", name)
		case p.stub(main).kind == party.SubUnit:
			wrong.add("main_unit", "%s is itself a sub-unit; give the main unit of both", name)
		case natural(p.stub(main).kind):
			wrong.add("main_unit", "%s is %s; a main unit is an organisation", name, kindName(p.stub(main).kind))
		}
		if len(wrong) > 0 {
			p.unaccept(n)
			p.refuseClaim(c, wrong)
			continue
		}
		c.main = main
	}
}

// unaccept takes a record back. A new party of which nothing is left is not live.
func (p *plan) unaccept(n nth) {
	claims := &p.draft.claims
	c := claims.at(n)
	s := p.stub(c.node)
	var before nth
	for m := s.first; m != n; m = claims.at(m).next {
		before = m
	}
	if before == 0 {
		s.first = c.next
	} else {
		claims.at(before).next = c.next
	}
	if s.last == n {
		s.last = before
	}
	c.next = 0
	s.kind = s.was
	if s.last != 0 {
		s.kind = p.draft.kind(claims.at(s.last))
	}
}
