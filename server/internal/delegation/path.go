package delegation

import (
	"context"
	"fmt"
	"slices"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// PackagePath returns by which relationships a user or system user was given an access
// package of a party: by the party or its main unit, himself or through an organisation in
// which he has a key role, or as the agent of a provider. It is not ok when nobody gave it.
func (s *Service) PackagePath(ctx context.Context, of party.ID, who relation.Subject, p roles.Package) (path []string, ok bool, err error) {
	units, err := s.units(ctx, of)
	if err != nil {
		return nil, false, err
	}
	for i, unit := range units {
		tuples, _, err := s.relations.Read(ctx, relation.At{}, given(unit, "pkg_"+p.Relation), given(unit, "pkg_"+p.Relation+"_org"), given(unit, "client_delegation"))
		if err != nil {
			return nil, false, fmt.Errorf("read who has %s of party %d: %w", p.Code, unit, err)
		}
		for _, t := range tuples {
			steps, ok, err := s.stepsTo(ctx, t, who, p)
			if err != nil {
				return nil, false, err
			}
			if ok {
				return append(above(units[:i+1]), steps...), true, nil
			}
		}
	}
	return nil, false, nil
}

func given(by party.ID, name string) relation.Filter {
	return relation.Filter{ResourceType: relation.TypeParty, ResourceID: relation.Party(int64(by)).ID, Relation: name}
}

// above returns the steps from a party to the last of the units above it.
func above(units []party.ID) []string {
	var steps []string
	for i := 1; i < len(units); i++ {
		steps = append(steps, text(relation.Party(int64(units[i-1])), string(roles.MainUnit), relation.Subject{Object: relation.Party(int64(units[i]))}))
	}
	return steps
}

// stepsTo returns the steps from a tuple of what was given to the subject, not ok when it
// does not lead there.
func (s *Service) stepsTo(ctx context.Context, t relation.Relationship, who relation.Subject, p roles.Package) ([]string, bool, error) {
	first := text(t.Resource, t.Relation, t.Subject)
	switch {
	case t.Subject == who:
		return []string{first}, true, nil
	case t.Subject.Type == relation.TypeClientDelegation:
		if len(p.ClientRoles()) == 0 {
			return nil, false, nil // providers pass others on
		}
		steps, ok, err := s.asAgent(ctx, t, who, p)
		return append([]string{first}, steps...), ok, err
	case t.Subject.Type != relation.TypeParty || who.Type != relation.TypeUser:
		return nil, false, nil
	}
	held, err := s.between(ctx, t.Subject.Object, who)
	i := slices.IndexFunc(held, func(h relation.Relationship) bool {
		_, key, ok := s.catalogue.Held(h.Relation)
		return ok && key
	})
	if err != nil || i < 0 {
		return nil, false, err
	}
	return []string{first, text(held[i].Resource, held[i].Relation, held[i].Subject)}, true, nil
}

// asAgent returns the steps by which a provider has passed a client's package on.
func (s *Service) asAgent(ctx context.Context, t relation.Relationship, who relation.Subject, p roles.Package) ([]string, bool, error) {
	of := t.Subject.Object
	tuples, _, err := s.relations.Read(ctx, relation.At{},
		relation.Filter{ResourceType: of.Type, ResourceID: of.ID, Relation: "provider"},
		relation.Filter{ResourceType: of.Type, ResourceID: of.ID, Relation: "pkg_" + p.Relation, SubjectType: who.Type, SubjectID: who.ID})
	if err != nil {
		return nil, false, fmt.Errorf("read what %s passes on: %w", of, err)
	}
	provider := slices.IndexFunc(tuples, func(t relation.Relationship) bool { return t.Relation == "provider" })
	passed := slices.IndexFunc(tuples, func(t relation.Relationship) bool { return t.Relation != "provider" })
	if provider < 0 || passed < 0 {
		return nil, false, nil
	}
	steps := []string{text(tuples[passed].Resource, tuples[passed].Relation, tuples[passed].Subject)}
	firm := tuples[provider].Subject
	serves, err := s.between(ctx, t.Resource, firm)
	if err != nil {
		return nil, false, err
	}
	for _, h := range serves {
		if role, _, ok := s.catalogue.Held(h.Relation); ok && slices.Contains(p.ClientRoles(), role.Relation) {
			steps = append(steps, text(h.Resource, h.Relation, h.Subject))
		}
	}
	agent, err := s.between(ctx, firm.Object, who)
	if err != nil {
		return nil, false, err
	}
	for _, h := range agent {
		if h.Relation == "agent" || h.Relation == "agent_system" {
			steps = append(steps, text(h.Resource, h.Relation, h.Subject))
		}
	}
	return steps, true, nil
}

// between returns all relationships of a party to a subject.
func (s *Service) between(ctx context.Context, of relation.Object, who relation.Subject) ([]relation.Relationship, error) {
	held, _, err := s.relations.Read(ctx, relation.At{}, relation.Filter{
		ResourceType: of.Type, ResourceID: of.ID, SubjectType: who.Type, SubjectID: who.ID,
	})
	if err != nil {
		return nil, fmt.Errorf("read what %s has of %s: %w", who, of, err)
	}
	return held, nil
}
