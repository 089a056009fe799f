package world

import (
	"fmt"
	"slices"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
)

// Oracle says what follows from a world, by the rules in plain words:
//
//   - a user who can log in represents his own party, and has PRIV in it;
//   - a user has the roles his person holds in a party, and those that an organisation
//     holds in it in which his person holds a key role; and no further;
//   - who holds a key role in a party has ECKEYROLE in it;
//   - a sub-unit's main unit gives all roles it gives; nothing flows up, and nothing
//     through the levels of a public body;
//   - who is accountant or auditor of a sole trader's business is so for the trader's
//     person too, until two years after the business was struck off;
//   - a role brings the roles along that the catalogue says, and theirs;
//   - who has a role in a party represents it, and an ended assignment is none.
type Oracle struct {
	catalogue *roles.Catalogue
	now       time.Time
	parties   map[int64]*Party
	persons   map[int64]*Party       // by user
	held      map[int64][]Assignment // by From: what is in force
	business  map[int64][]int64      // person → businesses whose trader he is
}

// NewOracle returns an oracle of the world at a time.
func NewOracle(w *World, c *roles.Catalogue, now time.Time) *Oracle {
	o := &Oracle{
		catalogue: c, now: now,
		parties: make(map[int64]*Party), persons: make(map[int64]*Party),
		held: make(map[int64][]Assignment), business: make(map[int64][]int64),
	}
	for i := range w.Parties {
		p := &w.Parties[i]
		o.parties[p.ID] = p
		if p.UserID != 0 {
			o.persons[p.UserID] = p
		}
	}
	for _, a := range w.Assignments {
		if !a.Expires.IsZero() && !a.Expires.After(now) {
			continue
		}
		o.held[a.From] = append(o.held[a.From], a)
		if a.Role == "INNH" && o.parties[a.From].UnitType == "ENK" && o.recent(o.parties[a.From]) {
			o.business[a.To] = append(o.business[a.To], a.From)
		}
	}
	return o
}

// recent reports whether a business stands, or stood within the last two years.
func (o *Oracle) recent(business *Party) bool {
	if business.DeletedOn == "" {
		return true
	}
	deleted, err := time.Parse(time.DateOnly, business.DeletedOn)
	return err == nil && deleted.AddDate(2, 0, 0).After(o.now)
}

// Represents says whether the user may represent the party.
func (o *Oracle) Represents(user, party int64) bool {
	if own := o.persons[user]; own != nil && own.ID == party && own.Login {
		return true
	}
	return len(o.given(user, party)) > 0
}

// Roles returns the codes of the user's roles for the party, sorted.
func (o *Oracle) Roles(user, party int64) []string {
	codes := []string{}
	for relation := range o.closed(o.given(user, party)) {
		if r, ok := o.catalogue.ByRelation(relation); ok {
			codes = append(codes, r.Code)
		}
	}
	slices.Sort(codes)
	return codes
}

// Parties returns all parties the user may represent, in ascending order.
func (o *Oracle) Parties(user int64) []int64 {
	var all []int64
	for id := range o.parties {
		if o.Represents(user, id) {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

type relationSet map[string]bool

// given returns the relations of the roles that the user has for the party without what
// they bring along.
func (o *Oracle) given(user, party int64) relationSet {
	own := o.persons[user]
	p := o.parties[party]
	if own == nil || p == nil {
		return nil
	}
	has := relationSet{}
	o.direct(has, own, p)
	for _, a := range o.held[party] {
		if o.hops(p, a) && o.keyHolder(own, a.To) {
			o.give(has, a.Role)
		}
	}
	if p.Type == subUnit && p.main != 0 {
		for relation := range o.given(user, p.main) {
			has[relation] = true
		}
	}
	for _, business := range o.business[party] {
		for relation := range o.closed(o.given(user, business)) {
			if r, ok := o.catalogue.ByRelation(relation); ok && r.SoleTrader {
				has[relation] = true
			}
		}
	}
	return has
}

// direct adds what a person holds himself: his assignments, what a login has in its own
// party, and ECKEYROLE.
func (o *Oracle) direct(has relationSet, own, p *Party) {
	for _, a := range o.held[p.ID] {
		if a.To == own.ID {
			o.give(has, a.Role)
		}
	}
	if o.keyHolder(own, p.ID) {
		o.give(has, "ECKEYROLE")
	}
	switch {
	case own.ID != p.ID || !own.Login:
	case own.Type == selfIdentified:
		o.give(has, "SELN")
	default:
		o.give(has, "PRIV")
	}
}

// keyHolder reports whether the person holds a key role in the party himself.
func (o *Oracle) keyHolder(own *Party, party int64) bool {
	return slices.ContainsFunc(o.held[party], func(a Assignment) bool {
		r, ok := o.catalogue.Role(a.Role)
		return ok && a.To == own.ID && r.KeyRole && !slices.Contains(r.NoKeyIn, o.parties[party].UnitType)
	})
}

// hops reports whether an assignment to an organisation gives its key holders anything.
func (o *Oracle) hops(p *Party, a Assignment) bool {
	r, ok := o.catalogue.Role(a.Role)
	to := o.parties[a.To]
	return ok && r.Link == roles.NoLink && !slices.Contains(r.NoKeyIn, p.UnitType) &&
		to.Type != person && to.Type != selfIdentified
}

func (o *Oracle) give(has relationSet, code string) {
	if r, ok := o.catalogue.Role(code); ok && r.Link == roles.NoLink {
		has[r.Relation] = true
	}
}

// closed returns the relations with all that they bring along.
func (o *Oracle) closed(given relationSet) relationSet {
	all := relationSet{}
	var add func(relation string)
	add = func(relation string) {
		if all[relation] {
			return
		}
		all[relation] = true
		if r, ok := o.catalogue.ByRelation(relation); ok {
			for _, more := range r.Implies {
				add(more)
			}
		}
	}
	for relation := range given {
		add(relation)
	}
	return all
}

// Count fills in the parties of the world's counted users, and fails when one has not
// the number that the world was made to give him.
func (o *Oracle) Count(w *World) error {
	for i := range w.Users {
		u := &w.Users[i]
		u.Parties = o.Parties(u.UserID)
		if len(u.Parties) != u.Count {
			return fmt.Errorf("user %d was to represent %d parties and represents %d", u.UserID, u.Count, len(u.Parties))
		}
	}
	return nil
}
