package register

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// DeleteParty removes a party, whatever sources say of it, every assignment to and from it,
// and all that it has delegated, was delegated or passed on for others. A main unit goes after its sub-units.
func (s *Service) DeleteParty(ctx context.Context, name Reference) (relation.Revision, error) {
	return s.alone(ctx, func(ctx context.Context, tx *records.Tx) (batch, error) {
		n, err := nodeOf(ctx, tx, name)
		if err != nil {
			return batch{}, err
		}
		if n.parent {
			return batch{}, fault.New(fault.Precondition, ReasonPartyHasSubUnits, "party %d has sub-units; delete them first", n.was.ID)
		}
		m, err := movesOf(ctx, tx, n)
		if err != nil {
			return batch{}, err
		}
		for _, a := range m.held {
			m.change(a.From).deleteHeld = append(m.change(a.From).deleteHeld, a.AssignmentKey)
		}
		for _, g := range m.given {
			m.change(g.From).deleteGiven = append(m.change(g.From).deleteGiven, g)
		}
		m.removeNode(n)
		return batch{changes: m.ordered()}, nil
	})
}

// JoinPersons makes one person of two: all that from holds and has given, the keys that
// sources know him by and his logins become into's, and from ceases to be. Who logs in as
// from is into at his next request, and so are those who were into before. It cannot be
// undone.
func (s *Service) JoinPersons(ctx context.Context, from, into Reference) (relation.Revision, error) {
	var (
		gone, stays *node
		moved       int
		given       int
		logins      int
	)
	revision, err := s.alone(ctx, func(ctx context.Context, tx *records.Tx) (batch, error) {
		n, err := nodeOf(ctx, tx, from)
		if err != nil {
			return batch{}, err
		}
		to, err := nodeOf(ctx, tx, into)
		if err != nil {
			return batch{}, err
		}
		if err := joinable(n, to); err != nil {
			return batch{}, err
		}
		m, err := movesOf(ctx, tx, n, to)
		if err != nil {
			return batch{}, err
		}
		if logins, err = tx.Logins(ctx, n.was.UserID); err != nil {
			return batch{}, err
		}
		gone, stays, moved, given = n, to, len(m.held), len(m.given)
		if err := m.join(ctx, tx, n, to); err != nil {
			return batch{}, err
		}
		return batch{changes: m.ordered()}, nil
	})
	if err != nil {
		return "", err
	}
	who := caller.From(ctx)
	s.logger.LogAttrs(ctx, slog.LevelWarn, "persons joined",
		slog.Group("caller", "service", who.Name, "user_id", who.UserID),
		slog.Group("from", "party_id", gone.was.ID, "user_id", gone.was.UserID),
		slog.Group("into", "party_id", stays.was.ID, "user_id", stays.was.UserID),
		slog.Int("assignments", moved), slog.Int("delegations", given), slog.Int("logins", logins),
		slog.String("revision", string(revision)))
	return revision, nil
}

// joinable says what speaks against from becoming into.
func joinable(from, into *node) error {
	switch {
	case from.was.ID == into.was.ID:
		return fault.Field("into", "is the same person as from")
	case from.was.Kind != party.Person:
		return fault.Field("from", "is %s; only persons are joined", kindName(from.was.Kind))
	case into.was.Kind != party.Person:
		return fault.Field("into", "is %s; only persons are joined", kindName(into.was.Kind))
	case !from.derived():
		return fault.New(fault.Precondition, ReasonPersonNotDerived,
			"party %d has a national id or a login, and so is somebody already; only a person known by name is joined to another", from.was.ID)
	}
	return nil
}

// derived reports whether the party is a person known by keys of sources only.
func (n *node) derived() bool {
	return n.was.Kind == party.Person && n.was.NationalID == "" && !n.was.Login
}

// nodeOf finds the party of a request, which names none by a source's key.
func nodeOf(ctx context.Context, tx *records.Tx, name Reference) (*node, error) {
	by, err := identify(ctx, tx, "", name)
	if err != nil {
		return nil, err
	}
	nodes, err := loadNodes(ctx, tx, by)
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		return nil, fault.New(fault.NotFound, fault.ReasonPartyNotFound, "no party is known as %s", name)
	}
	return nodes[0], nil
}

