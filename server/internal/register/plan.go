package register

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// plan compares a draft with what is recorded and says what has to be written. It goes through
// the parties twice: once to learn what becomes of each, of which it keeps little, and once more
// for those that change, some at a time, when they are written. Nobody else writes meanwhile.
// The index, the assignments and delegations of the draft's sources and the numbers are given to it.
type plan struct {
	draft   *draft
	index   *index
	rows    blocks[row]            // what the draft's sources assert, recorded and new
	held    map[holdKey]nth        // the rows
	given   []map[string]*givenRow // what each source says to be delegated, by id
	regiven map[party.ID]*regiven
	spared  map[party.ID]uint16 // bit i: a delegation of source i that names it was refused
	numbers numbering
	writes  int64 // the number of this write; each of its sources has one, from here on
	report  *report
	now     time.Time
	step    func(done, all int) // is told how many parties are compared; nil for nobody
}

// holdKey says who holds which role in whom, by which of the draft's sources.
type holdKey struct {
	from, to     uint32
	role, source uint16
}

// row is an assignment of a source: as recorded, or as it will be.
type row struct {
	expires  int64 // in microseconds, or never
	from, to uint32
	user     uint32 // the holder's, when the row is to be written
	line     uint32 // where the draft says it; 0 when it does not
	next     nth    // of the same party, among those that are written or deleted
	role     uint16
	source   uint8
	fate     fate
}

// fate is what becomes of a row.
type fate uint8

const (
	stays   fate = iota + 1 // as the draft says
	written                 // is new or changed
	deleted                 // the draft lacks it
)

// regiven is what changes of what a party delegates.
type regiven struct{ put, remove []records.Delegation }

// change is what is written of one party and of the assignments in it.
type change struct {
	node         *node
	put          bool   // write the party's record
	createdBy    string // its first source
	putSays      []records.Assertion
	deleteSays   []records.Assertion
	putHeld      []records.Assignment
	deleteHeld   []records.AssignmentKey
	putGiven     []records.Delegation
	deleteGiven  []records.Delegation
	remove       bool
	into         *node // that a removed person is joined to, nil for none
	loses, gains bool  // in its record
}

// node is a party as a write sees it when its turn has come.
type node struct {
	recorded bool
	was      party.Party // as recorded; of a new party the identifiers that it gets
	now      party.Party // as it will be
	says     []records.Assertion
	next     []records.Assertion // what sources will say
	parent   bool                // is the recorded main unit of another; known of a party that is asked for by name
}

func newPlan(d *draft, x *index, to *report, now time.Time) *plan {
	p := &plan{draft: d, index: x, report: to, now: now, held: make(map[holdKey]nth), regiven: make(map[party.ID]*regiven), spared: make(map[party.ID]uint16)}
	for range d.sources {
		p.given = append(p.given, make(map[string]*givenRow))
	}
	return p
}

// run makes the plan. The steps need each other in this order: a party has to be matched
// before it can be somebody's main unit, numbered before it can be compared, and what is
// said of parties decides which assignments can stand.
func (p *plan) run(ctx context.Context, tx *records.Tx) error {
	p.matchParties()
	p.matchMainUnits()
	p.keep()
	if err := p.number(); err != nil {
		return err
	}
	if err := p.compareParties(ctx, tx); err != nil {
		return err
	}
	p.compareAssignments()
	p.compareDelegations()
	return nil
}

// keep marks what refused and unreadable entries were about.
func (p *plan) keep() {
	for _, k := range p.draft.keeps {
		for _, name := range k.names {
			if n := p.index.find(p.draft.sources[k.source], name); n != 0 {
				p.stub(n).kept |= 1 << k.source
			}
		}
	}
}

// weight is about how much work it is to write a party.
func (s *stub) weight() int { return 4 + int(s.work) }

// rank orders changes. First come parties that only lose something, then those that lose
// and gain, then new ones: whenever a run is cut short, or somebody reads while it is
// under way, rights that the file takes back are gone before any that it gives are there.
// Each party is written whole, so that nobody sees one without those who act for it. New
// parties come in the order in which they name each other: persons, main units, sub-units.
func (s *stub) rank() int {
	switch {
	case s.loses && !s.gains:
		return 0
	case s.loses:
		return 1
	case natural(s.kind):
		return 2
	case s.kind != party.SubUnit:
		return 3
	}
	return 4
}

// ordered returns the parties that change, in the order in which they are to be written.
func (p *plan) ordered() []nth {
	var all []nth
	for n, s := range p.index.stubs.each() {
		if s.changed {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b nth) int {
		s, t := p.stub(a), p.stub(b)
		return cmp.Or(cmp.Compare(s.rank(), t.rank()), cmp.Compare(s.id, t.id))
	})
	return all
}

// Bounds of one transaction. The graph takes up to 10,000 updates at once; a changed
// assignment is at most two.
const (
	mostParties = 2000
	mostWeight  = 12000
)

// chunk returns the first of the parties that are to be written, as many as one transaction
// takes.
func (p *plan) chunk(all []nth, mostParties int) []nth {
	weight := 0
	for i, n := range all {
		weight += p.stub(n).weight()
		if i > 0 && (i >= mostParties || weight > mostWeight) {
			return all[:i]
		}
	}
	return all
}

// changes returns what is written of parties.
func (p *plan) changes(ctx context.Context, tx *records.Tx, some []nth) ([]*change, error) {
	all, err := p.compared(ctx, tx, some, newReport(p.draft.sources)) // they have been counted
	if err != nil {
		return nil, err
	}
	for i, n := range some {
		c, s := all[i], p.stub(n)
		if c.node.now.UUID == "" {
			c.node.now.UUID = newUUID()
		}
		if s.removed {
			c.put, c.remove = false, true
		}
		for n := s.rows; n != 0; n = p.rows.at(n).next {
			r := p.rows.at(n)
			key := records.AssignmentKey{
				From: party.ID(r.from), Role: p.draft.roles.numbered[r.role].relation, To: party.ID(r.to), Source: p.draft.sources[r.source],
			}
			if r.fate == deleted {
				c.deleteHeld = append(c.deleteHeld, key)
			} else {
				c.putHeld = append(c.putHeld, records.Assignment{AssignmentKey: key, User: party.UserID(r.user), Expires: instant(r.expires)})
			}
		}
		if g := p.regiven[s.id]; g != nil {
			c.putGiven, c.deleteGiven = g.put, g.remove
		}
	}
	return all, nil
}

// forget lets go of what is not needed to write what was planned.
func (p *plan) forget() {
	p.index.forget()
	p.held, p.given = nil, nil
	p.draft.holds, p.draft.gives, p.draft.keeps = packed{}, nil, nil
}
