package register

import (
	"math"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// hold takes an assignment that a source of the draft asserts, as recorded.
func (p *plan) hold(source int, a records.Assignment) {
	key := p.holdKey(source, a.From, a.To, a.Role)
	p.held[key] = p.rows.add(key.row(a.Expires))
	p.report.sources[source].recorded++
}

func (p *plan) holdKey(source int, from, to party.ID, relation string) holdKey {
	return holdKey{from: uint32(from), to: uint32(to), role: p.draft.roles.number(relation), source: uint16(source)}
}

// row is an assignment of which it is not known yet what becomes of it.
func (k holdKey) row(expires time.Time) row {
	return row{from: k.from, to: k.to, role: k.role, source: uint8(k.source), expires: microseconds(expires)}
}

// compareAssignments compares who holds what with what each source had said.
func (p *plan) compareAssignments() {
	p.draft.eachHold(func(h *hold) {
		var wrong faults
		from, to := p.party(h.place, "from", h.from, &wrong), p.party(h.place, "to", h.to, &wrong)
		if len(wrong) == 0 {
			allowed(h, from, to, &wrong)
		}
		if len(wrong) > 0 {
			p.report.refuse(h.place, ofAssignment, wrong)
			p.keepHeld(h, from, to)
			return
		}
		p.compareHeld(h, from, to)
	})
	if p.draft.whole {
		p.removeHeld()
	}
}

// party finds a party that an entry names.
func (p *plan) party(at place, field string, name Reference, wrong *faults) *stub {
	n := p.index.find(p.draft.sources[at.source], name)
	if n == 0 {
		wrong.because(fault.NotFound, fault.ReasonPartyNotFound, field, "no party is known as %s; give the party in the same file or before", name)
		return nil
	}
	s := p.stub(n)
	if s.silent && s.says&(1<<at.source) != 0 {
		wrong.because(fault.NotFound, fault.ReasonPartyNotFound, field, "the file no longer has the party %s; take the assignment out as well", name)
		return nil
	}
	return s
}

// allowed says what speaks against the role being held so.
func allowed(h *hold, from, to *stub, wrong *faults) {
	refuse := func(field, format string, args ...any) {
		wrong.because(fault.Invalid, ReasonHolderNotAllowed, field, format, args...)
	}
	switch {
	case h.role.Link != roles.NoLink:
		if natural(from.kind) || natural(to.kind) {
			refuse("role", "%s links units, and is neither held nor given by a person", h.role.Code)
		} else if h.role.Link == roles.MainUnit && (from.kind != party.SubUnit || from.main != to.id) {
			refuse("to", "%s names the main unit that the sub-unit's own record gives as main_unit", h.role.Code)
		}
	case natural(to.kind) && h.role.Holders == roles.Organisations:
		refuse("to", "%s is held by an organisation, not by %s", h.role.Code, kindName(to.kind))
	case !natural(to.kind) && h.role.Holders == roles.Persons:
		refuse("to", "%s is held by a person, not by %s", h.role.Code, kindName(to.kind))
	}
}

// keepHeld keeps what the source had said when its new record was refused, where it can
// be told what that was.
func (p *plan) keepHeld(h *hold, from, to *stub) {
	if from == nil || to == nil {
		return
	}
	if n := p.held[p.holdKey(h.source, from.id, to.id, h.role.Relation)]; n != 0 && p.rows.at(n).fate == 0 {
		p.rows.at(n).fate = stays
	}
}

func (p *plan) compareHeld(h *hold, from, to *stub) {
	counts := &p.report.sources[h.source].Assignments
	key := p.holdKey(h.source, from.id, to.id, h.role.Relation)
	n := p.held[key]
	if n == 0 {
		counts.Added++
		n = p.rows.add(key.row(h.expires))
		p.held[key] = n
		p.write(from, n, written)
	} else if line := p.rows.at(n).line; line != 0 {
		var wrong faults
		wrong.add("to", "line %d says so already; give each assignment once", line)
		p.report.refuse(h.place, ofAssignment, wrong)
		return
	} else if expires := microseconds(h.expires); p.rows.at(n).expires == expires {
		counts.Unchanged++
		p.rows.at(n).fate = stays
	} else {
		counts.Changed++
		p.rows.at(n).expires = expires
		p.write(from, n, written)
		from.loses = true
	}
	r := p.rows.at(n)
	r.user, r.line = uint32(to.user), uint32(min(max(h.line, 1), math.MaxUint32))
}

// write notes that a row is written or deleted with the party in which the role is held.
func (p *plan) write(from *stub, n nth, f fate) {
	r := p.rows.at(n)
	r.fate = f
	r.next, from.rows = from.rows, n
	from.work++
	from.changed = true
	if f == written {
		from.gains = true
	} else {
		from.loses = true
	}
}

// removeHeld removes what the sources no longer say, unless an entry about one of the
// parties could not be read.
func (p *plan) removeHeld() {
	for n, r := range p.rows.each() {
		from := p.index.id(party.ID(r.from))
		if r.fate != 0 || from == nil || (from.kept|p.keptOf(party.ID(r.to)))&(1<<r.source) != 0 {
			continue
		}
		p.report.sources[r.source].Assignments.Removed++
		p.write(from, n, deleted)
	}
}

func (p *plan) keptOf(id party.ID) uint16 {
	if s := p.index.id(id); s != nil {
		return s.kept
	}
	return 0
}
