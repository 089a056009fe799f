package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// Of the demonstration: a bakery, its managing director, its accounting firm, that firm's
// managing director, and a member of the firm's board.
const (
	bakery, accounting               = 50020001, 50020004
	bakerUser, bakerParty            = 20010001, 50010001
	accountantUser, accountantParty  = 20010003, 50010003
	memberUser, memberParty          = 20010004, 50010004
	taxPolicySubject                 = "urn:altinn:rolecode"
	taxPolicyAction                  = "urn:oasis:names:tc:xacml:1.0:action:action-id"
	accessSubject, accessAction      = "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject", "urn:oasis:names:tc:xacml:3.0:attribute-category:action"
	matchText                        = `<AnyOf><AllOf><Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">%s</AttributeValue><AttributeDesignator AttributeId="%s" Category="%s" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/></Match></AllOf></AnyOf>`
	taxPolicyBeginning, taxPolicyEnd = `<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:tax" Version="1.0" RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"><Target/><Rule RuleId="urn:r" Effect="Permit"><Target>`, `</Target></Rule></Policy>`
)

// taxPolicy lets those who have a role, or a package, take an action.
func taxPolicy(attribute, holders, action string) string {
	return taxPolicyBeginning + fmt.Sprintf(matchText, holders, attribute, accessSubject) + fmt.Sprintf(matchText, action, taxPolicyAction, accessAction) + taxPolicyEnd
}

// delegating is a server with the demonstration and two policies.
type delegating struct {
	*instance
	t testing.TB
}

