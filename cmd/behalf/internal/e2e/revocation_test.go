package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

var revocations = flag.Int("revocations", 80, "how many rights TestRevokedRightsOpenNothing grants and revokes")

// contested is a right that one goroutine grants and revokes while others decide by it.
type contested struct {
	action string
	// stands counts up when a grant begins and when a revocation has returned, so that it is
	// odd from the one to the other: while it is even, and stays the same, nothing is granted.
	stands atomic.Int64
}

// TestRevokedRightsOpenNothing grants and revokes rights at random while others decide: no
// decision that began after a revocation had returned is a Permit on its strength, and every
// one that began after a grant had returned is.
func TestRevokedRightsOpenNothing(t *testing.T) {
	d := startDelegating(t)
	rights := make([]*contested, 32)
	var alternatives strings.Builder
	for i := range rights {
		rights[i] = &contested{action: fmt.Sprintf("a%d", i)}
		one := fmt.Sprintf(matchText, rights[i].action, taxPolicyAction, accessAction)
		alternatives.WriteString(strings.TrimSuffix(strings.TrimPrefix(one, "<AnyOf>"), "</AnyOf>"))
	}
	file := filepath.Join(t.TempDir(), "policy.xml")
	text := taxPolicyBeginning + fmt.Sprintf(matchText, "UTINN", taxPolicySubject, accessSubject) + "<AnyOf>" + alternatives.String() + "</AnyOf>" + taxPolicyEnd
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run(t, "policy", "put", "--app", "skd/many", file)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var deciding, writing sync.WaitGroup
	var decided, denied, permitted atomic.Int64
	for seed := range 2 {
		deciding.Go(func() {
			random := rand.New(rand.NewPCG(uint64(seed), 5)) //nolint:gosec // a test that can be repeated
			for ctx.Err() == nil {
				r := rights[random.IntN(len(rights))]
				before := r.stands.Load()
				effect, ok := d.ask(ctx, r.action)
				if !ok {
					continue
				}
				decided.Add(1)
				if before%2 == 0 && r.stands.Load() == before {
					denied.Add(1)
					if effect == behalfv1.Effect_EFFECT_PERMIT {
						t.Errorf("%s was permitted while nothing was granted", r.action)
						stop()
					}
				}
			}
		})
	}
	const writers = 8
	for w := range writers {
		writing.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 9)) //nolint:gosec // a test that can be repeated
			for range *revocations / writers {
				r := rights[w+writers*random.IntN(len(rights)/writers)] // one writer per right
				if ctx.Err() != nil || !d.turn(ctx, t, r, &permitted) {
					stop()
					return
				}
			}
		})
	}
	writing.Wait()
	stop()
	deciding.Wait()
	t.Logf("%d decisions beside %d grants and revocations; %d of them while nothing was granted", decided.Load(), permitted.Load(), denied.Load())
	if denied.Load() == 0 || permitted.Load() == 0 {
		t.Error("nothing was proven")
	}
}

// turn grants a right, sees that it opens, revokes it and sees that it does not.
func (d delegating) turn(ctx context.Context, t *testing.T, r *contested, permitted *atomic.Int64) bool {
	service := behalfv1.NewDelegationServiceClient(d.inproc)
	r.stands.Add(1)
	granted, err := service.GrantRight(as(ctx, d.admin), &behalfv1.GrantRightRequest{
		From:  &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: bakery}},
		To:    &behalfv1.Receiver{Receiver: &behalfv1.Receiver_Party{Party: &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: memberParty}}}},
		Right: &behalfv1.Right{Resource: "app_skd_many", Action: r.action},
	})
	if err != nil {
		t.Errorf("grant %s: %v", r.action, err)
		return false
	}
	if effect, ok := d.ask(ctx, r.action); ok && effect != behalfv1.Effect_EFFECT_PERMIT {
		t.Errorf("%s is %s after it was granted", r.action, effect)
		return false
	}
	if _, err := service.RevokeDelegation(as(ctx, d.admin), &behalfv1.RevokeDelegationRequest{Id: granted.GetDelegation().GetId()}); err != nil {
		t.Errorf("revoke %s: %v", r.action, err)
		return false
	}
	r.stands.Add(1)
	if effect, ok := d.ask(ctx, r.action); ok && effect != behalfv1.Effect_EFFECT_NOT_APPLICABLE {
		t.Errorf("%s is %s after it was revoked", r.action, effect)
		return false
	}
	permitted.Add(1)
	return true
}

// ask decides about an action of the receiver's. It is not ok when the test has ended.
func (d delegating) ask(ctx context.Context, action string) (behalfv1.Effect, bool) {
	attribute := func(id string, value any) []*behalfv1.Attribute {
		return []*behalfv1.Attribute{{Id: id, Values: []string{fmt.Sprint(value)}}}
	}
	answer, err := behalfv1.NewDecisionServiceClient(d.inproc).Decide(as(ctx, d.admin), &behalfv1.DecideRequest{Question: &behalfv1.DecisionQuestion{
		Subject:  attribute("urn:altinn:userid", memberUser),
		Resource: append(attribute("urn:altinn:resource", "app_skd_many"), attribute("urn:altinn:partyid", bakery)...),
		Action:   attribute(taxPolicyAction, action),
	}})
	if err != nil {
		if ctx.Err() == nil {
			d.t.Errorf("decide %s: %v", action, err)
		}
		return 0, false
	}
	return answer.GetDecision().GetEffect(), true
}
