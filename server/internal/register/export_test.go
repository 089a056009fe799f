package register

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// SetChunk makes an import write no more parties in one transaction.
func (s *Service) SetChunk(parties int) { s.chunk = parties }

// Derived returns the tuples that follow from the records.
func (s *Service) Derived(ctx context.Context) (all []relation.Relationship, err error) {
	err = s.records.Read(ctx, func(tx *records.Tx) error {
		var ids []party.ID
		err := tx.Parties(ctx, func(p party.Party) error {
			ids = append(ids, p.ID)
			return nil
		})
		if err != nil {
			return err
		}
		all, err = s.derive(ctx, tx, ids)
		return err
	})
	return all, err
}