func startDelegating(t *testing.T) delegating {
	t.Helper()
	d := delegating{start(t), t}
	loadDemo(t, d.instance)
	dir := t.TempDir()
	for app, text := range map[string]string{
		"skd/tax":     taxPolicy(taxPolicySubject, "UTINN", "read"),
		"skd/payroll": taxPolicy("urn:altinn:accesspackage", "regnskapsforer-lonn", "write"),
	} {
		file := filepath.Join(dir, "policy.xml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d.run(t, "policy", "put", "--app", app, file)
	}
	return d
}

// taxQuestion asks whether the bakery's service is open to a user.
func taxQuestion(user int64, app, action string) *behalfv1.DecisionQuestion {
	attribute := func(id string, value any) *behalfv1.Attribute {
		return &behalfv1.Attribute{Id: id, Values: []string{fmt.Sprint(value)}}
	}
	return &behalfv1.DecisionQuestion{
		Subject:  []*behalfv1.Attribute{attribute("urn:altinn:userid", user)},
		Resource: []*behalfv1.Attribute{attribute("urn:altinn:org", "skd"), attribute("urn:altinn:app", app), attribute("urn:altinn:partyid", bakery)},
		Action:   []*behalfv1.Attribute{attribute(taxPolicyAction, action)},
	}
}

func (d delegating) decide(user int64, app, action string) behalfv1.Effect {
	d.t.Helper()
	answer, err := behalfv1.NewDecisionServiceClient(d.conn).Decide(as(d.t.Context(), d.admin), &behalfv1.DecideRequest{Question: taxQuestion(user, app, action)})
	if err != nil {
		d.t.Fatal(err)
	}
	return answer.GetDecision().GetEffect()
}

func (d delegating) want(effect behalfv1.Effect, user int64, app, action string) {
	d.t.Helper()
	if got := d.decide(user, app, action); got != effect {
		d.t.Errorf("user %d, %s %s: %s, want %s", user, action, app, got, effect)
	}
}

// rest makes a call of the native API and returns the delegation in the answer.
func (d delegating) rest(status int, method, path, token, body string) (id, reason string) {
	d.t.Helper()
	answer := d.call(d.t, method, path, token, body)
	var said struct {
		Delegation struct{ ID string }
		Reason     string
	}
	if err := json.Unmarshal(answer.body, &said); err != nil || answer.status != status {
		d.t.Errorf("%s %s %s: status %d, %s, %v; want status %d", method, path, body, answer.status, answer.body, err, status)
	}
	return said.Delegation.ID, said.Reason
}

// TestDelegations grants and revokes over REST and by commands; decisions follow at once.
func TestDelegations(t *testing.T) {
	d := startDelegating(t)
	const permit, nothing = behalfv1.Effect_EFFECT_PERMIT, behalfv1.Effect_EFFECT_NOT_APPLICABLE
	baker, member := d.userToken(t, bakerUser, bakerParty), d.userToken(t, memberUser, memberParty)
	grant := fmt.Sprintf(`{"from":{"partyId":%d},"to":{"party":{"partyId":%d}},"right":{"resource":"app_skd_tax","action":"read"}}`, bakery, memberParty)

	d.want(permit, bakerUser, "tax", "read")
	d.want(nothing, memberUser, "tax", "read")
	if _, reason := d.rest(http.StatusForbidden, "POST", "/v1/delegations:grantRight", member, grant); reason != "NOT_ADMINISTRATOR" {
		t.Errorf("for somebody else's party: %q", reason)
	}
	id, _ := d.rest(http.StatusOK, "POST", "/v1/delegations:grantRight", baker, grant)
	d.want(permit, memberUser, "tax", "read")
	d.want(nothing, memberUser, "tax", "write")
	if again, _ := d.rest(http.StatusOK, "POST", "/v1/delegations:grantRight", baker, grant); again != id {
		t.Errorf("granted again it is %s, want %s", again, id)
	}
	listed := d.run(t, "delegate", "list", "--party", fmt.Sprint(memberParty), "--side", "received")
	if !strings.Contains(listed, id) || !strings.Contains(listed, "read app_skd_tax") {
		t.Errorf("listed are\n%s", listed)
	}
	if answer := d.call(t, "GET", fmt.Sprintf("/v1/delegations?partyId=%d", bakery), baker, ""); answer.status != http.StatusOK || !strings.Contains(string(answer.body), id) {
		t.Errorf("over REST: %d %s", answer.status, answer.body)
	}
	d.rest(http.StatusOK, "DELETE", "/v1/delegations/"+id, member, "")
	d.want(nothing, memberUser, "tax", "read")

	// By commands, to an organisation, for a time that has passed and for one to come.
	args := []string{"delegate", "grant", "--user", fmt.Sprint(bakerUser), "--from", "org:310001007", "--to", "party:50020005", "--package", "jordbruk"}
	if code, _, said := behalf(t, d.reach(append(args, "--expires-at", "2020-01-01T00:00:00Z"))...); code != 1 || !strings.Contains(said, "EXPIRY_IN_THE_PAST") {
		t.Errorf("in the past: exit code %d, %s", code, said)
	}
	id = strings.TrimSpace(d.run(t, append(args, "--expires-at", "2099-01-01T00:00:00Z")...))
	if !strings.Contains(d.run(t, "check", fmt.Sprintf("party:%d", bakery), "has_pkg_jordbruk", "user:20010002"), "true") {
		t.Error("the receiver's managing director has not the package")
	}
	d.run(t, "delegate", "revoke", id)
	may := d.run(t, "delegate", "check", "--user", fmt.Sprint(bakerUser), "--party", fmt.Sprint(bakery), "--resource", "skd/tax")
	if !strings.Contains(may, "read app_skd_tax") || !strings.Contains(may, "true") {
		t.Errorf("check says\n%s", may)
	}
}

// TestAgentsOfAccountants takes the accountant's role away: the agent is denied in the next
// call.
func TestAgentsOfAccountants(t *testing.T) {
	d := startDelegating(t)
	const permit, nothing = behalfv1.Effect_EFFECT_PERMIT, behalfv1.Effect_EFFECT_NOT_APPLICABLE
	register := behalfv1.NewRegisterServiceClient(d.conn)
	ctx := as(t.Context(), d.admin)
	agent := &behalfv1.AssignmentRecord{From: fmt.Sprintf("party:%d", accounting), Role: "agent", To: fmt.Sprintf("party:%d", memberParty)}
	if _, err := register.PutAssignment(ctx, &behalfv1.PutAssignmentRequest{Source: "test", Assignment: agent}); err != nil {
		t.Fatal(err)
	}
	grant := fmt.Sprintf(`{"client":{"partyId":%d},"provider":{"partyId":%d},"agent":{"party":{"partyId":%d}},"package":"regnskapsforer-lonn"}`,
		bakery, accounting, memberParty)
	accountant := d.userToken(t, accountantUser, accountantParty)
	d.want(nothing, memberUser, "payroll", "write")
	d.rest(http.StatusOK, "POST", "/v1/delegations:grantClientPackage", accountant, grant)
	d.want(permit, memberUser, "payroll", "write")

	regn := &behalfv1.AssignmentRecord{From: fmt.Sprintf("party:%d", bakery), Role: "REGN", To: fmt.Sprintf("party:%d", accounting)}
	if _, err := register.DeleteAssignment(ctx, &behalfv1.DeleteAssignmentRequest{Source: "demo", Assignment: regn}); err != nil {
		t.Fatal(err)
	}
	d.want(nothing, memberUser, "payroll", "write")
	if _, reason := d.rest(http.StatusBadRequest, "POST", "/v1/delegations:grantClientPackage", accountant, grant); reason != "NOT_PROVIDER" {
		t.Errorf("again without the role: %q", reason)
	}
}

// TestDelegationsTravel exports what was granted, imports it into an empty register, and
// exports that.
func TestDelegationsTravel(t *testing.T) {
	d := startDelegating(t)
	for _, what := range [][]string{
		{"--to", "party:50010004", "--resource", "skd/tax", "--action", "read", "--instance", "50020001/3fa85f64-5717-4562-b3fc-2c963f66afa6"},
		{"--to", "party:50020005", "--package", "jordbruk", "--expires-at", "2099-01-01T00:00:00.000001Z"},
	} {
		d.run(t, append([]string{"delegate", "grant", "--user", fmt.Sprint(bakerUser), "--from", "party:50020001"}, what...)...)
	}
	dir := t.TempDir()
	exported := func(i *instance, name string) (files []string) {
		t.Helper()
		i.run(t, "export", filepath.Join(dir, name))
		files, err := filepath.Glob(filepath.Join(dir, name, "*.jsonl"))
		if err != nil || len(files) != 2 {
			t.Fatalf("exported %v, %v", files, err)
		}
		return files
	}
	old := exported(d.instance, "old")
	next := start(t)
	next.run(t, append([]string{"import"}, old...)...)
	for i, file := range exported(next, "new") {
		if diff := cmp.Diff(string(readFile(t, old[i])), string(readFile(t, file))); diff != "" {
			t.Errorf("exported (-) and exported again (+):\n%s", diff)
		}
	}
	list := []string{"delegate", "list", "--party", "50020001"}
	if diff := cmp.Diff(d.run(t, list...), next.run(t, list...)); diff != "" || !strings.Contains(d.run(t, list...), "jordbruk") {
		t.Errorf("listed (-) and listed after the import (+):\n%s", diff)
	}
	if *datastoreFlag != server.DatastoreSQLite {
		return // verify is of files
	}
	for _, i := range []*instance{d.instance, next} {
		i.stop()
		run(t, "verify", "--data-dir", i.dataDir)
	}
}
