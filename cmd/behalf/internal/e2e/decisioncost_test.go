package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
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
	costCalls   = flag.Int("cost-calls", 50, "calls by which the tests of cost measure; thousands tell something")
	costParties = flag.Int("cost-parties", 300, "parties of their world")
)

// measured says to the process of a server what it is to serve.
const measured = "BEHALF_E2E_MEASURED"

// syncedSinks are the sinks of audit when a decision waits until they are synced.
const syncedSinks = "synced sinks"

// costPolicy lets managing directors read an app, as Altinn's policies do.
var costPolicy = taxPolicyBeginning + fmt.Sprintf(matchText, "dagl", taxPolicySubject, accessSubject) +
	fmt.Sprintf(matchText, "read", taxPolicyAction, accessAction) + taxPolicyEnd

// TestDecisionCost measures what a decision over HTTP costs the server in processor time,
// as a ratio to a handler behind the same middleware that reads the same body and writes a
// ready answer of the same size. Both serve in processes of their own.
func TestDecisionCost(t *testing.T) {
	if os.Getenv(measured) != "" {
		serveMeasured(t)
		return
	}
	if *datastoreFlag != server.DatastoreSQLite {
		t.Skip("what a decision costs is measured on the embedded store")
	}
	data, user, party := costWorld(t)
	body := fmt.Sprintf(`{"Request":{"AccessSubject":[{"Attribute":[{"AttributeId":"urn:altinn:userid","Value":"%d"}]}],`+
		`"Action":[{"Attribute":[{"AttributeId":"%s","Value":"read"}]}],"Resource":[{"Attribute":[{"AttributeId":"urn:altinn:org","Value":"skd"},`+
		`{"AttributeId":"urn:altinn:app","Value":"cost"},{"AttributeId":"urn:altinn:partyid","Value":"%d"}]}]}}`, user, taxPolicyAction, party)

	for _, sinks := range []string{"default sinks", syncedSinks} {
		t.Run(sinks, func(t *testing.T) {
			decisions := startMeasured(t, sinks, data)
			answer := decisions.ask(t, body)
			if !strings.Contains(answer, `"decision":"Permit"`) {
				t.Fatalf("the decision is %s", answer)
			}
			baseline := startMeasured(t, "baseline:"+answer, data)
			baseline.ask(t, body)
			for range 3 {
				b, d := baseline.cost(t, body, *costCalls), decisions.cost(t, body, *costCalls)
				t.Logf("processor time per call: decision %s, ready answer %s, ratio %.2f", d, b, float64(d)/float64(b))
			}
		})
	}
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

// process is a server in a process of its own.
type process struct {
	url   string
	pid   int
	other []string // what it says beside
}

// startMeasured starts this test as a server.
func startMeasured(t *testing.T, what, data string) process {
	t.Helper()
	test, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), measured+"="+what, "BEHALF_E2E_DATA="+data)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			said := strings.Fields(text)
			return process{said[0], cmd.Process.Pid, said[1:]}
		}
	}
	t.Fatalf("%s does not serve", what)
	return process{}
}

// serveMeasured serves until its standard input ends.
func serveMeasured(t *testing.T) {
	what := os.Getenv(measured)
	logger := slog.New(slog.NewJSONHandler(io.Discard, nil)) //nolint:sloglint // what a line costs is measured too
	url := ""
	if answer, ok := strings.CutPrefix(what, "baseline:"); ok {
		recorder, err := event.NewRecorder(logger, prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		listener := listen(t)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = w.Write([]byte(answer))
		})
		srv := &http.Server{Handler: recorder.Handler(handler, handler), ReadHeaderTimeout: time.Minute}
		go func() { _ = srv.Serve(listener) }()
		url = "http://" + listener.Addr().String()
	} else {
		i := startServer(t, server.Config{
			DataDir: os.Getenv("BEHALF_E2E_DATA"), Logger: logger, Compat: []string{server.CompatOpenDecision},
			Audit: server.AuditConfig{Sync: what == syncedSinks},
		})
		url = i.url
	}
	fmt.Println("serving " + url)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (p process) ask(t *testing.T, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, p.url+"/authorization/api/v1/decision", strings.NewReader(body))
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

// cost returns the processor time that a call costs the process.
func (p process) cost(t *testing.T, body string, calls int) time.Duration {
	t.Helper()
	before := p.cpu(t)
	for range calls {
		p.ask(t, body)
	}
	return (p.cpu(t) - before) / time.Duration(calls)
}

// cpu returns the processor time of the process so far.
func (p process) cpu(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		t.Skipf("processor time is measured by /proc: %v", err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond
	return time.Duration(user+system) * tick
}
