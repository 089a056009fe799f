//go:build linux

package run

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is the user of the image.
const nobody = 65532

// readOnly mounts a root directory so that it cannot be written, but for its data, in a namespace
// of its own, and starts what is in it. $0 is the root.
const readOnly = `mount --bind "$0" "$0" && mount --bind "$0/data" "$0/data" && mount -o remount,ro,bind "$0" &&
exec chroot --userspec=65532:65532 --groups= "$0" "$@"`

// TestAlone starts the binary as the image does: alone in its root directory, as a user with no
// name, on a file system of which it can write its data only.
func TestAlone(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a process another root directory")
	}
	root := t.TempDir()
	copyFile(t, binary, filepath.Join(root, "behalf"))
	data := filepath.Join(root, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{root: 0o555, filepath.Join(root, "behalf"): 0o555} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(data, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	serve := []string{"/behalf", "serve", "--data-dir", "/data", "--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--log-format", "json"}
	cmd := exec.CommandContext(t.Context(), serve[0], serve[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	cmd.Dir = "/"
	if exec.CommandContext(t.Context(), "unshare", "-m", "true").Run() == nil {
		cmd = exec.CommandContext(t.Context(), "unshare", append([]string{"-m", "sh", "-c", readOnly, root}, serve...)...)
	} else {
		t.Log("nothing can be mounted here: the file system is writable, and all but /data belongs to root")
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := serving(t, log)
	answer, err := http.Get("http://" + address + "/readyz") //nolint:noctx // of our own process
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("ready: %s", answer.Status)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server ended: %v", err)
	}
	for _, dir := range []string{root, data} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			t.Log(strings.TrimPrefix(filepath.Join(dir, entry.Name()), root))
			if dir == root && entry.Name() != "behalf" && entry.Name() != "data" {
				t.Errorf("it has written %s", entry.Name())
			}
		}
	}
}

// serving returns the address of the HTTP port once the log names it, and goes on reading the log.
func serving(t *testing.T, log io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(log)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		var event struct{ Msg, HTTP string }
		if json.Unmarshal(lines.Bytes(), &event) == nil && event.Msg == "serving" {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return event.HTTP
		}
	}
	t.Fatalf("the server has not started:\n%s", strings.Join(said, "\n"))
	return ""
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
