package altinn_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/internal/standin"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// register is one party of every kind that a list shows differently.
var register = []*behalfv1.Party{
	{
		PartyId: 50076451, PartyUuid: "35042029-f290-473c-9770-2e256bb50d3b", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION,
		Name: "FJELLHEIM OG STRAND", OrgNumber: "910042963", UnitType: "AS",
		SubUnits: []*behalfv1.Party{
			{
				PartyId: 50074838, PartyUuid: "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d001", Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT,
				Name: "FJELLHEIM OG STRAND AVD TÅRNÅSEN", OrgNumber: "910042971", UnitType: "BEDR", MainUnitId: 50076451,
			},
			{
				PartyId: 50074839, PartyUuid: "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d002", Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT,
				Name: "FJELLHEIM OG STRAND AVD <ØYA & CO>", OrgNumber: "910042998", UnitType: "AAFY", MainUnitId: 50076451,
			},
		},
	},
	{
		PartyId: 50090001, PartyUuid: "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d003", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION,
		Name: "HOVEDENHET UTEN TILGANG", OrgNumber: "910090011", UnitType: "ASA", HierarchyOnly: true,
		SubUnits: []*behalfv1.Party{{
			PartyId: 50090002, PartyUuid: "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d004", Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT,
			Name: "UNDERENHET MED TILGANG", OrgNumber: "910090022", UnitType: "BEDR", MainUnitId: 50090001,
		}},
	},
	{
		PartyId: 50090003, PartyUuid: "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d005", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION,
		Name: "NEDLAGT HANDEL", OrgNumber: "910090033", UnitType: "ENK", Deleted: true,
	},
	{
		PartyId: 50090004, PartyUuid: "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d006", Kind: behalfv1.PartyKind_PARTY_KIND_BANKRUPTCY_ESTATE,
		Name: "VIK VERKSTED AS KONKURSBO", OrgNumber: "910090044", UnitType: "KBO",
	},
	{
		PartyId: 50002598, PartyUuid: "ee007db6-4c1a-4a0b-8a7e-0d1c2b3a4f01", Kind: behalfv1.PartyKind_PARTY_KIND_PERSON,
		Name: "KARI BØRSTAD", NationalId: "07124912037", BirthDate: "1949-12-07",
	},
	{
		PartyId: 50090005, PartyUuid: "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d007", Kind: behalfv1.PartyKind_PARTY_KIND_SELF_IDENTIFIED,
		Name: "epost:kari@eksempel.no",
	},
	{PartyId: 50090006}, // a tuple names it, no record does
}

func TestGoldenBodies(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = func(method string, request proto.Message) (proto.Message, error) {
		switch method {
		case "ListParties":
			return &behalfv1.ListPartiesResponse{Parties: register, TotalSize: int32(len(register)), Revision: "r1"}, nil
		case "ListRoles":
			return &behalfv1.ListRolesResponse{Roles: []*behalfv1.HeldRole{{Code: "DAGL"}, {Code: "UTINN"}, {Code: "FFØR"}, {Code: "apiadm"}, {Code: "rettighetshaver"}, {Code: "ECKEYROLE"}}}, nil
		}
		validate, _ := request.(*behalfv1.ValidatePartyRequest)
		return &behalfv1.ValidatePartyResponse{MayRepresent: validate.GetPartyId() == 50002598}, nil
	}
	for name, target := range map[string]string{
		"parties":        "/parties?userid=20000490",
		"validate-true":  "/parties/50002598/validate?userid=20000490",
		"validate-false": "/parties/1337/validate?userid=20000490",
		"roles":          "/roles?coveredByUserId=20000490&offeredByPartyId=50076451",
	} {
		for _, credentials := range []string{bearer, cookie} {
			got := standin.Do(t, srv, "GET "+api+target, "", credentials)
			if got.Status != 200 || got.Header.Get("Content-Type") != "application/json; charset=utf-8" {
				t.Errorf("%s: status %d, content type %q", name, got.Status, got.Header.Get("Content-Type"))
			}
			want, err := os.ReadFile(filepath.Join("testdata", name+".golden.json"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sorted(t, string(want)), sorted(t, got.Body)); diff != "" {
				t.Errorf("%s (-want +got):\n%s\nbody:\n%s", name, diff, got.Body)
			}
		}
	}
}

// sorted returns a JSON text with the keys of its objects in order and one space of
// indentation, so that texts can be compared byte for byte.
func sorted(t *testing.T, text string) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Names travel as they are, not as escapes: clients compare and show the raw text.
func TestNamesAreNotEscaped(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = func(string, proto.Message) (proto.Message, error) {
		return &behalfv1.ListPartiesResponse{Parties: register, TotalSize: 7}, nil
	}
	got := standin.Do(t, srv, "GET "+api+"/parties?userid=20000490", "", bearer)
	if !strings.Contains(got.Body, `AVD <ØYA & CO>`) {
		t.Errorf("body %s", got.Body)
	}
}

func TestPagingIsOptIn(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = func(string, proto.Message) (proto.Message, error) {
		return &behalfv1.ListPartiesResponse{Parties: register[:2], TotalSize: 7, NextPageToken: "a+b/c="}, nil
	}
	plain := &behalfv1.ListPartiesRequest{UserId: 20000490, GroupSubUnits: true, Order: behalfv1.PartyOrder_PARTY_ORDER_NAME}
	full := &behalfv1.ListPartiesRequest{
		UserId: 20000490, GroupSubUnits: true, Order: behalfv1.PartyOrder_PARTY_ORDER_NUMBER,
		PageSize: 2, PageToken: "t", Search: "fjell &", Role: "DAGL", ExcludeDeleted: true,
	}
	for query, want := range map[string]*behalfv1.ListPartiesRequest{
		"userid=20000490&unknown=1": plain,
		"userid=20000490&limit=2&cursor=t&search=fjell+%26&role=DAGL&sort=Number&includeDeleted=False": full,
	} {
		before := len(services.Calls())
		got := standin.Do(t, srv, "GET "+api+"/parties?"+query, "", bearer)
		if got.Status != 200 || got.Header.Get("X-Total-Count") != "7" {
			t.Fatalf("status %d, headers %v", got.Status, got.Header)
		}
		if call := services.Calls()[before]; !proto.Equal(call.Request, want) {
			t.Errorf("%s asks for\n%v, want\n%v", query, call.Request, want)
		}
		base := strings.Split(query, "&cursor")[0]
		if link := got.Header.Get("Link"); !strings.HasPrefix(link, "</authorization/api/v1/parties?"+base+"&") ||
			!strings.HasSuffix(link, `cursor=a%2Bb%2Fc%3D>; rel="next"`) || strings.Count(link, "cursor") != 1 {
			t.Errorf("Link %q", link)
		}
	}
}
