package roles

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func loaded(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The catalogue has what its source has, ECKEYROLE and KEYROLE.
func TestCatalogueIsComplete(t *testing.T) {
	c := loaded(t)
	implications, grants, ours := 0, 0, 0
	var keys []string
	for _, r := range c.Roles() {
		implications += len(r.Implies)
		if r.KeyRole {
			keys = append(keys, r.Code)
		}
		if r.ID == "" {
			ours++
		}
	}
	for _, p := range c.Packages() {
		grants += len(p.Grants)
	}
	got := []int{len(c.Roles()), ours, implications, len(c.Packages()), grants, len(c.Areas())}
	if diff := cmp.Diff([]int{150, 2, 304, 223, 1285, 49}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"DAGL", "DTPR", "INNH", "DTSO", "LEDE", "BEST", "BOBE", "KOMP", "KEYROLE"}, keys); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"BRL", "ESEK", "NUF"}, c.UnitTypes()); diff != "" {
		t.Error(diff)
	}
}

func TestRoleIsFoundByEveryName(t *testing.T) {
	c := loaded(t)
	for text, code := range map[string]string{
		"DAGL": "DAGL", "dagl": "DAGL", "daglig-leder": "DAGL", "Daglig-Leder": "DAGL",
		"urn:altinn:rolecode:dagl": "DAGL", "URN:ALTINN:ROLECODE:DAGL": "DAGL",
		"urn:altinn:external-role:ccr:daglig-leder": "DAGL",
		"FFØR": "FFØR", "ffør": "FFØR", "ffor": "FFØR", "urn:altinn:rolecode:FFØR": "FFØR", "forretningsforer": "FFØR",
		"a0212": "A0212", "A0212": "A0212", "urn:altinn:rolecode:A0212": "A0212",
		"APIADM": "apiadm", "apiadmnuf": "apiadmnuf", "utinn": "UTINN",
		"priv": "PRIV", "privatperson": "PRIV", "urn:altinn:role:privatperson": "PRIV",
		"rettighetshaver": "rettighetshaver", "urn:altinn:role:rettighetshaver": "rettighetshaver",
		"eckeyrole": "ECKEYROLE", "urn:altinn:rolecode:eckeyrole": "ECKEYROLE",
		"nav_pensjon": "nav-pensjon", "nav-pensjon": "nav-pensjon",
	} {
		if r, ok := c.Role(text); !ok || r.Code != code {
			t.Errorf("%s is %q", text, r.Code)
		}
	}
	for _, text := range []string{"", "dagl_org", "urn:altinn:rolecode:", "daglig leder", "has_dagl"} {
		if r, ok := c.Role(text); ok {
			t.Errorf("%q is %s", text, r.Code)
		}
	}
	if r, ok := c.ByRelation("ffor"); !ok || r.URN != "urn:altinn:external-role:ccr:forretningsforer" {
		t.Errorf("ffor is %v", r)
	}
	if _, ok := c.ByRelation("DAGL"); ok {
		t.Error("relations have one case")
	}
}

func TestPackageIsFoundByEveryName(t *testing.T) {
	c := loaded(t)
	for text, relation := range map[string]string{
		"jordbruk": "jordbruk", "urn:altinn:accesspackage:Jordbruk": "jordbruk",
		"vergemal-namsmannen-tvangsfullbyrdelse-forliksradet":                 "vergemal_namsmannen_tvangsfullbyrdelse",
		"urn:altinn:accesspackage:namsmannen-tvangsfullbyrdelse-forliksradet": "vergemal_namsmannen_tvangsfullbyrdelse",
		"namsmannen-tvangsfullbyrdelse-forliksradet":                          "vergemal_namsmannen_tvangsfullbyrdelse",
	} {
		if p, ok := c.Package(text); !ok || p.Relation != relation {
			t.Errorf("%s is %q", text, p.Relation)
		}
	}
	if _, ok := c.PackageByRelation("jordbruk"); !ok {
		t.Error("jordbruk is not found by relation")
	}
	if _, ok := c.Package(""); ok {
		t.Error("the empty text is a package")
	}
}

func TestRelationsOfHolders(t *testing.T) {
	c := loaded(t)
	for _, tc := range []struct{ role, unitType, person, organisation string }{
		{"DAGL", "AS", "dagl", "dagl_org"},
		{"DTPR", "ANS", "dtpr", "dtpr_org"},
		{"DTPR", "IKS", "dtpr_nokey", "dtpr_nokey_org"},
		{"PRIV", "", "priv", ""},
		{"BEDR", "BEDR", "", ""},
		{"ORGL", "ORGL", "", ""},
		{"ECKEYROLE", "AS", "eckeyrole", ""},
		{"nav-pensjon", "", "nav_pensjon", ""},
	} {
		r, _ := c.Role(tc.role)
		if p, o := r.PersonRelation(tc.unitType), r.OrganisationRelation(tc.unitType); p != tc.person || o != tc.organisation {
			t.Errorf("%s in %s: %q and %q", tc.role, tc.unitType, p, o)
		}
	}
	for code, link := range map[string]Link{"BEDR": MainUnit, "AAFY": MainUnit, "ORGL": OrgLevel, "DAGL": NoLink} {
		if r, _ := c.Role(code); r.Link != link {
			t.Errorf("%s is linked by %q", code, r.Link)
		}
	}
	if got := UnitMarker("ESEK"); got != "unit_esek" {
		t.Error(got)
	}
}

func TestClosure(t *testing.T) {
	c := loaded(t)
	for _, tc := range []struct{ relations, want string }{
		{"regn", "REGN A0239 A0240 A0241"},
		{"regn_org", "REGN A0239 A0240 A0241"},
		{"revi regn", "REVI REGN A0237 A0238 A0239 A0240 A0241"},
		{"medl utinn", "MEDL REGNA UTINN UTOMR"},
		{"eckeyrole", "ECKEYROLE"},
		{"unknown self pkg_jordbruk bedr bedr_org dtpr_nokey_org", ""},
		{"", ""},
	} {
		var got []string
		for _, r := range c.Closure(strings.Fields(tc.relations)) {
			got = append(got, r.Code)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %v", tc.relations, got)
		}
	}
	for relation, key := range map[string]bool{"dagl": true, "dagl_org": false, "dtpr_nokey": false, "hovedadministrator": false} {
		has := map[string]bool{}
		for _, r := range c.Closure([]string{relation}) {
			has[r.Code] = true
		}
		if has["ECKEYROLE"] != key || !has["UTINN"] {
			t.Errorf("%s: %v", relation, has)
		}
		// Only DAGL brings A0293 along with APIADM, so the chain must be followed.
		if relation == "hovedadministrator" && (!has["DAGL"] || !has["apiadm"] || !has["HADM"]) {
			t.Errorf("the chain through DAGL is not followed: %v", has)
		}
	}
}
