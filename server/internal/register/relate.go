package register

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Relate writes a relationship that names parties. None of them can go meanwhile, and it is
// refused when one has: whoever deletes a party must find all that names it.
func (s *Service) Relate(ctx context.Context, r relation.Relationship, parties []party.ID) (relation.Revision, error) {
	return s.relate(ctx, relation.Touch, r, parties)
}

// Unrelate takes such a relationship away. One that is not there is no fault.
func (s *Service) Unrelate(ctx context.Context, r relation.Relationship) (relation.Revision, error) {
	return s.relate(ctx, relation.Delete, r, nil)
}

func (s *Service) relate(ctx context.Context, op relation.Op, r relation.Relationship, parties []party.ID) (relation.Revision, error) {
	if err := s.take(ctx); err != nil {
		return "", err
	}
	defer s.give()
	return s.transact(ctx, func(ctx context.Context, tx *records.Tx) (*updates, error) {
		found, err := tx.PartiesByID(ctx, parties)
		if err != nil {
			return nil, err
		}
		for _, id := range parties {
			if _, ok := found[id]; !ok {
				return nil, fault.New(fault.NotFound, fault.ReasonPartyNotFound, "party %d is no longer on record", id)
			}
		}
		return &updates{make: []relation.Update{{Op: op, Relationship: r}}}, nil
	})
}
