package decision_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// appPolicy lets those with the role DAGL, or with the access package, read and write app
// skd/taxreport, at level 3.
var appPolicy = `<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:test:app" Version="1.0"
  RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides">
<Target/>
<Rule RuleId="urn:test:rule:1" Effect="Permit"><Target>
<AnyOf>` + dagl + jordbruk + estate + `</AnyOf>
<AnyOf><AllOf>` + orgMatch + appMatch + `</AllOf></AnyOf>
<AnyOf>` + read1 + write1 + `</AnyOf>
</Target></Rule>
<ObligationExpressions><ObligationExpression ObligationId="urn:altinn:obligation:1" FulfillOn="Permit">
<AttributeAssignmentExpression AttributeId="urn:altinn:obligation-assignment:1" Category="urn:altinn:minimum-authenticationlevel">
<AttributeValue DataType="http://www.w3.org/2001/XMLSchema#integer">3</AttributeValue></AttributeAssignmentExpression>
</ObligationExpression></ObligationExpressions>
</Policy>`

var (
	dagl     = "<AllOf>" + match("urn:altinn:rolecode", "subject", "dagl") + "</AllOf>"
	jordbruk = "<AllOf>" + match("urn:altinn:accesspackage", "subject", "jordbruk") + "</AllOf>"
	estate   = "<AllOf>" + match("urn:digitaltdodsbo:rolecode", "subject", "urn:digitaltdodsbo:formuesfullmakt") + "</AllOf>"
	orgMatch = match("urn:altinn:org", "resource", "skd")
	appMatch = match("urn:altinn:app", "resource", "taxreport")
	read1    = "<AllOf>" + match(actionID, "action", "read") + "</AllOf>"
	write1   = "<AllOf>" + match(actionID, "action", "write") + "</AllOf>"
)

const actionID = "urn:oasis:names:tc:xacml:1.0:action:action-id"

func match(id, category, value string) string {
	full := map[string]string{"subject": xacml.SubjectCategory, "resource": xacml.ResourceCategory, "action": xacml.ActionCategory}[category]
	const text = "http://www.w3.org/2001/XMLSchema#string"
	return fmt.Sprintf(`<Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal"><AttributeValue DataType="%s">%s</AttributeValue>`+
		`<AttributeDesignator AttributeId="%s" Category="%s" DataType="%s" MustBePresent="false"/></Match>`, text, value, id, full, text)
}

// appWorld has the policy, a company with sub-unit, its manager, and an accountant's firm.
func appWorld(t testing.TB) *world {
	w := newWorld(t)
	w.policy("app_skd_taxreport", appPolicy)
	w.policy("registered", strings.ReplaceAll(strings.ReplaceAll(appPolicy, orgMatch, match("urn:altinn:resource", "resource", "registered")), appMatch, ""))
	w.policy("folder", strings.ReplaceAll(strings.ReplaceAll(appPolicy, orgMatch, match(decision.ObjectID, "resource", "f1")), appMatch, ""))
	w.directory.Apply([]party.Party{
		{ID: 10, UUID: "10000000-0000-0000-0000-000000000010", Kind: party.Organisation, Name: "SELSKAP", OrgNumber: "910000010", UnitType: "AS"},
		{ID: 11, UUID: "10000000-0000-0000-0000-000000000011", Kind: party.Organisation, Name: "ANNET", OrgNumber: "910000011", UnitType: "AS"},
		{ID: 70, UUID: "10000000-0000-0000-0000-000000000070", Kind: party.Person, Name: "KARI", NationalID: "01017012345", UserID: 7, Login: true},
		{ID: 71, UUID: "10000000-0000-0000-0000-000000000071", Kind: party.Person, Name: "OLA"},
		{ID: 72, UUID: "10000000-0000-0000-0000-000000000072", Kind: party.Person, Name: "PER"},
	}, nil)
	w.tuple(10, "dagl", 7)
	w.instances["10/20000000-0000-0000-0000-000000000001"] = decision.Instance{Org: "skd", App: "taxreport", Task: "t1", Party: 10}
	return w
}

