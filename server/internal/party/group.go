package party

import "slices"

// group is a top-level entry of a grouped list.
type group struct {
	main   listing
	listed bool // whether the main unit is one of the list itself
	units  []listing
}

// grouped nests sub-units in their main units. A main unit that is not in the list is
// added to carry those of its sub-units that are.
//
// A search keeps the groups that hold a party it finds. When that is the main unit, all
// its listed sub-units stay: who types a company's name wants to choose among its units.
// Otherwise only the sub-units that were found stay, under their main unit.
func (q Query) grouped(list []listing) []*group {
	byMain := make(map[ID]*group, len(list))
	at := func(main listing) *group {
		g, ok := byMain[main.id]
		if !ok {
			g = &group{main: main}
			byMain[main.id] = g
		}
		return g
	}
	for _, l := range list {
		if l.main != nil {
			g := at(*l.main)
			g.units = append(g.units, l)
		} else {
			at(l).listed = true
		}
	}

	find := newSearch(q.Search)
	kept := make([]*group, 0, len(byMain))
	for _, g := range byMain {
		if !find.finds(g.main.record) {
			g.units = slices.DeleteFunc(g.units, func(l listing) bool { return !find.finds(l.record) })
			if len(g.units) == 0 {
				continue
			}
		}
		kept = append(kept, g)
	}
	return kept
}

func (q Query) groupEntries(groups []*group) []Entry {
	out := make([]Entry, len(groups))
	for i, g := range groups {
		slices.SortFunc(g.units, func(a, b listing) int { return q.position(a).compare(q.position(b)) })
		out[i] = entry(g.main.id, g.main.record)
		out[i].HierarchyOnly = !g.listed
		out[i].SubUnits = entries(g.units)
	}
	return out
}
