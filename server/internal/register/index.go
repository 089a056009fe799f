package register

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// node is a party as a write sees it: recorded, or about to be.
type node struct {
	recorded bool
	was      party.Party // as recorded; of a new party the identifiers that it gets
	now      party.Party // as it will be
	says     []records.Assertion
	next     []records.Assertion // what sources will say
	claims   []*claim            // what this write says
	kept     uint32              // bit i: what source i had said of it stays
	parent   bool                // is the recorded main unit of another
	named    bool                // somebody names it when all is written
	removed  bool
}

// live reports whether the party is there for others to name.
func (n *node) live() bool { return n.recorded || len(n.claims) > 0 }

// kind is what the party will be, as far as the write has come.
func (n *node) kind() party.Kind {
	if len(n.claims) > 0 {
		return n.claims[len(n.claims)-1].record.Kind
	}
	return n.was.Kind
}

// sourceKey is a key that one source knows a party by.
type sourceKey struct{ source, key string }

// index finds parties by what names them. A write fills it with the parties it is about,
// an import with all of them.
type index struct {
	nodes        []*node
	byID         map[party.ID]*node
	byUUID       map[string]*node
	byOrgNumber  map[string]*node
	byNationalID map[string]*node
	byUser       map[party.UserID]*node
	byKey        map[sourceKey]*node
}

func newIndex() *index {
	return &index{
		byID: make(map[party.ID]*node), byUUID: make(map[string]*node), byOrgNumber: make(map[string]*node),
		byNationalID: make(map[string]*node), byUser: make(map[party.UserID]*node), byKey: make(map[sourceKey]*node),
	}
}

// add adds a recorded party, unless it is there.
func (x *index) add(p party.Party) *node {
	if n, ok := x.byID[p.ID]; ok {
		return n
	}
	n := &node{recorded: true, was: p, now: p}
	x.nodes = append(x.nodes, n)
	x.name(n, p)
	return n
}

// name lets the party be found by the identifiers of p.
func (x *index) name(n *node, p party.Party) {
	if p.ID != 0 {
		x.byID[p.ID] = n
	}
	if p.UUID != "" {
		x.byUUID[p.UUID] = n
	}
	if p.OrgNumber != "" {
		x.byOrgNumber[p.OrgNumber] = n
	}
	if p.NationalID != "" {
		x.byNationalID[p.NationalID] = n
	}
	if p.UserID != 0 {
		x.byUser[p.UserID] = n
	}
}

// says adds what a source says of a party that is in the index.
func (x *index) says(a records.Assertion) {
	n, ok := x.byID[a.Party]
	if !ok {
		return
	}
	n.says = append(n.says, a)
	if a.Key != "" {
		x.byKey[sourceKey{a.Source, a.Key}] = n
	}
}

// find returns the party that a reference of a source names, nil when there is none.
func (x *index) find(source string, r Reference) *node {
	n := x.lookup(source, r)
	if n == nil || !n.live() {
		return nil
	}
	return n
}

func (x *index) lookup(source string, r Reference) *node {
	switch r.Scheme {
	case ByID:
		return x.byID[r.id()]
	case ByUUID:
		return x.byUUID[r.Value]
	case ByOrgNumber:
		return x.byOrgNumber[r.Value]
	case ByNationalID:
		return x.byNationalID[r.Value]
	case ByKey:
		return x.byKey[sourceKey{source, r.Value}]
	}
	return nil
}

// loadAll fills the index with every party and all that sources say.
func (x *index) loadAll(ctx context.Context, tx *records.Tx) error {
	err := tx.Parties(ctx, func(p party.Party) error {
		x.add(p)
		return nil
	})
	if err != nil {
		return err
	}
	for _, n := range x.nodes {
		if main, ok := x.byID[n.was.MainUnit]; ok {
			main.parent = true
		}
	}
	return tx.Assertions(ctx, func(a records.Assertion) error {
		x.says(a)
		return nil
	})
}

// loadClaim fills the index with the parties that a record's identifiers name.
func (x *index) loadClaim(ctx context.Context, tx *records.Tx, source string, r PartyRecord) error {
	found, err := tx.Named(ctx, records.Identifiers{
		ID: r.ID, UUID: r.UUID, OrgNumber: r.OrgNumber, NationalID: r.NationalID, UserID: r.UserID,
	})
	if err != nil {
		return err
	}
	for _, p := range found {
		if err := x.loadNode(ctx, tx, p); err != nil {
			return err
		}
	}
	return x.loadReference(ctx, tx, source, Reference{Scheme: ByKey, Value: r.Key})
}

// loadReference fills the index with the party that a reference of a source names.
func (x *index) loadReference(ctx context.Context, tx *records.Tx, source string, r Reference) error {
	var by records.Identifiers
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
		id, err := tx.Keyed(ctx, source, r.Value)
		if err != nil {
			return err
		}
		by.ID = id
	default:
		return nil
	}
	found, err := tx.Named(ctx, by)
	if err != nil {
		return err
	}
	for _, p := range found {
		if err := x.loadNode(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

func (x *index) loadNode(ctx context.Context, tx *records.Tx, p party.Party) error {
	if _, ok := x.byID[p.ID]; ok {
		return nil
	}
	n := x.add(p)
	parent, err := tx.HasSubUnits(ctx, p.ID)
	if err != nil {
		return err
	}
	n.parent = parent
	says, err := tx.AssertionsOf(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, a := range says {
		x.says(a)
	}
	return nil
}
