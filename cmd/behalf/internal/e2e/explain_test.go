package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDecideExplains asks by the command, and says what a developer sees of each answer:
// who gave what by which relations, what is lacking, and what was wrong.
func TestDecideExplains(t *testing.T) {
	d := startDelegating(t)
	with := func(user, app string, more ...string) []string {
		return append([]string{"decide", "--user", user, "--party", fmt.Sprint(bakery), "--app", app, "--action", "read"}, more...)
	}
	baker, accountant, member := fmt.Sprint(bakerUser), fmt.Sprint(accountantUser), fmt.Sprint(memberUser)
	for name, row := range map[string]struct {
		args []string
		want []string
	}{
		"his own role": {with(baker, "skd/tax", "--explain"), []string{
			"Permit\nbecause rule urn:r (line 1) says Permit\n", "rule urn:r (line 1): Permit",
			fmt.Sprintf("party:%d#dagl@user:%d\n  gives ", bakery, bakerUser), "role:UTINN",
		}},
		"through the accounting firm": {with(accountant, "skd/tax", "--explain"), []string{
			"NotApplicable\n", fmt.Sprintf("party:%d#regn_org@party:%d, party:%d#dagl@user:%d", bakery, accounting, accounting, accountantUser),
			"would need urn:altinn:rolecode: UTINN",
		}},
		"nobody's": {with(member, "skd/tax"), []string{
			"NotApplicable\nbecause no rule applies; rule urn:r (line 1) would with urn:altinn:rolecode=UTINN; nobody has delegated read on app_skd_tax to the subject\n",
		}},
		"no policy": {with(baker, "skd/nothing"), []string{"Indeterminate\nbecause no policy is stored for app skd/nothing\n"}},
	} {
		out := d.run(t, row.args...)
		for _, want := range row.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: lacks %q:\n%s", name, want, out)
			}
		}
	}
	if code, out, _ := behalf(t, d.reach(with(member, "skd/tax", "--exit-code"))...); code != 4 || !strings.HasPrefix(out, "NotApplicable") {
		t.Errorf("--exit-code: %d %s", code, out)
	}
	if code, _, said := behalf(t, d.reach(with(baker, "tax"))...); code != 2 || !strings.Contains(said, "--app") {
		t.Errorf("an app without its organisation: %d %s", code, said)
	}

	// A request of XACML, its answer in the same form.
	request := filepath.Join(t.TempDir(), "request.json")
	text := fmt.Sprintf(`{"Request":{"AccessSubject":[{"Attribute":[{"AttributeId":"urn:altinn:userid","Value":"%d"}]}],"Resource":[{"Attribute":[`+
		`{"AttributeId":"urn:altinn:resource","Value":"app_skd_tax"},{"AttributeId":"urn:altinn:partyid","Value":"%d"}]}],`+
		`"Action":[{"Attribute":[{"AttributeId":"%s","Value":"read"}]}]}}`, bakerUser, bakery, taxPolicyAction)
	if err := os.WriteFile(request, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := d.run(t, "decide", "--request", request); !strings.Contains(out, `"Decision":"Permit"`) {
		t.Errorf("by XACML: %s", out)
	}

	// An end user asks about himself only, and gets no explanation.
	token := d.userToken(t, bakerUser, bakerParty)
	own := fmt.Sprintf(`{"question":{"resource":[{"id":"urn:altinn:resource","values":["app_skd_tax"]},{"id":"urn:altinn:partyid","values":["%d"]}],`+
		`"action":[{"id":"%s","values":["read"]}]}}`, bakery, taxPolicyAction)
	if answer := d.call(t, "POST", "/v1/decide", token, own); answer.status != http.StatusOK || !strings.Contains(string(answer.body), "EFFECT_PERMIT") {
		t.Errorf("about himself: %d %s", answer.status, answer.body)
	}
	other := strings.Replace(own, `"question":{`, fmt.Sprintf(`"question":{"subject":[{"id":"urn:altinn:userid","values":["%d"]}],`, memberUser), 1)
	if answer := d.call(t, "POST", "/v1/decide", token, other); answer.status != http.StatusForbidden || !strings.Contains(string(answer.body), "OTHER_USER") {
		t.Errorf("about another: %d %s", answer.status, answer.body)
	}
	if answer := d.call(t, "POST", "/authorization/api/v1/decision", "", text); answer.status != http.StatusUnauthorized {
		t.Errorf("without credentials: %d %s", answer.status, answer.body)
	}
	if answer := d.call(t, "POST", "/authorization/api/v1/decision", d.admin, "{"); answer.status != http.StatusOK ||
		!strings.Contains(string(answer.body), "Indeterminate") || !strings.Contains(string(answer.body), "syntax-error") {
		t.Errorf("a malformed body: %d %s", answer.status, answer.body)
	}
}

// TestInformationTravels imports instances and roles in estates from a directory, decides by
// them, and exports them as they were.
func TestInformationTravels(t *testing.T) {
	d := startDelegating(t)
	const information = `{"instance":{"id":"50020001/f8d3526c-596b-4322-a041-38a8925c2a82","org":"skd","app":"estate","task":"t1"}}
{"estateRole":{"from":"party:50020001","to":"user:20010004","role":"urn:digitaltdodsbo:formuesfullmakt"}}
`
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	policy := taxPolicy("urn:digitaltdodsbo:rolecode", "urn:digitaltdodsbo:formuesfullmakt", "read")
	for name, text := range map[string]string{"information.jsonl": information, "policy.xml": policy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.run(t, "policy", "put", "--app", "skd/estate", filepath.Join(dir, "policy.xml"))
	if err := os.Remove(filepath.Join(dir, "policy.xml")); err != nil {
		t.Fatal(err)
	}
	ask := []string{"decide", "--user", "20010004", "--instance", "50020001/f8d3526c-596b-4322-a041-38a8925c2a82", "--action", "read"}
	if out := d.run(t, ask...); !strings.Contains(out, "no instance 50020001/f8d3526c-596b-4322-a041-38a8925c2a82 is known") {
		t.Errorf("before the import: %s", out)
	}
	d.run(t, "import", dir)
	if out := d.run(t, ask...); !strings.HasPrefix(out, "Permit\n") {
		t.Errorf("after the import: %s", out)
	}
	d.run(t, "export", out)
	if got := string(readFile(t, filepath.Join(out, "information.jsonl"))); got != information {
		t.Errorf("exported:\n%s", got)
	}
	if answer := d.call(t, "POST", "/v1/estateroles:delete", d.admin,
		`{"estateRole":{"from":"party:50020001","to":"user:20010004","role":"urn:digitaltdodsbo:formuesfullmakt"}}`); answer.status != http.StatusOK {
		t.Errorf("delete: %d %s", answer.status, answer.body)
	}
	if out := d.run(t, ask...); !strings.HasPrefix(out, "NotApplicable\n") {
		t.Errorf("after it was taken away: %s", out)
	}
}
