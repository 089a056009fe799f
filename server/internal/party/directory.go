package party

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// loadBatch is how many parties Load takes in at a time: readers wait for one batch at most.
const loadBatch = 1024

// Directory keeps in memory what lists of parties show, sort and search by. The records
// are the truth, and the directory follows them. It is safe for concurrent use.
type Directory struct {
	collation *collation

	mu         sync.RWMutex
	byID       map[ID]*record
	byUUID     map[string]ID
	byOrg      map[string]ID
	byNational map[string]ID
	byUser     map[UserID]ID
}

// record is a party with what was computed of it. It never changes once it is in a
// directory, so that readers keep it without the lock.
type record struct {
	party Party
	words string // the name's folded words
	key   string // the name's collation key
}

// NewDirectory returns a directory without parties.
func NewDirectory() *Directory {
	return &Directory{
		collation:  newCollation(),
		byID:       map[ID]*record{},
		byUUID:     map[string]ID{},
		byOrg:      map[string]ID{},
		byNational: map[string]ID{},
		byUser:     map[UserID]ID{},
	}
}

// Load puts all parties that each yields into the directory.
func (d *Directory) Load(ctx context.Context, each func(context.Context, func(Party) error) error) error {
	batch := make([]Party, 0, loadBatch)
	err := each(ctx, func(p Party) error {
		if batch = append(batch, p); len(batch) == cap(batch) {
			d.Apply(batch, nil)
			batch = batch[:0]
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	d.Apply(batch, nil)
	return nil
}

// Apply puts parties, new or changed, and removes others. Readers see all of it or nothing.
func (d *Directory) Apply(puts []Party, removes []ID) {
	records := make([]record, len(puts))
	for i, p := range puts {
		p.UUID = strings.ToLower(p.UUID)
		records[i] = record{party: p, words: fold(p.Name), key: d.collation.key(p.Name)}
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range removes {
		d.forget(id)
	}
	for i := range records {
		r := records[i] // by itself on the heap: a kept record must not keep its batch
		d.forget(r.party.ID)
		d.remember(&r)
	}
}

// forget takes a party out. Another party may have taken over one of its identifiers in
// the same Apply, and keeps it.
func (d *Directory) forget(id ID) {
	r, ok := d.byID[id]
	if !ok {
		return
	}
	delete(d.byID, id)
	forgetKey(d.byUUID, r.party.UUID, id)
	forgetKey(d.byOrg, r.party.OrgNumber, id)
	forgetKey(d.byNational, r.party.NationalID, id)
	forgetKey(d.byUser, r.party.UserID, id)
}

func (d *Directory) remember(r *record) {
	id := r.party.ID
	d.byID[id] = r
	rememberKey(d.byUUID, r.party.UUID, id)
	rememberKey(d.byOrg, r.party.OrgNumber, id)
	rememberKey(d.byNational, r.party.NationalID, id)
	rememberKey(d.byUser, r.party.UserID, id)
}

func forgetKey[K comparable](index map[K]ID, key K, id ID) {
	if index[key] == id {
		delete(index, key)
	}
}

func rememberKey[K comparable](index map[K]ID, key K, id ID) {
	var none K
	if key != none {
		index[key] = id
	}
}

// Len returns the number of parties.
func (d *Directory) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.byID)
}

// Get returns a party by its id.
func (d *Directory) Get(id ID) (Party, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.value(id)
}

// ByUUID returns a party by its UUID, in any case.
func (d *Directory) ByUUID(uuid string) (Party, bool) {
	uuid = strings.ToLower(uuid)
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.value(d.byUUID[uuid])
}

// ByOrgNumber returns a party by its organisation number.
func (d *Directory) ByOrgNumber(number string) (Party, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.value(d.byOrg[number])
}

// ByNationalID returns a person by his national identity number.
func (d *Directory) ByNationalID(number string) (Party, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.value(d.byNational[number])
}

// ByUser returns the user's own party.
func (d *Directory) ByUser(user UserID) (Party, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.value(d.byUser[user])
}

func (d *Directory) value(id ID) (Party, bool) {
	if r, ok := d.byID[id]; ok {
		return r.party, true
	}
	return Party{}, false
}

// listing is a party of a list and, when the directory has one, its record.
type listing struct {
	id     ID
	record *record
	main   *listing // the main unit of a sub-unit; nil for all others
}

// listings returns parties with their records and main units, all at one moment.
func (d *Directory) listings(ids []ID) []listing {
	list := make([]listing, len(ids))
	d.mu.RLock()
	defer d.mu.RUnlock()
	for i, id := range ids {
		list[i] = listing{id: id, record: d.byID[id]}
		if main := d.top(id); main != id {
			list[i].main = &listing{id: main, record: d.byID[main]}
		}
	}
	return list
}

// maxLevels bounds the walk to the top of a hierarchy that the register got wrong.
const maxLevels = 8

// top returns the main unit at the top of a party's hierarchy, the party itself when it
// is no sub-unit. Groups have one level, so that each party stands in one of them.
func (d *Directory) top(id ID) ID {
	at := id
	for range maxLevels {
		r, ok := d.byID[at]
		if !ok || r.party.MainUnit == 0 {
			return at
		}
		if at = r.party.MainUnit; at == id {
			return id // a circle
		}
	}
	return at
}
