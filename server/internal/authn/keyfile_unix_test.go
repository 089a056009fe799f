//go:build unix

package authn

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// lentTo tells a process of another user to read the file in its directory, and lentGroup is the
// group of both.
const (
	lentTo    = "BEHALF_TEST_LENT"
	lentGroup = 65532
)

// TestLent holds which files of root's a process reads that is not root.
func TestLent(t *testing.T) {
	if os.Getenv(lentTo) != "" {
		if _, err := ReadSessionKeys(sessionKeysFile); err != nil {
			t.Fatal(err)
		}
		return
	}
	if os.Getuid() != 0 {
		t.Skip("only root can lend a file and be another user")
	}
	dir, err := os.MkdirTemp("", "behalf-lent-") //nolint:usetesting // others cannot enter what is below t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary, path := filepath.Join(dir, "test"), filepath.Join(dir, sessionKeysFile)
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Chmod(dir, 0o755), os.WriteFile(binary, program, 0o600), os.Chmod(binary, 0o755),
		os.WriteFile(path, []byte("keys"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		owner int
		mode  os.FileMode
		read  bool
	}{
		{0, 0o440, true}, {0, 0o640, true}, {0, 0o644, false}, {0, 0o660, false}, {0, 0o444, false}, {0, 0o450, false},
		{lentGroup, 0o440, false}, {lentGroup, 0o400, true},
	} {
		t.Run(fmt.Sprintf("%04o of %d", c.mode, c.owner), func(t *testing.T) {
			if err := os.Chown(path, c.owner, lentGroup); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), binary, "-test.run", "^TestLent$")
			cmd.Dir, cmd.Env = dir, []string{lentTo + "=1"}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: lentGroup, Gid: lentGroup}}
			out, err := cmd.CombinedOutput()
			if (err == nil) != c.read {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
