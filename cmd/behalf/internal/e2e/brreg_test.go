package e2e

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// held is who holds a role in an organisation, directly or through others.
type held struct{ org, role string }

// holders of the first sample, by a reader of those files.
func firstHolders() map[held][]string {
	const bygg, molde, ålesund, hytte, kommune, oppvekst, skole, konkursbo = "310000019", "310000647", "310000787", "310000159", "310000221", "310000299", "310000922", "310000434"
	return map[held][]string{
		{bygg, "DAGL"}:      {"Kari Nordmann"},
		{bygg, "LEDE"}:      {"Ola Tveit Berg"},
		{bygg, "MEDL"}:      {"Per Vik"},  // Siv Haug has resigned
		{bygg, "REGN"}:      {"Anne Lie"}, // who leads the accounting firm
		{bygg, "REVI"}:      nil,          // the auditor is in no file
		{molde, "DAGL"}:     {"Kari Nordmann"},
		{molde, "REGN"}:     {"Anne Lie"},
		{ålesund, "DAGL"}:   {"Kari Nordmann"},
		{hytte, "INNH"}:     {"Nils Dahl"},
		{hytte, "REGN"}:     {"Anne Lie"},
		{kommune, "LEDE"}:   {"Eva Strand"},
		{kommune, "MEDL"}:   nil,                // Arne Moe is dead
		{oppvekst, "DAGL"}:  {"Ola Tveit Berg"}, // a namesake, or the same: nobody can tell
		{oppvekst, "LEDE"}:  nil,                // nothing is inherited through levels of a public body
		{skole, "DAGL"}:     {"Ola Tveit Berg"},
		{skole, "LEDE"}:     nil,
		{konkursbo, "BOBE"}: {"Mona Rud"},
	}
}

// TestPublicFiles imports a sample of the register's public files, and then a newer one
// that lacks a managing director and a sub-unit.
func TestPublicFiles(t *testing.T) {
	i := start(t)
	files := func(folder string) (names []string) {
		for _, name := range []string{"enheter", "underenheter", "roller"} {
			names = append(names, filepath.Join("..", "brreg", "testdata", folder, name+".json"))
		}
		return names
	}
	importFiles := func(folder string, flags ...string) (int, string, string) {
		return behalf(t, i.reach(append(append([]string{"import"}, flags...), files(folder)...))...)
	}

	// Some entries are refused: the run takes the rest, names them and says so.
	code, out, diagnostics := importFiles("first")
	report := out + diagnostics
	if code != 3 {
		t.Fatalf("exit code %d\n%s", code, report)
	}
	for _, want := range []string{"enheter.json:", "roller.json:"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report does not name a bad line of %s\n%s", want, report)
		}
	}
	i.wantHolders(t, firstHolders())
	for _, want := range []struct {
		org     string
		kind    behalfv1.PartyKind
		deleted bool
	}{
		{"310000019", behalfv1.PartyKind_PARTY_KIND_ORGANISATION, false},
		{"310000361", behalfv1.PartyKind_PARTY_KIND_ORGANISATION, true},
		{"310000434", behalfv1.PartyKind_PARTY_KIND_BANKRUPTCY_ESTATE, false},
		{"310000647", behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, false},
		{"310001066", behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, true},
		{"310001139", behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, true},
	} {
		p, err := i.byOrgNumber(t, want.org)
		if err != nil || p.GetKind() != want.kind || p.GetDeleted() != want.deleted {
			t.Errorf("%s is %v, %v; want %v deleted %t", want.org, p, err, want.kind, want.deleted)
		}
	}

	// The same files again change nothing.
	before := i.head(t)
	importFiles("first")
	if after := i.head(t); after != before {
		t.Errorf("the second run of the same files wrote: %s became %s", before, after)
	}

	// One sub-unit in five is more than 5 %: the run stops before it writes.
	code, out, diagnostics = importFiles("second")
	if report := out + diagnostics; code == 0 || !strings.Contains(report, "REMOVALS_EXCEED_LIMIT") {
		t.Errorf("exit code %d\n%s", code, report)
	}
	if after := i.head(t); after != before {
		t.Errorf("a stopped run wrote: %s became %s", before, after)
	}

	// With leave, exactly the rights of the two that are gone are gone.
	if code, out, diagnostics := importFiles("second", "--allow-removals"); code != 3 {
		t.Fatalf("exit code %d\n%s%s", code, out, diagnostics)
	}
	want := firstHolders()
	want[held{"310000019", "DAGL"}] = nil
	want[held{"310000647", "DAGL"}] = nil
	delete(want, held{"310000787", "DAGL"})
	i.wantHolders(t, want)
	if _, err := i.byOrgNumber(t, "310000787"); status.Code(err) != codes.NotFound {
		t.Errorf("the removed sub-unit: %v, want NotFound", err)
	}
}

