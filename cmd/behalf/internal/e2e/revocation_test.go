package e2e

import (
	"context"
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

var revocations = flag.Int("revocations", 200, "how many grants and revocations TestRevocation makes")

// TestRevocation grants and revokes at random over gRPC while others ask for decisions: none
// that was asked for after a revocation had returned is Permit on the strength of what it
// took back, and none that was asked for after a grant is anything else.
func TestRevocation(t *testing.T) {
	d := startDelegating(t)
	ctx, stop := context.WithCancel(as(t.Context(), d.admin))
	defer stop()
	rights := []*revocable{
		{grant: grantTo(memberParty), user: memberUser},
		{grant: grantTo(50020007), user: 20010005}, // to a business, which she owns
		{grant: grantTo(accounting), user: accountantUser},
	}
	decisions := behalfv1.NewDecisionServiceClient(d.conn)
	var (
		asking sync.WaitGroup
		asked  atomic.Int64
	)
	for i := range 4 {
		asking.Add(1)
		go func() {
			defer asking.Done()
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for ctx.Err() == nil {
				if why := rights[random.IntN(len(rights))].ask(ctx, decisions); why != "" {
					t.Error(why)
					stop()
				}
				asked.Add(1)
			}
		}()
	}
	delegations := behalfv1.NewDelegationServiceClient(d.conn)
	random := rand.New(rand.NewPCG(7, 7))
	for range *revocations {
		if err := rights[random.IntN(len(rights))].turn(ctx, delegations); err != nil {
			t.Error(err)
			break
		}
	}
	stop()
	asking.Wait()
	t.Logf("%d grants and revocations, %d decisions meanwhile", *revocations, asked.Load())
}

// grantTo gives a party the right to read the bakery's tax return.
func grantTo(id int64) *behalfv1.GrantRightRequest {
	return &behalfv1.GrantRightRequest{
		From: party(bakery), To: &behalfv1.Receiver{Receiver: &behalfv1.Receiver_Party{Party: party(id)}},
		Right: &behalfv1.Right{Resource: "app_skd_tax", Action: "read"}, UserId: bakerUser,
	}
}

// revocable is a right that is granted and revoked, again and again.
type revocable struct {
	grant *behalfv1.GrantRightRequest
	user  int64
	id    string

	mu     sync.Mutex
	stands bool   // as of the last write that returned
	writes uint64 // odd while one is under way
}

func (r *revocable) mark(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// turn grants the right, or takes it back.
func (r *revocable) turn(ctx context.Context, service behalfv1.DelegationServiceClient) error {
	r.mark(func() { r.writes++ })
	if r.stands {
		if _, err := service.RevokeDelegation(ctx, &behalfv1.RevokeDelegationRequest{Id: r.id}); err != nil {
			return err
		}
	} else {
		answer, err := service.GrantRight(ctx, r.grant)
		if err != nil {
			return err
		}
		r.id = answer.GetDelegation().GetId()
	}
	r.mark(func() { r.stands, r.writes = !r.stands, r.writes+1 })
	return nil
}

// ask asks for a decision and says what is wrong with it. While a write is under way either
// answer is right.
func (r *revocable) ask(ctx context.Context, service behalfv1.DecisionServiceClient) string {
	var stands bool
	var before, after uint64
	r.mark(func() { stands, before = r.stands, r.writes })
	answer, err := service.Decide(ctx, &behalfv1.DecideRequest{Question: taxQuestion(r.user, "tax", "read")})
	r.mark(func() { after = r.writes })
	switch permitted := answer.GetDecision().GetEffect() == behalfv1.Effect_EFFECT_PERMIT; {
	case ctx.Err() != nil || before%2 == 1 || before != after:
		return ""
	case err != nil:
		return err.Error()
	case permitted != stands:
		return "a decision went by what was no longer, or not yet, granted: " + answer.GetDecision().GetReason()
	}
	return ""
}
