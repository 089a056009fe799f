package party

import (
	"context"
	"slices"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// find returns the parties that a query is about.
func (s *Service) find(ctx context.Context, q Query) (*relation.Listed, relation.Revision, error) {
	if q.Resource == "" {
		found, revision, err := s.relations.ListResources(ctx, q.At, relation.TypeParty, q.permission(), relation.User(int64(q.User)))
		if err != nil {
			return nil, "", err
		}
		return s.unions.of(found), revision, nil
	}
	if s.policies == nil {
		return nil, "", fault.New(fault.Unimplemented, fault.ReasonInvalidArgument, "lists are not filtered by resource here")
	}
	ctx, revision, err := s.relations.Pin(ctx, q.At)
	if err != nil {
		return nil, "", err
	}
	found, err := s.openTo(ctx, q)
	return found, revision, err
}

// openTo returns the parties for which a resource is open to a user. ctx is pinned.
func (s *Service) openTo(ctx context.Context, q Query) (*relation.Listed, error) {
	roles, packages, err := s.policies.Openers(ctx, q.At, relation.ResourceID(q.Resource), q.Action)
	if err != nil {
		return nil, err
	}
	var permissions []string
	for _, name := range roles {
		permissions = append(permissions, rolePermission(name))
	}
	for _, name := range packages {
		permissions = append(permissions, packagePermission(name))
	}
	slices.Sort(permissions)
	user := relation.User(int64(q.User))
	var parts []*relation.Listed
	for _, permission := range slices.Compact(permissions) {
		part, _, err := s.relations.ListResources(ctx, q.At, relation.TypeParty, permission, user)
		if err != nil {
			return nil, err
		}
		if part.Len() > 0 {
			parts = append(parts, part)
		}
	}
	rights, _, err := s.relations.ListResources(ctx, q.At, relation.TypeRight, "exercise", user)
	if err != nil {
		return nil, err
	}
	delegated, err := s.underRights(ctx, q, rights.IDs())
	if err != nil {
		return nil, err
	}
	if len(delegated) > 0 {
		parts = append(parts, relation.NewListed(delegated))
	}
	return s.unions.of(parts...), nil
}

// underRights returns the parties that have delegated a right to the resource, and their
// sub-units, to which it extends.
func (s *Service) underRights(ctx context.Context, q Query, rights []string) (parties []string, err error) {
	resource := relation.ResourceID(q.Resource)
	seen := make(map[string]bool)
	for _, id := range rights {
		r, ok := relation.ParseRight(relation.Object{Type: relation.TypeRight, ID: id})
		if !ok || r.Resource != resource || q.Action != "" && r.Action != q.Action || r.Instance != "" {
			continue // a right to one instance opens that, and not the resource
		}
		if of := strconv.FormatInt(r.Party, 10); !seen[of] {
			seen[of] = true
			parties = append(parties, of)
		}
	}
	for level := parties; len(level) > 0; {
		filters := make([]relation.Filter, len(level))
		for i, id := range level {
			filters[i] = relation.Filter{ResourceType: relation.TypeParty, Relation: "main_unit", SubjectType: relation.TypeParty, SubjectID: id}
		}
		units, _, err := s.relations.Read(ctx, q.At, filters...)
		if err != nil {
			return nil, err
		}
		level = nil
		for _, unit := range units {
			if id := unit.Resource.ID; !seen[id] {
				seen[id] = true
				level = append(level, id)
			}
		}
		parties = append(parties, level...)
	}
	return parties, nil
}
