package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// auditWorld is a decisionWorld that records in a way.
func auditWorld(t *testing.T, c server.AuditConfig) *decisionWorld {
	t.Helper()
	dir := filepath.Join(conformance(t), "pdp")
	data := t.TempDir()
	i := startServer(t, server.Config{
		DataDir: data, Datastore: datastoreOf(t, data), Compat: []string{server.CompatAltinn}, Audit: c,
	})
	i.run(t, "import", "--format", "altinn-world", filepath.Join(dir, "world"))
	return &decisionWorld{i, dir}
}

// ask sends the request of a case and returns the answer.
func (w *decisionWorld) ask(t *testing.T, c decisionCase) []byte {
	t.Helper()
	for _, p := range c.Policies {
		w.run(t, append(policyPut(p.ServedFor, c.name), filepath.Join(c.dir, p.File))...)
	}
	status, answer := w.post(t, c.Endpoint, "application/"+c.Format, readBare(t, filepath.Join(c.dir, "request."+c.Format)), c.headers(t, w))
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, answer)
	}
	return answer
}

// eventFile is the event that Altinn records of a case.
const eventFile = "expected-audit-event.json"

// TestAltinnEvents holds the events of the corpus' cases against those expected, field by
// field, with the enriched request as attributes and values.
func TestAltinnEvents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events.jsonl")
	w := auditWorld(t, server.AuditConfig{Sinks: []string{"file"}, File: file, Format: "altinn"})
	cases, read := 0, 0
	for _, c := range w.cases(t) {
		wanted, err := os.ReadFile(filepath.Join(c.dir, eventFile))
		if err != nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			cases++
			if strings.Contains(c.name, "AuditLogDisabled") {
				c.XForwardedFor = "51.120.0.114" // as its event has it; without records is the test below
			}
			w.ask(t, c)
			text := readFile(t, file)[read:]
			read += len(text)
			if n := bytes.Count(text, []byte("\n")); n != 1 {
				t.Fatalf("%d events: %s", n, text)
			}
			got, want := altinnEvent(t, text), altinnEvent(t, bytes.TrimPrefix(wanted, []byte("\xef\xbb\xbf")))
			if created, err := time.Parse(time.RFC3339Nano, got["created"].(string)); err != nil || time.Since(created) > time.Minute {
				t.Errorf("created %v, %v", got["created"], err)
			}
			delete(got, "created")
			delete(want, "created")
			if want["ipadress"] == nil { // those tests have no client with an address
				delete(got, "ipadress")
			}
			withoutImplied(want["contextrequestjson"].(map[string]bool), got["contextrequestjson"].(map[string]bool))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if cases == 0 {
		t.Error("no case has an event")
	}
}

// withoutImplied removes the roles that were found and not expected: the cases' expectations
// list the roles that are held, without those that follow from them.
func withoutImplied(want, got map[string]bool) {
	for one := range got {
		if !want[one] && strings.Contains(one, " urn:altinn:rolecode ") {
			delete(got, one)
		}
	}
}

// altinnEvent reads an event: names in lower case, and without what is empty.
func altinnEvent(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	event := map[string]any{}
	for name, value := range fields {
		if value != nil && value != "" {
			event[strings.ToLower(name)] = value
		}
	}
	const context = "contextrequestjson"
	var request struct {
		Attributes []struct {
			Category   string
			Attributes []struct {
				AttributeID     string
				IncludeInResult bool
				AttributeValues []struct{ Value, DataType string }
			}
		}
	}
	if err := json.Unmarshal([]byte(event[context].(string)), &request); err != nil {
		t.Fatal(err)
	}
	flat := map[string]bool{}
	for _, c := range request.Attributes {
		for _, a := range c.Attributes {
			for _, v := range a.AttributeValues {
				back := ""
				if a.IncludeInResult {
					back = " and comes back"
				}
				flat[c.Category+" "+a.AttributeID+" "+strings.ToLower(v.Value)+" "+v.DataType+back] = true
			}
		}
	}
	event[context] = flat
	return event
}

