package party_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	rpc "github.com/behalf-authz/behalf/server/internal/rpc/party"
)

var (
	user    = caller.Caller{Kind: caller.User, UserID: 100}
	service = caller.Caller{Kind: caller.Service, Scopes: []caller.Scope{caller.PartiesRead}}
	nobody  = caller.Caller{}
)

// The world: Kasper (user 100) leads unit 2 of firm 1, and keeps the books of party 77,
// which has no record.
var (
	firm = party.Party{ID: 1, UUID: "35042029-f290-473c-9770-2e256bb50d3b", Kind: party.Organisation, Name: "SKROVA OG STANGHELLE",
		OrgNumber: "910042963", UnitType: "AS"}
	unit = party.Party{ID: 2, UUID: "35042029-f290-473c-9770-2e256bb50d3c", Kind: party.SubUnit, Name: "TÅRNÅSEN OG VARTDAL",
		OrgNumber: "910042971", UnitType: "BEDR", MainUnit: 1, DeletedOn: "2024-01-31"}
	kasper = party.Party{ID: 3, UUID: "ee007db6-0000-4000-8000-000000000001", Kind: party.Person, Name: "KASPER BØRSTAD",
		NationalID: "07124912037", BirthDate: "1949-12-07", UserID: 100, Login: true}
)

var (
	firmMessage = &behalfv1.Party{PartyId: 1, PartyUuid: firm.UUID, Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION,
		Name: firm.Name, OrgNumber: firm.OrgNumber, UnitType: "AS"}
	unitMessage = &behalfv1.Party{PartyId: 2, PartyUuid: unit.UUID, Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT,
		Name: unit.Name, OrgNumber: unit.OrgNumber, UnitType: "BEDR", MainUnitId: 1, Deleted: true}
	kasperMessage = &behalfv1.Party{PartyId: 3, PartyUuid: kasper.UUID, Kind: behalfv1.PartyKind_PARTY_KIND_PERSON,
		Name: kasper.Name, NationalId: kasper.NationalID, BirthDate: kasper.BirthDate}
)

