package register

import (
	"context"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// verifyParties is how many parties are derived at a time.
const verifyParties = 1000

// MissingError is returned when a relationship that follows from the records is not there.
type MissingError struct{ Relationship relation.Relationship }

// Error names the relationship.
func (e *MissingError) Error() string {
	r := e.Relationship
	return fmt.Sprintf("%s should have %s for %s by its records, and has not", r.Resource, r.Relation, r.Subject)
}

// Verify asks has for every relationship that follows from the records at an instant, and
// returns how many there are. What exists besides is not looked for: administrators may
// write relationships that no record explains.
func Verify(ctx context.Context, tx *records.Tx, catalogue *roles.Catalogue, now time.Time, has func(relation.Relationship) bool) (n int, err error) {
	var ids []party.ID
	err = tx.Parties(ctx, func(p party.Party) error {
		ids = append(ids, p.ID)
		return nil
	})
	if err != nil {
		return 0, err
	}
	for len(ids) > 0 {
		some := ids[:min(verifyParties, len(ids))]
		ids = ids[len(some):]
		facts, err := loadFacts(ctx, tx, some)
		if err != nil {
			return n, err
		}
		for _, f := range facts {
			for _, r := range Derive(catalogue, f, now) {
				if !has(r) {
					return n, &MissingError{r}
				}
				n++
			}
		}
	}
	return n, nil
}
