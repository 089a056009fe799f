package party

// listing is a party of a list.
type listing struct {
	id     ID
	record *record  // what it is now; nil without a record
	placed *record  // what it is sorted by: the record it had when the list was begun
	main   *listing // the main unit of a sub-unit; nil for all others
}

// listings returns parties with their records and main units, all at one moment. They
// are placed as they were at the moment then, which is now when it is 0; the moment that
// counted is returned.
func (d *Directory) listings(ids []ID, then moment) ([]listing, moment) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if then == 0 {
		then = d.changed
	}
	list, _ := d.listed(ids, then, true)
	return list, then
}

// listed is listings under the directory's lock, with the ids of the main units and of all
// parties on the way to them; without main units when these are not wanted.
func (d *Directory) listed(ids []ID, then moment, mains bool) (list []listing, above []ID) {
	list = make([]listing, len(ids))
	carriers := map[ID]*listing{}
	for i, id := range ids {
		l := d.listing(id, then)
		list[i] = l
		if !mains || l.placed == nil || l.placed.main == 0 {
			continue
		}
		var main ID
		if main, above = d.top(id, l.placed, then, above); main == id {
			continue
		}
		carrier := carriers[main]
		if carrier == nil {
			is := d.listing(main, then)
			carrier = &is
			carriers[main] = carrier
		}
		list[i].main = carrier
	}
	return list, above
}

func (d *Directory) listing(id ID, then moment) listing {
	now := d.byID[id]
	return listing{id: id, record: now, placed: d.at(id, then, now)}
}

// at returns the record that a party had at a moment; now is the one it has.
func (d *Directory) at(id ID, then moment, now *record) *record {
	if then >= d.changed {
		return now
	}
	return d.history.at(id, then, now)
}

// maxLevels bounds the walk to the top of a hierarchy that the register got wrong.
const maxLevels = 8

// top returns the main unit at the top of a sub-unit's hierarchy, and appends the parties
// there and on the way. It is the party itself when the hierarchy is a circle. Groups have
// one level, so that each party stands in one of them.
func (d *Directory) top(id ID, r *record, then moment, above []ID) (ID, []ID) {
	at := id
	for range maxLevels {
		if r == nil || r.main == 0 {
			return at, above
		}
		if at = r.main; at == id {
			return id, above
		}
		above = append(above, at)
		r = d.at(at, then, d.byID[at])
	}
	return at, above
}
