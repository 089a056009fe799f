package behalf_test

import (
	"context"
	"fmt"
	"os"
	"time"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

// client is what Dial returned when the program started.
func client() *behalf.Client {
	c, err := behalf.Dial(address, behalf.WithToken(token))
	if err != nil {
		panic(err)
	}
	return c
}

func ExampleDial() {
	client, err := behalf.Dial(address, behalf.WithToken(token), behalf.WithTimeout(2*time.Second))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer func() { _ = client.Close() }()

	may, err := client.MayRepresent(context.Background(), 20000490, 50076451)
	fmt.Println(may, err)
	// Output: true <nil>
}

func ExampleClient_Parties() {
	client := client()
	defer func() { _ = client.Close() }()

	for party, err := range client.Parties(context.Background(), behalf.PartyQuery{User: 20000490, Role: "DAGL"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(party.GetPartyId(), party.GetName())
	}
	// Output:
	// 50076451 FJELLBEKK BAKERI
	// 50074838 FJELLBEKK BAKERI AVD BERGEN
}

func ExampleClient_Roles() {
	client := client()
	defer func() { _ = client.Close() }()

	roles, err := client.Roles(context.Background(), 20000490, 50076451)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(roles[0].GetCode(), roles[0].GetUrn())
	// Output: DAGL urn:altinn:external-role:ccr:daglig-leder
}

func ExampleClient_Check() {
	client := client()
	defer func() { _ = client.Close() }()

	allowed, err := client.Check(context.Background(), behalf.Question{
		Object:     behalf.PartyID(50076451).Object(),
		Permission: "has_utinn",
		Subject:    behalf.UserID(20000490).Subject(),
	})
	fmt.Println(allowed, err)
	// Output: true <nil>
}

func ExampleClient_BulkCheck() {
	client := client()
	defer func() { _ = client.Close() }()

	answers, err := client.BulkCheck(context.Background(),
		behalf.Question{Object: behalf.PartyID(50076451).Object(), Permission: "represent", Subject: behalf.UserID(20000490).Subject()},
		behalf.Question{Object: behalf.PartyID(50076451).Object(), Permission: "represent", Subject: behalf.UserID(20000491).Subject()},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, answer := range answers {
		fmt.Println(answer.Allowed, answer.Err)
	}
	// Output:
	// true <nil>
	// false <nil>
}

func ExampleClient_Decide() {
	client := client()
	defer func() { _ = client.Close() }()

	decision, err := client.Decide(context.Background(),
		behalf.App("skd", "taxreport").For(50076451).To("write").ByUser(20000490))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(decision.GetEffect() == behalf.Permit)
	for _, obligation := range decision.GetObligations() {
		fmt.Println(obligation.GetAssignments()[0].GetCategory(), obligation.GetAssignments()[0].GetValue())
	}
	// Output:
	// true
	// urn:altinn:minimum-authenticationlevel 3
}

// A session sees in the next call what it has written in this one, on whichever node.
func ExampleClient_Session() {
	ctx, client := context.Background(), client()
	defer func() { _ = client.Close() }()

	session := client.Session("")
	grant := behalf.Grant{From: behalf.ByOrgNumber("310001007"), To: behalf.ToParty(behalf.ByNationalID("03866820227")), User: 20000490}
	delegation, err := session.GrantRight(ctx, grant, behalf.Right{Resource: "app_skd_taxreport", Action: "write"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ask := behalf.App("skd", "taxreport").For(50076451).To("write").ByUser(20000491)
	decision, err := session.Decide(ctx, ask)
	fmt.Println(decision.GetEffect(), err)
	if err := session.Revoke(ctx, delegation.GetId(), 20000490); err != nil {
		fmt.Println(err)
		return
	}
	decision, err = session.Decide(ctx, ask)
	fmt.Println(decision.GetEffect(), err)
	// Output:
	// EFFECT_PERMIT <nil>
	// EFFECT_NOT_APPLICABLE <nil>
}

func ExampleReasonOf() {
	client := client()
	defer func() { _ = client.Close() }()

	_, err := client.Party(context.Background(), behalf.ByOrgNumber("999999999"))
	if behalf.ReasonOf(err) == behalf.ReasonPartyNotFound {
		fmt.Println("no such party")
	}
	// Output: no such party
}