// TestAnswers goes through what can be asked and what is answered, with the reason that a
// developer reads.
func TestAnswers(t *testing.T) {
	const user, org, app, of, action = "s.urn:altinn:userid", "r.urn:altinn:org", "r.urn:altinn:app", "r.urn:altinn:partyid", "a." + actionID
	const person, system = "s.urn:altinn:person:identifier-no", "s.urn:altinn:systemuser:uuid"
	const uuid7, ghost = "10000000-0000-0000-0000-000000000070", "10000000-0000-0000-0000-00000000dead"
	theApp := func(more ...string) []string { return append(more, org, "skd", app, "taxreport", action, "read") }
	w := appWorld(t)
	w.rights[decision.Right{Party: 10, Resource: "app_skd_taxreport", Action: "sign"}] = "user:8"
	w.rights[decision.Right{Party: 10, Resource: "app_skd_taxreport", Task: "e1", Action: "read"}] = "user:8"
	w.gated = map[string]bool{"registered": true}
	for _, row := range []struct {
		name   string
		door   decision.Door
		ask    []string
		want   string // decision and the last part of the status
		reason string
	}{
		{"role", 0, theApp(user, "7", of, "10"), "Permit ok", "the policy permits it"},
		{"as resource id", 0, []string{user, "7", "r.urn:altinn:resource", "app_skd_taxreport", of, "10", action, "read"}, "Permit ok", ""},
		{"by organisation number", 0, theApp(user, "7", "r.urn:altinn:organization:identifier-no", "910000010"), "Permit ok", ""},
		{"by UUID", 0, theApp(user, "7", "r.urn:altinn:party:uuid", "10000000-0000-0000-0000-000000000010"), "Permit ok", ""},
		{"by person's UUID", 0, theApp("s.urn:altinn:person:uuid", uuid7, of, "10"), "Permit ok", ""},
		{"by instance", 0, []string{user, "7", "r.urn:altinn:instance-id", "10/20000000-0000-0000-0000-000000000001", action, "read"}, "Permit ok", ""},
		{"package through role", 0, theApp(user, "7", of, "10"), "Permit ok", ""},
		{"no role", 0, theApp(user, "8", of, "10"), "NotApplicable ok", "no rule applies; rule urn:test:rule:1 (line 4) would with"},
		{"other party", 0, theApp(user, "7", of, "11"), "NotApplicable ok", "nobody has delegated read on app_skd_taxreport to the subject"},
		{"unknown party by number", 0, theApp(user, "7", of, "99"), "NotApplicable ok", "; the register has no party 99"},
		{"delegated", 0, []string{user, "8", org, "skd", app, "taxreport", of, "10", action, "sign"}, "Permit ok", "sign on app_skd_taxreport is delegated: right#user@user:8"},
		{"not delegated to him", 0, []string{user, "9", org, "skd", app, "taxreport", of, "10", action, "sign"}, "NotApplicable ok", ""},
		{"gate", 0, []string{user, "7", "r.urn:altinn:resource", "registered", of, "10", action, "read"}, "Deny ok", "party 10 is on no access list of registered that admits read"},
		{"type", 0, []string{"s.urn:altinn:rolecode", "dagl", "r." + decision.ObjectType, "folder", "r." + decision.ObjectID, "f1", action, "read"}, "Permit ok", ""},
		{"unknown organisation", 0, theApp(user, "7", "r.urn:altinn:organization:identifier-no", "999999999"), "Indeterminate syntax-error",
			`the resource's party is not known: the register has none with urn:altinn:organization:identifier-no "999999999"`},
		{"two parties", 0, theApp(user, "7", of, "10", "r.urn:altinn:organization:identifier-no", "910000011"), "Indeterminate syntax-error", "the resource names two parties"},
		{"instance of another", 0, theApp(user, "7", of, "11", "r.urn:altinn:instance-id", "10/20000000-0000-0000-0000-000000000001"), "Indeterminate syntax-error", "is not one of party 11"},
		{"reference to another's instance", 0, theApp(user, "7", of, "11", "r.urn:altinn:resource:instance-id", "urn:altinn:instance-id:10/20000000-0000-0000-0000-000000000001"), "Indeterminate syntax-error", "is not one of party 11"},
		{"unknown instance", 0, []string{user, "7", "r.urn:altinn:instance-id", "10/" + ghost, action, "read"}, "Indeterminate processing-error", "no instance 10/" + ghost + " is known"},
		{"no policy", 0, []string{user, "7", org, "skd", app, "nothing", of, "10", action, "read"}, "Indeterminate syntax-error", "no policy is stored for app skd/nothing"},
		{"no policy, decision", decision.Internal, []string{user, "7", org, "skd", app, "nothing", action, "read"}, "Indeterminate syntax-error", "no policy is stored"},
		{"no policy, authorize", decision.External, []string{user, "7", org, "skd", app, "nothing", action, "read"}, "Indeterminate processing-error", "no policy is stored"},
		{"half an app", 0, []string{user, "7", org, "skd", of, "10", action, "read"}, "Indeterminate syntax-error", "needs both"},
		{"two apps", 0, theApp(user, "7", "r.urn:altinn:resource", "app_skd_other"), "Indeterminate syntax-error", "a request is about one"},
		{"no resource", 0, []string{user, "7", action, "read"}, "Indeterminate syntax-error", "the request has no resource"},
		{"no subject", 0, theApp(of, "10"), "Indeterminate syntax-error", "the request has no subject"},
		{"system user among others", 0, theApp(system, ghost, user, "7", of, "10"), "Indeterminate syntax-error", "must be the only attribute"},
		{"system user that is no UUID", 0, theApp(system, "x", of, "10"), "Indeterminate syntax-error", "must be a UUID"},
		{"system user", 0, theApp(system, ghost, of, "10"), "NotApplicable ok", ""},
		{"national number inside", decision.Internal, theApp(person, "01017012345", of, "10"), "Indeterminate syntax-error", "national identity numbers are taken by POST authorize only"},
		{"national number natively", 0, theApp(person, "01017012345", of, "10"), "Indeterminate syntax-error", "national identity numbers are taken by POST authorize only"},
		{"national number outside", decision.External, theApp(person, "01017012345", of, "10"), "Permit ok", ""},
		{"resource by national number inside", 0, theApp(user, "7", "r.urn:altinn:person:identifier-no", "01017012345"), "Indeterminate syntax-error", "national identity numbers are taken by POST authorize only"},
		{"user and number outside", decision.External, theApp(person, "01017012345", user, "7", of, "10"), "Indeterminate processing-error", "give one of them"},
		{"user and organisation outside", decision.External, theApp(user, "7", "s.urn:altinn:organization:identifier-no", "910000010", of, "10"), "Indeterminate processing-error", "an organisation and a person"},
		{"user who is another", 0, theApp(user, "8", "s.urn:altinn:person:uuid", uuid7, of, "10"), "Indeterminate syntax-error", "who is user 7"},
		{"two users", 0, theApp(user, "7", user, "8", of, "10"), "Indeterminate syntax-error", "two values of urn:altinn:userid"},
		{"two actions", 0, theApp(user, "7", of, "10", action, "write"), "Indeterminate syntax-error", "two values of urn:oasis:names:tc:xacml:1.0:action:action-id"},
		{"app beside an id that is none", 0, theApp(user, "7", of, "10", "r.urn:altinn:resource", "app_gated"), "Indeterminate syntax-error", "a request is about one"},
		{"two instances", 0, theApp(user, "7", of, "10", "r.urn:altinn:resource:instance-id", ghost, "r.urn:altinn:resource:instance-id", uuid7), "Indeterminate syntax-error", "a request is about one"},
		{"an instance and another's reference", 0, theApp(user, "7", of, "10", "r.urn:altinn:instance-id", "10/20000000-0000-0000-0000-000000000001", "r.urn:altinn:resource:instance-id", ghost),
			"Indeterminate syntax-error", "a request is about one"},
		{"an instance in both spellings", 0, theApp(user, "7", of, "10", "r.urn:altinn:resource:instance-id", "urn:altinn:instance-id:10/"+ghost, "r.urn:altinn:resource:instance-id", strings.ToUpper(ghost)), "Permit ok", ""},
		{"a user and a person without one", 0, theApp(user, "7", "s.urn:altinn:person:uuid", "10000000-0000-0000-0000-000000000071", of, "10"), "Indeterminate syntax-error", "a request is about one"},
		{"two persons without users", 0, theApp("s.urn:altinn:person:uuid", "10000000-0000-0000-0000-000000000071", "s.urn:altinn:party:uuid", "10000000-0000-0000-0000-000000000072", of, "10"),
			"Indeterminate syntax-error", "a request is about one"},
		{"delegated at an end event", 0, []string{user, "8", org, "skd", app, "taxreport", of, "10", "r.urn:altinn:end-event", "e1", action, "read"}, "Permit ok", "is delegated"},
		{"user that is no number", 0, theApp(user, "x", of, "10"), "Indeterminate syntax-error", "must be a positive number"},
	} {
		a := w.one(row.door, ask(row.ask...))
		code := string(a.Status.Code)
		if got := a.Decision.String() + " " + code[strings.LastIndexByte(code, ':')+1:]; got != row.want || !strings.Contains(a.Reason, row.reason) {
			t.Errorf("%s: %s because %q, want %s because %q", row.name, got, a.Reason, row.want, row.reason)
		}
		if a.Reason == "" || a.Status.Message == "" {
			t.Errorf("%s: no reason (%q) or no status message (%q)", row.name, a.Reason, a.Status.Message)
		}
		if strings.Contains(a.Reason, "01017012345") {
			t.Errorf("%s: the reason has a national identity number: %s", row.name, a.Reason)
		}
		if a.Decision == xacml.Permit && row.name != "type" && len(a.Obligations) != 1 {
			t.Errorf("%s: %d obligations", row.name, len(a.Obligations))
		}
	}
}

