package delegation_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

func TestRightToAPerson(t *testing.T) {
	w := newWorld(t)
	if w.may(shop, person(10)) {
		t.Fatal("may before")
	}
	d := w.give(right(to(10)))
	want := delegation.Delegation{
		ID: d.ID, From: shop, Right: delegation.Right{Resource: "app_skd_skatt", Action: "read"}, To: 10, ToUser: user(10),
		GivenBy: user(1), GivenAt: d.GivenAt,
	}
	if diff := cmp.Diff(want, d); diff != "" || d.ID == "" || d.GivenAt.IsZero() {
		t.Errorf("granted (-want +got):\n%s", diff)
	}
	w.wantTuples("party:100#right@right:100/app_skd_skatt/read", "right:100/app_skd_skatt/read#user@user:1010")
	path, ok := w.asking(delegation.Asking{Party: shop, Resource: "app_skd_skatt", Action: "read", Instance: "100/x", Task: "Task_1"}, person(10))
	if diff := cmp.Diff([]string{"right:100/app_skd_skatt/read#user@user:1010"}, path); !ok || diff != "" {
		t.Errorf("a right to all of it opens each instance and task: %v %s", ok, diff)
	}
	path, ok = w.asking(delegation.Asking{Party: shopUnit, Resource: "app_skd_skatt", Action: "read"}, person(10))
	if diff := cmp.Diff([]string{"party:101#main_unit@party:100", "right:100/app_skd_skatt/read#user@user:1010"}, path); !ok || diff != "" {
		t.Errorf("in the sub-unit: %v %s", ok, diff)
	}
	if _, ok := w.asking(delegation.Asking{Party: shop, Resource: "app_skd_skatt", Action: "write"}, person(10)); ok {
		t.Error("the right opens another action")
	}
	if w.may(shop, person(8)) || w.may(other, person(10)) {
		t.Error("the right opens more than was given")
	}
	w.revoke(d, by(1))
	w.wantTuples()
	if w.may(shop, person(10)) || w.may(shopUnit, person(10)) {
		t.Error("may after it was taken back")
	}
	w.revoke(d, by(1)) // is no error
}

func TestRightToAnOrganisationIsItsKeyHolders(t *testing.T) {
	w := newWorld(t)
	d := w.give(right(to(buyer)))
	path, ok := w.asking(delegation.Asking{Party: shopUnit, Resource: "app_skd_skatt", Action: "read"}, person(7))
	want := []string{"party:101#main_unit@party:100", "right:100/app_skd_skatt/read#org@party:300", "party:300#lede@user:1007"}
	if diff := cmp.Diff(want, path); !ok || diff != "" {
		t.Errorf("the chair: %v %s", ok, diff)
	}
	if w.may(shop, person(8)) {
		t.Error("a member without a key role may")
	}
	organisation := relation.Subject{Object: relation.Party(buyer)}
	if !w.may(shop, organisation) || w.may(shop, relation.Subject{Object: relation.Party(other)}) {
		t.Error("which organisation was given the right")
	}
	w.lose("300", "LEDE", "7")
	if w.may(shop, person(7)) {
		t.Error("may without the key role")
	}
	w.revoke(d, by(1))
	if w.may(shop, organisation) {
		t.Error("the organisation still has it")
	}
}

func TestRightToASystemUserAnInstanceATask(t *testing.T) {
	w := newWorld(t)
	const guid = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
	g := right(system(standardSystem))
	g.Right.Instance = "100/" + guid
	d := w.give(g)
	ask := delegation.Asking{Party: shop, Resource: "app_skd_skatt", Action: "read", Instance: "urn:altinn:instance-id:100/" + guid}
	if _, ok := w.asking(ask, relation.SystemUser(standardSystem)); !ok || d.Right.Instance != guid || d.ToSystem != standardSystem {
		t.Errorf("the system user may not: %+v", d)
	}
	ask.Instance = "100/00000000-5717-4562-b3fc-2c963f66afa6"
	if _, ok := w.asking(ask, relation.SystemUser(standardSystem)); ok || w.may(shop, relation.SystemUser(standardSystem)) {
		t.Error("the right to one instance opens others")
	}
	g = right(to(10))
	g.Right = delegation.Right{Resource: "skd/skatt", Action: "sign", Task: "Task_2"}
	w.give(g)
	ask = delegation.Asking{Party: shop, Resource: "app_skd_skatt", Action: "sign", Task: "Task_2"}
	if _, ok := w.asking(ask, person(10)); !ok {
		t.Error("not in the task")
	}
	ask.Task = "Task_3"
	if _, ok := w.asking(ask, person(10)); ok {
		t.Error("in another task")
	}
}

