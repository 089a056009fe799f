package role_test

import (
	"errors"
	"slices"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/role"
	rpc "github.com/behalf-authz/behalf/server/internal/rpc/role"
)

var (
	user    = caller.Caller{Kind: caller.User, UserID: 100}
	service = caller.Caller{Kind: caller.Service, Scopes: []caller.Scope{caller.RolesRead}}
)

func newServer(t *testing.T) (*rpc.Server, *roles.Catalogue) {
	t.Helper()
	e, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if err := e.EnsureSchema(t.Context(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	_, err = e.Write(t.Context(), []relation.Update{
		{Op: relation.Touch, Relationship: relation.Relationship{Resource: relation.Party(1), Relation: "dagl", Subject: relation.User(100)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	service, err := role.New(role.Config{Relations: e, Catalogue: catalogue})
	if err != nil {
		t.Fatal(err)
	}
	s, err := rpc.New(rpc.Config{Roles: service, Catalogue: catalogue})
	if err != nil {
		t.Fatal(err)
	}
	return s, catalogue
}

func TestListRoles(t *testing.T) {
	s, _ := newServer(t)
	for _, c := range []struct {
		who         caller.Caller
		party, user int64
		with        []string // empty for none at all
	}{
		{user, 1, 0, []string{"DAGL", "UTINN", "ECKEYROLE", "apiadm"}},
		{user, 1, 100, []string{"DAGL"}},
		{service, 1, 100, []string{"DAGL"}},
		{user, 2, 0, nil},
		{service, 1, 200, nil},
	} {
		got, err := s.ListRoles(caller.With(t.Context(), c.who), &behalfv1.ListRolesRequest{PartyId: c.party, UserId: c.user})
		if err != nil || got.GetRevision() == "" || len(c.with) == 0 && len(got.GetRoles()) != 0 {
			t.Errorf("user %d, party %d: %v, %v", c.user, c.party, got, err)
		}
		for _, code := range c.with {
			if !slices.ContainsFunc(got.GetRoles(), func(r *behalfv1.HeldRole) bool { return r.GetCode() == code && r.GetUrn() != "" }) {
				t.Errorf("user %d, party %d: %v lacks %s", c.user, c.party, got.GetRoles(), code)
			}
		}
	}
	for _, c := range []struct {
		name   string
		who    caller.Caller
		req    *behalfv1.ListRolesRequest
		kind   fault.Kind
		reason fault.Reason
	}{
		{"another", user, &behalfv1.ListRolesRequest{PartyId: 1, UserId: 200}, fault.Denied, fault.ReasonOtherUser},
		{"nobody named", service, &behalfv1.ListRolesRequest{PartyId: 1}, fault.Invalid, fault.ReasonUserRequired},
		{"nobody", caller.Caller{}, &behalfv1.ListRolesRequest{PartyId: 1}, fault.Unauthenticated, fault.ReasonCredentialsMissing},
		{"bad revision", user, &behalfv1.ListRolesRequest{PartyId: 1, AtLeastAsFresh: "x"}, fault.Invalid, fault.ReasonInvalidRevision},
	} {
		_, err := s.ListRoles(caller.With(t.Context(), c.who), c.req)
		if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != c.kind || e.Reason != c.reason {
			t.Errorf("%s: %v, want kind %d reason %s", c.name, err, c.kind, c.reason)
		}
	}
}

func TestListCatalogue(t *testing.T) {
	s, catalogue := newServer(t)
	got, err := s.ListCatalogue(t.Context(), &behalfv1.ListCatalogueRequest{})
	if err != nil || len(got.GetRoles()) != len(catalogue.Roles()) {
		t.Fatalf("%d roles, %v; want %d", len(got.GetRoles()), err, len(catalogue.Roles()))
	}
	for i, r := range catalogue.Roles() {
		m := got.GetRoles()[i]
		if m.GetCode() != r.Code || m.GetRelation() != r.Relation || m.GetUrn() != r.URN || m.GetKeyRole() != r.KeyRole {
			t.Errorf("role %d is %v, want %s", i, m, r.Code)
		}
		if r.Code == "DAGL" && !slices.Contains(m.GetImplies(), "UTINN") {
			t.Errorf("DAGL implies %v", m.GetImplies())
		}
	}
}