// TestFailingSources says that whatever fails, nobody is let in, and why.
func TestFailingSources(t *testing.T) {
	w := appWorld(t)
	question := ask("s.urn:altinn:userid", "7", "r.urn:altinn:org", "skd", "r.urn:altinn:app", "taxreport", "r.urn:altinn:partyid", "10", "a."+actionID, "read")
	w.fails = fault.New(fault.Unavailable, fault.ReasonUnavailable, "the records cannot be reached now")
	if a := w.one(decision.Native, question); !a.Decision.Indeterminate() || !strings.Contains(a.Reason, "the records cannot be reached now") {
		t.Errorf("%s because %q", a.Decision, a.Reason)
	}
	w.fails = errors.New("secret path /var/lib")
	if a := w.one(decision.Native, question); !a.Decision.Indeterminate() || strings.Contains(a.Reason, "secret") {
		t.Errorf("%s because %q", a.Decision, a.Reason)
	}
	w.fails, w.deaf = nil, true
	if a := w.one(decision.Native, question); !a.Decision.Indeterminate() || a.Reason != "the decision could not be recorded" {
		t.Errorf("a decision that was not recorded left: %s because %q", a.Decision, a.Reason)
	}
	w.deaf = false
	if a := w.one(decision.Native, question); a.Decision != xacml.Permit {
		t.Errorf("%s because %q", a.Decision, a.Reason)
	}
}

