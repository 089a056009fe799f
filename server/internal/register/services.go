package register

import (
	"context"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// givenBetween reads all that the parties have delegated, were delegated, and have passed on
// of their clients', each once.
func givenBetween(ctx context.Context, tx *records.Tx, ids []party.ID) ([]records.Delegation, error) {
	var all []records.Delegation
	for _, read := range []func(context.Context, []party.ID) ([]records.Delegation, error){
		tx.DelegationsFrom, tx.DelegationsTo, tx.DelegationsVia,
	} {
		found, err := read(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, g := range found {
			if !slices.Contains(all, g) {
				all = append(all, g)
			}
		}
	}
	return all, nil
}

// concernedByGiven adds the parties whose tuples may change because of what is delegated.
func (s *Service) concernedByGiven(ctx context.Context, tx *records.Tx, changes []*change, renamed, ids []party.ID) ([]party.ID, error) {
	var providers []party.ID
	for _, c := range changes {
		for _, g := range slices.Concat(c.putGiven, c.deleteGiven) {
			if g.Via != 0 && g.ToSystem != "" {
				ids = append(ids, g.Via)
			}
		}
		agent := func(role string) bool { return role == roleAgent }
		if c.remove || slices.ContainsFunc(c.putHeld, func(a records.Assignment) bool { return agent(a.Role) }) ||
			slices.ContainsFunc(c.deleteHeld, func(a records.AssignmentKey) bool { return agent(a.Role) }) {
			providers = append(providers, c.node.now.ID)
		}
	}
	passedOn, err := tx.DelegationsVia(ctx, providers)
	if err != nil {
		return nil, err
	}
	named, err := tx.DelegationsTo(ctx, renamed)
	if err != nil {
		return nil, err
	}
	for _, g := range slices.Concat(passedOn, named) {
		ids = append(ids, g.From)
	}
	return ids, nil
}

// endServices adds to the changes the end of what was passed on to agents by a role that
// goes: the provider's for the client, or the agent's in the provider. It ends for good: who
// comes back later is not given by that what he had.
func (s *Service) endServices(ctx context.Context, tx *records.Tx, changes []*change) error {
	for _, c := range changes {
		var gone []records.Delegation
		for _, key := range c.deleteHeld {
			if slices.ContainsFunc(c.putHeld, func(a records.Assignment) bool { return a.From == key.From && a.Role == key.Role && a.To == key.To }) {
				continue
			}
			found, err := s.endedBy(ctx, tx, key, c.deleteHeld)
			if err != nil {
				return err
			}
			gone = append(gone, found...)
		}
		for _, g := range gone {
			if !slices.Contains(c.deleteGiven, g) {
				c.deleteGiven = append(c.deleteGiven, g)
			}
		}
	}
	return nil
}

// endedBy returns what was passed on to agents and stands no more without the role. Another
// source that still asserts it keeps it up.
func (s *Service) endedBy(ctx context.Context, tx *records.Tx, key records.AssignmentKey, deleted []records.AssignmentKey) ([]records.Delegation, error) {
	var (
		found []records.Delegation
		err   error
		keeps func(records.Delegation, records.Assignment) bool
	)
	switch {
	case key.Role == roleAgent:
		found, err = tx.DelegationsVia(ctx, []party.ID{key.From})
		found = slices.DeleteFunc(found, func(g records.Delegation) bool { return g.To != key.To })
		keeps = func(_ records.Delegation, a records.Assignment) bool { return a.Role == roleAgent && a.To == key.To }
	case s.serves(key.Role):
		found, err = tx.DelegationsBetween(ctx, key.From, key.To)
		keeps = func(g records.Delegation, a records.Assignment) bool {
			pkg, ok := s.catalogue.PackageByRelation(g.Package)
			return ok && a.To == key.To && slices.Contains(pkg.ClientRoles(), a.Role)
		}
	}
	if err != nil || len(found) == 0 {
		return nil, err
	}
	held, err := tx.AssignmentsFrom(ctx, []party.ID{key.From})
	if err != nil {
		return nil, err
	}
	held = slices.DeleteFunc(held, func(a records.Assignment) bool { return slices.Contains(deleted, a.AssignmentKey) })
	return slices.DeleteFunc(found, func(g records.Delegation) bool {
		return slices.ContainsFunc(held, func(a records.Assignment) bool { return keeps(g, a) })
	}), nil
}

// serves reports whether providers pass packages on to agents by the role.
func (s *Service) serves(role string) bool {
	for _, p := range s.catalogue.Packages() {
		if slices.Contains(p.ClientRoles(), role) {
			return true
		}
	}
	return false
}

// joinGiven moves what one person has delegated and was delegated to another. Where both
// have it by the same source, the longer one stands.
func (m *moves) joinGiven(ctx context.Context, tx *records.Tx, from, into *node) error {
	for _, g := range m.given {
		home := m.change(g.From)
		home.deleteGiven = append(home.deleteGiven, g)
		if g.GivenBy == from.was.UserID {
			g.GivenBy = into.now.UserID
		}
		if g.To == from.was.ID {
			g.To, g.ToUser = into.was.ID, into.now.UserID
		}
		if g.From == from.was.ID {
			g.From = into.was.ID
		}
		if g.From == g.To {
			continue // nobody delegates to himself
		}
		known, err := tx.DelegationsWithID(ctx, g.ID())
		if err != nil {
			return err
		}
		if slices.ContainsFunc(known, func(had records.Delegation) bool {
			return had.Source == g.Source && compareExpiry(had.Expires, g.Expires) >= 0
		}) {
			continue
		}
		m.change(g.From).putGiven = append(m.change(g.From).putGiven, g)
	}
	return nil
}
