package store_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// seed is what the proofs take their random numbers from. What is killed when, and which
// writers share a commit, is the machine's doing all the same.
var seed = flag.Uint64("seed", 1, "what the proofs' random numbers start from")

// What makes the test binary one of the processes in roles.
const (
	role    = "BEHALF_TEST_ROLE"
	roleDir = "BEHALF_TEST_DIR" // where the process works
	roleArg = "BEHALF_TEST_ARG"
)

// processFunc is a role. It works in a directory, and means by arg what it likes.
type processFunc = func(ctx context.Context, dir, arg string) error

func TestMain(m *testing.M) {
	run, ok := roles[os.Getenv(role)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := run(context.Background(), os.Getenv(roleDir), os.Getenv(roleArg)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process is the test binary in one of its roles. It is killed when the test ends.
func process(t *testing.T, name, dir, arg string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), role+"="+name, roleDir+"="+dir, roleArg+"="+arg)
	return cmd
}

// tell says something to the test that started this process, in one write, so that it is
// said whole or not at all.
func tell(format string, args ...any) { fmt.Printf(format+"\n", args...) }
