package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/bench"
	"github.com/behalf-authz/behalf/cmd/behalf/internal/world"
)

// asBehalf has this test's program be the command line.
const asBehalf = "BEHALF_E2E_AS_BEHALF"

// TestBench measures a server for a moment at each API, in both loops. What the figures
// are is nobody's business here: that they add up, and that a wrong answer is found, is.
func TestBench(t *testing.T) {
	t.Setenv(asBehalf, "1") // the floor is this program again
	dir := t.TempDir()
	run(t, "generate", "--parties", "300", "--oracle-rows", "300", "--out", dir)
	i := start(t)
	i.run(t, "import", filepath.Join(dir, world.WorldFile))
	measure := func(args ...string) []string {
		return i.reach(append([]string{"bench", "--url", i.url, "--duration", "100ms", "--warm-up", "20ms", "--timeout", "1m"}, args...))
	}

	for _, tc := range []struct {
		name string
		args []string
	}{
		{"grpc closed", []string{"--concurrency", "4", "--connections", "2"}},
		{"grpc open", []string{"--rate", "200", "--floor=false"}},
		{"rest closed", []string{"--api", "rest", "--concurrency", "2"}},
		{"rest open", []string{"--api", "rest", "--rate", "100", "--consistency", "at-least-as-fresh", "--floor=false"}},
		{"authzed closed", []string{"--api", "authzed", "--permission", "has_regn", "--denials", "0.5"}},
		{"authzed open", []string{"--api", "authzed", "--rate", "100", "--consistency", "minimize-latency", "--floor=false"}},
		{"no denials", []string{"--denials", "0", "--consistency", "at-exact-snapshot", "--concurrency", "1", "--floor=false"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			jsonFile, markdown := filepath.Join(t.TempDir(), "r.json"), filepath.Join(t.TempDir(), "r.md")
			run(t, measure(append(tc.args, "--world", dir, "--server-pid", strconv.Itoa(os.Getpid()), "--json", jsonFile, "--markdown", markdown)...)...)
			var r bench.Report
			if err := json.Unmarshal(readFile(t, jsonFile), &r); err != nil {
				t.Fatal(err)
			}
			floor := !slices.Contains(tc.args, "--floor=false")
			if text := string(readFile(t, markdown)); strings.Contains(text, "| floor | ") != floor || !strings.Contains(text, "CPU per call") {
				t.Errorf("the report for readers, with the floor %t:\n%s", floor, text)
			}
			addUp(t, r, floor)
		})
	}
	t.Run("peers and lists", func(t *testing.T) {
		itself := []bench.Peer{{Name: "itself", Versions: []string{"this one"}, API: bench.Authzed, Address: i.address, Token: i.admin, Processes: bench.Processes{os.Getpid()}}}
		text, err := json.Marshal(itself)
		if err != nil {
			t.Fatal(err)
		}
		peers, jsonFile, markdown := filepath.Join(t.TempDir(), "peers.json"), filepath.Join(t.TempDir(), "r.json"), filepath.Join(t.TempDir(), "r.md")
		if err := os.WriteFile(peers, text, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, measure("--world", dir, "--peers", peers, "--list", "100", "--server-pid", strconv.Itoa(os.Getpid()), "--json", jsonFile, "--markdown", markdown)...)
		var r bench.Report
		if err := json.Unmarshal(readFile(t, jsonFile), &r); err != nil {
			t.Fatal(err)
		}
		var measured []string
		for _, m := range r.Measurements {
			measured = append(measured, m.Name+"@"+m.Peer)
			if m.Calls == 0 || m.Failed != 0 || m.Wrong != 0 || m.CPU == nil {
				t.Errorf("%s of %q: %+v", m.Name, m.Peer, m)
			}
		}
		if want := strings.Split("check@,chain@,floor@,list@,lookup@,lookup floor@,check@itself,list@itself", ","); !slices.Equal(measured, want) {
			t.Errorf("measured are %q, want %q", measured, want)
		}
		if text := string(readFile(t, markdown)); !strings.Contains(text, "| list, itself | this one | party#represent | fully-consistent | 300 parties") {
			t.Errorf("the report for readers:\n%s", text)
		}
	})
	t.Run("wrong oracle", func(t *testing.T) {
		code, out, diagnostics := behalf(t, measure("--world", contradicted(t, dir), "--denials", "0")...)
		if code != 1 || !strings.Contains(diagnostics, "the oracle says true") || !strings.Contains(out, "| check | ") {
			t.Errorf("exit code %d\n%s%s", code, out, diagnostics)
		}
	})
	t.Run("nobody serves", func(t *testing.T) {
		code, _, diagnostics := behalf(t, "bench", "--world", dir, "--address", "127.0.0.1:1", "--data-dir", i.dataDir)
		if code != 1 || !strings.Contains(diagnostics, "no server answers at 127.0.0.1:1") {
			t.Errorf("exit code %d\n%s", code, diagnostics)
		}
	})
}

