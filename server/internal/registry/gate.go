package registry

import (
	"context"
	"fmt"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Standing is what access lists say of a party and a resource. The zero Standing opens
// nothing.
type Standing struct {
	Lists   []string // the URNs of all lists that the party is on, sorted
	Allowed bool     // one of them opens the resource for the action
	Known   bool     // the resource is on record, or some list opens it to somebody
}

// Standing says what access lists make of a party, a resource and an action. Membership is
// that of the revision to which the context is pinned.
func (s *Service) Standing(ctx context.Context, at relation.At, id party.ID, resource, action string) (Standing, relation.Revision, error) {
	tuples, revision, err := s.relations.Read(ctx, at, relation.Filter{
		ResourceType: relation.TypeAccessList, Relation: relationMember,
		SubjectType: relation.TypeParty, SubjectID: relation.Party(int64(id)).ID,
	})
	if err != nil {
		return Standing{}, "", fmt.Errorf("read the access lists of party %d: %w", id, err)
	}
	on := make(map[string]bool, len(tuples))
	var out Standing
	for _, t := range tuples {
		parts, err := relation.SplitID(t.Resource.ID)
		if err != nil || len(parts) != 2 {
			continue // written through the relations API, and no list of the registry's
		}
		on[t.Resource.ID] = true
		out.Lists = append(out.Lists, ListURN(parts[0], parts[1]))
	}
	slices.Sort(out.Lists)
	var openings []records.Opening
	err = s.records.Read(ctx, func(tx *records.Tx) error {
		var err error
		if openings, err = tx.OpeningsOf(ctx, resource); err != nil || len(openings) > 0 {
			return err
		}
		_, out.Known, err = tx.Resource(ctx, resource)
		return err
	})
	if err != nil {
		return Standing{}, "", err
	}
	out.Known = out.Known || len(openings) > 0
	for _, o := range openings {
		if on[o.List] && (len(o.Actions) == 0 || slices.Contains(o.Actions, action)) {
			out.Allowed = true
		}
	}
	return out, revision, nil
}

// ListsOf returns the URNs of the lists that a party is on, and whether one of them opens
// the resource for the action, at the revision to which the context is pinned.
func (s *Service) ListsOf(ctx context.Context, id party.ID, resource, action string) ([]string, bool, error) {
	standing, _, err := s.Standing(ctx, relation.At{}, id, resource, action)
	return standing.Lists, standing.Allowed, err
}

// ListedOnly reports whether a resource is open to members of access lists only. One that
// is not on record is not.
func (s *Service) ListedOnly(ctx context.Context, resource string) (bool, error) {
	var listed bool
	err := s.records.Read(ctx, func(tx *records.Tx) error {
		r, _, err := tx.Resource(ctx, resource)
		listed = r.ListedOnly
		return err
	})
	return listed, err
}
