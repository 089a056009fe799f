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
	list := make([]listing, len(ids))
	d.mu.RLock()
	defer d.mu.RUnlock()
	if then == 0 {
		then = d.changed
	}
	for i, id := range ids {
		list[i] = d.listing(id, then)
		if main := d.top(id, then); main != id {
			carrier := d.listing(main, then)
			list[i].main = &carrier
		}
	}
	return list, then
}

func (d *Directory) listing(id ID, then moment) listing {
	now := d.byID[id]
	return listing{id: id, record: now, placed: d.history.at(id, then, now)}
}

// maxLevels bounds the walk to the top of a hierarchy that the register got wrong.
const maxLevels = 8

// top returns the main unit at the top of a party's hierarchy, the party itself when it
// is no sub-unit. Groups have one level, so that each party stands in one of them.
func (d *Directory) top(id ID, then moment) ID {
	at := id
	for range maxLevels {
		r := d.history.at(at, then, d.byID[at])
		if r == nil || r.party.MainUnit == 0 {
			return at
		}
		if at = r.party.MainUnit; at == id {
			return id // a circle
		}
	}
	return at
}
