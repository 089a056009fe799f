package register

import (
	"context"
	"crypto/sha256"
	"slices"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// stub is what a plan knows of every party, recorded or about to be: enough to tell it from
// others and to say what has to be written of it. An import has one for each party there is, so
// that it is small and without pointers. What sources say of the party is read when its turn
// comes.
type stub struct {
	id     party.ID     // of a new party 0 until it is numbered, unless a source gave it
	user   party.UserID // likewise
	main   party.ID     // its main unit
	number uint64       // organisation number or national id, as numeral returns it
	first  nth          // what this write says of it
	last   nth
	rows   nth    // what is written and deleted of the roles held in it
	work   uint32 // how many rows are written and deleted
	kept   uint16 // bit i: what source i had said of it stays
	says   uint16 // bit i: source i had said something of it
	was    party.Kind
	kind   party.Kind // what it will be, as far as the write has come

	recorded bool
	login    bool // could log in, as recorded
	parent   bool // is the recorded main unit of another
	silent   bool // is recorded, and no source will say anything of it
	named    bool // somebody names it when all is written
	changed  bool
	loses    bool
	gains    bool
	removed  bool
}

// live reports whether the party is there for others to name.
func (s *stub) live() bool { return s.recorded || s.first != 0 }

// digest stands for a text in an index, in fewer bytes.
type digest [16]byte

// keyed are the parties that one key of one source means: as recorded, and when this write is
// done.
type keyed struct{ was, now nth }

// index finds parties by what names them. A write fills it with the parties it is about, an
// import with all of them.
type index struct {
	stubs        blocks[stub]
	byID         map[uint32]nth
	byUser       map[uint32]nth
	byOrgNumber  map[uint32]nth
	byNationalID map[uint64]nth
	byUUID       map[digest]nth
	byKey        map[digest]keyed
}

func newIndex() *index {
	return &index{
		byID: make(map[uint32]nth), byUser: make(map[uint32]nth), byOrgNumber: make(map[uint32]nth),
		byNationalID: make(map[uint64]nth), byUUID: make(map[digest]nth), byKey: make(map[digest]keyed),
	}
}

// numeral is a number of digits as an index keeps it, 0 for none.
func numeral(digits string) uint64 {
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0
	}
	return n + 1
}

// numberOf is the number that a kind of party is known by.
func numberOf(k party.Kind, orgNumber, nationalID string) uint64 {
	if natural(k) {
		return numeral(nationalID)
	}
	return numeral(orgNumber)
}

// keyOf stands for a key of a source.
func keyOf(source, key string) digest {
	sum := sha256.Sum256([]byte(source + "\x00" + key))
	return digest(sum[:16])
}

// add adds a recorded party, unless it is there.
func (x *index) add(p party.Party) nth {
	if n := x.byID[uint32(p.ID)]; n != 0 {
		return n
	}
	n := x.stubs.add(stub{
		recorded: true, id: p.ID, user: p.UserID, main: p.MainUnit, number: numberOf(p.Kind, p.OrgNumber, p.NationalID),
		was: p.Kind, kind: p.Kind, login: p.Login,
	})
	x.name(n, records.Identifiers{ID: p.ID, UUID: p.UUID, OrgNumber: p.OrgNumber, NationalID: p.NationalID, UserID: p.UserID})
	return n
}

// name lets the party be found by identifiers.
func (x *index) name(n nth, by records.Identifiers) {
	if by.ID != 0 {
		x.byID[uint32(by.ID)] = n
	}
	if raw, ok := uuidBytes(by.UUID); ok {
		x.byUUID[raw] = n
	}
	if number := numeral(by.OrgNumber); number != 0 {
		x.byOrgNumber[uint32(number)] = n
	}
	if number := numeral(by.NationalID); number != 0 {
		x.byNationalID[number] = n
	}
	if by.UserID != 0 {
		x.byUser[uint32(by.UserID)] = n
	}
}

