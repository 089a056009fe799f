package register

import (
	"github.com/google/uuid"

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

// take puts aside what a source gave itself, so that no number is given twice.
func (n *numbering) take(id party.ID, user party.UserID) {
	if id >= n.next.Party {
		n.parties[id] = true
	}
	if user >= n.next.User {
		n.users[user] = true
	}
}

// number gives every new party the numbers that no source gave it.
func (p *plan) number() error {
	for n, s := range p.index.stubs.each() {
		if s.recorded || !s.live() {
			continue
		}
		if s.id == 0 {
			s.id = p.numbers.party()
		}
		if s.user == 0 && natural(s.kind) {
			s.user = p.numbers.user()
		}
		if s.id > maxID || s.user > maxID {
			return fault.New(fault.Exhausted, ReasonNumbersExhausted, "no number is left for a new party")
		}
		p.index.byID[uint32(s.id)] = n
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

// newUUID returns a UUID of version 7 (RFC 9562 section 5.7): random, but for the time it begins
// with. Those given one after another are neighbours in the database's index, so that a write of
// many parties changes few of its pages.
func newUUID() string { return uuid.Must(uuid.NewV7()).String() }