func (i *instance) byOrgNumber(t *testing.T, number string) (*behalfv1.Party, error) {
	t.Helper()
	res, err := behalfv1.NewPartyServiceClient(i.conn).GetParty(as(t.Context(), i.admin), &behalfv1.GetPartyRequest{
		Party: &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_OrgNumber{OrgNumber: number}},
	})
	return res.GetParty(), err
}

func (i *instance) wantHolders(t *testing.T, want map[held][]string) {
	t.Helper()
	for h := range maps.Keys(want) {
		p, err := i.byOrgNumber(t, h.org)
		if err != nil {
			t.Errorf("%s: %v", h.org, err)
			continue
		}
		res, err := behalfv1.NewPartyServiceClient(i.conn).ListRepresentatives(as(t.Context(), i.admin),
			&behalfv1.ListRepresentativesRequest{PartyId: p.GetPartyId(), Role: h.role})
		if err != nil {
			t.Errorf("%s %s: %v", h.org, h.role, err)
			continue
		}
		var names []string
		for _, r := range res.GetRepresentatives() {
			names = append(names, r.GetParty().GetName())
		}
		slices.Sort(names)
		if !slices.Equal(names, want[h]) {
			t.Errorf("%s of %s: %q, want %q", h.role, p.GetName(), names, want[h])
		}
	}
}

// TestJoinDerivedPerson makes a person of the public files one with a login, by name and
// not by guess: the login then has what the files give him, and the derived person is gone.
func TestJoinDerivedPerson(t *testing.T) {
	i := start(t)
	folder := filepath.Join("..", "brreg", "testdata", "first")
	behalf(t, i.reach([]string{"import", filepath.Join(folder, "enheter.json"), filepath.Join(folder, "roller.json")})...)
	register := behalfv1.NewRegisterServiceClient(i.conn)
	admin := as(t.Context(), i.admin)
	put, err := register.PutParty(admin, &behalfv1.PutPartyRequest{Source: "freg", Party: &behalfv1.PartyRecord{
		Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "Kari Nordmann", NationalId: "12847510360", BirthDate: "1975-04-12", Login: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	bygg, err := i.byOrgNumber(t, "310000019")
	if err != nil {
		t.Fatal(err)
	}
	represent := func() *behalfv1.ListRepresentativesResponse {
		res, err := behalfv1.NewPartyServiceClient(i.conn).ListRepresentatives(admin,
			&behalfv1.ListRepresentativesRequest{PartyId: bygg.GetPartyId(), Role: "DAGL"})
		if err != nil || len(res.GetRepresentatives()) != 1 {
			t.Fatalf("%v, %v", res, err)
		}
		return res
	}
	derived := represent().GetRepresentatives()[0]
	if derived.GetUserId() == put.GetUserId() {
		t.Fatal("the same name and birth date were taken for the same person")
	}
	from := "party:" + strconv.FormatInt(derived.GetParty().GetPartyId(), 10)
	if code, _, _ := behalf(t, i.reach([]string{"join", from, "nin:12847510360"})...); code != 2 {
		t.Errorf("without --yes: exit code %d, want 2", code)
	}
	i.run(t, "join", from, "nin:12847510360", "--yes")
	if got := represent().GetRepresentatives()[0]; got.GetUserId() != put.GetUserId() {
		t.Errorf("user %d has the role, want %d", got.GetUserId(), put.GetUserId())
	}
	_, err = behalfv1.NewPartyServiceClient(i.conn).GetParty(admin, &behalfv1.GetPartyRequest{Party: party(derived.GetParty().GetPartyId())})
	if status.Code(err) != codes.NotFound {
		t.Errorf("the derived person: %v, want NotFound", err)
	}
}
