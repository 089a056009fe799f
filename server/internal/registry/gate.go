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
	Lists   []string // all lists that the party is on, as ttd:approved-banks, sorted
	Allowed bool     // one of them opens the resource for the action
	Known   bool     // the resource is on record, or some list opens it to somebody
}

// Standing says what access lists make of a party, a resource and an action. Membership is
// that of the revision to which the context is pinned.
func (s *Service) Standing(ctx context.Context, at relation.At, id party.ID, resource, action string) (Standing, relation.Revision, error) {
	tuples, revision, err := s.reader.Read(ctx, at, relation.Filter{
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
		out.Lists = append(out.Lists, parts[0]+":"+parts[1])
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

// ListsOf returns the lists that a party is on, as ttd:approved-banks, at the revision to
// which the context is pinned.
func (s *Service) ListsOf(ctx context.Context, of party.ID) ([]string, error) {
	standing, _, err := s.Standing(ctx, relation.At{}, of, "", "")
	return standing.Lists, err
}

// Admits says whether a resource admits a party for an action. It does unless it is open to
// members of access lists only, which gated says: then an organisation on a list of the
// resource is admitted, and nobody else. Membership is that of the revision to which the
// context is pinned.
func (s *Service) Admits(ctx context.Context, resource string, p party.Party, action string) (gated, admitted bool, err error) {
	err = s.records.Read(ctx, func(tx *records.Tx) error {
		r, _, err := tx.Resource(ctx, resource)
		gated = r.ListedOnly
		return err
	})
	if err != nil || !gated {
		return gated, err == nil, err
	}
	if p.Kind != party.Organisation && p.Kind != party.SubUnit && p.Kind != party.BankruptcyEstate {
		return true, false, nil
	}
	standing, _, err := s.Standing(ctx, relation.At{}, p.ID, resource, action)
	return true, standing.Allowed, err
}
