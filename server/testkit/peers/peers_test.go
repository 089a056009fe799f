package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// build builds a program of this module's go.mod, or of another directory's.
func build(t *testing.T, dir, out string, packages ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"build", "-o", out}, packages...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %q: %v\n%s", packages, err, text)
	}
}

func command(t *testing.T, program string, args ...string) {
	t.Helper()
	if text, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, text)
	}
}

func address(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// await tries again and again, until it is well or the test's patience ends.
func await(t *testing.T, what string, well func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(10 * time.Minute); !well(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s takes too long", what)
		}
	}
}

// startBehalf runs a Behalf with a small world until the test ends.
func startBehalf(t *testing.T, program, dir string) (grpcAddress string, process int) {
	t.Helper()
	grpcAddress, httpAddress := address(t), address(t)
	serve := exec.Command(program, "serve", "--data-dir", filepath.Join(dir, "data"), "--grpc-addr", grpcAddress, "--http-addr", httpAddress)
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(os.Interrupt) // or it has ended
		_ = serve.Wait()
	})
	await(t, "the start of Behalf", func() bool {
		answer, err := http.Get("http://" + httpAddress + "/readyz")
		if err != nil {
			return false
		}
		defer func() { _ = answer.Body.Close() }()
		return answer.StatusCode == http.StatusOK
	})
	command(t, program, "generate", "--parties", "300", "--oracle-rows", "300", "--out", filepath.Join(dir, "world"))
	command(t, program, "import", filepath.Join(dir, "world", "world.jsonl"), "--address", grpcAddress, "--data-dir", filepath.Join(dir, "data"))
	return grpcAddress, serve.Process.Pid
}

// TestPeers starts the peers beside a Behalf and has `behalf bench` ask all of them: each
// answer is the oracle's, in checks and lists.
func TestPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds SpiceDB and OpenFGA, which takes minutes")
	}
	dir := t.TempDir()
	build(t, "../../..", filepath.Join(dir, "behalf"), "./cmd/behalf")
	build(t, ".", dir+"/", "github.com/authzed/spicedb/cmd/spicedb", "github.com/openfga/openfga/cmd/openfga")
	grpcAddress, process := startBehalf(t, filepath.Join(dir, "behalf"), dir)
	file := filepath.Join(dir, "peers.json")

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, []string{"-address", grpcAddress, "-data-dir", filepath.Join(dir, "data"), "-servers", dir, "-logs", dir, "-out", file}, t.Output())
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	await(t, "the start of the peers", func() bool {
		select {
		case err := <-ended:
			ended <- nil
			t.Fatal(err)
		default:
		}
		_, err := os.Stat(file)
		return err == nil
	})
	for _, permission := range []string{"represent", "has_dagl"} {
		t.Run(permission, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "report")
			command(t, filepath.Join(dir, "behalf"), "bench", "--world", filepath.Join(dir, "world"), "--address", grpcAddress,
				"--data-dir", filepath.Join(dir, "data"), "--server-pid", strconv.Itoa(process), "--permission", permission, "--peers", file, "--list", "100",
				"--duration", "1s", "--warm-up", "0s", "--timeout", "2m", "--concurrency", "4", "--json", report+".json", "--markdown", report+".md")
			text, err := os.ReadFile(report + ".md")
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s", text)
			addUp(t, report+".json")
		})
	}
}

// addUp checks that all were measured, and gave the oracle's answers.
func addUp(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Measurements []struct {
			Name, Peer           string
			Calls, Wrong, Failed int
			CPU                  *struct{ MicrosPerCall float64 }
		}
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	var measured []string
	for _, m := range report.Measurements {
		measured = append(measured, m.Name+" "+m.Peer)
		if m.Calls == 0 || m.Wrong > 0 || m.Failed > 0 || m.CPU == nil {
			t.Errorf("%+v", m)
		}
	}
	for _, want := range []string{"check ", "list ", "lookup ", "lookup floor ", "check SpiceDB", "list SpiceDB", "check OpenFGA", "list OpenFGA"} {
		if !slices.Contains(measured, want) {
			t.Errorf("nothing of %q was measured, only %q", want, measured)
		}
	}
}
