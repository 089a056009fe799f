package register

import (
	"cmp"
	"slices"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// The relations that are not roles, and the roles and unit types that rules name.
const (
	relationSelf     = "self"
	relationMainUnit = "main_unit"
	relationOrgLevel = "org_level"
	relationEnk      = "enk"
	rolePrivate      = "priv" // of a person in his own party
	roleSelfMade     = "seln" // of a self-identified user in his own party
	roleOwner        = "innh"
	soleTrader       = "ENK"
)

// traderYears is how long after the deletion of a sole trader's business those who acted
// for the business still act for the trader.
const traderYears = 2

// Held is a role that somebody holds in a party.
type Held struct {
	Role    string // its relation
	Holder  party.ID
	User    party.UserID // the holder's, 0 when an organisation holds it
	Expires time.Time
}

// Business is an organisation that a person owns.
type Business struct {
	Party   party.Party
	Expires time.Time // when the ownership ends, as far as the register knows
}

// Facts are all that a party's tuples follow from.
type Facts struct {
	Party      party.Party // zero when there is no such party: then no tuple follows
	Held       []Held
	Businesses []Business // of a person
	Given      Given
}

// Derive returns the tuples of the party, ordered, each once. Tuples that had expired at
// now are left out: they give nothing, and the graph forgets them by itself.
func Derive(catalogue *roles.Catalogue, f Facts, now time.Time) []relation.Relationship {
	d := derivation{of: relation.Party(int64(f.Party.ID)), now: now}
	d.byThemselves(f.Party, catalogue.UnitTypes())
	for _, h := range f.Held {
		d.held(catalogue, f.Party, h)
	}
	d.businesses(f.Party, f.Businesses)
	d.given(catalogue, f.Party, f.Held, f.Given)
	return d.sorted()
}

type derivation struct {
	of  relation.Object
	now time.Time
	all []relation.Relationship
}

func (d *derivation) add(name string, subject relation.Subject, expires time.Time) {
	d.addTo(d.of, name, subject, expires)
}

// addTo adds a tuple of another object that belongs to the party.
func (d *derivation) addTo(of relation.Object, name string, subject relation.Subject, expires time.Time) {
	if !expires.IsZero() && !expires.After(d.now) {
		return
	}
	d.all = append(d.all, relation.Relationship{Resource: of, Relation: name, Subject: subject, Expires: expires})
}

// byThemselves adds what follows from the party's record alone.
func (d *derivation) byThemselves(p party.Party, marked []string) {
	if p.Login && p.UserID != 0 {
		user := relation.User(int64(p.UserID))
		switch p.Kind {
		case party.Person:
			d.add(relationSelf, user, time.Time{})
			d.add(rolePrivate, user, time.Time{})
		case party.SelfIdentified:
			d.add(relationSelf, user, time.Time{})
			d.add(roleSelfMade, user, time.Time{})
		case party.Organisation, party.SubUnit, party.BankruptcyEstate:
		}
	}
	if p.Kind == party.SubUnit && p.MainUnit != 0 {
		d.add(relationMainUnit, subject(p.MainUnit), time.Time{})
	}
	if p.ID != 0 && slices.Contains(marked, p.UnitType) {
		everybody := relation.Subject{Object: relation.Object{Type: relation.TypeUser, ID: "*"}}
		d.add(roles.UnitMarker(p.UnitType), everybody, time.Time{})
	}
}

// held adds what follows from a role that is held in the party. What cannot be held, or
// was once in the catalogue and is no longer, gives nothing.
func (d *derivation) held(catalogue *roles.Catalogue, p party.Party, h Held) {
	role, ok := catalogue.ByRelation(h.Role)
	if !ok || p.ID == 0 {
		return
	}
	switch {
	case role.Link == roles.OrgLevel:
		d.add(relationOrgLevel, subject(h.Holder), time.Time{})
	case role.Link == roles.MainUnit:
		// The sub-unit's own record names its main unit, and only one; see byThemselves.
	case h.User != 0:
		if name := role.PersonRelation(p.UnitType); name != "" {
			d.add(name, relation.User(int64(h.User)), h.Expires)
		}
	default:
		if name := role.OrganisationRelation(p.UnitType); name != "" {
			d.add(name, subject(h.Holder), h.Expires)
		}
	}
}

// businesses adds the link from a sole trader to his business, over which those who keep
// its books act for him as well.
func (d *derivation) businesses(p party.Party, owned []Business) {
	if p.Kind != party.Person || p.DiedOn != "" {
		return
	}
	for _, b := range owned {
		if b.Party.UnitType != soleTrader {
			continue
		}
		expires := b.Expires
		if deleted, err := time.Parse(time.DateOnly, b.Party.DeletedOn); err == nil {
			end := deleted.AddDate(traderYears, 0, 0)
			if expires.IsZero() || end.Before(expires) {
				expires = end
			}
		}
		d.add(relationEnk, subject(b.Party.ID), expires)
	}
}

func subject(id party.ID) relation.Subject {
	return relation.Subject{Object: relation.Party(int64(id))}
}

// sorted returns the tuples in order. Where two sources, or a source and a rule, give the
// same tuple, the one that lasts longest stands.
func (d *derivation) sorted() []relation.Relationship {
	slices.SortFunc(d.all, func(a, b relation.Relationship) int {
		return cmp.Or(compareTuples(a, b), -compareExpiry(a.Expires, b.Expires))
	})
	return slices.CompactFunc(d.all, func(a, b relation.Relationship) bool { return compareTuples(a, b) == 0 })
}

// compareTuples orders tuples without regard to when they expire.
func compareTuples(a, b relation.Relationship) int {
	return cmp.Or(cmp.Compare(a.Resource.Type, b.Resource.Type), cmp.Compare(a.Resource.ID, b.Resource.ID), cmp.Compare(a.Relation, b.Relation),
		cmp.Compare(a.Subject.Type, b.Subject.Type), cmp.Compare(a.Subject.ID, b.Subject.ID))
}

// compareExpiry orders times of expiry. The zero time, never, is the latest.
func compareExpiry(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// difference returns the updates that turn the tuples of before into those of after, both
// sorted. Deletions come first: if the graph has to take them in several steps, rights
// are lost for a moment rather than kept too long.
func difference(before, after []relation.Relationship) []relation.Update {
	var deleted, touched []relation.Update
	for len(before) > 0 || len(after) > 0 {
		order := 0
		switch {
		case len(before) == 0:
			order = 1
		case len(after) == 0:
			order = -1
		default:
			order = compareTuples(before[0], after[0])
		}
		switch {
		case order < 0:
			deleted = append(deleted, relation.Update{Op: relation.Delete, Relationship: before[0]})
			before = before[1:]
		case order > 0:
			touched = append(touched, relation.Update{Op: relation.Touch, Relationship: after[0]})
			after = after[1:]
		default:
			if !before[0].Expires.Equal(after[0].Expires) {
				touched = append(touched, relation.Update{Op: relation.Touch, Relationship: after[0]})
			}
			before, after = before[1:], after[1:]
		}
	}
	return append(deleted, touched...)
}
