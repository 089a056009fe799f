package register

import (
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// place is where an entry stands.
type place struct {
	source int // index in the draft's sources
	file   string
	line   int64
}

// claim is a party record that is right in itself.
type claim struct {
	place
	record   PartyRecord
	mainUnit Reference
	node     *node // who is meant; nil until matched, and when refused
	main     *node // the main unit
}

// hold is an assignment record that is right in itself.
type hold struct {
	place
	from, to Reference
	role     *roles.Role
	expires  time.Time
}

// keep says that what a source had said of a party stays.
type keep struct {
	source int
	names  []Reference
}

// draft is what a write says, before it is compared with what is recorded.
type draft struct {
	sources []string
	whole   bool // the draft is the whole truth of its sources: what they said and it lacks goes
	claims  []*claim
	holds   []hold
	gives   []give
	keeps   []keep
}

// takeParty takes a party record into the draft, or reports what is wrong with it.
func (d *draft) takeParty(at place, record PartyRecord, to *report) {
	mainUnit, wrong := record.check()
	if len(wrong) > 0 {
		to.refuse(at, ofParty, wrong)
		d.keepRecord(at.source, record)
		return
	}
	d.claims = append(d.claims, &claim{place: at, record: record, mainUnit: mainUnit})
}

// keepRecord keeps what the source had said of a party whose new record was refused: a
// slip in a file takes nobody's rights.
func (d *draft) keepRecord(source int, r PartyRecord) {
	var names []Reference
	for _, text := range []string{"uuid:" + r.UUID, "org:" + r.OrgNumber, "nin:" + r.NationalID, "key:" + r.Key, PartyID(r.ID).String()} {
		if name, ok := ParseReference(text); ok {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		d.keeps = append(d.keeps, keep{source: source, names: names})
	}
}

// roleFinder finds roles by any of their names, each role once in memory.
type roleFinder struct {
	catalogue *roles.Catalogue
	found     map[string]*roles.Role
}

func (f *roleFinder) find(text string) *roles.Role {
	if r, ok := f.found[text]; ok {
		return r
	}
	role, ok := f.catalogue.Role(text)
	if !ok {
		return nil // not remembered: a file may hold any number of wrong names
	}
	f.found[text] = &role
	return &role
}

// takeAssignment takes an assignment record into the draft, or reports what is wrong.
func (d *draft) takeAssignment(at place, record AssignmentRecord, find *roleFinder, to *report) {
	var wrong faults
	h := hold{place: at, role: find.find(record.Role), expires: record.Expires.UTC().Truncate(time.Microsecond)}
	h.from = reference(&wrong, "from", record.From)
	h.to = reference(&wrong, "to", record.To)
	if h.role == nil {
		wrong.because(fault.Invalid, fault.ReasonUnknownRole, "role",
			"the catalogue has no role %s; give a code, legacy code or URN, such as DAGL", quote(record.Role))
	} else if h.role.Link != roles.NoLink {
		wrong.unless(record.Expires.IsZero(), "expires_at", "%s is a link between units, which does not expire", h.role.Code)
	}
	if record.Expires.IsZero() {
		h.expires = time.Time{}
	}
	if len(wrong) > 0 {
		to.refuse(at, ofAssignment, wrong)
		return
	}
	d.holds = append(d.holds, h)
}
