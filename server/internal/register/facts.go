package register

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// loadFacts reads what the tuples of the parties follow from. Holders without a record are
// taken from absent.
func loadFacts(ctx context.Context, tx *records.Tx, ids []party.ID, absent map[party.ID]party.Party) ([]Facts, error) {
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
	others, err := loadOthers(ctx, tx, parties, held, owned, absent)
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
		at[a.From].Held = append(at[a.From].Held, Held{Role: a.Role, Holder: others[a.To], Expires: a.Expires})
	}
	for _, a := range owned {
		at[a.To].Businesses = append(at[a.To].Businesses, Business{Party: others[a.From], Expires: a.Expires})
	}
	return facts, nil
}

// loadOthers returns the parties themselves, who holds something in them, and what they own.
func loadOthers(
	ctx context.Context, tx *records.Tx, parties map[party.ID]party.Party, held, owned []records.Assignment, absent map[party.ID]party.Party,
) (map[party.ID]party.Party, error) {
	var missing []party.ID
	asked := make(map[party.ID]bool)
	ask := func(id party.ID) {
		if _, ok := parties[id]; !ok && !asked[id] {
			asked[id] = true
			missing = append(missing, id)
		}
	}
	for _, a := range held {
		ask(a.To)
	}
	for _, a := range owned {
		ask(a.From)
	}
	found, err := tx.PartiesByID(ctx, missing)
	if err != nil {
		return nil, err
	}
	for _, id := range missing {
		if _, ok := found[id]; ok {
			continue
		}
		if p, ok := absent[id]; ok {
			found[id] = p
		}
	}
	for id, p := range parties {
		found[id] = p
	}
	return found, nil
}
