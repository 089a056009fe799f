package register

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// loadFacts reads what the tuples of the parties follow from.
func loadFacts(ctx context.Context, tx *records.Tx, ids []party.ID) ([]Facts, error) {
	parties, err := tx.PartiesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	held, err := tx.AssignmentsFrom(ctx, ids)
	if err != nil {
		return nil, err
	}
	var persons []party.ID
	for id, p := range parties {
		if p.Kind == party.Person {
			persons = append(persons, id)
		}
	}
	owned, err := tx.AssignmentsTo(ctx, persons, roleOwner)
	if err != nil {
		return nil, err
	}
	var businesses []party.ID
	for _, a := range owned {
		businesses = append(businesses, a.From)
	}
	known, err := tx.PartiesByID(ctx, businesses)
	if err != nil {
		return nil, err
	}
	facts := make([]Facts, len(ids))
	at := make(map[party.ID]*Facts, len(ids))
	for i, id := range ids {
		facts[i].Party = parties[id]
		at[id] = &facts[i]
	}
	for _, a := range held {
		at[a.From].Held = append(at[a.From].Held, Held{Role: a.Role, Holder: a.To, User: a.User, Expires: a.Expires})
	}
	for _, a := range owned {
		at[a.To].Businesses = append(at[a.To].Businesses, Business{Party: known[a.From], Expires: a.Expires})
	}
	return facts, loadGiven(ctx, tx, ids, at)
}

// loadGiven reads what the parties have delegated, and what they have passed on of clients'.
func loadGiven(ctx context.Context, tx *records.Tx, ids []party.ID, at map[party.ID]*Facts) error {
	given, err := tx.DelegationsFrom(ctx, ids)
	if err != nil {
		return err
	}
	var providers []party.ID
	for _, g := range given {
		at[g.From].Given.Delegations = append(at[g.From].Given.Delegations, g)
		if g.Via != 0 {
			providers = append(providers, g.Via)
		}
	}
	agents, err := agentsOf(ctx, tx, providers)
	if err != nil {
		return err
	}
	if len(agents) > 0 {
		for _, f := range at {
			f.Given.Agents = agents
		}
	}
	serves, err := tx.DelegationsVia(ctx, ids)
	if err != nil {
		return err
	}
	for _, g := range serves {
		at[g.Via].Given.Serves = append(at[g.Via].Given.Serves, g)
	}
	return nil
}
