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
	for _, c := range p.draft.claims {
		var wrong faults
		n := p.match(c, &wrong)
		if n != nil && len(wrong) == 0 {
			p.fits(c, n, &wrong)
		}
		if len(wrong) > 0 {
			p.refuseClaim(c, wrong)
			continue
		}
		if n == nil {
			n = &node{}
			p.index.nodes = append(p.index.nodes, n)
		}
		p.accept(c, n)
	}
}

func (p *plan) refuseClaim(c *claim, wrong faults) {
	c.node = nil
	p.report.refuse(c.place, ofParty, wrong)
	p.draft.keepRecord(c.source, c.record)
}

// named is one identifier of a record and the party it names.
type named struct {
	field string
	node  *node
}

// match returns the party that the record's identifiers name, nil when they name none.
func (p *plan) match(c *claim, wrong *faults) *node {
	r, x := c.record, p.index
	key := x.byKey[sourceKey{p.source(c), r.Key}]
	first := named{}
	for _, id := range []named{
		{"party_id", x.byID[r.ID]},
		{"party_uuid", x.byUUID[r.UUID]},
		{"org_number", x.byOrgNumber[r.OrgNumber]},
		{"national_id", x.byNationalID[r.NationalID]},
		{"user_id", x.byUser[r.UserID]},
	} {
		switch {
		case id.node == nil || !id.node.live():
		case first.node == nil:
			first = id
		case first.node != id.node:
			conflict(wrong, id.field, "names %s, but %s names %s", id.node.title(), first.field, first.node.title())
		}
	}
	switch {
	case r.Key == "" || key == nil || !key.live() || key == first.node:
		return first.node
	case first.node == nil:
		return key
	case p.draft.whole && key.derived():
		// The source has found out who the person is that it only knew by its own key. In
		// the whole truth of the source the key now means him, and what the source said of
		// the derived person goes, like everything that the file lacks.
		return first.node
	}
	conflict(wrong, "source_key", "names %s, but %s names %s; join them if they are one person", key.title(), first.field, first.node.title())
	return first.node
}

func conflict(wrong *faults, field, format string, args ...any) {
	wrong.because(fault.Precondition, ReasonPartyConflict, field, format, args...)
}

func (p *plan) source(c *claim) string { return p.draft.sources[c.source] }

// derived reports whether the party is a person known by keys of sources only.
func (n *node) derived() bool {
	return n.recorded && n.was.Kind == party.Person && n.was.NationalID == "" && !n.was.Login
}

func (n *node) title() string {
	if n.was.ID == 0 {
		return "a new party of this file"
	}
	return fmt.Sprintf("party %d", n.was.ID)
}

// fits says what speaks against the record being of the party.
func (p *plan) fits(c *claim, n *node, wrong *faults) {
	r := c.record
	if was := n.kind(); family(was) != family(r.Kind) {
		conflict(wrong, "kind", "%s is %s and cannot become %s", n.title(), kindName(was), kindName(r.Kind))
	}
	if n.parent && r.Kind == party.SubUnit {
		wrong.because(fault.Precondition, ReasonPartyHasSubUnits, "kind", "%s has sub-units and cannot be one", n.title())
	}
	if n.was.ID != 0 && r.ID != 0 && n.was.ID != r.ID {
		conflict(wrong, "party_id", "is %d for this party, not %d", n.was.ID, r.ID)
	}
	if was := n.was.UserID; was != 0 && r.UserID != 0 && was != r.UserID && (n.was.Login || was < records.FirstNumber || !n.recorded) {
		conflict(wrong, "user_id", "is %d for this person, not %d; only a number that the server gave to a person without login is replaced", was, r.UserID)
	}
	if r.ID == 0 && r.UUID == "" {
		// Nothing that outlasts a correction says that it is the same party.
		if was := n.was.NationalID; was != "" && r.NationalID != "" && was != r.NationalID {
			conflict(wrong, "national_id", "is another for this person; give party_id or party_uuid to correct it")
		}
		if was := n.was.OrgNumber; was != "" && r.OrgNumber != "" && was != r.OrgNumber {
			conflict(wrong, "org_number", "is %s for this party, not %s; give party_id or party_uuid to correct it", was, r.OrgNumber)
		}
	}
	for _, other := range n.claims {
		if other.source == c.source && !p.joined(c, n) {
			wrong.add(identifierField(r), "line %d of this source is about the same party; give each party once", other.line)
			break
		}
	}
}

// joined reports whether the record's key was already one of the party's. A source may say
// something under each key of a party that was joined from several.
func (p *plan) joined(c *claim, n *node) bool {
	if c.record.Key == "" {
		return false
	}
	for _, other := range n.claims {
		if other.source == c.source && other.record.Key == c.record.Key {
			return false
		}
	}
	for _, a := range n.says {
		if a.Source == p.source(c) && a.Key == c.record.Key {
			return true
		}
	}
	return false
}

func identifierField(r PartyRecord) string {
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

// accept takes the record as one of the party.
func (p *plan) accept(c *claim, n *node) {
	r := c.record
	c.node = n
	n.claims = append(n.claims, c)
	given := party.Party{ID: r.ID, UUID: r.UUID, OrgNumber: r.OrgNumber, NationalID: r.NationalID, UserID: r.UserID}
	p.index.name(n, given)
	if r.Key != "" {
		p.index.byKey[sourceKey{p.source(c), r.Key}] = n
	}
	if n.recorded {
		return
	}
	// A new party's identifiers are held against those that later records give it.
	n.was.ID = max(n.was.ID, r.ID)
	n.was.UserID = max(n.was.UserID, r.UserID)
	n.was.OrgNumber = cmp.Or(n.was.OrgNumber, r.OrgNumber)
	n.was.NationalID = cmp.Or(n.was.NationalID, r.NationalID)
}

// matchMainUnits finds the main unit of each sub-unit, which may stand later in the file.
// A sub-unit whose main unit cannot be found is refused; no main unit is lost by that.
func (p *plan) matchMainUnits() {
	for _, c := range p.draft.claims {
		if c.node == nil || c.record.Kind != party.SubUnit {
			continue
		}
		var wrong faults
		main := p.index.find(p.source(c), c.mainUnit)
		switch {
		case main == nil:
			wrong.because(fault.NotFound, fault.ReasonPartyNotFound, "main_unit", "no party is known as %s; give its main unit in the same file or before", c.mainUnit)
		case main.kind() == party.SubUnit:
			wrong.add("main_unit", "%s is itself a sub-unit; give the main unit of both", c.mainUnit)
		case natural(main.kind()):
			wrong.add("main_unit", "%s is %s; a main unit is an organisation", c.mainUnit, kindName(main.kind()))
		}
		if len(wrong) > 0 {
			p.unaccept(c)
			p.refuseClaim(c, wrong)
			continue
		}
		c.main = main
	}
}

// unaccept takes a record back. A new party of which nothing is left is not live.
func (p *plan) unaccept(c *claim) {
	n := c.node
	for i, other := range n.claims {
		if other == c {
			n.claims = append(n.claims[:i], n.claims[i+1:]...)
			break
		}
	}
}