// TestMultiRequest says that a bad entry is Indeterminate alone, that all are recorded, and
// that Altinn's doors merge what has fewer than two references.
func TestMultiRequest(t *testing.T) {
	w := appWorld(t)
	base := ask("s.urn:altinn:userid", "7", "r.urn:altinn:org", "skd", "r.urn:altinn:app", "taxreport", "r.urn:altinn:partyid", "10", "a."+actionID, "read")
	bad := base.Categories[1]
	bad.Attributes = []xacml.Attribute{{ID: "urn:altinn:resource", Values: []xacml.AttributeValue{xacml.StringValue("nowhere")}}}
	base.Categories = append(base.Categories, bad)
	base.Questions = []xacml.Question{{Categories: []int{0, 1, 2}}, {Categories: []int{0, 3, 2}}, {Fault: "no category has the Id \"x\""}, {Categories: []int{0, 1, 2}}}
	for _, door := range []decision.Door{decision.Native, decision.Internal, decision.External} {
		w.records = nil
		response, err := w.Decide(t.Context(), decision.Request{XACML: base, Door: door})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range response.Answers {
			got = append(got, a.Decision.String())
		}
		if want := "Permit Indeterminate Indeterminate Permit"; strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", door, got, want)
		}
		if len(w.records) != 4 {
			t.Errorf("%s: %d decisions are recorded", door, len(w.records))
		}
	}
	one := *base
	one.Questions = base.Questions[:1]
	one.Categories = append([]xacml.Attributes{}, base.Categories[:3]...)
	one.Categories = append(one.Categories, xacml.Attributes{Category: xacml.ActionCategory, Attributes: []xacml.Attribute{{ID: "urn:x", IncludeInResult: true, Values: []xacml.AttributeValue{xacml.StringValue("y")}}}})
	if a := w.one(decision.Internal, &one); a.Decision != xacml.Permit || len(a.Attributes) != 1 {
		t.Errorf("%s with %d attributes because %q", a.Decision, len(a.Attributes), a.Reason)
	}
	all := *base
	all.Questions = []xacml.Question{{Fault: "one"}, {Fault: "two"}}
	if a := w.one(decision.External, &all); !a.Decision.Indeterminate() || a.Reason != "one" {
		t.Errorf("%s because %q", a.Decision, a.Reason)
	}
}

