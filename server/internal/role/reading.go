package role

import "github.com/behalf-authz/behalf/server/internal/relation"

// reading is which tuples one question needs. It only grows.
type reading struct {
	asked string
	user  string
	order []string       // of the parties, so that equal questions read alike
	known map[string]use // what each party is read for
}

// use is what a party is read for.
type use uint8

const (
	asFirm  use = iota + 1 // whether the user holds a key role in it
	asGiver                // what the user has on it: his roles, those of organisations, its links
)

func newReading(asked, user string) *reading {
	return &reading{asked: asked, user: user, order: []string{asked}, known: map[string]use{asked: asGiver}}
}

// filters selects all that is needed.
func (r *reading) filters() []relation.Filter {
	filters := make([]relation.Filter, 0, 2*len(r.order))
	for _, id := range r.order {
		filters = append(filters, relation.Filter{
			ResourceType: relation.TypeParty, ResourceID: id,
			SubjectType: relation.TypeUser, SubjectID: r.user,
		})
		if r.known[id] == asGiver {
			filters = append(filters, relation.Filter{
				ResourceType: relation.TypeParty, ResourceID: id,
				SubjectType: relation.TypeParty,
			})
		}
	}
	return filters
}

// extend adds what the tuples read so far turn out to need, and reports whether that was
// anything. It follows links only from parties whose links were read.
func (r *reading) extend(h *holdings) bool {
	grew := false
	for _, id := range r.order {
		if r.known[id] != asGiver {
			continue
		}
		for _, firm := range h.firms[id] {
			grew = r.need(firm.id, asFirm) || grew
		}
		for _, main := range h.mains[id] {
			grew = r.need(main, asGiver) || grew
		}
		for _, business := range h.businesses[id] {
			grew = r.need(business, asGiver) || grew
		}
	}
	return grew
}

func (r *reading) need(id string, u use) bool {
	was, ok := r.known[id]
	if was >= u {
		return false
	}
	if !ok {
		r.order = append(r.order, id)
	}
	r.known[id] = u
	return true
}
