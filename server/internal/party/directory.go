package party

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// loadBatch is how many parties Load takes in under one lock.
const loadBatch = 1024

// Directory keeps in memory what lists of parties show, sort and search by. The records
// are the truth, and the directory follows them. It is safe for concurrent use.
type Directory struct {
	collation *collation

	mu         sync.RWMutex
	byID       map[ID]*record
	byUUID     *keys
	byOrg      *keys
	byNational *keys
	byUser     map[UserID]ID
	history    history
	changed    moment // of the last Apply
	editions   editions
}

// NewDirectory returns a directory without parties.
func NewDirectory() *Directory {
	records := map[ID]*record{}
	return &Directory{
		collation:  newCollation(),
		byID:       records,
		byUUID:     newKeys(uuidText, records),
		byOrg:      newKeys(orgNumberText, records),
		byNational: newKeys(nationalIDText, records),
		byUser:     map[UserID]ID{},
		history:    history{past: map[ID][]version{}},
	}
}

// Load puts all parties that each yields into the directory. It is for a directory that
// nobody reads yet.
func (d *Directory) Load(ctx context.Context, each func(context.Context, func(Party) error) error) error {
	batch := make([]Party, 0, loadBatch)
	err := each(ctx, func(p Party) error {
		if batch = append(batch, p); len(batch) == cap(batch) {
			d.apply(batch, nil, false)
			batch = batch[:0]
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	d.apply(batch, nil, false)
	return nil
}

// Apply puts parties, new or changed, and removes others. Readers see all of it or nothing.
func (d *Directory) Apply(puts []Party, removes []ID) { d.apply(puts, removes, true) }

func (d *Directory) apply(puts []Party, removes []ID, remembered bool) {
	records := make([]*record, len(puts)) // each by itself on the heap: one kept must not keep the others
	for i, p := range puts {
		p.UUID = strings.ToLower(p.UUID)
		records[i] = newRecord(p, d.collation.key(p.Name), fold(p.Name))
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	d.changed = max(d.changed+1, moment(time.Now().UnixMicro()))
	d.editions.add(remembered, puts, removes)
	for _, id := range removes {
		d.replace(id, nil, remembered)
	}
	for _, r := range records {
		d.replace(r.id, r, remembered)
	}
}

// replace gives a party another record, or none.
func (d *Directory) replace(id ID, is *record, remembered bool) {
	was := d.byID[id]
	if was == nil && is == nil {
		return
	}
	if remembered && moved(was, is) {
		d.history.add(id, was, d.changed)
	}
	if was != nil {
		d.forget(was)
	}
	if is != nil {
		d.remember(is)
	}
}

// forget takes a record out. Another party may have taken over one of its identifiers in
// the same Apply, and keeps it.
func (d *Directory) forget(r *record) {
	for _, k := range d.keys() {
		k.remove(r)
	}
	if d.byUser[r.user] == r.id {
		delete(d.byUser, r.user)
	}
	delete(d.byID, r.id)
}

func (d *Directory) remember(r *record) {
	d.byID[r.id] = r
	for _, k := range d.keys() {
		k.add(r)
	}
	if r.user != 0 {
		d.byUser[r.user] = r.id
	}
}

func (d *Directory) keys() [3]*keys { return [...]*keys{d.byUUID, d.byOrg, d.byNational} }

// IDs returns the parties that are in the directory, in no order.
func (d *Directory) IDs() []ID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Collect(maps.Keys(d.byID))
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
	return d.value(d.byUUID.find(uuid))
}

// ByOrgNumber returns a party by its organisation number.
func (d *Directory) ByOrgNumber(number string) (Party, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.value(d.byOrg.find(number))
}

// ByNationalID returns a person by his national identity number.
func (d *Directory) ByNationalID(number string) (Party, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.value(d.byNational.find(number))
}

// ByUser returns the user's own party.
func (d *Directory) ByUser(user UserID) (Party, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.value(d.byUser[user])
}

func (d *Directory) value(id ID) (Party, bool) {
	if r, ok := d.byID[id]; ok {
		return r.party(), true
	}
	return Party{}, false
}