// TestRecord says what is recorded of a decision.
func TestRecord(t *testing.T) {
	w := appWorld(t)
	a := w.one(decision.Internal, ask("s.urn:altinn:userid", "7", "s.urn:altinn:sessionid", "s1", "r.urn:altinn:instance-id", "10/20000000-0000-0000-0000-000000000001", "a."+actionID, "read"))
	if len(w.records) != 1 {
		t.Fatalf("%d records", len(w.records))
	}
	r := w.records[0]
	want := decision.Resource{ID: "app_skd_taxreport", Org: "skd", App: "taxreport", Party: 10, Instance: "10/20000000-0000-0000-0000-000000000001", Task: "t1"}
	if r.Resource != want || r.Subject.User != 7 || r.Subject.Party != 70 || r.Action != "read" || r.Session != "s1" || r.Decision != a.Decision ||
		r.Policy != "hash-of-app_skd_taxreport" || r.Revision == "" || r.Latency <= 0 || r.By != decision.ByPolicy || r.Reason == "" {
		t.Errorf("%+v", r)
	}
	if !flat(r.Request)[xacml.ResourceCategory+" urn:altinn:partyid=10 and comes back"] {
		t.Error("the record lacks what was found for the request")
	}
}

// TestExplanation says which path gave a role, and what is lacking where none did.
func TestExplanation(t *testing.T) {
	w := appWorld(t)
	question := ask("s.urn:altinn:userid", "7", "r.urn:altinn:org", "skd", "r.urn:altinn:app", "taxreport", "r.urn:altinn:partyid", "10", "a."+actionID, "read")
	response, err := w.Decide(t.Context(), decision.Request{XACML: question, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	e := response.Answers[0].Explanation
	if e == nil || e.Rule != "urn:test:rule:1" || e.Level != 3 || e.Policy.ID != "urn:test:app" {
		t.Fatalf("%+v", e)
	}
	if text := fmt.Sprint(e.Paths); !strings.Contains(text, "role:DAGL [party:10#dagl@user:7]") || !strings.Contains(text, "package:jordbruk") {
		t.Errorf("paths %s", text)
	}
	// What was given is explained by who gave it, to system users too.
	w.write(relation.Touch, relation.Relationship{Resource: relation.Party(10), Relation: "pkg_jordbruk", Subject: relation.SystemUser("20000000-0000-0000-0000-00000000000a")})
	bySystem := ask("s.urn:altinn:systemuser:uuid", "20000000-0000-0000-0000-00000000000A", "r.urn:altinn:org", "skd", "r.urn:altinn:app", "taxreport", "r.urn:altinn:partyid", "10", "a."+actionID, "read")
	response, err = w.Decide(t.Context(), decision.Request{XACML: bySystem, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(response.Answers[0].Explanation.Paths); text != "[{package:jordbruk [party:10#pkg_jordbruk@systemuser:20000000-0000-0000-0000-00000000000a]}]" {
		t.Errorf("paths %s", text)
	}
	question.Categories[0].Attributes[0].Values[0].Text = "8"
	response, err = w.Decide(t.Context(), decision.Request{XACML: question, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(response.Answers[0].Explanation.Wanted); !strings.Contains(text, "{urn:altinn:rolecode [dagl]}") {
		t.Errorf("wanted %s", text)
	}
}
