package server_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// decisionWorld is the world of the decision cases, loaded through the services.
type decisionWorld struct {
	*altinnServer
	dir      string
	parties  map[int64]bool
	user     map[int64]int64 // person's party by user
	policies behalfv1.PolicyServiceClient
}

// flexible reads a number that may be written as a text.
type flexible int64

func (f *flexible) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	*f = flexible(n)
	return err
}

type worldParty struct {
	PartyID                        flexible
	PartyUUID                      string
	SSN, OrgNumber, UnitType, Name string
}

// loadDecisionWorld loads what the cases are about: parties, users with their roles,
// instances, estates and policies.
func (s *altinnServer) loadDecisionWorld(dir string) *decisionWorld {
	s.t.Helper()
	w := &decisionWorld{s, dir, map[int64]bool{}, map[int64]int64{}, behalfv1.NewPolicyServiceClient(s.conn)}
	w.loadParties()
	w.loadRoles()
	w.loadInstances()
	w.loadEstates()
	w.loadPolicies()
	return w
}

func (w *decisionWorld) loadParties() {
	w.t.Helper()
	var all []worldParty
	readJSON(w.t, filepath.Join(w.dir, "register", "all.json"), &all)
	var deceased worldParty
	readJSON(w.t, filepath.Join(w.dir, "register", "50740574.json"), &deceased)
	users := map[string]int64{"01039012345": 1337}
	var profiles struct {
		Users []struct {
			UserID, LookupUserID, PartyID int64
			SSN, PartyUUID                string
		}
	}
	readJSON(w.t, filepath.Join(w.dir, "profiles.json"), &profiles)
	for _, p := range append(all, deceased) {
		if w.parties[int64(p.PartyID)] {
			continue
		}
		w.parties[int64(p.PartyID)] = true
		if p.OrgNumber == "null" || len(p.OrgNumber) != 9 {
			p.OrgNumber = ""
		}
		record := &behalfv1.PartyRecord{
			PartyId: int64(p.PartyID), PartyUuid: strings.ToLower(p.PartyUUID), Name: p.Name, UnitType: p.UnitType,
			Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, OrgNumber: p.OrgNumber,
		}
		if p.SSN != "" {
			record.Kind, record.NationalId, record.OrgNumber, record.UnitType = behalfv1.PartyKind_PARTY_KIND_PERSON, p.SSN, "", ""
			record.UserId, record.Login = users[p.SSN], users[p.SSN] != 0
			if record.GetUserId() != 0 {
				w.user[record.GetUserId()] = record.GetPartyId()
			}
		}
		w.party(record)
	}
	next := int64(60000000)
	for _, u := range profiles.Users {
		user := max(u.UserID, u.LookupUserID)
		if w.user[user] != 0 {
			continue
		}
		next++
		if u.PartyID != 0 && !w.parties[u.PartyID] {
			w.person(user, u.PartyID, u.PartyUUID, u.SSN)
			continue
		}
		w.person(user, next, "", u.SSN)
	}
}

// person puts the party of a user.
func (w *decisionWorld) person(user, id int64, uuid, ssn string) {
	w.t.Helper()
	w.party(&behalfv1.PartyRecord{
		PartyId: id, PartyUuid: uuid, Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: fmt.Sprintf("BRUKER %d", user),
		NationalId: ssn, UserId: user, Login: true,
	})
	w.parties[id], w.user[user] = true, id
}

// organisation puts a party that the register of the world does not describe.
func (w *decisionWorld) organisation(id int64) {
	w.t.Helper()
	if !w.parties[id] {
		w.parties[id] = true
		w.party(&behalfv1.PartyRecord{
			PartyId: id, Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: fmt.Sprintf("VIRKSOMHET %d", id), UnitType: "AS", OrgNumber: fmt.Sprintf("8%08d", id),
		})
	}
}

func (w *decisionWorld) loadRoles() {
	w.t.Helper()
	files, _ := filepath.Glob(filepath.Join(w.dir, "roles", "user_*", "party_*", "roles.json"))
	ids := regexp.MustCompile(`user_(\d+)/party_(\d+)/`)
	for _, file := range files {
		m := ids.FindStringSubmatch(filepath.ToSlash(file))
		user, _ := strconv.ParseInt(m[1], 10, 64)
		of, _ := strconv.ParseInt(m[2], 10, 64)
		if w.user[user] == 0 {
			w.person(user, 61000000+user%1000000, "", "")
		}
		w.organisation(of)
		var held []struct{ Value string }
		readJSON(w.t, file, &held)
		for _, r := range held {
			switch strings.ToUpper(r.Value) {
			case "ECKEYROLE": // follows from a key role
			case "PRIV": // from his login
			default:
				w.assign(fmt.Sprintf("party:%d", of), r.Value, fmt.Sprintf("party:%d", w.user[user]))
			}
		}
	}
}

