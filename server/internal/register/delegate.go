package register

import (
	"context"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Delegations are what a write changes of what parties delegate.
type Delegations struct {
	Put    []records.Delegation
	Delete []records.Delegation
}

// Delegate changes what parties delegate, rows and relationships together. may is asked when
// the turn to write has come, before anything is read for the write: no other write of this
// server can take away what it found. plan then says what to write. With nothing to write
// the revision is the head.
func (s *Service) Delegate(
	ctx context.Context, may func(context.Context) error, plan func(context.Context, *records.Tx) (Delegations, error),
) (relation.Revision, error) {
	if err := s.take(ctx); err != nil {
		return "", err
	}
	defer s.give()
	if err := may(ctx); err != nil {
		return "", err
	}
	revision, err := s.transact(ctx, func(ctx context.Context, tx *records.Tx) (*updates, error) {
		d, err := plan(ctx, tx)
		if err != nil || len(d.Put)+len(d.Delete) == 0 {
			return nil, err
		}
		return s.redelegate(ctx, tx, d)
	})
	if err != nil || revision != "" {
		return revision, err
	}
	return s.relations.Head(ctx)
}

// redelegate changes the rows and says what follows in the graph.
func (s *Service) redelegate(ctx context.Context, tx *records.Tx, d Delegations) (*updates, error) {
	touched := slices.Concat(d.Put, d.Delete)
	before, err := s.deriveGiven(ctx, tx, touched)
	if err != nil {
		return nil, err
	}
	for _, g := range d.Delete {
		if err := tx.DeleteDelegation(ctx, g); err != nil {
			return nil, err
		}
	}
	for _, g := range d.Put {
		if err := tx.PutDelegation(ctx, g); err != nil {
			return nil, err
		}
	}
	after, err := s.deriveGiven(ctx, tx, touched)
	if err != nil {
		return nil, err
	}
	return &updates{difference(before, after), difference(after, before)}, nil
}

// group are delegations whose tuples belong together: of one right, of one package of a
// party, or of one client's by one provider. What a party has given besides has no part in
// them, and need not be read.
type group struct {
	from, via                                 party.ID
	pkg, resource, action, instance, task, to string
}

// groups returns the groups that the delegations belong to, each with one of them.
func groups(all []records.Delegation) map[group]records.Delegation {
	found := make(map[group]records.Delegation)
	for _, g := range all {
		if g.Via != 0 {
			found[group{from: g.From, via: g.Via}] = g
			if g.ToSystem != "" {
				found[group{via: g.Via, to: g.ToSystem}] = g
			}
			continue
		}
		found[group{from: g.From, pkg: g.Package, resource: g.Resource, action: g.Action, instance: g.Instance, task: g.Task}] = g
	}
	return found
}

// deriveGiven returns the tuples of the groups that the delegations belong to, ordered.
func (s *Service) deriveGiven(ctx context.Context, tx *records.Tx, touched []records.Delegation) ([]relation.Relationship, error) {
	var all []relation.Relationship
	for key, g := range groups(touched) {
		p, held, given, err := s.loadGroup(ctx, tx, key, g)
		if err != nil {
			return nil, err
		}
		d := &derivation{of: relation.Party(int64(p.ID)), now: s.now()}
		d.given(s.catalogue, p, held, given)
		all = append(all, d.sorted()...)
	}
	slices.SortFunc(all, compareTuples)
	return all, nil
}

// loadGroup reads what the tuples of a group follow from.
func (s *Service) loadGroup(ctx context.Context, tx *records.Tx, key group, g records.Delegation) (p party.Party, held []Held, given Given, err error) {
	if key.from == 0 {
		given.Serves, err = tx.DelegationsToSystem(ctx, key.to)
		given.Serves = slices.DeleteFunc(given.Serves, func(each records.Delegation) bool { return each.Via != key.via })
		return party.Party{ID: key.via}, nil, given, err
	}
	found, err := tx.PartiesByID(ctx, []party.ID{key.from})
	if err != nil {
		return party.Party{}, nil, Given{}, err
	}
	if key.via == 0 {
		given.Delegations, err = tx.DelegationsLike(ctx, g)
		return found[key.from], nil, given, err
	}
	if given.Delegations, err = tx.DelegationsBetween(ctx, key.from, key.via); err != nil {
		return party.Party{}, nil, Given{}, err
	}
	roles, err := tx.AssignmentsFrom(ctx, []party.ID{key.from})
	if err != nil {
		return party.Party{}, nil, Given{}, err
	}
	for _, a := range roles {
		if a.To == key.via {
			held = append(held, Held{Role: a.Role, Holder: a.To, User: a.User, Expires: a.Expires})
		}
	}
	given.Agents, err = agentsOf(ctx, tx, []party.ID{key.via})
	return found[key.from], held, given, err
}

// agentsOf reads who acts for clients of the providers.
func agentsOf(ctx context.Context, tx *records.Tx, providers []party.ID) ([]Agent, error) {
	if len(providers) == 0 {
		return nil, nil
	}
	held, err := tx.AssignmentsFrom(ctx, providers)
	if err != nil {
		return nil, err
	}
	var agents []Agent
	for _, a := range held {
		if a.Role == roleAgent {
			agents = append(agents, Agent{Provider: a.From, Agent: a.To, Expires: a.Expires})
		}
	}
	return agents, nil
}