func newServer(t *testing.T) *rpc.Server {
	t.Helper()
	e, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if err := e.EnsureSchema(t.Context(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	touch := func(on int64, name string, by relation.Subject) relation.Update {
		return relation.Update{Op: relation.Touch, Relationship: relation.Relationship{Resource: relation.Party(on), Relation: name, Subject: by}}
	}
	_, err = e.Write(t.Context(), []relation.Update{
		touch(2, "main_unit", relation.Subject{Object: relation.Party(1)}),
		touch(2, "dagl", relation.User(100)),
		touch(77, "regn", relation.User(100)),
		touch(3, "self", relation.User(100)),
		touch(1, "dagl", relation.User(200)),
	})
	if err != nil {
		t.Fatal(err)
	}
	directory := party.NewDirectory()
	directory.Apply([]party.Party{firm, unit, kasper}, nil)
	parties, err := party.New(party.Config{Relations: e, Directory: directory})
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := rpc.New(rpc.Config{Parties: parties, Catalogue: catalogue})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestListParties(t *testing.T) {
	s := newServer(t)
	carrier := &behalfv1.Party{PartyId: 1, PartyUuid: firm.UUID, Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION,
		Name: firm.Name, OrgNumber: firm.OrgNumber, UnitType: "AS", HierarchyOnly: true, SubUnits: []*behalfv1.Party{unitMessage}}
	unknown := &behalfv1.Party{PartyId: 77}
	for _, c := range []struct {
		name string
		who  caller.Caller
		req  *behalfv1.ListPartiesRequest
		want []*behalfv1.Party
	}{
		{"own", user, &behalfv1.ListPartiesRequest{}, []*behalfv1.Party{kasperMessage, unitMessage, unknown}},
		{"own, named", user, &behalfv1.ListPartiesRequest{UserId: 100, Order: behalfv1.PartyOrder_PARTY_ORDER_ID}, []*behalfv1.Party{unitMessage, kasperMessage, unknown}},
		{"by number", user, &behalfv1.ListPartiesRequest{Order: behalfv1.PartyOrder_PARTY_ORDER_NUMBER}, []*behalfv1.Party{kasperMessage, unitMessage, unknown}},
		{"grouped", user, &behalfv1.ListPartiesRequest{GroupSubUnits: true}, []*behalfv1.Party{kasperMessage, carrier, unknown}},
		{"standing", user, &behalfv1.ListPartiesRequest{ExcludeDeleted: true}, []*behalfv1.Party{kasperMessage, unknown}},
		{"search", user, &behalfv1.ListPartiesRequest{Search: "borstad"}, []*behalfv1.Party{kasperMessage}},
		{"role by code", user, &behalfv1.ListPartiesRequest{Role: "Dagl"}, []*behalfv1.Party{unitMessage}},
		{"role by slug", user, &behalfv1.ListPartiesRequest{Role: "daglig-leder"}, []*behalfv1.Party{unitMessage}},
		{"role by urn", user, &behalfv1.ListPartiesRequest{Role: "urn:altinn:external-role:ccr:daglig-leder"}, []*behalfv1.Party{unitMessage}},
		{"role that is a link", user, &behalfv1.ListPartiesRequest{Role: "BEDR"}, nil},
		{"service", service, &behalfv1.ListPartiesRequest{UserId: 200}, []*behalfv1.Party{firmMessage, unitMessage}},
	} {
		got, err := s.ListParties(caller.With(t.Context(), c.who), c.req)
		if diff := cmp.Diff(c.want, got.GetParties(), protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
		}
		if got.GetRevision() == "" || int(got.GetTotalSize()) != len(c.want) || got.GetNextPageToken() != "" {
			t.Errorf("%s: revision %q, total %d, next %q", c.name, got.GetRevision(), got.GetTotalSize(), got.GetNextPageToken())
		}
	}
	first, err := s.ListParties(caller.With(t.Context(), user), &behalfv1.ListPartiesRequest{PageSize: 2})
	if err != nil || len(first.GetParties()) != 2 || first.GetTotalSize() != 3 || first.GetNextPageToken() == "" {
		t.Errorf("first page: %v, %v", first, err)
	}
	second, err := s.ListParties(caller.With(t.Context(), user), &behalfv1.ListPartiesRequest{PageSize: 2, PageToken: first.GetNextPageToken()})
	if diff := cmp.Diff([]*behalfv1.Party{unknown}, second.GetParties(), protocmp.Transform()); diff != "" || err != nil || second.GetNextPageToken() != "" {
		t.Errorf("second page: %q, %v (-want +got):\n%s", second.GetNextPageToken(), err, diff)
	}
}

func TestGetParty(t *testing.T) {
	s := newServer(t)
	id := func(n int64) *behalfv1.PartyReference {
		return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: n}}
	}
	number := func(n string) *behalfv1.PartyReference {
		return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_OrgNumber{OrgNumber: n}}
	}
	for _, c := range []struct {
		who  caller.Caller
		ref  *behalfv1.PartyReference
		want *behalfv1.Party
	}{
		{user, id(2), unitMessage},
		{user, number("910042971"), unitMessage},
		{user, &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyUuid{PartyUuid: unit.UUID}}, unitMessage},
		{user, &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_NationalId{NationalId: "07124912037"}}, kasperMessage},
		{user, id(77), &behalfv1.Party{PartyId: 77}},
		{service, id(1), firmMessage},
	} {
		got, err := s.GetParty(caller.With(t.Context(), c.who), &behalfv1.GetPartyRequest{Party: c.ref})
		if diff := cmp.Diff(c.want, got.GetParty(), protocmp.Transform()); diff != "" || err != nil || got.GetRevision() == "" {
			t.Errorf("%v: revision %q, %v (-want +got):\n%s", c.ref, got.GetRevision(), err, diff)
		}
	}
	for _, ref := range []*behalfv1.PartyReference{id(1), id(99), number("910042963"), number("999999999")} {
		_, err := s.GetParty(caller.With(t.Context(), user), &behalfv1.GetPartyRequest{Party: ref})
		wantFault(t, ref.String(), err, fault.Denied, party.ReasonPartyNotRepresented, "")
	}
	_, err := s.GetParty(caller.With(t.Context(), service), &behalfv1.GetPartyRequest{Party: id(99)})
	wantFault(t, "service", err, fault.NotFound, fault.ReasonPartyNotFound, "")
}

func TestValidateParty(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		who         caller.Caller
		party, user int64
		want        bool
	}{
		{user, 2, 0, true}, {user, 3, 100, true}, {user, 1, 0, false}, {user, 99, 0, false},
		{service, 1, 200, true}, {service, 2, 200, true}, {service, 3, 200, false},
	} {
		got, err := s.ValidateParty(caller.With(t.Context(), c.who), &behalfv1.ValidatePartyRequest{PartyId: c.party, UserId: c.user})
		if err != nil || got.GetMayRepresent() != c.want || got.GetRevision() == "" {
			t.Errorf("user %d, party %d: %v, %v; want %v", c.user, c.party, got, err, c.want)
		}
	}
}

func TestListRepresentatives(t *testing.T) {
	s := newServer(t)
	got, err := s.ListRepresentatives(caller.With(t.Context(), service), &behalfv1.ListRepresentativesRequest{PartyId: 2, Role: "DAGL"})
	want := []*behalfv1.Representative{{UserId: 100, Party: kasperMessage}, {UserId: 200}}
	if diff := cmp.Diff(want, got.GetRepresentatives(), protocmp.Transform()); diff != "" || err != nil || got.GetTotalSize() != 2 || got.GetRevision() == "" {
		t.Errorf("%v, %v (-want +got):\n%s", got, err, diff)
	}
}

