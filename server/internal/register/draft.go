package register

import (
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
)

// place is where an entry stands.
type place struct {
	source int // index in the draft's sources
	file   string
	line   int64
}

// claim is a party record that is right in itself. The record lies with the draft.
type claim struct {
	at   slot
	node nth // who is meant; none until matched, and when refused
	main nth // the main unit
	next nth // the next claim that means the same party
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

// draft is what a write says, before it is compared with what is recorded. Of parties and of
// assignments an import says millions of things, which are kept packed.
type draft struct {
	sources []string
	whole   bool // the draft is the whole truth of its sources: what they said and it lacks goes
	roles   *roleFinder
	claims  blocks[claim]
	records packed // of the claims
	holds   packed
	gives   []give
	keeps   []keep

	files map[string]int64 // numbered, since all entries of a file name the same
	named []string         // by their numbers
	entry packer           // reused
}

func (s *Service) draft(sources []string, whole bool) *draft {
	return &draft{
		sources: sources, whole: whole, files: make(map[string]int64),
		roles: &roleFinder{catalogue: s.catalogue, found: make(map[string]*roles.Role), numbers: make(map[string]uint16)},
	}
}

// takeParty takes a party record into the draft, or reports what is wrong with it.
func (d *draft) takeParty(at place, record PartyRecord, to *report) {
	if _, wrong := record.check(); len(wrong) > 0 {
		to.refuse(at, ofParty, wrong)
		d.keepRecord(at.source, record)
		return
	}
	d.entry.entry = d.entry.entry[:0]
	d.entry.record(&record)
	d.place(at)
	d.claims.add(claim{at: d.records.add(d.entry.entry)})
}

// record returns the record of a claim, and where it stands.
func (d *draft) record(c *claim) (place, PartyRecord) {
	u := d.records.at(c.at)
	r := u.record()
	return d.placed(u), r
}

// kind returns the kind that a claim gives to its party.
func (d *draft) kind(c *claim) party.Kind { return party.Kind(d.records.at(c.at).number()) }

// place packs where an entry stands.
func (d *draft) place(at place) {
	file, ok := d.files[at.file]
	if !ok {
		file = int64(len(d.named))
		d.files[at.file] = file
		d.named = append(d.named, at.file)
	}
	d.entry.number(int64(at.source))
	d.entry.number(file)
	d.entry.number(at.line)
}

func (d *draft) placed(u *unpacker) place {
	at := place{source: int(u.number())}
	at.file = d.named[u.number()]
	at.line = u.number()
	return at
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

// roleFinder finds roles by any of their names, each role once in memory, and numbers them.
type roleFinder struct {
	catalogue *roles.Catalogue
	found     map[string]*roles.Role
	numbers   map[string]uint16 // by relation
	numbered  []numberedRole
}

// numberedRole is a role of which there is no more than the relation when it has left the
// catalogue.
type numberedRole struct {
	relation string
	role     *roles.Role
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

// number returns the number of a role by its relation.
func (f *roleFinder) number(relation string) uint16 {
	n, ok := f.numbers[relation]
	if !ok {
		n = uint16(len(f.numbered))
		is := numberedRole{relation: relation}
		if role, ok := f.catalogue.ByRelation(relation); ok {
			is.role = &role
		}
		f.numbers[relation] = n
		f.numbered = append(f.numbered, is)
	}
	return n
}

// takeAssignment takes an assignment record into the draft, or reports what is wrong. It
// returns what it has taken.
func (d *draft) takeAssignment(at place, record AssignmentRecord, to *report) hold {
	var wrong faults
	h := hold{place: at, role: d.roles.find(record.Role), expires: micros(record.Expires)}
	h.from = reference(&wrong, "from", record.From)
	h.to = reference(&wrong, "to", record.To)
	if h.role == nil {
		wrong.because(fault.Invalid, fault.ReasonUnknownRole, "role",
			"the catalogue has no role %s; give a code, legacy code or URN, such as DAGL", quote(record.Role))
	} else if h.role.Link != roles.NoLink {
		wrong.unless(record.Expires.IsZero(), "expires_at", "%s is a link between units, which does not expire", h.role.Code)
	}
	if len(wrong) > 0 {
		to.refuse(at, ofAssignment, wrong)
		return hold{}
	}
	d.entry.entry = d.entry.entry[:0]
	d.place(at)
	d.entry.reference(h.from)
	d.entry.reference(h.to)
	d.entry.number(int64(d.roles.number(h.role.Relation)))
	d.entry.time(h.expires)
	d.holds.add(d.entry.entry)
	return h
}

// eachHold calls f for every assignment of the draft.
func (d *draft) eachHold(f func(*hold)) {
	for u := range d.holds.each() {
		h := hold{place: d.placed(u), from: u.reference(), to: u.reference()}
		h.role = d.roles.numbered[u.number()].role
		h.expires = u.time()
		f(&h)
	}
}

// statement is what a claim says.
type statement struct {
	place
	record PartyRecord
	main   nth
}

// statements returns what the claims from the first on say, which mean the same party.
func (d *draft) statements(first nth) []statement {
	var all []statement
	for n := first; n != 0; {
		c := d.claims.at(n)
		at, record := d.record(c)
		all = append(all, statement{at, record, c.main})
		n = c.next
	}
	return all
}