// says notes that a source says something of a party that is in the index, under a key. The
// source is that of a bit.
func (x *index) says(bit int, source string, id party.ID, key string) {
	n := x.byID[uint32(id)]
	if n == 0 {
		return
	}
	x.stubs.at(n).says |= 1 << bit
	if key != "" {
		x.byKey[keyOf(source, key)] = keyed{was: n, now: n}
	}
}

// find returns the party that a reference of a source names, none when there is none.
func (x *index) find(source string, r Reference) nth {
	n := x.lookup(source, r)
	if n == 0 || !x.stubs.at(n).live() {
		return 0
	}
	return n
}

func (x *index) lookup(source string, r Reference) nth {
	switch r.Scheme {
	case ByID:
		return x.byID[uint32(r.id())]
	case ByUUID:
		return x.uuid(r.Value)
	case ByOrgNumber:
		return x.byOrgNumber[uint32(numeral(r.Value))]
	case ByNationalID:
		return x.byNationalID[numeral(r.Value)]
	case ByKey:
		return x.byKey[keyOf(source, r.Value)].now
	}
	return 0
}

func (x *index) uuid(text string) nth {
	raw, ok := uuidBytes(text)
	if !ok {
		return 0
	}
	return x.byUUID[raw]
}

// id returns the party with an id, nil when there is none.
func (x *index) id(id party.ID) *stub {
	if n := x.byID[uint32(id)]; n != 0 {
		return x.stubs.at(n)
	}
	return nil
}

// loadAll fills the index with every party and what the sources know them by.
func (x *index) loadAll(ctx context.Context, tx *records.Tx, sources []string) error {
	err := tx.Parties(ctx, func(p party.Party) error {
		x.add(p)
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range x.stubs.each() {
		if main := x.id(s.main); main != nil {
			main.parent = true
		}
	}
	for bit, source := range sources {
		err := tx.KeysOf(ctx, source, func(id party.ID, key string) error {
			x.says(bit, source, id, key)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loadClaim fills the index with the parties that a record's identifiers name.
func (x *index) loadClaim(ctx context.Context, tx *records.Tx, sources []string, r PartyRecord) error {
	err := x.load(ctx, tx, sources, records.Identifiers{
		ID: r.ID, UUID: r.UUID, OrgNumber: r.OrgNumber, NationalID: r.NationalID, UserID: r.UserID,
	})
	if err != nil {
		return err
	}
	return x.loadReference(ctx, tx, sources, Reference{Scheme: ByKey, Value: r.Key})
}

// loadReference fills the index with the party that a reference of the first source names.
func (x *index) loadReference(ctx context.Context, tx *records.Tx, sources []string, r Reference) error {
	by, err := identify(ctx, tx, sources[0], r)
	if err != nil {
		return err
	}
	return x.load(ctx, tx, sources, by)
}

// identify returns what a reference of a source names a party by.
func identify(ctx context.Context, tx *records.Tx, source string, r Reference) (by records.Identifiers, err error) {
	switch r.Scheme {
	case ByID:
		by.ID = r.id()
	case ByUUID:
		by.UUID = r.Value
	case ByOrgNumber:
		by.OrgNumber = r.Value
	case ByNationalID:
		by.NationalID = r.Value
	case ByKey:
		by.ID, err = tx.Keyed(ctx, source, r.Value)
	}
	return by, err
}

func (x *index) load(ctx context.Context, tx *records.Tx, sources []string, by records.Identifiers) error {
	if by == (records.Identifiers{}) {
		return nil
	}
	found, err := tx.Named(ctx, by)
	if err != nil {
		return err
	}
	for _, p := range found {
		if x.byID[uint32(p.ID)] != 0 {
			continue
		}
		s := x.stubs.at(x.add(p))
		if s.parent, err = tx.HasSubUnits(ctx, p.ID); err != nil {
			return err
		}
		says, err := tx.AssertionsOf(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, a := range says {
			if bit := slices.Index(sources, a.Source); bit >= 0 {
				x.says(bit, a.Source, a.Party, a.Key)
			}
		}
	}
	return nil
}

// forget lets go of what nothing is found by any more.
func (x *index) forget() { *x = index{stubs: x.stubs} }
