package authzed_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
)

// register is a register of organisations as the benchmarks of checks ask about it: of twenty
// parties nine are sub-units, each main unit has a managing director and some of a chair, a
// member of the board, an accountant's and an auditor's firm, a few of which have most clients.
// It is about three relationships a party, and the same for the same size.
type register struct {
	parties int
	firms   int
}

func newRegister(tuples int) register {
	parties := max(tuples/3, 200)
	return register{parties: parties, firms: parties / 50}
}

// The places within twenty parties that are sub-units.
const (
	block    = 20
	subUnits = 9
)

func (r register) isSub(i int) bool { return i%block >= block-subUnits }

// main returns the main unit that a party is, or belongs to.
func (r register) main(i int) int {
	if !r.isSub(i) {
		return i
	}
	return i - i%block + i%(block-subUnits)
}

// firm returns the firm that keeps the books of a main unit, its few first ones most often.
func (r register) firm(i int) int {
	u := float64(i*2654435761%1_000_003) / 1_000_003
	f := int(u * u * u * float64(r.firms))
	return f - f%block // a main unit
}

// director, chair and member are persons of a main unit. Some have several.
func (r register) director(i int) int { return i * 7919 % (r.parties * 4 / 5) }
func (r register) chair(i int) int    { return r.parties + i }
func (r register) member(i int) int   { return r.parties*2 + i*31%r.parties }

func partyID(i int) string { return fmt.Sprint(50_000_000 + i) }
func userID(i int) string  { return fmt.Sprint(20_000_000 + i) }

// tuples are the relationships of a party: relation and subject.
func (r register) tuples(i int) (all [][3]string) {
	if r.isSub(i) {
		return [][3]string{{"main_unit", "party", partyID(r.main(i))}}
	}
	all = [][3]string{
		{"dagl", "user", userID(r.director(i))},
		{"lede", "user", userID(r.chair(i))},
		{"medl", "user", userID(r.member(i))},
		{"regn_org", "party", partyID(r.firm(i))},
	}
	if i%2 == 0 {
		all = append(all, [3]string{"revi_org", "party", partyID(r.firm(i + 1))})
	}
	return all
}

// source gives the relationships of a register to a datastore.
type source struct {
	register register
	next     int
	rest     [][3]string
	given    int
}

// Next returns the next relationship.
func (s *source) Next(context.Context) (*tuple.Relationship, error) {
	for len(s.rest) == 0 {
		if s.next == s.register.parties {
			return nil, nil
		}
		s.rest = s.register.tuples(s.next)
		s.next++
	}
	t := s.rest[0]
	s.rest = s.rest[1:]
	s.given++
	return &tuple.Relationship{RelationshipReference: tuple.RelationshipReference{
		Resource: tuple.ObjectAndRelation{ObjectType: "party", ObjectID: partyID(s.next - 1), Relation: t[0]},
		Subject:  tuple.ObjectAndRelation{ObjectType: t[1], ObjectID: t[2], Relation: tuple.Ellipsis},
	}}, nil
}

// load puts a register into a datastore and returns how many relationships it has.
func (r register) load(b *testing.B, store datastore.Datastore) int {
	b.Helper()
	s := &source{register: r}
	_, err := store.ReadWriteTx(b.Context(), func(ctx context.Context, w datastore.ReadWriteTransaction) error {
		*s = source{register: r}
		_, err := w.BulkLoad(ctx, s)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return s.given
}

// pair is a question.
type pair struct{ party, user string }

// pairs draws questions about a permission whose answer is known.
func (r register) pairs(permission string, hit bool) []pair {
	const asked = 4096
	random := rand.New(rand.NewPCG(1, uint64(len(permission))))
	all := make([]pair, asked)
	for n := range all {
		i := random.IntN(r.parties)
		m := r.main(i)
		user := r.director(m)
		switch {
		case !hit:
			user = r.parties*4 + n // has roles elsewhere only, or none
			if n%2 == 0 {
				user = r.chair(r.main(random.IntN(r.parties)))
			}
			if user == r.chair(m) || user == r.chair(r.firm(m)) || user == r.chair(r.firm(m+1)) {
				user = r.parties * 4
			}
		case permission == "has_utinn" && n%2 == 0:
			user = r.chair(m)
		case permission == "represent" && n%3 == 0:
			user = r.director(r.firm(m)) // through the accountant's firm
		case permission == "represent" && n%3 == 1:
			user = r.member(m)
		}
		all[n] = pair{partyID(i), userID(user)}
	}
	return all
}
