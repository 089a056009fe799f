package authorized_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/authorized"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// openings says that ttd owns loan, which managing directors and those with the package
// jordbruk may use.
type openings struct{}

func (openings) Owner(_ context.Context, resource string) (string, error) {
	return map[string]string{"loan": "ttd", "account": "nav"}[resource], nil
}

func (openings) OwnedBy(_ context.Context, owner string) ([]string, error) {
	return map[string][]string{"ttd": {"loan"}, "nav": {"account"}}[owner], nil
}

func (openings) Subjects(_ context.Context, resource string) (byRole, byPackage []string, err error) {
	if resource == "loan" {
		return []string{"dagl"}, []string{"jordbruk"}, nil
	}
	return nil, nil, nil
}

// The world: user 1 (party 10) leads firm 20 with the units 21 and 22, holds MEDL in 30, and
// holds a key role that nobody names in 40, which keeps the books of 50 (with unit 51) and of
// the business 60 of the sole trader 61, and was given account of 70. He was given loan and
// an instance of unit 82 of 81, which was struck off.
func world(t *testing.T) *authorized.Service {
	t.Helper()
	e, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if err := e.EnsureSchema(t.Context(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	var updates []relation.Update
	add := func(of relation.Object, name string, to relation.Subject) {
		updates = append(updates, relation.Update{Op: relation.Touch, Relationship: relation.Relationship{Resource: of, Relation: name, Subject: to}})
	}
	org := func(id int64) relation.Subject { return relation.Subject{Object: relation.Party(id)} }
	right := func(of int64, resource, action, instance string) relation.Object {
		o, err := relation.Right(of, resource, action, instance, "")
		if err != nil {
			t.Fatal(err)
		}
		add(relation.Party(of), "right", relation.Subject{Object: o})
		return o
	}
	me := relation.User(1)
	add(relation.Party(10), "self", me)
	add(relation.Party(10), "priv", me)
	add(relation.Party(20), "dagl", me)
	add(relation.Party(21), "main_unit", org(20))
	add(relation.Party(22), "main_unit", org(20))
	add(relation.Party(22), "pkg_jordbruk", me)
	add(relation.Party(30), "medl", me)
	add(relation.Party(40), "keyrole", me)
	add(relation.Party(50), "regn_org", org(40))
	add(relation.Party(51), "main_unit", org(50))
	add(relation.Party(60), "regn_org", org(40))
	add(relation.Party(61), "enk", org(60))
	add(right(70, "account", "read", ""), "org", org(40))
	add(relation.Party(82), "main_unit", org(81))
	add(right(82, "loan", "read", ""), "user", me)
	add(right(82, "app_ttd_a", "read", "f3fc6233-1631-429d-8405-e1678f88dbd7"), "user", me)
	if _, err := e.Write(t.Context(), updates); err != nil {
		t.Fatal(err)
	}
	directory := party.NewDirectory()
	var parties []party.Party
	for id, unitType := range map[party.ID]string{20: "AS", 21: "BEDR", 22: "BEDR", 30: "AS", 40: "AS", 50: "AS", 51: "BEDR", 60: "ENK", 70: "AS", 81: "AS", 82: "BEDR"} {
		p := party.Party{ID: id, Kind: party.Organisation, UnitType: unitType}
		if unitType == "BEDR" {
			p.Kind, p.MainUnit = party.SubUnit, id/10*10
		}
		if id == 82 {
			p.MainUnit, p.DeletedOn = 81, "2024-01-31"
		}
		parties = append(parties, p)
	}
	parties = append(parties, party.Party{ID: 10, Kind: party.Person, UserID: 1, Login: true}, party.Party{ID: 61, Kind: party.Person, UserID: 2})
	directory.Apply(parties, nil)
	catalogue, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := authorized.New(authorized.Config{Relations: e, Directory: directory, Catalogue: catalogue, Openings: openings{}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// show writes entries one a line: roles by code when they are few, else how many they are,
// and the same of packages.
func show(entries []authorized.Entry, indent string) []string {
	var out []string
	for _, e := range entries {
		var codes, packages []string
		for _, r := range e.Roles {
			codes = append(codes, r.Code)
		}
		for _, p := range e.Packages {
			packages = append(packages, p.Code)
		}
		short := func(texts []string) string {
			if len(texts) > 4 {
				return fmt.Sprint(len(texts))
			}
			return strings.Join(texts, ",")
		}
		line := fmt.Sprintf("%s%d roles=%s packages=%s resources=%s instances=%d", indent, e.Party.ID, short(codes), short(packages),
			strings.Join(e.Resources, ","), len(e.Instances))
		if e.HierarchyOnly {
			line += " carrier"
		}
		out = append(append(out, line), show(e.SubUnits, indent+"-")...)
	}
	return out
}

func TestList(t *testing.T) {
	s := world(t)
	me := authorized.Subject{User: 1}
	for _, c := range []struct {
		name  string
		query authorized.Query
		want  string
	}{
		{"held only", authorized.Query{Subject: me, HeldOnly: true}, `
			10 roles=PRIV packages= resources= instances=0
			20 roles=DAGL packages= resources= instances=0
			-21 roles=DAGL packages= resources= instances=0
			-22 roles=DAGL packages=jordbruk resources= instances=0
			30 roles=MEDL packages= resources= instances=0
			40 roles= packages= resources= instances=0
			50 roles=REGN packages= resources= instances=0
			-51 roles=REGN packages= resources= instances=0
			60 roles=REGN packages= resources= instances=0
			61 roles=REGN packages= resources= instances=0
			70 roles= packages= resources=account instances=0
			81 roles= packages= resources= instances=0 carrier
			-82 roles= packages= resources=loan instances=1`},
		{"all of some", authorized.Query{Subject: me, Parties: []party.ID{20, 40, 51}}, `
			20 roles=25 packages=133 resources= instances=0
			40 roles=ECKEYROLE packages= resources= instances=0
			50 roles= packages= resources= instances=0 carrier
			-51 roles=REGN,A0239,A0240,A0241 packages=regnskapsforer-med-signeringsrettighet,regnskapsforer-lonn,regnskapsforer-uten-signeringsrettighet resources= instances=0`},
		{"delegated only", authorized.Query{Subject: me, WithoutRoles: true, WithoutPackages: true, HeldOnly: true, ShownOnly: true}, `
			70 roles= packages= resources=account instances=0
			81 roles= packages= resources= instances=0 carrier
			-82 roles= packages= resources=loan instances=1`},
		{"by himself", authorized.Query{Subject: me, HeldOnly: true, WithoutKeyRoles: true, WithoutSubUnits: true, WithoutDeleted: true}, `
			10 roles=PRIV packages= resources= instances=0
			20 roles=DAGL packages= resources= instances=0
			-22 roles=DAGL packages=jordbruk resources= instances=0
			30 roles=MEDL packages= resources= instances=0
			40 roles= packages= resources= instances=0`},
		{"an owner's", authorized.Query{Subject: me, HeldOnly: true, Owner: "ttd"}, `
			20 roles=DAGL packages= resources= instances=0
			-21 roles=DAGL packages= resources= instances=0
			-22 roles=DAGL packages=jordbruk resources= instances=0
			81 roles= packages= resources= instances=0 carrier
			-82 roles= packages= resources=loan instances=1`},
		{"a resource's", authorized.Query{Subject: me, HeldOnly: true, Resources: []string{"account"}}, `
			70 roles= packages= resources=account instances=0`},
		{"a resource of another owner", authorized.Query{Subject: me, Resources: []string{"account"}, Owner: "ttd"}, ``},
		{"an organisation's", authorized.Query{Subject: authorized.Subject{Organisation: 40}, HeldOnly: true}, `
			50 roles=REGN packages= resources= instances=0
			-51 roles=REGN packages= resources= instances=0
			60 roles=REGN packages= resources= instances=0
			61 roles=REGN packages= resources= instances=0
			70 roles= packages= resources=account instances=0`},
		{"nobody's", authorized.Query{Subject: authorized.Subject{User: 99}}, ``},
	} {
		list, err := s.List(t.Context(), c.query)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var want []string
		for line := range strings.Lines(c.want) {
			if line = strings.TrimSpace(line); line != "" {
				want = append(want, line)
			}
		}
		if diff := cmp.Diff(want, show(list.Entries, "")); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
		if list.Revision == "" || list.Total != len(list.Entries) || list.Next != "" {
			t.Errorf("%s: revision %q, total %d, next %q", c.name, list.Revision, list.Total, list.Next)
		}
	}
}

func TestPages(t *testing.T) {
	s := world(t)
	whole, err := s.List(t.Context(), authorized.Query{Subject: authorized.Subject{User: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var pieces []string
	q := authorized.Query{Subject: authorized.Subject{User: 1}, PageSize: 3}
	for {
		page, err := s.List(t.Context(), q)
		if err != nil || len(page.Entries) > 3 || page.Total != whole.Total {
			t.Fatalf("%d of %d, %v", len(page.Entries), page.Total, err)
		}
		pieces = append(pieces, show(page.Entries, "")...)
		if q.PageToken = page.Next; q.PageToken == "" {
			break
		}
	}
	if diff := cmp.Diff(show(whole.Entries, ""), pieces); diff != "" {
		t.Error(diff)
	}
	if _, err := s.List(t.Context(), authorized.Query{Subject: authorized.Subject{User: 1}, PageToken: "x"}); err == nil {
		t.Error("a token of no list is taken")
	}
}
