package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/server"
)

var (
	costCalls   = flag.Int("cost-calls", 50, "calls by which the tests of cost measure; tens of thousands tell something, as a heap costs more while it is used for the first time")
	costParties = flag.Int("cost-parties", 300, "parties of their world")
)

// costPolicy lets managing directors read an app, as Altinn's policies do.
var costPolicy = taxPolicyBeginning + fmt.Sprintf(matchText, "dagl", taxPolicySubject, accessSubject) +
	fmt.Sprintf(matchText, "read", taxPolicyAction, accessAction) + taxPolicyEnd

// TestDecisionCost measures what a decision over HTTP costs the server in processor time, as a
// ratio to a handler behind the same middleware that reads the same body and writes a ready
// answer of the same size. Both serve in one process, which is none of the test's.
func TestDecisionCost(t *testing.T) {
	if os.Getenv(measured) != "" {
		serveDecisions(t)
		return
	}
	if *datastoreFlag != server.DatastoreSQLite {
		t.Skip("what a decision costs is measured on the embedded store")
	}
	data, user, party := costWorld(t)
	body := decisionBody(user, party)
	for sinks, flags := range map[string]string{"default sinks": "", "synced sinks": "--audit-sync"} {
		t.Run(sinks, func(t *testing.T) {
			p := startMeasured(t, fmt.Sprintf("%d %d serve --compat altinn-open-decision %s", user, party, flags), data)
			for range 3 {
				b, d := p.cost(t, p.other[0], body), p.cost(t, p.url, body)
				t.Logf("processor time per call: decision %s, ready answer %s, ratio %.2f", d, b, float64(d)/float64(b))
			}
		})
	}
}

func decisionBody(user, party int64) string {
	return fmt.Sprintf(`{"Request":{"AccessSubject":[{"Attribute":[{"AttributeId":"urn:altinn:userid","Value":"%d"}]}],`+
		`"Action":[{"Attribute":[{"AttributeId":"%s","Value":"read"}]}],"Resource":[{"Attribute":[{"AttributeId":"urn:altinn:org","Value":"skd"},`+
		`{"AttributeId":"urn:altinn:app","Value":"cost"},{"AttributeId":"urn:altinn:partyid","Value":"%d"}]}]}}`, user, taxPolicyAction, party)
}

// costWorld makes a data directory with a world and a policy, and returns a managing
// director and his company.
func costWorld(t *testing.T) (data string, user, party int64) {
	t.Helper()
	world, data := t.TempDir(), t.TempDir()
	run(t, "generate", "--parties", strconv.Itoa(*costParties), "--out", world)
	i := startServer(t, server.Config{DataDir: data})
	files, err := filepath.Glob(filepath.Join(world, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.Contains(filepath.Base(file), "world") {
			i.run(t, "import", file)
		}
	}
	policy := filepath.Join(world, "policy.xml")
	if err := os.WriteFile(policy, []byte(costPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	i.run(t, "policy", "put", "--app", "skd/cost", policy)
	// Somebody of our own, so that the world's shape does not matter.
	register := filepath.Join(world, "own.jsonl")
	lines := `{"kind":"header","format":"behalf/v1","source":"cost"}
{"kind":"party","type":"organisation","partyId":2000000001,"orgNumber":"999999991","name":"KOST AS","unitType":"AS"}
{"kind":"party","type":"person","partyId":2000000002,"nationalId":"01010112345","name":"KARI","userId":2000000003,"login":true}
{"kind":"assignment","from":"org:999999991","role":"DAGL","to":"party:2000000002"}
`
	if err := os.WriteFile(register, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	i.run(t, "import", register)
	i.stop()
	return data, 2000000003, 2000000001
}

// serveDecisions serves decisions, and beside them an answer that is ready.
func serveDecisions(t *testing.T) {
	var user, party int64
	_, flags, _ := strings.Cut(os.Getenv(measured), "serve")
	if _, err := fmt.Sscan(os.Getenv(measured), &user, &party); err != nil {
		t.Fatal(err)
	}
	serveUntilTold(t, "serve "+flags, func(url, _ string) {
		answer := decide(t, url, decisionBody(user, party))
		if !strings.Contains(answer, `"decision":"Permit"`) {
			t.Fatalf("the decision is %s", answer)
		}
		fmt.Println("serving", url, serveAnswer(t, answer))
	})
}

// serveAnswer serves a ready answer behind the middleware of decisions, and returns where.
func serveAnswer(t *testing.T, answer string) (url string) {
	t.Helper()
	recorder, err := event.NewRecorder(slog.New(slog.NewJSONHandler(io.Discard, nil)), prometheus.NewRegistry()) //nolint:sloglint // what a line costs is measured too
	if err != nil {
		t.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write([]byte(answer))
	})
	listener := listen(t)
	srv := &http.Server{Handler: recorder.Handler(handler, handler), ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(listener) }()
	t.Cleanup(func() { _ = srv.Close() })
	return "http://" + listener.Addr().String()
}

// decide asks for a decision and returns the answer.
func decide(t *testing.T, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/authorization/api/v1/decision", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !json.Valid(answer) {
		t.Fatalf("status %d, %v: %s", resp.StatusCode, err, answer)
	}
	return string(answer)
}

// cost returns the processor time that a decision costs the process.
func (p process) cost(t *testing.T, url, body string) time.Duration {
	t.Helper()
	before := p.cpu(t)
	for range *costCalls {
		decide(t, url, body)
	}
	return (p.cpu(t) - before) / time.Duration(*costCalls)
}
