package party

// maxEditions is how many changes of records are remembered.
const maxEditions = 1 << 14

// editions counts the states of a directory and remembers whose records the last ones
// changed, so that a list that was made of an earlier state is known to be still the same.
// The directory's lock guards it.
type editions struct {
	now   uint64
	from  uint64 // what changed after this edition is in the log
	log   []edited
	first int // of the log, which goes round
}

// edited is a party whose record an edition changed.
type edited struct {
	edition uint64
	id      ID
}

// add begins an edition.
func (e *editions) add(remembered bool, puts []Party, removes []ID) {
	e.now++
	if !remembered || len(puts)+len(removes) > maxEditions {
		e.from, e.log, e.first = e.now, nil, 0
		return
	}
	for _, id := range removes {
		e.note(id)
	}
	for i := range puts {
		e.note(puts[i].ID)
	}
}

func (e *editions) note(id ID) {
	is := edited{e.now, id}
	if len(e.log) < maxEditions {
		e.log = append(e.log, is)
		return
	}
	e.from = e.log[e.first].edition
	e.log[e.first] = is
	e.first = (e.first + 1) % maxEditions
}

// same reports whether no record was changed after an edition that something rests on.
func (e *editions) same(since uint64, restsOn func(ID) bool) bool {
	if since < e.from {
		return false
	}
	for i := len(e.log) - 1; i >= 0; i-- { // the newest first
		is := e.log[(e.first+i)%len(e.log)]
		if is.edition <= since {
			break
		}
		if restsOn(is.id) {
			return false
		}
	}
	return true
}

// still reports whether a view is that of the directory as it is, and notes so. It returns the
// moment of the last change.
func (d *Directory) still(k *view) (bool, moment) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d.mu.RLock()
	defer d.mu.RUnlock()
	if !k.query.users && k.seen != d.editions.now {
		if !d.editions.same(k.seen, k.restsOn) {
			return false, d.changed
		}
		k.seen = d.editions.now
	}
	return true, d.changed
}
