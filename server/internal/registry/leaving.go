package registry

import (
	"context"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Leaving makes ready for a party to be deleted in a transaction: it takes the party from
// all access lists, and returns what follows in the graph. It refuses when the party owns
// system users, which would act for nobody.
func (s *Service) Leaving(ctx context.Context, tx *records.Tx, id party.ID) ([]relation.Update, error) {
	owned, err := tx.SystemUsersOf(ctx, id)
	if err != nil {
		return nil, err
	}
	if n := len(owned); n > 0 {
		return nil, fault.New(fault.Precondition, ReasonPartyHasSystemUsers,
			"party %d owns %d system users; delete them first", id, n).With("count", strconv.Itoa(n))
	}
	lists, err := tx.ListsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	var updates []relation.Update
	for _, list := range lists {
		l, known, err := tx.AccessList(ctx, list)
		if err != nil {
			return nil, err
		}
		if err := tx.DeleteListMember(ctx, list, id); err != nil {
			return nil, err
		}
		updates = append(updates, remove(listObject(list), relationMember, id))
		if !known {
			continue
		}
		var kept []records.ListMember
		for _, m := range l.Members {
			if m.Party != id {
				kept = append(kept, m)
			}
		}
		l.Members, l.Updated = kept, micros(s.now())
		if l.ETag, err = etag(l); err != nil {
			return nil, err
		}
		if err := tx.PutAccessListRow(ctx, l); err != nil {
			return nil, err
		}
	}
	return updates, nil
}
