package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/cli"
)

// measured says to the process of a server what it is to serve.
const measured = "BEHALF_E2E_MEASURED"

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

// serveUntilTold runs a `behalf serve` as its users do, with their heap and a log, until standard
// input ends. It calls serving when it serves.
func serveUntilTold(t *testing.T, command string, serving func(url, grpc string)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	log, ended := announcement{make(chan [2]string, 1)}, make(chan int, 1)
	all := strings.Fields(command + " --grpc-addr 127.0.0.1:0 --http-addr 127.0.0.1:0 --log-format json --data-dir " + os.Getenv("BEHALF_E2E_DATA"))
	go func() { ended <- cli.Run(ctx, all, cli.Terminal{In: strings.NewReader(""), Out: io.Discard, Err: log}) }()
	select {
	case at := <-log.serving:
		serving(at[0], at[1])
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("serve ends with %d", code)
		}
	case code := <-ended:
		t.Errorf("serve ends with %d before it serves", code)
	}
}

// announcement is a server's log, of which nothing is kept but where it serves.
type announcement struct{ serving chan [2]string }

// Write takes a line.
func (a announcement) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte(`"msg":"serving"`)) {
		return len(line), nil
	}
	var said struct{ GRPC, HTTP string }
	if err := json.Unmarshal(line, &said); err != nil {
		return 0, err
	}
	a.serving <- [2]string{"http://" + said.HTTP, said.GRPC}
	return len(line), nil
}

// leaveGarbage has this process collect next to nothing until the test ends: it would do so on
// the processors of the server that it measures.
func leaveGarbage(t *testing.T) {
	t.Helper()
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(4<<30)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
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
