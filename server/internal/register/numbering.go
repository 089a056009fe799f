package register

import (
	"cmp"
	"crypto/rand"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// numbering gives ids and remembers which are taken.
type numbering struct {
	next    records.Numbers
	parties map[party.ID]bool
	users   map[party.UserID]bool
}

// number gives every new party the identifiers that no source gave it: first those that
// sources gave are put aside, so that no number is given twice.
func (p *plan) number() error {
	for _, c := range p.draft.claims {
		if c.node != nil {
			p.numbers.parties[c.record.ID] = true
			p.numbers.users[c.record.UserID] = true
		}
	}
	for _, n := range p.index.nodes {
		if n.recorded || !n.live() {
			continue
		}
		for _, c := range n.claims {
			n.was.UUID = cmp.Or(n.was.UUID, c.record.UUID)
		}
		if n.was.UUID == "" {
			n.was.UUID = newUUID()
		}
		if n.was.ID == 0 {
			n.was.ID = p.numbers.party()
		}
		if n.was.UserID == 0 && natural(n.kind()) {
			n.was.UserID = p.numbers.user()
		}
		if n.was.ID > maxID || n.was.UserID > maxID {
			return fault.New(fault.Exhausted, ReasonNumbersExhausted, "no number is left for a new party")
		}
		n.now = n.was
		p.index.byID[n.was.ID] = n
	}
	return nil
}

func (n *numbering) party() party.ID {
	for n.parties[n.next.Party] {
		n.next.Party++
	}
	n.next.Party++
	return n.next.Party - 1
}

func (n *numbering) user() party.UserID {
	for n.users[n.next.User] {
		n.next.User++
	}
	n.next.User++
	return n.next.User - 1
}

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the process ends instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