func TestRightInATaskOfAnInstance(t *testing.T) {
	w := newWorld(t)
	const guid, another = "3fa85f64-5717-4562-b3fc-2c963f66afa6", "00000000-5717-4562-b3fc-2c963f66afa6"
	g := right(to(10))
	g.Right = delegation.Right{Resource: "skd/skatt", Action: "sign", Instance: "100/" + guid, Task: "Task_2"}
	d := w.give(g)
	if d.Right.Instance != guid || d.Right.Task != "Task_2" {
		t.Errorf("given %+v", d.Right)
	}
	may := func(instance, task string) bool {
		_, ok := w.asking(delegation.Asking{Party: shop, Resource: "app_skd_skatt", Action: "sign", Instance: instance, Task: task}, person(10))
		return ok
	}
	for _, c := range []struct {
		instance, task string
		want           bool
	}{
		{guid, "Task_2", true}, {guid, "Task_3", false}, {guid, "", false}, {another, "Task_2", false}, {"", "Task_2", false}, {"", "", false},
	} {
		if got := may(c.instance, c.task); got != c.want {
			t.Errorf("in task %q of instance %q: %v, want %v", c.task, c.instance, got, c.want)
		}
	}
	w.revoke(d, by(1))
	if may(guid, "Task_2") {
		t.Error("it outlives its end")
	}
}

func TestGrantingTwiceIsOneGrant(t *testing.T) {
	w := newWorld(t)
	first := w.give(right(to(10)))
	if again := w.give(right(to(10))); again != first {
		t.Errorf("again = %+v, want %+v", again, first)
	}
	g := right(to(10))
	g.Expires = w.now.Add(48 * time.Hour)
	g.By = by(2)
	until := w.give(g)
	if until.ID != first.ID || until.GivenBy != user(1) || until.Expires.IsZero() || until.GivenAt != first.GivenAt {
		t.Errorf("with an end = %+v", until)
	}
	day := g.Expires.UTC().Format(time.DateOnly)
	w.wantTuples("party:100#right@right:100/app_skd_skatt/read until "+day, "right:100/app_skd_skatt/read#user@user:1010 until "+day)
	// Another has it for ever: what the party has given stands as long as one of them.
	second := w.give(right(to(9)))
	w.wantTuples("party:100#right@right:100/app_skd_skatt/read",
		"right:100/app_skd_skatt/read#user@user:1009", "right:100/app_skd_skatt/read#user@user:1010 until "+day)
	w.revoke(second, by(2))
	w.wantTuples("party:100#right@right:100/app_skd_skatt/read until "+day, "right:100/app_skd_skatt/read#user@user:1010 until "+day)
	page, more, err := w.List(t.Context(), delegation.Query{Party: shop, Size: 10, By: by(1)})
	if err != nil || more || len(page) != 1 || page[0] != until {
		t.Errorf("list = %+v, %v, %v", page, more, err)
	}
	w.now = w.now.Add(72 * time.Hour)
	if page, _, err := w.List(t.Context(), delegation.Query{Party: shop, Size: 10, By: by(1)}); err != nil || len(page) != 0 {
		t.Errorf("expired ones are listed: %+v, %v", page, err)
	}
}