func (w *decisionWorld) loadInstances() {
	w.t.Helper()
	files, _ := filepath.Glob(filepath.Join(w.dir, "instances", "*", "*.json"))
	client := behalfv1.NewInformationServiceClient(w.conn)
	for _, file := range files {
		var i struct {
			ID, AppID, Org string
			InstanceOwner  struct{ PartyID flexible }
			Process        struct{ CurrentTask struct{ ElementID string } }
		}
		readJSON(w.t, file, &i)
		_, app, _ := strings.Cut(i.AppID, "/")
		guid := i.ID[strings.LastIndexByte(i.ID, '/')+1:]
		_, err := client.PutInstance(w.admin(), &behalfv1.PutInstanceRequest{Instance: &behalfv1.Instance{
			Id: fmt.Sprintf("%d/%s", i.InstanceOwner.PartyID, guid), Org: i.Org, App: app, Task: i.Process.CurrentTask.ElementID,
		}})
		if err != nil {
			w.t.Fatalf("%s: %v", file, err)
		}
	}
}

func (w *decisionWorld) loadEstates() {
	w.t.Helper()
	var estates struct {
		Assignments []struct{ From, To, Role string }
	}
	readJSON(w.t, filepath.Join(w.dir, "oed-role-assignments.json"), &estates)
	for _, a := range estates.Assignments {
		_, err := behalfv1.NewInformationServiceClient(w.conn).PutEstateRole(w.admin(), &behalfv1.PutEstateRoleRequest{
			EstateRole: &behalfv1.EstateRole{From: "nin:" + a.From, To: "nin:" + a.To, Role: a.Role},
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *decisionWorld) loadPolicies() {
	w.t.Helper()
	apps, _ := filepath.Glob(filepath.Join(w.dir, "policies", "apps", "*", "*", "policy.xml"))
	for _, file := range apps {
		app := filepath.Base(filepath.Dir(file))
		w.policy(&behalfv1.PolicyRef{Org: filepath.Base(filepath.Dir(filepath.Dir(file))), App: app}, file)
	}
	resources, _ := filepath.Glob(filepath.Join(w.dir, "policies", "resources", "*", "policy.xml"))
	for _, file := range resources {
		w.policy(&behalfv1.PolicyRef{Resource: filepath.Base(filepath.Dir(file))}, file)
	}
}

func (w *decisionWorld) policy(ref *behalfv1.PolicyRef, file string) {
	w.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.policies.PutPolicy(w.admin(), &behalfv1.PutPolicyRequest{Ref: ref, Text: text}); err != nil {
		w.t.Errorf("put the policy %s: %v", file, err)
	}
}

// decisionCase is a case of the corpus.
type decisionCase struct {
	name, dir        string
	Endpoint, Format string
	Token            *struct{ Claims map[string]any }
	XForwardedFor    string
	Policies         []struct{ File, ServedFor string }
}

func readDecisionCase(w *decisionWorld, dir string) decisionCase {
	w.t.Helper()
	c := decisionCase{name: filepath.Base(dir), dir: dir}
	readJSON(w.t, filepath.Join(dir, "case.json"), &c)
	return c
}

// decisionResult is what of a result is compared.
type decisionResult struct {
	Decision, Status string
	Obligations      []string
	Attributes       []string
}

// jsonResults reads a response in JSON, whatever the spelling of its names.
func (w *decisionWorld) jsonResults(text []byte) []decisionResult {
	w.t.Helper()
	var r struct {
		Response []struct {
			Decision    string
			Status      struct{ StatusCode struct{ Value string } }
			Obligations []struct {
				ID                  string
				AttributeAssignment []struct{ AttributeID, Value, Category, DataType string }
			}
			Category []struct {
				CategoryID string
				Attribute  []struct{ AttributeID, Value string }
			}
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		w.t.Fatalf("%v: %s", err, text)
	}
	out := make([]decisionResult, len(r.Response))
	for i, one := range r.Response {
		out[i].Decision, out[i].Status = one.Decision, one.Status.StatusCode.Value
		for _, o := range one.Obligations {
			text := "" // not the identifier: in some cases it is not that of the case's own policy
			for _, a := range o.AttributeAssignment {
				text += " " + strings.Join([]string{a.AttributeID, a.Value, a.Category, a.DataType}, " ")
			}
			out[i].Obligations = append(out[i].Obligations, text)
		}
		for _, c := range one.Category {
			for _, a := range c.Attribute {
				out[i].Attributes = append(out[i].Attributes, c.CategoryID+" "+a.AttributeID+" "+a.Value)
			}
		}
	}
	return out
}
