package delegation

import (
	"context"
	"fmt"
	"slices"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// maxLevels bounds the main units above a party, as a check of it is bounded.
const maxLevels = 50

// Asking is a right that may have been delegated, as a decision asks about it. What was
// delegated for all tasks and instances is delegated for each.
type Asking struct {
	Party    party.ID // for which somebody acts
	Resource string   // such as app_skd_taxreport
	Task     string   // or end event; empty for none
	Instance string   // in any of its spellings; empty for none
	Action   string
}

// Delegated reports whether one of the subjects may exercise a right because the party or
// its main unit has delegated it, and by which relationships. A subject is a user, a system
// user, or a party that asks whether it was given the right itself.
func (s *Service) Delegated(ctx context.Context, a Asking, subjects []relation.Subject) (path []string, ok bool, err error) {
	units, err := s.units(ctx, a.Party)
	if err != nil {
		return nil, false, err
	}
	var questions []relation.Question
	for _, unit := range units {
		for _, right := range a.rights(unit) {
			for _, who := range subjects {
				permission := "exercise"
				if who.Type == relation.TypeParty {
					permission = "org"
				}
				questions = append(questions, relation.Question{Object: right, Permission: permission, Subject: who})
			}
		}
	}
	yes, err := s.ask(ctx, questions)
	if err != nil {
		return nil, false, fmt.Errorf("look for delegations of party %d: %w", a.Party, err)
	}
	i := slices.Index(yes, true)
	if i < 0 {
		return nil, false, nil
	}
	path, err = s.path(ctx, units, questions[i])
	return path, err == nil, err
}

// units returns the party and the main units above it, nearest first.
func (s *Service) units(ctx context.Context, of party.ID) ([]party.ID, error) {
	units := []party.ID{of}
	for i := 0; i < len(units) && len(units) < maxLevels; i++ {
		links, _, err := s.relations.Read(ctx, relation.At{}, relation.Filter{
			ResourceType: relation.TypeParty, ResourceID: relation.Party(int64(units[i])).ID, Relation: string(roles.MainUnit),
		})
		if err != nil {
			return nil, fmt.Errorf("read the main unit of party %d: %w", units[i], err)
		}
		for _, l := range links {
			if n, ok := l.Subject.Number(); ok && !slices.Contains(units, party.ID(n)) {
				units = append(units, party.ID(n))
			}
		}
	}
	return units, nil
}

// rights returns the objects of the rights of a unit that include the one asked about.
func (a Asking) rights(unit party.ID) []relation.Object {
	var found []relation.Object
	for _, part := range []struct{ instance, task string }{{}, {instance: a.Instance}, {task: a.Task}, {a.Instance, a.Task}} {
		right, err := relation.Right(int64(unit), a.Resource, a.Action, part.instance, part.task)
		if err == nil && !slices.Contains(found, right) {
			found = append(found, right) // what cannot be named was delegated by nobody
		}
	}
	return found
}

// path returns the relationships by which the answer to a question is yes, from the party
// asked about to the subject.
func (s *Service) path(ctx context.Context, units []party.ID, q relation.Question) ([]string, error) {
	var path []string
	parts, _ := relation.ParseRight(q.Object)
	for i := 1; i < len(units) && units[i-1] != party.ID(parts.Party); i++ {
		path = append(path, text(relation.Party(int64(units[i-1])), string(roles.MainUnit), relation.Subject{Object: relation.Party(int64(units[i]))}))
	}
	holders, _, err := s.relations.Read(ctx, relation.At{}, relation.Filter{ResourceType: q.Object.Type, ResourceID: q.Object.ID})
	if err != nil {
		return nil, fmt.Errorf("read who has %s: %w", q.Object, err)
	}
	for _, h := range holders {
		if h.Subject == q.Subject {
			return append(path, text(h.Resource, h.Relation, h.Subject)), nil
		}
	}
	for _, h := range holders {
		if h.Subject.Type != relation.TypeParty {
			continue
		}
		held, _, err := s.relations.Read(ctx, relation.At{}, relation.Filter{
			ResourceType: relation.TypeParty, ResourceID: h.Subject.ID, SubjectType: q.Subject.Type, SubjectID: q.Subject.ID,
		})
		if err != nil {
			return nil, fmt.Errorf("read the key roles in %s: %w", h.Subject, err)
		}
		for _, t := range held {
			if _, key, ok := s.catalogue.Held(t.Relation); ok && key {
				return append(path, text(h.Resource, h.Relation, h.Subject), text(t.Resource, t.Relation, t.Subject)), nil
			}
		}
	}
	return append(path, text(q.Object, q.Permission, q.Subject)), nil
}

// text is a relationship as people read it.
func text(o relation.Object, name string, s relation.Subject) string {
	return o.String() + "#" + name + "@" + s.String()
}

// Packages returns those of the wanted access packages that a user or system user has for a
// party: by a role that brings their use, delegated to him or to an organisation in which he
// has a key role, of the main unit, or as agent of a provider.
func (s *Service) Packages(ctx context.Context, of party.ID, who relation.Subject, wanted []roles.Package) ([]roles.Package, error) {
	questions := make([]relation.Question, len(wanted))
	for i, p := range wanted {
		questions[i] = relation.Question{Object: relation.Party(int64(of)), Permission: "has_pkg_" + p.Relation, Subject: who}
	}
	yes, err := s.ask(ctx, questions)
	if err != nil {
		return nil, fmt.Errorf("look for the access packages of %s for party %d: %w", who, of, err)
	}
	var held []roles.Package
	for i, p := range wanted {
		if yes[i] {
			held = append(held, p)
		}
	}
	return held, nil
}
