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
func grouped(list []listing, find search, order Order) []*group {
	byMain := make(map[ID]*group, len(list))
	room := make([]group, 0, len(list)) // each party is in one group
	at := func(main listing) *group {
		g, ok := byMain[main.id]
		if !ok {
			room = append(room, group{main: main})
			g = &room[len(room)-1]
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

	kept := make([]*group, 0, len(room))
	for i := range room {
		g := &room[i]
		if !find.finds(g.main.record) {
			g.units = slices.DeleteFunc(g.units, func(l listing) bool { return !find.finds(l.record) })
			if len(g.units) == 0 {
				continue
			}
		}
		slices.SortFunc(g.units, func(a, b listing) int { return order.position(a).compare(order.position(b)) })
		kept = append(kept, g)
	}
	return kept
}

func groupEntries(groups []spot[*group]) []Entry {
	out := make([]Entry, len(groups))
	units := 0
	for _, g := range groups {
		units += len(g.of.units)
	}
	room := make([]Entry, units)
	for i, s := range groups {
		g := s.of
		fill(&out[i], g.main)
		out[i].HierarchyOnly = !g.listed
		if len(g.units) == 0 {
			continue
		}
		out[i].SubUnits, room = room[:len(g.units):len(g.units)], room[len(g.units):]
		for j, unit := range g.units {
			fill(&out[i].SubUnits[j], unit)
		}
	}
	return out
}
