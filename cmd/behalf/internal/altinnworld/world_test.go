package altinnworld_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/altinnworld"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// unpack writes the files of an archive into a directory and returns it.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lines writes entries one a line, as short as they can be told apart.
func lines(dir string, entries []*behalfv1.ImportEntry) []string {
	var out []string
	for _, e := range entries {
		switch is := e.GetEntry().(type) {
		case *behalfv1.ImportEntry_Party:
			p := is.Party
			kind := strings.TrimPrefix(p.GetKind().String(), "PARTY_KIND_")
			out = append(out, strings.Join(strings.Fields(fmt.Sprintf("party %d %s %s %s%s user=%d login=%v main=%s key=%s",
				p.GetPartyId(), kind, p.GetName(), p.GetOrgNumber(), p.GetNationalId(), p.GetUserId(), p.GetLogin(), p.GetMainUnit(), p.GetSourceKey())), " "))
		case *behalfv1.ImportEntry_Assignment:
			out = append(out, fmt.Sprintf("role %s %s %s", is.Assignment.GetFrom(), is.Assignment.GetRole(), is.Assignment.GetTo()))
		case *behalfv1.ImportEntry_Delegation:
			d := is.Delegation
			out = append(out, strings.TrimSpace(strings.Join(strings.Fields(fmt.Sprintf("given %s %s %s %s %s task=%s instance=%s",
				d.GetFrom(), d.GetTo(), d.GetPackage(), d.GetResource(), d.GetAction(), d.GetTask(), d.GetInstance())), " ")))
		case *behalfv1.ImportEntry_SystemUser:
			out = append(out, fmt.Sprintf("system %s %s", is.SystemUser.GetUuid(), is.SystemUser.GetOwner()))
		case *behalfv1.ImportEntry_AccessList:
			l := is.AccessList
			line := "list " + l.GetOwner() + " " + l.GetIdentifier()
			for _, m := range l.GetMembers() {
				line += " " + m.GetParty()
			}
			for _, r := range l.GetResources() {
				line += fmt.Sprintf(" opens %s %v", r.GetResource(), r.GetActions())
			}
			out = append(out, line)
		case *behalfv1.ImportEntry_Resource:
			out = append(out, fmt.Sprintf("resource %s %s %v", is.Resource.GetId(), is.Resource.GetOwner(), is.Resource.GetAccessListMode() == behalfv1.AccessListMode_ACCESS_LIST_MODE_ENABLED))
		case *behalfv1.ImportEntry_Unreadable:
			name, _ := filepath.Rel(dir, e.GetFile())
			out = append(out, fmt.Sprintf("wrong %s:%d %s: %s", filepath.ToSlash(name), e.GetLine(), is.Unreadable.GetField(), is.Unreadable.GetMessage()))
		}
	}
	return out
}

// read reads an archive as a world.
func read(t *testing.T, archive string) (*altinnworld.World, []string) {
	t.Helper()
	dir := unpack(t, archive)
	w, err := altinnworld.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return w, lines(dir, w.Entries)
}

