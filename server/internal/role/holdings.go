package role

import (
	"cmp"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// soleTrader links a person to the business he runs as a sole trader.
const soleTrader = "enk"

// holdings is what the tuples of one reading say, by the id of the party they stand on.
type holdings struct {
	catalogue  *roles.Catalogue
	own        map[string][]string // relations under which the user himself holds roles
	key        map[string]bool     // whether one of them is a key role
	firms      map[string][]firm   // organisations in roles
	mains      map[string][]string // main units
	businesses map[string][]string // sole traders' businesses
}

// firm is an organisation that holds a role.
type firm struct{ id, relation string }

// newHoldings sorts tuples by what they say. All subjects of type user are the one asked about.
func newHoldings(c *roles.Catalogue, tuples []relation.Relationship) *holdings {
	h := &holdings{
		catalogue:  c,
		own:        map[string][]string{},
		key:        map[string]bool{},
		firms:      map[string][]firm{},
		mains:      map[string][]string{},
		businesses: map[string][]string{},
	}
	for _, t := range tuples {
		on, by := t.Resource.ID, t.Subject.ID
		_, key, isRole := c.Held(t.Relation)
		switch {
		case isRole && t.Subject.Type == relation.TypeUser:
			h.own[on] = append(h.own[on], t.Relation)
			h.key[on] = h.key[on] || key
		case isRole:
			h.firms[on] = append(h.firms[on], firm{id: by, relation: t.Relation})
		case t.Relation == string(roles.MainUnit):
			h.mains[on] = append(h.mains[on], by)
		case t.Relation == soleTrader:
			h.businesses[on] = append(h.businesses[on], by)
		}
	}
	return h
}

// resolve returns the relations under which the user holds roles on a party, those that
// come down from main units and businesses included.
//
// It repeats until nothing is added, as hierarchies that the data bends into a circle
// have no order in which one pass would do.
func (h *holdings) resolve(asked string) []string {
	held := map[string]map[string]bool{}
	for grew := true; grew; {
		grew = h.add(asked, held, map[string]bool{})
	}
	relations := make([]string, 0, len(held[asked]))
	for name := range held[asked] {
		relations = append(relations, name)
	}
	return relations
}

// add puts into held what the user has on a party and on those it links to, and reports
// whether anything was new.
func (h *holdings) add(id string, held map[string]map[string]bool, visited map[string]bool) bool {
	if visited[id] {
		return false
	}
	visited[id] = true
	if held[id] == nil {
		held[id] = map[string]bool{}
	}
	before := len(held[id])
	for _, name := range h.own[id] {
		held[id][name] = true
	}
	for _, f := range h.firms[id] {
		// Key roles are held by persons directly, so this hop is one and leads no further.
		if h.key[f.id] {
			held[id][f.relation] = true
		}
	}
	grew := false
	for _, main := range h.mains[id] {
		grew = h.add(main, held, visited) || grew
		for name := range held[main] {
			held[id][name] = true
		}
	}
	for _, business := range h.businesses[id] {
		grew = h.add(business, held, visited) || grew
		for _, name := range h.forTrader(held[business]) {
			held[id][name] = true
		}
	}
	return grew || len(held[id]) > before
}

// forTrader returns what roles on a sole trader's business give on the trader.
func (h *holdings) forTrader(held map[string]bool) []string {
	names := make([]string, 0, len(held))
	for name := range held {
		names = append(names, name)
	}
	var out []string
	for _, r := range h.catalogue.Closure(names) {
		if r.SoleTrader {
			out = append(out, cmp.Or(r.OrganisationRelation(""), r.PersonRelation("")))
		}
	}
	return out
}