// TestNothingIsRecorded starts a server with --audit none.
func TestNothingIsRecorded(t *testing.T) {
	i := startServer(t, server.Config{DataDir: t.TempDir(), Audit: server.AuditConfig{Sinks: []string{"none"}}})
	if _, err := os.Stat(filepath.Join(i.dataDir, "audit.db")); err == nil {
		t.Error("there is a file of records")
	}
	code, _, said := behalf(t, i.reach([]string{"audit"})...)
	if code == 0 || !strings.Contains(said, "--audit") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// TestAudit asks a case with several questions, and finds each of them recorded by the CLI,
// gRPC and REST; and none of them is to be seen without the scope.
func TestAudit(t *testing.T) {
	w := auditWorld(t, server.AuditConfig{})
	questions := 0
	for _, c := range w.cases(t) {
		questions += len(results(t, c.Format, w.ask(t, c)))
		if strings.Contains(c.name, "NoSubject_MultiRequest") {
			questions++ // two questions, which Altinn answers as one
		}
	}
	all := strings.Split(strings.TrimSpace(w.run(t, "audit", "--limit", "0", "--output", "json")), "\n")
	if len(all) != questions {
		t.Errorf("%d records of %d questions", len(all), questions)
	}
	if text := w.run(t, "audit", "--decision", "Permit", "--limit", "3"); strings.Count(text, "Permit") != 3 || !strings.HasPrefix(text, "TIME") {
		t.Error(text)
	}
	if text := w.run(t, "audit", "--party", "1000", "--user", "1", "--from", "1h", "--resource", "app_skd_taxreport"); !strings.Contains(text, "user:1 ") {
		t.Error(text)
	}
	paged := 0
	service := behalfv1.NewAuditServiceClient(w.conn)
	for request := (&behalfv1.ListAuditRecordsRequest{PageSize: 7}); ; {
		page, err := service.ListAuditRecords(as(t.Context(), w.admin), request)
		if err != nil {
			t.Fatal(err)
		}
		paged += len(page.GetRecords())
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			break
		}
	}
	if paged != questions {
		t.Errorf("%d records by pages", paged)
	}
	var answer struct{ Records []map[string]any }
	w.call(t, http.MethodGet, "/v1/audit?decision=Permit&page_size=2", w.admin, "").decode(t, &answer)
	if len(answer.Records) != 2 || answer.Records[0]["decision"] != "Permit" || answer.Records[0]["reason"] == "" {
		t.Errorf("%v", answer)
	}
	for want, path := range map[int]string{http.StatusBadRequest: "?page_token=x", http.StatusForbidden: ""} {
		token := w.admin
		if want == http.StatusForbidden {
			token = w.userToken(t, 1, 1000)
		}
		if got := w.call(t, http.MethodGet, "/v1/audit"+path, token, ""); got.status != want {
			t.Errorf("%s: status %d: %s", path, got.status, got.body)
		}
	}
}

// TestAuditChecks records checks, lists and validations.
func TestAuditChecks(t *testing.T) {
	data := t.TempDir()
	i := startServer(t, server.Config{DataDir: data, Datastore: datastoreOf(t, data), Audit: server.AuditConfig{Checks: true}})
	loadDemo(t, i)
	i.run(t, "check", "party:50076451", "represent", "user:20001337")
	i.run(t, "parties", "--user", "20001337")
	var kinds []string
	for line := range strings.Lines(i.run(t, "audit", "--output", "json", "--oldest-first")) {
		var r struct{ Kind, Action, Decision, Caller, UserID string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.UserID != "20001337" || r.Caller == "" {
			t.Errorf("%s", line)
		}
		kinds = append(kinds, r.Kind+" "+r.Action+" "+r.Decision)
	}
	if len(kinds) != 2 || !strings.HasPrefix(kinds[0], "check represent ") || kinds[1] != "list list parties Answered" {
		t.Errorf("%q", kinds)
	}
}

// TestFullDiskClosesTheDoor has a sink that nothing more can be written to.
func TestFullDiskClosesTheDoor(t *testing.T) {
	const full = "/dev/full" // every write says that no space is left
	if _, err := os.Stat(full); err != nil {
		t.Skip(err)
	}
	w := auditWorld(t, server.AuditConfig{Sinks: []string{"records", "file"}, File: full})
	for _, c := range w.cases(t) {
		for _, r := range results(t, c.Format, w.ask(t, c)) {
			if r.Decision != "Indeterminate" {
				t.Errorf("%s: %s", c.name, r.Decision)
			}
		}
	}
	metrics := w.call(t, http.MethodGet, "/metrics", w.admin, "")
	if !strings.Contains(string(metrics.body), `behalf_audit_records_total{result="failed",sink="file"}`) {
		t.Errorf("status %d, no metric of it", metrics.status)
	}
}
