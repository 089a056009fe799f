package e2e

import (
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// TestEstateRolesGoWithTheirParties deletes the holder of a role in an estate.
func TestEstateRolesGoWithTheirParties(t *testing.T) {
	i := start(t)
	ctx := as(t.Context(), i.admin)
	register, information := behalfv1.NewRegisterServiceClient(i.conn), behalfv1.NewInformationServiceClient(i.conn)
	for id, number := range map[int64]string{71: "07101000071", 72: "07101000072"} {
		_, err := register.PutParty(ctx, person(id, func(p *behalfv1.PartyRecord) { p.NationalId, p.UserId = number, 1000+id }))
		if err != nil {
			t.Fatal(err)
		}
	}
	role := &behalfv1.EstateRole{From: "party:71", Role: "skifteattest", To: "party:72"}
	if _, err := information.PutEstateRole(ctx, &behalfv1.PutEstateRoleRequest{EstateRole: role}); err != nil {
		t.Fatal(err)
	}
	held := func() int {
		t.Helper()
		list, err := information.ListEstateRoles(ctx, &behalfv1.ListEstateRolesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.GetEstateRoles())
	}
	if got := held(); got != 1 {
		t.Fatalf("%d roles, want 1", got)
	}
	if _, err := register.DeleteParty(ctx, &behalfv1.DeletePartyRequest{Party: party(72)}); err != nil {
		t.Fatal(err)
	}
	if got := held(); got != 0 {
		t.Errorf("%d roles outlive their holder", got)
	}
}