func TestARightStandsOnItsOwn(t *testing.T) {
	w := newWorld(t)
	d := w.give(right(to(10)))
	w.lose("100", "DAGL", "1")
	if !w.may(shop, person(10)) {
		t.Error("the right went with the giver's role")
	}
	w.revoke(d, by(1)) // the giver may, whatever he is now
	if w.may(shop, person(10)) {
		t.Error("may after it was taken back")
	}
}

// Some packages may be passed on and not used, others used and not passed on.
func TestUseAndDelegationAreDifferent(t *testing.T) {
	w := newWorld(t)
	if w.uses(shop, person(2), "jordbruk") {
		t.Error("a main administrator uses a package")
	}
	g := pkg(to(10), "urn:altinn:accesspackage:jordbruk")
	g.By = by(2)
	d := w.give(g)
	if !w.uses(shop, person(10), "jordbruk") || !w.uses(shopUnit, person(10), "jordbruk") || w.uses(shop, person(10), "fiske") {
		t.Error("the package does not open what it should")
	}
	w.wantTuples("party:100#pkg_jordbruk@user:1010")
	organisation, program := w.give(pkg(to(buyer), "jordbruk")), w.give(pkg(system(standardSystem), "jordbruk"))
	w.wantTuples("party:100#pkg_jordbruk@user:1010", "party:100#pkg_jordbruk_org@party:300", "party:100#pkg_jordbruk@systemuser:"+standardSystem)
	if !w.uses(shop, person(7), "jordbruk") || !w.uses(shop, relation.SystemUser(standardSystem), "jordbruk") || w.uses(shop, person(8), "jordbruk") {
		t.Error("organisation or system user")
	}
	for _, each := range []delegation.Delegation{d, organisation, program} {
		w.revoke(each, by(2))
	}
	w.wantTuples()
	// The accountant uses the package that comes with his role, and cannot give it away.
	if !w.uses(shop, person(3), "regnskapsforer-lonn") {
		t.Error("the accountant's managing director has no package")
	}
	use, pass := 0, 0
	for _, p := range w.catalogue.Packages() {
		if !w.uses(shop, person(3), p.Code) {
			continue
		}
		use++
		g := pkg(to(10), p.Code)
		g.By = by(3)
		if _, _, err := w.Grant(t.Context(), g); err == nil {
			pass++
		}
	}
	if use != 3 || pass != 0 {
		t.Errorf("an accountant uses %d packages and passes %d on, want 3 and 0", use, pass)
	}
}

// TestPackagePaths says by which relationships each who was given a package has it: himself,
// by a key role, of the main unit, and as agent of a provider.
func TestPackagePaths(t *testing.T) {
	w := newWorld(t)
	w.give(pkg(to(10), "jordbruk"))
	w.give(pkg(to(buyer), "fiske"))
	w.give(client(to(5)))
	for _, c := range []struct {
		of   party.ID
		who  relation.Subject
		name string
		want string
	}{
		{shop, person(10), "jordbruk", "party:100#pkg_jordbruk@user:1010"},
		{shopUnit, person(10), "jordbruk", "party:101#main_unit@party:100, party:100#pkg_jordbruk@user:1010"},
		{shop, person(7), "fiske", "party:100#pkg_fiske_org@party:300, party:300#lede@user:1007"},
		{shop, person(5), "regnskapsforer-lonn", "party:100#client_delegation@client_delegation:100/200, " +
			"client_delegation:100/200#pkg_regnskapsforer_lonn@user:1005, party:100#regn_org@party:200, party:200#agent@user:1005"},
		{shop, person(8), "fiske", ""}, {shop, person(9), "jordbruk", ""}, {shop, person(6), "regnskapsforer-lonn", ""},
		{shop, person(1), "jordbruk", ""}, // by his role, which nobody gave
	} {
		p, _ := w.catalogue.Package(c.name)
		path, ok, err := w.PackagePath(t.Context(), c.of, c.who, p)
		if got := strings.Join(path, ", "); err != nil || ok != (c.want != "") || got != c.want {
			t.Errorf("%s of %d for %s: %v %q %v, want %q", c.name, c.of, c.who, ok, got, err, c.want)
		}
	}
}