func want(t *testing.T, got []string, text string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if diff := cmp.Diff(lines, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Parties are put together of all files: the first that names an identifier gives it, a
// national id says who a user is, and what only an id is known of is made up.
func TestParties(t *testing.T) {
	_, got := read(t, "-- register/a.json --\n\xef\xbb\xbf"+`{"PartyId":"101","PartyTypeName":2,"SSN":"","OrgNumber":"910042963","Name":"FIRM","UnitType":"AS",
 "ChildParties":[{"PartyId":102,"PartyTypeName":2,"OrgNumber":"910042971","Name":"UNIT","UnitType":"BEDR"}]}
-- register/b.json --
[{"partyId":103,"partyTypeName":2,"ssn":"01039012345","name":"OLA"},
 {"partyId":104,"partyTypeName":1,"ssn":"01038712345","name":"KARI"}]
-- profiles.json --
{"note":"x","users":[{"userId":7,"ssn":"01039012345","partyId":104},{"userId":0,"lookupUserId":8,"ssn":"13923949741"}]}
-- roles/user_7/party_103/roles.json --
[{"Type":"altinn","value":"PRIV"},{"Type":"altinn","value":"LOPER"}]
-- roles/user_9/party_105/roles.json --
[{"value":"dagl"},{"value":"DAGL"}]
-- keyrole-parties.json --
{"9":[106],"note":"x"}
`)
	want(t, got, `
		party 101 ORGANISATION FIRM 910042963 user=0 login=false main= key=
		party 102 SUB_UNIT UNIT 910042971 user=0 login=false main=party:101 key=
		party 103 PERSON OLA 01039012345 user=7 login=true main= key=
		party 104 PERSON KARI 01038712345 user=0 login=false main= key=
		party 0 PERSON User 8 13923949741 user=8 login=false main= key=
		party 105 ORGANISATION Party 105 000000105 user=0 login=false main= key=
		party 0 PERSON User 9 user=9 login=false main= key=user-9
		party 106 ORGANISATION Party 106 000000106 user=0 login=false main= key=
		role party:103 LOPER party:103
		role party:105 dagl key:user-9
		role party:106 KEYROLE key:user-9`)
}

// What a user is shown of parties gives roles and rights; a party that he is shown without a
// reason is given the role of who has got something.
func TestPartyLists(t *testing.T) {
	_, got := read(t, `
-- parties.json --
[{"partyId":201,"partyTypeName":1,"ssn":"01017170071","name":"GIVER"}]
-- main-units.json --
[{"PartyId":203,"ParentPartyId":202},{"PartyId":202,"ParentPartyId":null}]
-- authorized-parties/20.json --
[{"partyId":204,"type":"Person","personId":"01017270071","name":"SELF","authorizedRoles":["PRIV"]},
 {"partyId":201,"type":"Person","name":"GIVER","authorizedResources":["app_ttd_a"],"authorizedInstances":[{"resourceId":"r","instanceId":"i"}]}]
-- parties/20.json --
[{"partyId":205,"partyTypeName":2,"orgNumber":"910042963","name":"SHOWN"},{"partyId":201,"partyTypeName":1,"name":"GIVER"},
 {"partyId":202,"partyTypeName":2,"orgNumber":"910042971","name":"CARRIER","onlyHierarchyElementWithNoAccess":true}]
-- altinn2-authorized-parties-by-user.json --
{"20":[{"PartyId":202,"PartyTypeName":2,"OrgNumber":"910042971","Name":"CARRIER","AuthorizedRoles":["REGNA"]}]}
`)
	want(t, got, `
		party 201 PERSON GIVER 01017170071 user=0 login=false main= key=
		party 204 PERSON SELF 01017270071 user=20 login=true main= key=
		party 205 ORGANISATION SHOWN 910042963 user=0 login=false main= key=
		party 202 ORGANISATION CARRIER 910042971 user=0 login=false main= key=
		party 203 SUB_UNIT Party 203 000000203 user=0 login=false main=party:202 key=
		role party:202 REGNA party:204
		role party:205 rettighetshaver party:204
		given party:201 party:204 app_ttd_a read task= instance=
		given party:201 party:204 r read task= instance=i`)
}

const policy = `<?xml version="1.0"?>
<x:Policy xmlns:x="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="p" Version="1.0"><x:Target/>%s</x:Policy>
`

// rule is a rule of a delegation policy: of each pair an attribute and its value.
func rule(anyOf ...[]string) string {
	text := `<x:Rule RuleId="r" Effect="Permit"><x:Target>`
	for _, pairs := range anyOf {
		text += "<x:AnyOf><x:AllOf>"
		for i := 0; i < len(pairs); i += 2 {
			text += `<x:Match MatchId="m"><x:AttributeValue>` + pairs[i+1] + `</x:AttributeValue><x:AttributeDesignator AttributeId="` + pairs[i] + `"/></x:Match>`
		}
		text += "</x:AllOf></x:AnyOf>"
	}
	return text + "</x:Target></x:Rule>"
}

const action = "urn:oasis:names:tc:xacml:1.0:action:action-id"

// Rules of delegation policies become rights, unless they are for another or of another
// resource; what finds a delegation shows hierarchies and key roles.
func TestDelegations(t *testing.T) {
	rules := rule([]string{"urn:altinn:partyid", "302"}, []string{"urn:altinn:org", "skd", "urn:altinn:app", "tax"}, []string{action, "read"}) +
		rule([]string{"urn:altinn:partyid", "302"}, []string{"urn:altinn:app", "tax", "urn:altinn:org", "skd", "urn:altinn:task", "sign"}, []string{action, "sign"}) +
		rule([]string{"urn:altinn:partyid", "302"}, []string{"urn:altinn:org", "skd", "urn:altinn:app", "tax", "urn:altinn:instance-id", "301/i", "urn:altinn:task", "sign"}, []string{action, "sign"}) +
		rule([]string{"urn:altinn:partyid", "302"}, []string{"urn:altinn:org", "skd", "urn:altinn:app", "tax", "urn:altinn:end-event", "done"}, []string{action, "read"}) +
		rule([]string{"urn:altinn:partyid", "303"}, []string{"urn:altinn:org", "skd", "urn:altinn:app", "tax"}, []string{action, "write"}) +
		rule([]string{"urn:altinn:partyid", "302"}, []string{"urn:altinn:org", "nav", "urn:altinn:app", "tax"}, []string{action, "write"}) +
		rule([]string{"urn:altinn:partyid", "302"}, []string{"urn:altinn:org", "skd", "urn:altinn:app", "tax", "urn:altinn:appresource", "events"}, []string{action, "read"})
	w, got := read(t, `
-- keyrole-parties.json --
{}
-- delegations.json --
{"delegations":[
 {"type":"Grant","resource":"skd/tax","offeredBy":{"urn:altinn:partyid":"301"},"coveredBy":{"urn:altinn:partyid":"302"},"policyBlob":"b/p.xml",
  "matches":[{"party":{"urn:altinn:partyid":"309"},"subject":{"urn:altinn:userid":"30"}}]},
 {"type":"RevokeLast","resource":"skd/tax","offeredBy":{"urn:altinn:partyid":"301"},"coveredBy":{"urn:altinn:partyid":"308"},"policyBlob":"b/p.xml"},
 {"type":"Grant","resource":"loan","offeredBy":{"urn:altinn:partyid":"301"},"coveredBy":{"urn:altinn:systemuser:uuid":"47CAEA5B-a80b-4343-b1d3-31eb523a4e28"},"policyBlob":"b/s.xml","instanceId":"i"},
 {"type":"Grant","resource":"loan","offeredBy":{"urn:altinn:partyid":"301"},"coveredBy":{"urn:altinn:partyid":"302"},"policyBlob":"b/none.xml"},
 {"type":"Grant","resource":"loan","offeredBy":{"urn:altinn:partyid":"x"},"coveredBy":{"urn:altinn:partyid":"302"},"policyBlob":"b/p.xml"},
 {"type":"Grant","resource":"skd/tax","offeredBy":{"urn:altinn:partyid":"301"},"coveredBy":{"urn:altinn:partyid":"302"},"policyBlob":"b/broken.xml"},
 {"resourceId":"listed","fromPartyId":301,"toUserId":30,"changeType":"Grant"},
 {"resourceId":"listed","fromPartyId":301,"changeType":"Grant"}]}
-- access-packages.json --
{"grants":[{"from":"066148fe-7077-4484-b7ea-44b5ede0014e","to":"e2eba2c3-b369-4ff9-8418-99a810d6bb58","packages":["jordbruk"],"roles":["dagl"]}]}
-- b/p.xml --
`+fmt.Sprintf(policy, rules)+`
-- b/s.xml --
`+fmt.Sprintf(policy, rule([]string{"urn:altinn:systemuser:uuid", "47caea5b-a80b-4343-b1d3-31eb523a4e28"}, []string{"urn:altinn:resource", "loan"}, []string{action, "read"}))+`
-- b/broken.xml --
<Policy
`)
	want(t, got, `
		wrong delegations.json:5 offeredBy: urn:altinn:partyid is "x"; write a number
		wrong b/broken.xml:1 : is no delegation policy: XML syntax error on line 2: unexpected EOF
		wrong delegations.json:8 toUserId: is missing, and toPartyId with it
		party 301 ORGANISATION Party 301 000000301 user=0 login=false main= key=
		party 302 ORGANISATION Party 302 000000302 user=0 login=false main= key=
		party 309 SUB_UNIT Party 309 000000309 user=0 login=false main=party:301 key=
		party 0 PERSON User 30 user=30 login=false main= key=user-30
		party 303 ORGANISATION Party 303 000000303 user=0 login=false main= key=
		party 0 ORGANISATION Party 066148fe-7077-4484-b7ea-44b5ede0014e 181310146 user=0 login=false main= key=
		role party:302 KEYROLE key:user-30
		system 47caea5b-a80b-4343-b1d3-31eb523a4e28 party:301
		system e2eba2c3-b369-4ff9-8418-99a810d6bb58 uuid:066148fe-7077-4484-b7ea-44b5ede0014e
		given party:301 party:302 app_skd_tax read task= instance=
		given party:301 party:302 app_skd_tax sign task=sign instance=
		given party:301 party:302 app_skd_tax sign task=sign instance=i
		given party:301 party:302 app_skd_tax read task=done instance=
		given party:301 systemuser:47caea5b-a80b-4343-b1d3-31eb523a4e28 loan read task= instance=i
		given party:301 key:user-30 listed read task= instance=
		given uuid:066148fe-7077-4484-b7ea-44b5ede0014e systemuser:e2eba2c3-b369-4ff9-8418-99a810d6bb58 jordbruk task= instance=`)
	if len(w.Notes) != 5 {
		t.Errorf("%d notes: %q", len(w.Notes), w.Notes)
	}
}

func TestTheRest(t *testing.T) {
	w, got := read(t, `
-- register/r.json --
[{"partyId":401,"partyUuid":"00000000-0000-0000-0000-000000000401","partyTypeName":2,"orgNumber":"910459880","name":"BANK"}]
-- resource-list.json --
[{"identifier":"loan","title":{"en":"Loan"},"hasCompetentAuthority":{"orgcode":"ttd","organization":"991825827"},"AccessListMode":"Enabled"},
 {"identifier":"odd","AccessListMode":"Perhaps"}]
-- access-lists/00000000-0000-0000-0000-000000000401.json --
[{"Urn":"urn:altinn:access-list:ttd:banks","Identifer":"banks"},{"urn":"urn:x"}]
-- access-list-memberships.json --
{"memberships":[{"organization":"910459880","resource":"loan","party":"urn:altinn:party:uuid:x","since":"2024-08-27T15:15:55Z","actionFilters":["write","read"]},
 {"organization":"910459880","resource":"other"},{"organization":"910459880"}]}
-- oed-role-assignments.json --
{"assignments":[{"from":"11895696716","to":"13923949741","role":"urn:x:y"},{"from":"11895696716","role":"urn:x:y"}]}
-- instances/401/f3fc6233-1631-429d-8405-e1678f88dbd7.json --
{"id":"f3fc6233-1631-429d-8405-e1678f88dbd7","instanceOwner":{"partyId":"401"},"appId":"ttd/app","process":{"currentTask":{"elementId":"Task_1"}}}
-- instances/401/x.json --
{"id":"401/x","appId":"app"}
-- policies/apps/ttd/app/policy.xml --
<Policy/>
-- policies/resources/loan/policy.xml --
<Policy/>
-- policies/odd.xml --
<Policy/>
`)
	want(t, got, `
		resource loan ttd true
		wrong resource-list.json:2 accessListMode: is "Perhaps"; write Enabled or Disabled
		wrong access-lists/00000000-0000-0000-0000-000000000401.json:2 urn: is "urn:x"; write urn:altinn:access-list:<owner>:<identifier>
		wrong access-list-memberships.json:3 resource: is missing
		list ttd banks party:401
		list ttd members-of-loan-read-write party:401 opens loan [read write]
		list altinn members-of-other party:401 opens other []
		wrong oed-role-assignments.json:2 to: is missing
		wrong instances/401/x.json:1 appId: is "app"; write <org>/<app>
		party 401 ORGANISATION BANK 910459880 user=0 login=false main= key=
		party 0 PERSON Person 11895696716 11895696716 user=0 login=false main= key=
		party 0 PERSON Person 13923949741 13923949741 user=0 login=false main= key=`)
	if len(w.EstateRoles) != 1 || w.EstateRoles[0].GetFrom() != "nin:11895696716" {
		t.Errorf("%v", w.EstateRoles)
	}
	if len(w.Instances) != 1 || w.Instances[0].GetId() != "401/f3fc6233-1631-429d-8405-e1678f88dbd7" || w.Instances[0].GetTask() != "Task_1" {
		t.Errorf("%v", w.Instances)
	}
	if len(w.Policies) != 2 || w.Policies[0].Ref.GetApp() != "app" || w.Policies[1].Ref.GetResource() != "loan" || len(w.Notes) != 1 {
		t.Errorf("%v, %q", w.Policies, w.Notes)
	}
}

func TestUnreadable(t *testing.T) {
	for fault, archive := range map[string]string{
		"has no register":                                  "-- x.json --\n{}\n",
		"a.json:2: invalid character ']'":                  "-- register/a.json --\n[{\"partyId\":1},\n{]\n",
		"b.json:1: is string, not a list":                  "-- register/a.json --\n{}\n-- register/b.json --\n\"x\"\n",
		"partyId: is one, not a whole number of 32 bits":   "-- parties.json --\n[{\"partyId\":\"one\"}]\n",
		"main-units.json: has text after the value":        "-- main-units.json --\n[]\n[]\n",
		"register/a.json:1: name: is number, not a string": "-- register/a.json --\n{\"name\":1}\n",
		"resource-list.json:1: is object, not a list\n":    "-- parties.json --\n[]\n-- resource-list.json --\n{}\n-- delegations.json --\n[]\n",
		"delegations.json:1: is array, not an object":      "-- parties.json --\n[]\n-- resource-list.json --\n{}\n-- delegations.json --\n[]\n",
	} {
		_, err := altinnworld.Read(unpack(t, archive))
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is not in %v", fault, err)
		}
	}
	if _, err := altinnworld.Read(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a directory that is not there is read")
	}
}
