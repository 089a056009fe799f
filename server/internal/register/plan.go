package register

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// plan compares a draft with what is recorded and says what has to be written. It reads
// nothing itself: the index, the assignments and the numbers are given to it.
type plan struct {
	draft   *draft
	index   *index
	held    []map[holdKey]*heldRow // what each of the draft's sources asserts
	given   []map[string]*givenRow // and says to be delegated, by id
	numbers numbering
	writes  int64 // the number of this write; each of its sources has one, from here on
	report  *report
	now     time.Time
	changes map[party.ID]*change
}

// holdKey says who holds which role in whom.
type holdKey struct {
	from, to party.ID
	role     string
}

// heldRow is an assignment of a source as recorded.
type heldRow struct {
	records.Assignment
	seen bool  // the draft says it too
	line int64 // where
	gone bool
}

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
	loses, gains bool
}

func (p *plan) change(n *node) *change {
	c, ok := p.changes[n.now.ID]
	if !ok {
		c = &change{node: n}
		p.changes[n.now.ID] = c
	}
	return c
}

// run makes the plan. The steps need each other in this order: a party has to be matched
// before it can be somebody's main unit, numbered before it can be compared, and what is
// said of parties decides which assignments can stand.
func (p *plan) run() error {
	p.changes = make(map[party.ID]*change)
	p.matchParties()
	p.matchMainUnits()
	p.keep()
	if err := p.number(); err != nil {
		return err
	}
	p.compareParties()
	p.compareAssignments()
	p.compareDelegations()
	return nil
}

// keep marks what refused and unreadable entries were about.
func (p *plan) keep() {
	for _, k := range p.draft.keeps {
		for _, name := range k.names {
			if n := p.index.find(p.draft.sources[k.source], name); n != nil {
				n.kept |= 1 << k.source
			}
		}
	}
}

// weight is about how much work a change is.
func (c *change) weight() int {
	return 4 + len(c.putSays) + len(c.deleteSays) + len(c.putHeld) + len(c.deleteHeld) + 2*(len(c.putGiven)+len(c.deleteGiven))
}

// rank orders changes. First come parties that only lose something, then those that lose
// and gain, then new ones: whenever a run is cut short, or somebody reads while it is
// under way, rights that the file takes back are gone before any that it gives are there.
// Each party is written whole, so that nobody sees one without those who act for it. New
// parties come in the order in which they name each other: persons, main units, sub-units.
func (c *change) rank() int {
	switch {
	case c.loses && !c.gains:
		return 0
	case c.loses:
		return 1
	case natural(c.node.now.Kind):
		return 2
	case c.node.now.Kind != party.SubUnit:
		return 3
	}
	return 4
}

// ordered returns the changes in the order in which they are to be written.
func (p *plan) ordered() []*change {
	return slices.SortedFunc(maps.Values(p.changes), func(a, b *change) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.node.now.ID, b.node.now.ID))
	})
}

// Bounds of one transaction. The graph takes up to 10,000 updates at once; a changed
// assignment is at most two.
const (
	mostParties = 2000
	mostWeight  = 12000
)

// chunks cuts the changes into transactions of whole parties.
func chunks(all []*change, mostParties int) [][]*change {
	var cut [][]*change
	start, weight := 0, 0
	for i, c := range all {
		if i > start && (i-start >= mostParties || weight+c.weight() > mostWeight) {
			cut = append(cut, all[start:i])
			start, weight = i, 0
		}
		weight += c.weight()
	}
	if start < len(all) {
		cut = append(cut, all[start:])
	}
	return cut
}
