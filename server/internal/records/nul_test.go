package records_test

import (
	"context"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// TestNUL writes texts that Postgres cannot keep: every database refuses them alike, and what
// stands beside them is not written.
func TestNUL(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		good := party.Party{ID: 1, UUID: "a", Kind: party.Organisation, Name: "A"}
		for name, bad := range map[string]party.Party{
			"name":   {ID: 2, UUID: "b", Kind: party.Organisation, Name: "B\x00"},
			"number": {ID: 2, UUID: "b", Kind: party.Organisation, Name: "B", OrgNumber: "9\x001"},
		} {
			err := s.Write(t.Context(), func(ctx context.Context, tx *records.Tx) error {
				if err := tx.PutParty(ctx, good, "test"); err != nil {
					return err
				}
				return tx.PutParty(ctx, bad, "test")
			})
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v, want an invalid one", name, err)
			}
		}
		err := s.Parties(t.Context(), func(p party.Party) error {
			t.Errorf("party %d is there", p.ID)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
