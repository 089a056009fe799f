package party

// makeView makes a list of what was found.
func (s *Service) makeView(f form) *view {
	k := &view{form: f}
	if f.query.users {
		users := numbers(f.found.IDs())
		list := make([]listing, len(users))
		for i, id := range users {
			list[i].id = id
		}
		k.total, k.flat = len(list), newOrdered(list, ByID.position)
		return k
	}
	list := s.directory.snapshot(k, numbers(f.found.IDs()))
	if f.query.standing {
		list = standing(list)
	}
	find, order := newSearch(f.query.search), f.query.order
	if f.query.group {
		groups := grouped(list, find, order)
		k.total, k.groups = len(groups), newOrdered(groups, func(g *group) position { return order.position(g.main) })
		return k
	}
	list = find.found(list)
	k.total, k.flat = len(list), newOrdered(list, order.position)
	return k
}

// snapshot is listings for a view, in which it notes what state of the directory that is.
func (d *Directory) snapshot(k *view, ids []ID) []listing {
	d.mu.RLock()
	defer d.mu.RUnlock()
	k.begun, k.seen = d.changed, d.editions.now
	if k.placed >= d.changed {
		k.placed = 0 // nothing was changed since
	}
	then := k.placed
	if then == 0 {
		then = d.changed
	}
	k.ids, k.above = d.listed(ids, then, k.query.group)
	return k.ids
}