func TestClientDelegationEndsWithEachOfItsLinks(t *testing.T) {
	const lonn = "regnskapsforer-lonn"
	for name, end := range map[string]func(*world, delegation.Delegation){
		"the grant":               func(w *world, d delegation.Delegation) { w.revoke(d, by(4)) },
		"the accountant's role":   func(w *world, _ delegation.Delegation) { w.lose("100", "REGN", "200") },
		"the agent's place":       func(w *world, _ delegation.Delegation) { w.lose("200", "agent", "5") },
		"the agent gives it back": func(w *world, d delegation.Delegation) { w.revoke(d, by(5)) },
		"the firm": func(w *world, _ delegation.Delegation) {
			err := w.records.Write(w.t.Context(), func(ctx context.Context, tx *records.Tx) error {
				return errors.Join(tx.DeleteSystemUser(ctx, agentSystem), tx.DeleteSystemUser(ctx, ownSystem))
			})
			if err != nil {
				w.t.Fatal(err)
			}
			if _, err := w.register.DeleteParty(w.t.Context(), register.PartyID(firm)); err != nil {
				w.t.Fatal(err)
			}
		},
		"the client": func(w *world, _ delegation.Delegation) {
			for _, id := range []party.ID{shopUnit, shop} {
				if _, err := w.register.DeleteParty(w.t.Context(), register.PartyID(id)); err != nil {
					w.t.Fatal(err)
				}
			}
		},
		"the agent": func(w *world, _ delegation.Delegation) {
			if _, err := w.register.DeleteParty(w.t.Context(), register.PartyID(5)); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := w.give(client(to(5)))
			if !w.uses(shop, person(5), lonn) || !w.uses(shopUnit, person(5), lonn) {
				t.Fatal("the agent has not the package")
			}
			if w.uses(shop, person(6), lonn) || w.uses(shop, person(5), "regnskapsforer-med-signeringsrettighet") {
				t.Error("more than was given")
			}
			end(w, d)
			if w.uses(shop, person(5), lonn) || w.uses(shopUnit, person(5), lonn) {
				t.Error("the agent still has the package")
			}
			w.wantTuples()
			// It does not come back by itself.
			if name == "the accountant's role" {
				w.hold("100", "REGN", "200")
			}
			if name == "the agent's place" {
				w.hold("200", "agent", "5")
			}
			if w.uses(shop, person(5), lonn) {
				t.Error("it came back")
			}
		})
	}
}

// A link that ends by itself ends what hangs on it, in the graph.
func TestClientDelegationExpiresWithItsLinks(t *testing.T) {
	w := newWorld(t)
	soon := w.now.Add(48 * time.Hour)
	_, err := w.register.PutAssignment(t.Context(), "test", register.AssignmentRecord{From: "party:100", Role: "REGN", To: "party:200", Expires: soon})
	if err != nil {
		t.Fatal(err)
	}
	g := client(to(5))
	g.Expires = w.now.Add(90 * 24 * time.Hour)
	w.give(g)
	until := " until " + soon.UTC().Format(time.DateOnly)
	w.wantTuples(
		"client_delegation:100/200#client@party:100"+until, "client_delegation:100/200#provider@party:200"+until,
		"client_delegation:100/200#pkg_regnskapsforer_lonn@user:1005"+until, "party:100#client_delegation@client_delegation:100/200"+until)
}

func TestClientDelegationToASystemUser(t *testing.T) {
	w := newWorld(t)
	d := w.give(client(system(agentSystem)))
	if !w.uses(shop, relation.SystemUser(agentSystem), "regnskapsforer-lonn") {
		t.Error("the system user has not the package")
	}
	if w.uses(firm, relation.SystemUser(agentSystem), "regnskapsforer-lonn") {
		t.Error("the system user has it of its owner")
	}
	w.revoke(d, by(3))
	w.wantTuples()
}
