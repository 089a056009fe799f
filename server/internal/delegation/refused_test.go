package delegation_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// state is all that can be seen of what is delegated.
func (w *world) state() (rows []records.Delegation, tuples []string) {
	w.t.Helper()
	err := w.records.Read(w.t.Context(), func(tx *records.Tx) error {
		return tx.EachDelegationBy(w.t.Context(), delegation.Source, func(d records.Delegation) error {
			rows = append(rows, d)
			return nil
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows, w.tuples()
}

func TestRefusedGrantsWriteNothing(t *testing.T) {
	w := newWorld(t)
	w.put(register.PartyRecord{ID: 20, Kind: party.Person, Name: "Død", NationalID: "07010100020", UserID: 1020, DiedOn: "2026-01-01"})
	w.give(right(to(9)))
	rows, tuples := w.state()
	type change func(*delegation.Grant)
	rights := func(of delegation.Right) change { return func(g *delegation.Grant) { g.Right = of } }
	as := func(id party.ID) change { return func(g *delegation.Grant) { g.By = by(id) } }
	service := func(g *delegation.Grant) { g.By = delegation.Actor{With: "service"} }
	from := func(id party.ID) change { return func(g *delegation.Grant) { g.From = party.Reference{ID: id} } }
	provider := func(id party.ID) change { return func(g *delegation.Grant) { g.Provider = party.Reference{ID: id} } }
	receiver := func(r delegation.Receiver) change { return func(g *delegation.Grant) { g.To = r } }
	named := func(name string) change { return func(g *delegation.Grant) { g.Package = name } }
	ends := func(at time.Time) change { return func(g *delegation.Grant) { g.Expires = at } }
	for _, c := range []struct {
		name   string
		grant  delegation.Grant
		change change
		kind   fault.Kind
		reason fault.Reason
		field  string
	}{
		{"it has ended", right(to(10)), ends(w.now), fault.Invalid, delegation.ReasonExpired, "expires_at"},
		{"ended long ago", pkg(to(10), "jordbruk"), ends(time.Unix(0, 0)), fault.Invalid, delegation.ReasonExpired, "expires_at"},
		{"somebody else's party", right(to(10)), as(9), fault.Denied, delegation.ReasonNotAdministrator, "from"},
		{"nobody's administrator", right(to(10)), as(10), fault.Denied, delegation.ReasonNotAdministrator, "from"},
		{"an accountant does not administer", right(to(10)), as(3), fault.Denied, delegation.ReasonNotAdministrator, "from"},
		{"who has only been given the right", right(to(10)), func(g *delegation.Grant) { g.By = delegation.Actor{User: user(9)} }, fault.Denied, delegation.ReasonNotAdministrator, "from"},
		{"a party that does not exist", right(to(10)), from(77), fault.Denied, delegation.ReasonNotAdministrator, "from"},
		{"the same, for a service", right(to(10)), func(g *delegation.Grant) { service(g); from(77)(g) }, fault.NotFound, fault.ReasonPartyNotFound, "from"},
		{"to nobody", right(to(77)), func(*delegation.Grant) {}, fault.NotFound, fault.ReasonPartyNotFound, "to.party"},
		{"to itself", right(to(shop)), func(*delegation.Grant) {}, fault.Invalid, delegation.ReasonReceiverNotAllowed, "to.party"},
		{"to a sub-unit", right(to(shopUnit)), func(g *delegation.Grant) { service(g); from(other)(g) }, fault.Invalid, delegation.ReasonReceiverNotAllowed, "to.party"},
		{"to the dead", right(to(20)), func(*delegation.Grant) {}, fault.Invalid, delegation.ReasonReceiverNotAllowed, "to.party"},
		{"to no system user", right(system("00000000-0000-4000-8000-00000000000f")), func(*delegation.Grant) {}, fault.NotFound, delegation.ReasonSystemUserNotFound, "to.system_user_id"},
		{"a resource without a policy", right(to(10)), rights(delegation.Right{Resource: "nav_x", Action: "read"}), fault.NotFound, "POLICY_NOT_FOUND", "right.resource"},
		{"an action without a rule", right(to(10)), rights(delegation.Right{Resource: "app_skd_skatt", Action: "burn"}), fault.NotFound, delegation.ReasonUnknownRight, "right.action"},
		{"the same, for a service", right(to(10)), func(g *delegation.Grant) {
			service(g)
			g.Right.Action = "burn"
		}, fault.NotFound, delegation.ReasonUnknownRight, "right.action"},
		{"what is the service owner's", right(to(10)), rights(delegation.Right{Resource: "app_skd_skatt", Action: "purge"}), fault.NotFound, delegation.ReasonUnknownRight, "right.action"},
		{"outside the task of the rule", right(to(10)), rights(delegation.Right{Resource: "app_skd_skatt", Action: "sign"}), fault.NotFound, delegation.ReasonUnknownRight, "right.action"},
		{"by a package that he has not", right(to(10)), rights(delegation.Right{Resource: "lonn_api", Action: "write"}), fault.Denied, delegation.ReasonRightNotDelegable, "right.action"},
		{"no package", pkg(to(10), "gardsbruk"), func(*delegation.Grant) {}, fault.Invalid, delegation.ReasonUnknownPackage, "package"},
		{"a package of persons", pkg(to(10), "innbygger-kjoretoy"), func(*delegation.Grant) {}, fault.Precondition, delegation.ReasonPackageNotAssignable, "package"},
		{"the same, for a service", pkg(to(10), "innbygger-kjoretoy"), service, fault.Precondition, delegation.ReasonPackageNotAssignable, "package"},
		{"a package that comes with a role", pkg(to(10), "regnskapsforer-lonn"), func(*delegation.Grant) {}, fault.Precondition, delegation.ReasonPackageNotAssignable, "package"},
		{"a package of foreign companies", pkg(to(10), "tjenester-nuf"), func(*delegation.Grant) {}, fault.Denied, delegation.ReasonPackageNotDelegable, "package"},
		{"a client of another", client(to(5)), from(other), fault.Precondition, delegation.ReasonNotProvider, "client"},
		{"a client that does not exist", client(to(5)), from(77), fault.Precondition, delegation.ReasonNotProvider, "client"},
		{"the client's own managing director", client(to(5)), as(1), fault.Denied, delegation.ReasonNotAdministrator, "provider"},
		{"an agent of the provider", client(to(5)), as(5), fault.Denied, delegation.ReasonNotAdministrator, "provider"},
		{"another provider", client(to(5)), func(g *delegation.Grant) { provider(other)(g); as(9)(g) }, fault.Precondition, delegation.ReasonNotProvider, "client"},
		{"an auditor's package", client(to(5)), named("ansvarlig-revisor"), fault.Precondition, delegation.ReasonNotProvider, "client"},
		{"a package that is not passed on", client(to(5)), named("jordbruk"), fault.Precondition, delegation.ReasonPackageNotAssignable, "package"},
		{"to no agent", client(to(10)), func(*delegation.Grant) {}, fault.Precondition, delegation.ReasonNotAgent, "agent.party"},
		{"to an organisation", client(to(buyer)), func(*delegation.Grant) {}, fault.Precondition, delegation.ReasonNotAgent, "agent.party"},
		{"to a system user of another", client(system(standardSystem)), func(*delegation.Grant) {}, fault.Precondition, delegation.ReasonNotAgent, "agent.system_user_id"},
		{"to a system user for the provider itself", client(system(ownSystem)), func(*delegation.Grant) {}, fault.Precondition, delegation.ReasonNotAgent, "agent.system_user_id"},
		{"to no system user for clients", client(to(5)), receiver(system("00000000-0000-4000-8000-00000000000f")), fault.Precondition, delegation.ReasonNotAgent, "agent.system_user_id"},
	} {
		c.change(&c.grant)
		_, revision, err := w.Grant(t.Context(), c.grant)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != c.kind || f.Reason != c.reason || len(f.Violations) != 1 || f.Violations[0].Field != c.field || revision != "" {
			t.Errorf("%s: %v at %q; want kind %d, %s at %s", c.name, err, revision, c.kind, c.reason, c.field)
		}
		rowsNow, tuplesNow := w.state()
		if diff := cmp.Diff(rows, rowsNow) + cmp.Diff(tuples, tuplesNow); diff != "" {
			t.Fatalf("%s: something was written:\n%s", c.name, diff)
		}
	}
}

func TestWhoMayRevoke(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		grant delegation.Grant
		may   []party.ID
		not   []party.ID
	}{
		"a person's right":       {right(to(10)), []party.ID{1, 2, 10}, []party.ID{3, 5, 7, 9}},
		"an organisation's":      {right(to(buyer)), []party.ID{1, 2, 7}, []party.ID{8, 9, 10}},
		"a system user's":        {pkg(system(standardSystem), "jordbruk"), []party.ID{1, 2, 7}, []party.ID{8, 9}},
		"an agent's, of clients": {client(to(5)), []party.ID{3, 4, 5}, []party.ID{6, 1, 9}},
	} {
		for _, id := range c.not {
			d := w.give(c.grant)
			if _, err := w.Revoke(t.Context(), d.ID, by(id)); reasonOf(err) != delegation.ReasonMayNotRevoke {
				t.Errorf("%s, by person %d: %v", name, id, err)
			}
			if rows, _ := w.state(); len(rows) != 1 {
				t.Fatalf("%s, by person %d: %d rows are left", name, id, len(rows))
			}
		}
		for _, who := range append([]delegation.Actor{{With: "service"}}, actors(c.may)...) {
			w.revoke(w.give(c.grant), who)
			if rows, tuples := w.state(); len(rows)+len(tuples) > 0 {
				t.Errorf("%s, by %+v: left are %v, %v", name, who, rows, tuples)
			}
		}
	}
}

func actors(ids []party.ID) (all []delegation.Actor) {
	for _, id := range ids {
		all = append(all, by(id))
	}
	return all
}

func TestWhoMayList(t *testing.T) {
	w := newWorld(t)
	given, received, passed := w.give(right(to(buyer))), w.give(pkg(to(10), "jordbruk")), w.give(client(to(5)))
	program := w.give(pkg(system(standardSystem), "fiske"))
	for _, c := range []struct {
		name  string
		query delegation.Query
		may   []party.ID
		not   []party.ID
		want  []delegation.Delegation
	}{
		{"given", delegation.Query{Party: shop}, []party.ID{1, 2}, []party.ID{3, 5, 10, 7}, []delegation.Delegation{given, received, passed, program}},
		{"received by an organisation", delegation.Query{Party: buyer, Side: delegation.Received}, []party.ID{7}, []party.ID{1, 8}, []delegation.Delegation{given}},
		{"received by a person", delegation.Query{Party: 10, Side: delegation.Received}, []party.ID{10}, []party.ID{1, 9}, []delegation.Delegation{received}},
		{"of clients", delegation.Query{Party: firm, Side: delegation.Clients}, []party.ID{3, 4}, []party.ID{1, 5}, []delegation.Delegation{passed}},
		{"a system user's", delegation.Query{SystemUser: standardSystem}, []party.ID{7}, []party.ID{1, 8}, []delegation.Delegation{program}},
	} {
		for _, who := range append([]delegation.Actor{{}}, actors(c.may)...) {
			var all []delegation.Delegation
			for after := ""; ; {
				q := c.query
				q.Size, q.After, q.By = 1, after, who
				page, more, err := w.List(t.Context(), q)
				if err != nil || len(page) != 1 {
					t.Fatalf("%s, by %+v: %v, %v", c.name, who, page, err)
				}
				all = append(all, page...)
				if after = page[0].ID; !more {
					break
				}
			}
			byID := map[string]delegation.Delegation{}
			for _, d := range c.want {
				byID[d.ID] = d
			}
			for i, d := range all {
				if byID[d.ID] != d || i > 0 && all[i-1].ID >= d.ID {
					t.Errorf("%s, by %+v: %+v", c.name, who, d)
				}
			}
			if len(all) != len(c.want) {
				t.Errorf("%s, by %+v: %d, want %d", c.name, who, len(all), len(c.want))
			}
		}
		for _, id := range c.not {
			c.query.Size, c.query.By = 10, by(id)
			if page, _, err := w.List(t.Context(), c.query); reasonOf(err) != delegation.ReasonNotAdministrator || page != nil {
				t.Errorf("%s, by person %d: %v, %v", c.name, id, page, err)
			}
		}
	}
	if _, _, err := w.List(t.Context(), delegation.Query{Size: 1}); reasonOf(err) != fault.ReasonInvalidArgument {
		t.Errorf("of nobody: %v", err)
	}
}

func TestCheck(t *testing.T) {
	w := newWorld(t)
	rights := func(q delegation.Asked) map[delegation.Right]fault.Reason {
		t.Helper()
		answers, revision, err := w.Check(t.Context(), q)
		if err != nil || revision == "" {
			t.Fatal(err)
		}
		got := map[delegation.Right]fault.Reason{}
		for _, a := range answers {
			got[a.Right] = ""
			if a.No != nil {
				got[a.Right] = a.No.Reason
			}
		}
		return got
	}
	app := func(action, task string) delegation.Right {
		return delegation.Right{Resource: "app_skd_skatt", Action: action, Task: task}
	}
	if diff := cmp.Diff(map[delegation.Right]fault.Reason{app("read", ""): "", app("write", ""): "", app("sign", "Task_2"): ""},
		rights(delegation.Asked{Party: shop, User: user(1), Resource: "skd/skatt"})); diff != "" {
		t.Error(diff)
	}
	// By a package: a main administrator may pass on what he may not use.
	api := func(action string) delegation.Right { return delegation.Right{Resource: "lonn_api", Action: action} }
	if diff := cmp.Diff(map[delegation.Right]fault.Reason{api("read"): "", api("write"): delegation.ReasonRightNotDelegable},
		rights(delegation.Asked{Party: shop, User: user(2), Resource: "lonn_api"})); diff != "" {
		t.Error(diff)
	}
	packages := func(q delegation.Asked) (may int, no map[string]fault.Reason) {
		t.Helper()
		answers, _, err := w.Check(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		no = map[string]fault.Reason{}
		for _, a := range answers {
			if a.No == nil {
				may++
				continue
			}
			no[a.Package] = a.No.Reason
		}
		return may, no
	}
	may, no := packages(delegation.Asked{Party: shop, User: user(1)})
	if may != 133 || len(no) != 223-133 {
		t.Errorf("a managing director passes %d packages on, and not %d; want 133 of 223", may, len(no))
	}
	if may, _ := packages(delegation.Asked{Party: shop, User: user(2)}); may != 133 {
		t.Errorf("a main administrator passes %d packages on, want the 134 of his role but one that nobody can be given", may)
	}
	may, no = packages(delegation.Asked{Party: shop, Provider: firm, User: user(4)})
	if may != 3 || no["urn:altinn:accesspackage:jordbruk"] != delegation.ReasonPackageNotAssignable {
		t.Errorf("a client administrator passes %d packages on, and %v", may, no)
	}
	for _, q := range []delegation.Asked{
		{Party: shop, User: user(10)}, {Party: shop, User: user(3), Resource: "lonn_api"}, {Party: shop, Provider: firm, User: user(1)}, {Party: 77, User: user(1)},
	} {
		if _, _, err := w.Check(t.Context(), q); reasonOf(err) != delegation.ReasonNotAdministrator {
			t.Errorf("%+v: %v", q, err)
		}
	}
}