// addUp checks that a report's counts are those of the same calls.
func addUp(t *testing.T, r bench.Report, floor bool) {
	t.Helper()
	var names []string
	for _, m := range r.Measurements {
		names = append(names, m.Name)
	}
	want := []string{bench.CheckName}
	if floor && r.Target.API != bench.Authzed {
		want = append(want, bench.ChainName)
	}
	if floor {
		want = append(want, bench.FloorName)
	}
	if !slices.Equal(names, want) {
		t.Fatalf("measured are %q, want %q", names, want)
	}
	if r.World.Parties != 300 || r.World.Questions != 300 || r.Machine.Cores == 0 || len(r.Target.Processes) != 1 {
		t.Fatalf("%+v", r)
	}
	for _, m := range r.Measurements {
		if m.Calls == 0 || m.Calls != m.Allowed+m.Denied || m.Failed != 0 || m.Wrong != 0 {
			t.Errorf("%s: %+v", m.Name, m)
		}
		if r.Denials == 0 && m.Denied > 0 {
			t.Errorf("%s: %d denials were not asked for", m.Name, m.Denied)
		}
		l := m.Latency
		if l.P50 <= 0 || l.P50 > l.P90 || l.P90 > l.P99 || l.P99 > l.P999 || l.P999 > l.Max {
			t.Errorf("%s: latencies are out of order: %+v", m.Name, l)
		}
		if m.CPU == nil {
			t.Errorf("%s: no processor time", m.Name)
		}
		if open := r.Load.Loop == "open"; open != (m.Late != nil) {
			t.Errorf("%s: %s loop, and lateness %v", m.Name, r.Load.Loop, m.Late)
		} else if due := uint64(r.Load.Rate * r.Load.Seconds); open && m.Calls+m.Unsent != due {
			t.Errorf("%s: %d calls and %d unsent, %d were due", m.Name, m.Calls, m.Unsent, due)
		}
	}
}

// contradicted copies a world whose oracle says yes where no is right, and nothing else.
func contradicted(t *testing.T, dir string) string {
	t.Helper()
	other := t.TempDir()
	var oracle string
	for line := range strings.Lines(string(readFile(t, filepath.Join(dir, world.OracleFile)))) {
		if strings.Contains(line, `"represent":false`) {
			oracle += strings.Replace(line, `"represent":false`, `"represent":true`, 1)
		}
	}
	for name, text := range map[string]string{world.OracleFile: oracle, world.WorldFile: string(readFile(t, filepath.Join(dir, world.WorldFile)))} {
		if err := os.WriteFile(filepath.Join(other, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return other
}

// TestBenchFlags checks that what is wrong with the flags is told by their names, all at once.
func TestBenchFlags(t *testing.T) {
	dir := t.TempDir()
	run(t, "generate", "--parties", "300", "--oracle-rows", "10", "--out", dir)
	for _, tc := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"--world: name a directory"}},
		{[]string{"--world", t.TempDir()}, []string{"--world: ", "behalf generate --out"}},
		{[]string{"--world", dir, "--permission", "view"}, []string{`--permission: "view"`}},
		{[]string{"--world", dir, "--server-pid", "999999999"}, []string{"--server-pid: no process 999999999"}},
		{[]string{"--world", dir, "--api", "rest", "--url", "http://example.org"}, []string{"--url: ", "in the clear"}},
		{[]string{"--world", dir, "--api", "rest", "--url", "example"}, []string{"--url: "}},
		{[]string{"--world", dir, "--consistency", "minimize-latency"}, []string{"--consistency: minimize-latency"}},
		{[]string{"--world", dir, "--peers", filepath.Join(dir, "none.json")}, []string{"--peers: "}},
		{[]string{"--world", dir, "--list", "7"}, []string{"--list: ", "[1 100]"}},
		{[]string{"--world", dir, "--list", "100", "--api", "rest"}, []string{"--list: lists are measured over gRPC only"}},
		{[]string{"--world", dir, "--list", "-1", "--consistency", "at-exact-snapshot"}, []string{"--list: -1"}},
		{
			strings.Fields("--world . --api soap --concurrency 0 --connections 0 --rate -1 --duration 0s --warm-up -1s --timeout 0s --denials 1.5 --server-pid 0 --json no/such/file"),
			strings.Fields("--api: --concurrency: --connections: --rate: --duration: --warm-up: --timeout: --denials: --server-pid: --json:"),
		},
		{[]string{"--world", dir, "--rate", "much", "--denials", "NaN"}, []string{"--rate", "--denials: NaN"}},
	} {
		code, _, diagnostics := behalf(t, append([]string{"bench"}, tc.args...)...)
		if code != 2 {
			t.Errorf("%q: exit code %d", tc.args, code)
		}
		for _, want := range tc.want {
			if !strings.Contains(diagnostics, want) {
				t.Errorf("%q: nothing of %q in:\n%s", tc.args, want, diagnostics)
			}
		}
	}
}
