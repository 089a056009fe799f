package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// filtered lists the parties of a user that a request keeps.
func (i *instance) filtered(t *testing.T, r *behalfv1.ListPartiesRequest) (ids []int64) {
	t.Helper()
	list, err := behalfv1.NewPartyServiceClient(i.conn).ListParties(as(t.Context(), i.admin), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list.GetParties() {
		ids = append(ids, p.GetPartyId())
	}
	slices.Sort(ids)
	return ids
}

// decided lists those of the parties for which decisions let a user take an action.
func (d delegating) decided(user int64, app, action string, parties []int64) (ids []int64) {
	d.t.Helper()
	for _, id := range parties {
		question := taxQuestion(user, app, action)
		question.Resource[2].Values = []string{fmt.Sprint(id)}
		answer, err := behalfv1.NewDecisionServiceClient(d.conn).Decide(as(d.t.Context(), d.admin), &behalfv1.DecideRequest{Question: question})
		if err != nil {
			d.t.Fatal(err)
		}
		if answer.GetDecision().GetEffect() == behalfv1.Effect_EFFECT_PERMIT {
			ids = append(ids, id)
		}
	}
	return ids
}

// A list filtered by resource and action holds those for which each would be decided so.
func TestListsByResource(t *testing.T) {
	d := startDelegating(t)
	var parties []int64
	for i := range int64(20) {
		parties = append(parties, 50010000+i, 50020000+i)
	}
	slices.Sort(parties)
	compare := func() (listed int) {
		for _, user := range []int64{bakerUser, accountantUser, memberUser} {
			for _, c := range [][2]string{{"tax", "read"}, {"tax", "write"}, {"payroll", "write"}} {
				r := &behalfv1.ListPartiesRequest{UserId: user, Resource: "app_skd_" + c[0], Action: c[1]}
				got, want := d.filtered(t, r), d.decided(user, c[0], c[1], parties)
				if !slices.Equal(got, want) {
					t.Errorf("user %d, %v: %v are listed, %v decided", user, c, got, want)
				}
				listed += len(got)
			}
		}
		return listed
	}
	before := compare()
	grant := fmt.Sprintf(`{"from":{"partyId":%d},"to":{"party":{"partyId":%d}},"right":{"resource":"app_skd_tax","action":"read"}}`, bakery, memberParty)
	d.rest(http.StatusOK, "POST", "/v1/delegations:grantRight", d.userToken(t, bakerUser, bakerParty), grant)
	if after := compare(); before == 0 || after <= before {
		t.Errorf("%d parties were listed, and %d after a right to them was delegated", before, after)
	}
	if ids := d.filtered(t, &behalfv1.ListPartiesRequest{UserId: memberUser, Resource: "skd/tax"}); !slices.Contains(ids, int64(bakery)) {
		t.Errorf("for any action: %v", ids)
	}
	byPackage := d.filtered(t, &behalfv1.ListPartiesRequest{UserId: accountantUser, Package: "regnskapsforer-lonn"})
	if want := d.decided(accountantUser, "payroll", "write", parties); len(want) == 0 || !slices.Equal(byPackage, want) {
		t.Errorf("by package: %v, want %v", byPackage, want)
	}

	answer := d.call(t, "GET", fmt.Sprintf("/authorization/api/v1/parties?userid=%d&resource=app_skd_tax&action=read", memberUser), d.userToken(t, memberUser, memberParty), "")
	if answer.status != http.StatusOK || !strings.Contains(string(answer.body), fmt.Sprint(bakery)) {
		t.Errorf("on Altinn's path: %d %s", answer.status, answer.body)
	}
	if text := d.run(t, "parties", "--user", fmt.Sprint(memberUser), "--resource", "app_skd_tax", "--action", "read"); !strings.Contains(text, fmt.Sprint(bakery)) {
		t.Errorf("by command:\n%s", text)
	}
	client := behalfv1.NewPartyServiceClient(d.conn)
	for want, r := range map[codes.Code]*behalfv1.ListPartiesRequest{
		codes.NotFound:        {UserId: memberUser, Resource: "app_skd_nothing"},
		codes.InvalidArgument: {UserId: memberUser, Resource: "app_skd_tax", Role: "DAGL"},
	} {
		if _, err := client.ListParties(as(t.Context(), d.admin), r); status.Code(err) != want {
			t.Errorf("%v: %v, want %v", r, err, want)
		}
	}
	for _, r := range []*behalfv1.ListPartiesRequest{{UserId: memberUser, Action: "read"}, {UserId: memberUser, Package: "nothing"}} {
		if _, err := client.ListParties(as(t.Context(), d.admin), r); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v: %v", r, err)
		}
	}
}
