package party_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// TestKeysCollide has parties come, go and take identifiers over while the hashes of most differ in
// nothing: all are found as in maps by the texts themselves.
func TestKeysCollide(t *testing.T) {
	for _, hashes := range []int{1, 3, 1000} {
		t.Run(fmt.Sprint(hashes), func(t *testing.T) {
			d := party.NewDirectory()
			d.Collide(hashes)
			rnd := rand.New(rand.NewPCG(1, uint64(hashes)))
			has, byUUID, byOrg := map[party.ID]party.Party{}, map[string]party.ID{}, map[string]party.ID{}
			leave := func(id party.ID) {
				p := has[id]
				delete(has, id)
				if byUUID[p.UUID] == id {
					delete(byUUID, p.UUID)
				}
				if byOrg[p.OrgNumber] == id {
					delete(byOrg, p.OrgNumber)
				}
			}
			for range 20_000 {
				id := party.ID(rnd.IntN(12) + 1)
				leave(id)
				if rnd.IntN(3) == 0 {
					d.Apply(nil, []party.ID{id})
				} else {
					p := party.Party{ID: id, UUID: fmt.Sprint("uuid-", rnd.IntN(16)), Name: "a"}
					if n := rnd.IntN(16); n > 0 {
						p.OrgNumber = fmt.Sprint(n)
						byOrg[p.OrgNumber] = id
					}
					has[id], byUUID[p.UUID] = p, id
					d.Apply([]party.Party{p}, nil)
				}
				for n := range 16 {
					uuid, org := fmt.Sprint("uuid-", n), fmt.Sprint(n)
					if got, _ := d.ByUUID(uuid); got != has[byUUID[uuid]] {
						t.Fatalf("%s: %+v, want %+v", uuid, got, has[byUUID[uuid]])
					}
					if got, _ := d.ByOrgNumber(org); got != has[byOrg[org]] {
						t.Fatalf("number %s: %+v, want %+v", org, got, has[byOrg[org]])
					}
				}
			}
		})
	}
}