// moves are the changes that follow when a party goes.
type moves struct {
	changes map[party.ID]*change
	held    []records.Assignment // in the party, and by it in others
	given   []records.Delegation // by the party, to it, and by it for its clients
}

// movesOf reads all assignments from and to the first of the parties. The others are known
// besides.
func movesOf(ctx context.Context, tx *records.Tx, known ...*node) (*moves, error) {
	n := known[0]
	m := &moves{changes: make(map[party.ID]*change)}
	ids := []party.ID{n.was.ID}
	from, err := tx.AssignmentsFrom(ctx, ids)
	if err != nil {
		return nil, err
	}
	to, err := tx.AssignmentsTo(ctx, ids, "")
	if err != nil {
		return nil, err
	}
	m.held = from
	for _, a := range to {
		if a.From != n.was.ID { // else it is among those from the party
			m.held = append(m.held, a)
		}
	}
	var others []party.ID
	for _, a := range m.held {
		others = append(others, a.From)
	}
	if m.given, err = givenBetween(ctx, tx, ids); err != nil {
		return nil, err
	}
	for _, g := range m.given {
		others = append(others, g.From)
	}
	found, err := tx.PartiesByID(ctx, others)
	if err != nil {
		return nil, err
	}
	for _, p := range found {
		m.changes[p.ID] = &change{node: &node{recorded: true, was: p, now: p}}
	}
	for _, k := range known {
		if c := m.changes[k.was.ID]; c != nil {
			c.node = k
		}
	}
	return m, nil
}

func (m *moves) change(id party.ID) *change { return m.changes[id] }

func (m *moves) of(n *node) *change {
	c, ok := m.changes[n.was.ID]
	if !ok {
		c = &change{node: n}
		m.changes[n.was.ID] = c
	}
	return c
}

func (m *moves) removeNode(n *node) {
	c := m.of(n)
	c.remove, c.deleteSays = true, n.says
}

// ordered returns the changes, those that remove a party last.
func (m *moves) ordered() []*change {
	all := slices.Collect(maps.Values(m.changes))
	slices.SortFunc(all, func(a, b *change) int {
		switch {
		case a.remove == b.remove:
			return int(a.node.was.ID - b.node.was.ID)
		case a.remove:
			return 1
		}
		return -1
	})
	return all
}

// join moves everything from one person to another.
func (m *moves) join(ctx context.Context, tx *records.Tx, from, into *node) error {
	to := m.of(into)
	into.next = slices.Clone(into.says)
	for _, a := range from.says {
		// What was said of the derived person comes last among what is said of the joined.
		a.Party, a.Written = into.was.ID, 0
		a.Says.ID, a.Says.UUID, a.Says.UserID = 0, "", 0
		if slices.ContainsFunc(into.says, func(b records.Assertion) bool { return b.Source == a.Source && b.Key == a.Key }) {
			continue
		}
		into.next = append(into.next, a)
		to.putSays = append(to.putSays, a)
	}
	if into.now = merge(into.was, into.next); into.now != into.was {
		to.put = true
	}
	swap := func(id party.ID) party.ID {
		if id == from.was.ID {
			return into.was.ID
		}
		return id
	}
	for _, a := range m.held {
		m.change(a.From).deleteHeld = append(m.change(a.From).deleteHeld, a.AssignmentKey)
		if a.To == from.was.ID {
			a.User = into.now.UserID
		}
		a.From, a.To = swap(a.From), swap(a.To)
		// Both may have held it by the same source: then the longer one stands.
		had, ok, err := tx.Assignment(ctx, a.AssignmentKey)
		if err != nil {
			return err
		}
		if ok && compareExpiry(had.Expires, a.Expires) >= 0 {
			continue
		}
		home := m.change(a.From)
		home.putHeld = append(home.putHeld, a)
	}
	if err := m.joinGiven(ctx, tx, from, into); err != nil {
		return err
	}
	m.removeNode(from)
	m.of(from).into = into
	return nil
}