// Every call says what is wrong with it, and no other caller's answer gets out.
func TestRefusals(t *testing.T) {
	s := newServer(t)
	list := func(who caller.Caller, req *behalfv1.ListPartiesRequest) error {
		_, err := s.ListParties(caller.With(t.Context(), who), req)
		return err
	}
	validate := func(who caller.Caller, req *behalfv1.ValidatePartyRequest) error {
		_, err := s.ValidateParty(caller.With(t.Context(), who), req)
		return err
	}
	represent := func(who caller.Caller, req *behalfv1.ListRepresentativesRequest) error {
		_, err := s.ListRepresentatives(caller.With(t.Context(), who), req)
		return err
	}
	get := func(who caller.Caller, req *behalfv1.GetPartyRequest) error {
		_, err := s.GetParty(caller.With(t.Context(), who), req)
		return err
	}
	one := &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: 1}}
	for _, c := range []struct {
		name   string
		err    error
		kind   fault.Kind
		reason fault.Reason
		field  string
	}{
		{"list of another", list(user, &behalfv1.ListPartiesRequest{UserId: 200}), fault.Denied, fault.ReasonOtherUser, ""},
		{"list of nobody", list(service, &behalfv1.ListPartiesRequest{}), fault.Invalid, fault.ReasonUserRequired, "user_id"},
		{"list by nobody", list(nobody, &behalfv1.ListPartiesRequest{}), fault.Unauthenticated, fault.ReasonCredentialsMissing, ""},
		{"unknown role", list(user, &behalfv1.ListPartiesRequest{Role: "KING"}), fault.Invalid, fault.ReasonUnknownRole, "role"},
		{"unknown order", list(user, &behalfv1.ListPartiesRequest{Order: 9}), fault.Invalid, fault.ReasonInvalidArgument, "order"},
		{"bad token", list(user, &behalfv1.ListPartiesRequest{PageToken: "x"}), fault.Invalid, fault.ReasonInvalidPageToken, "page_token"},
		{"bad revision", list(user, &behalfv1.ListPartiesRequest{AtLeastAsFresh: "x"}), fault.Invalid, fault.ReasonInvalidRevision, ""},
		{"validate another", validate(user, &behalfv1.ValidatePartyRequest{PartyId: 1, UserId: 200}), fault.Denied, fault.ReasonOtherUser, ""},
		{"validate nobody", validate(service, &behalfv1.ValidatePartyRequest{PartyId: 1}), fault.Invalid, fault.ReasonUserRequired, "user_id"},
		{"validate by nobody", validate(nobody, &behalfv1.ValidatePartyRequest{PartyId: 1}), fault.Unauthenticated, fault.ReasonCredentialsMissing, ""},
		{"validate at a bad revision", validate(user, &behalfv1.ValidatePartyRequest{PartyId: 1, AtLeastAsFresh: "x"}), fault.Invalid, fault.ReasonInvalidRevision, ""},
		{"representatives by a user", represent(user, &behalfv1.ListRepresentativesRequest{PartyId: 2}), fault.Denied, fault.ReasonServicesOnly, ""},
		{"representatives by nobody", represent(nobody, &behalfv1.ListRepresentativesRequest{PartyId: 2}), fault.Denied, fault.ReasonServicesOnly, ""},
		{"representatives, unknown role", represent(service, &behalfv1.ListRepresentativesRequest{PartyId: 2, Role: "KING"}), fault.Invalid, fault.ReasonUnknownRole, "role"},
		{"representatives, bad token", represent(service, &behalfv1.ListRepresentativesRequest{PartyId: 2, PageToken: "x"}), fault.Invalid, fault.ReasonInvalidPageToken, "page_token"},
		{"get nothing", get(user, &behalfv1.GetPartyRequest{}), fault.Invalid, fault.ReasonInvalidArgument, "party"},
		{"get by nobody", get(nobody, &behalfv1.GetPartyRequest{Party: one}), fault.Denied, party.ReasonPartyNotRepresented, ""},
		{"get at a bad revision", get(service, &behalfv1.GetPartyRequest{Party: one, AtLeastAsFresh: "x"}), fault.Invalid, fault.ReasonInvalidRevision, ""},
	} {
		wantFault(t, c.name, c.err, c.kind, c.reason, c.field)
	}
}

func wantFault(t *testing.T, what string, err error, kind fault.Kind, reason fault.Reason, field string) {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != kind || e.Reason != reason {
		t.Errorf("%s: %v, want kind %d reason %s", what, err, kind, reason)
		return
	}
	if field != "" && (len(e.Violations) != 1 || e.Violations[0].Field != field) {
		t.Errorf("%s: violations %+v, want one of field %s", what, e.Violations, field)
	}
}
