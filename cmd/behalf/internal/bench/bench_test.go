package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/world"
)

func writeWorld(t *testing.T, oracle string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		world.OracleFile: oracle,
		world.WorldFile:  `{"kind":"header"}` + "\n" + `{"kind":"party","type":"person"}` + "\n" + `{"kind":"assignment"}` + "\n" + `{"kind":"assignment"}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const rows = `{"user":1,"party":10,"represent":true,"roles":["DAGL","REGN"]}
{"user":1,"party":11,"represent":true,"roles":["DAGL"]}
{"user":2,"party":10,"represent":false,"roles":[]}
`

func TestReadQuestions(t *testing.T) {
	dir := writeWorld(t, rows)
	for permission, want := range map[string]int{"represent": 2, "has_dagl": 2, "has_regn": 1, "has_revi": 0} {
		q, err := ReadQuestions(dir, permission)
		if err != nil {
			t.Fatal(err)
		}
		if len(q.allowed) != want || q.Len() != 3 {
			t.Errorf("%s: %d of %d questions are allowed, want %d", permission, len(q.allowed), q.Len(), want)
		}
		q.Denials = 0.4
		if err := q.Validate(); (err == nil) != (want > 0) {
			t.Errorf("%s: %v", permission, err)
		}
	}
	for _, permission := range []string{"", "has_", "dagl", "has_nothing"} {
		if _, err := ReadQuestions(dir, permission); err == nil {
			t.Errorf("%q is taken for a permission", permission)
		}
	}
	if _, err := ReadQuestions(writeWorld(t, rows+"{"), Represent); err == nil || !strings.Contains(err.Error(), "question 4") {
		t.Errorf("a broken line: %v", err)
	}
	w, err := ReadWorld(dir)
	if err != nil || w.Parties != 1 || w.Assignments != 2 || len(w.SHA256) != 64 {
		t.Errorf("%+v, %v", w, err)
	}
}

// TestQuestionsInOrder holds the share of denials, and that a seed gives one order.
func TestQuestionsInOrder(t *testing.T) {
	q, err := ReadQuestions(writeWorld(t, rows), Represent)
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range []float64{0, 0.4, 1} {
		q.Denials = share
		denied, different := 0, 0
		other := *q
		other.Seed++
		for n := range uint64(10_000) {
			one := q.At(n)
			if one != q.At(n) {
				t.Fatal("the same question twice is not the same")
			}
			if one != other.At(n) {
				different++
			}
			if !one.Allowed {
				denied++
			}
		}
		if got := float64(denied) / 10_000; got < share-0.03 || got > share+0.03 {
			t.Errorf("%v of the questions are denials, want %v", got, share)
		}
		if share < 1 && different < 1000 {
			t.Errorf("another seed asks all but %d questions in the same order", different)
		}
	}
}

func TestParseStat(t *testing.T) {
	line := "4711 (a) b (c)) S 12 4711 4711 0 -1 4194304 100 0 0 0 30 12 5 3 20 0 9 0 100 1 1"
	pid, s, ok := parseStat([]byte(line))
	if want := (stat{12, 500 * time.Millisecond}); pid != 4711 || s != want || !ok {
		t.Errorf("%d %+v %v", pid, s, ok)
	}
	for _, broken := range []string{"", "1 (x", ") 1 (", "x (y) S 1", "1 (y) S a 1 1 1 1 1 1 1 1 1 1 1 1 1 1"} {
		if _, _, ok := parseStat([]byte(broken)); ok {
			t.Errorf("%q is taken for a process", broken)
		}
	}
}

// TestProcessTime counts what a process has started, and refuses one that is not there.
func TestProcessTime(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skipf("processor time is read from /proc: %v", err)
	}
	self := Processes{os.Getpid()}
	before, err := self.time()
	if err != nil {
		t.Fatal(err)
	}
	burn := exec.CommandContext(t.Context(), "sh", "-c", "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done")
	if err := burn.Run(); err != nil {
		t.Skipf("no shell: %v", err)
	}
	after, err := self.time()
	if err != nil {
		t.Fatal(err)
	}
	if after <= before {
		t.Errorf("a child that has worked and ended did not count: %v, then %v", before, after)
	}
	if err := (Processes{1 << 30}).Validate(); err == nil {
		t.Error("a process that is not there is measured")
	}
	if d := self.Describe(); len(d) != 1 || d[0].Program == "" {
		t.Errorf("%+v", d)
	}
}

func TestMarkdown(t *testing.T) {
	r := Report{
		Target: Server{API: Authzed, Method: Authzed.Method(), Address: "127.0.0.1:1", Label: "a|b"}, Permission: Represent, Consistency: MinimizeLatency, Denials: 0.4,
		Load: Load{Concurrency: 4, Rate: 100, Duration: time.Second}.Report(2),
		Measurements: []Measurement{
			{Name: "check", Slices: 5, Calls: 90, PerSecond: 90, Unsent: 10, Latency: Latency{P50: 300, P99: 400}, Late: &Latency{P50: 3}, CPU: &CPU{MicrosPerCall: 60}},
			{Name: "chain", Slices: 5, Calls: 95, PerSecond: 95, Latency: Latency{P50: 220, P99: 300}},
			{Name: "floor", Calls: 100, PerSecond: 100, Latency: Latency{P50: 200, P99: 200}, CPU: &CPU{MicrosPerCall: 40}},
		},
	}
	var out strings.Builder
	if err := r.Markdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`a\|b: authzed.api.v1`, "open loop, 100 calls/s, at most 4 under way", "minimize-latency", "40 % denials",
		"1 s after 0 s of warm-up; check, chain in turn, each in 5 slices |",
		"| check | 90 | 90 | 300 |", "check, sent late by | | | 3 |", "check ÷ floor: calls/s 0.90, p50 1.50, p99 2.00, CPU per call 1.50.", "chain ÷ floor: calls/s 0.95, p50 1.10, p99 1.50.", "10 calls were due",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing of %q in:\n%s", want, out.String())
		}
	}
}

func TestConsistencies(t *testing.T) {
	for _, c := range []Consistency{FullyConsistent, AtLeastAsFresh, AtExactSnapshot} {
		for _, a := range []API{GRPC, REST, Authzed} {
			if err := c.Validate(a); err != nil || a.Method() == "" {
				t.Errorf("%s of %s: %v", c, a, err)
			}
		}
	}
	if MinimizeLatency.Validate(GRPC) == nil || MinimizeLatency.Validate(Authzed) != nil || Consistency("").Validate(GRPC) == nil {
		t.Error("a consistency is taken where there is none, or refused where there is")
	}
}
