package role_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

var (
	worlds = flag.Int("worlds", 8, "random worlds to compare roles and checks in")
	seed   = flag.Uint64("seed", 1, "of the first world")
)

const (
	parties = 6 // of a world
	users   = 2
	tuples  = 22
)

// The roles of a user are what one check per role says, for every pair of random worlds.
func TestRolesAreWhatChecksSay(t *testing.T) {
	w := newWorld(t)
	found, longest := 0, 0
	for i := range *worlds {
		random := rand.New(rand.NewPCG(*seed+uint64(i), 0))
		base := int64(1 + i*parties) // worlds share the engine and no party
		made := randomTuples(random, w.catalogue, base)
		w.write(relation.Touch, made...)
		for on := base; on < base+parties; on++ {
			for user := int64(100); user < 100+users; user++ {
				want, got := w.checked(on, user), w.codes(on, user)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("world of seed %d, user %d on party %d (-checks +roles):\n%s\ntuples:\n%s",
						*seed+uint64(i), user, on, diff, text(made))
				}
				if len(want) > 0 {
					found++
				}
				longest = max(longest, len(want))
			}
		}
	}
	if found < *worlds || longest < 10 {
		t.Errorf("only %d pairs with roles, at most %d of them: the worlds are too poor to prove anything", found, longest)
	}
}

// randomTuples makes a world dense in what makes roles travel: key roles, organisations
// in roles, sub-units, sole traders, roles that end.
func randomTuples(random *rand.Rand, c *roles.Catalogue, base int64) []tuple {
	party := func() int64 { return base + random.Int64N(parties) }
	user := func() int64 { return 100 + random.Int64N(users) }
	all := c.Roles()
	var keys, traders []roles.Role
	for _, r := range all {
		if r.KeyRole {
			keys = append(keys, r)
		}
		if r.SoleTrader {
			traders = append(traders, r)
		}
	}
	made := map[string]tuple{}
	for len(made) < tuples {
		t := tuple{on: party()}
		r := all[random.IntN(len(all))]
		unit := ""
		switch random.IntN(3) {
		case 0:
			r = keys[random.IntN(len(keys))]
			if random.IntN(4) == 0 && len(r.NoKeyIn) > 0 {
				unit = r.NoKeyIn[0]
			}
		case 1:
			r = traders[random.IntN(len(traders))]
		}
		switch kind := random.IntN(10); {
		case kind < 4:
			t.relation, t.user = r.PersonRelation(unit), user()
		case kind < 8:
			t.relation, t.party = r.OrganisationRelation(unit), party()
		case kind == 8: // links lead to lower ids only: a check of a circle fails
			t.relation, t.party = string(roles.MainUnit), party()
		default:
			t.relation, t.party = "enk", party()
		}
		link := t.relation == string(roles.MainUnit) || t.relation == "enk"
		if t.relation == "" || link && t.party >= t.on {
			continue
		}
		if !link {
			switch random.IntN(8) {
			case 0:
				t.expires = time.Now().Add(-time.Hour)
			case 1:
				t.expires = time.Now().Add(time.Hour)
			}
		}
		made[fmt.Sprint(t.on, t.relation, t.user, t.party)] = t
	}
	out := make([]tuple, 0, len(made))
	for _, t := range made {
		out = append(out, t)
	}
	return out
}

func text(tuples []tuple) string {
	var s string
	for _, t := range tuples {
		s += fmt.Sprintf("\tparty:%d#%s@user:%d/party:%d %s\n", t.on, t.relation, t.user, t.party, t.expires.Format(time.RFC3339))
	}
	return s
}
