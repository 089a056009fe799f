//go:build unix

package docs

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reader is the shell of who follows a document.
//
//go:embed testdata/reader.sh
var reader string

// elsewhere are documents whose commands another test runs.
var elsewhere = map[string]string{"clients/typescript/README.md": "npm test in clients/typescript"}

// promise begins a line that says what the command before it prints.
const promise = "# → "

// patience is how long the commands of one document may take.
const patience = 4 * time.Minute

// TestCommands follows every document that has commands, from top to bottom.
func TestCommands(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the documents' commands need %s: install it, such as by apt-get install %s", tool, tool)
		}
	}
	bin := build(t)
	for _, document := range documents(t) {
		script, promises := script(t, document)
		if script == "" || elsewhere[document] != "" {
			continue
		}
		t.Run(document, func(t *testing.T) {
			for _, program := range needs(t, document) {
				if _, err := exec.LookPath(program); err != nil && len(installed(program)) == 0 {
					t.Skipf("the commands need %s: install it, such as by apt-get install %s", program, packages[program])
				}
			}
			follow(t, bin, script, promises)
		})
	}
}

// packages are Debian's of the programs that blocks of commands can name beside sh.
var packages = map[string]string{"nginx": "nginx", "initdb": "postgresql"}

// needs returns the programs that a document's commands need besides what every reader has.
func needs(t *testing.T, document string) (all []string) {
	t.Helper()
	for _, block := range fence.FindAllStringSubmatch(read(t, document), -1) {
		for _, program := range strings.Fields(strings.TrimPrefix(block[1], "sh ")) {
			if packages[program] != "" && !slices.Contains(all, program) {
				all = append(all, program)
			}
		}
	}
	return all
}

// installed returns where Debian has a program that is not in the way of all users.
func installed(program string) []string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program) // the pattern is one
	if _, err := os.Stat("/usr/sbin/" + program); err == nil {
		found = append(found, "/usr/sbin/"+program)
	}
	return found
}

// script returns the commands of a document and what they promise, in order. Each promise is a
// mark in what the script prints.
func script(t *testing.T, document string) (string, []string) {
	t.Helper()
	var script strings.Builder
	var promises []string
	for _, block := range fence.FindAllStringSubmatch(read(t, document), -1) {
		language, programs, _ := strings.Cut(block[1], " ")
		for _, program := range strings.Fields(programs) {
			if packages[program] == "" {
				t.Errorf("%s: no package is known of the program %s", document, program)
			}
		}
		switch language {
		case "sh":
		case "bash", "shell", "console", "zsh":
			t.Errorf("%s: commands are marked sh, not %s", document, block[1])
			continue
		default:
			continue
		}
		for line := range strings.Lines(block[2]) {
			if want, promised := strings.CutPrefix(line, promise); promised {
				promises = append(promises, strings.TrimSpace(want))
				line = "mark\n"
			}
			script.WriteString(line)
		}
	}
	return script.String(), promises
}

// follow runs the commands in a directory of their own, and compares what they print.
func follow(t *testing.T, bin, script string, promises []string) {
	dir := t.TempDir()
	source, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", reader+script)
	cmd.Dir = dir
	// What the reader has set for servers of his own is not the documents'.
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "BEHALF_") })
	cmd.Env = append(env, "PATH="+bin+":"+os.Getenv("PATH")+":/usr/sbin", "TMPDIR="+dir, "SOURCE="+source, "HOME="+dir)
	// The servers that it starts end with it, whatever becomes of it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	late := time.AfterFunc(patience, func() { _ = cmd.Cancel() })
	defer late.Stop()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v, with %v of time:\n%s", err, patience, out)
	}
	printed := strings.Split(string(out), "\x1e")
	if len(printed) != len(promises)+1 {
		t.Fatalf("%d of %d promises were reached:\n%s", len(printed)-1, len(promises), out)
	}
	for i, want := range promises {
		if !strings.Contains(squeeze(printed[i]), squeeze(want)) {
			t.Errorf("it promises %q, and prints:\n%s", want, printed[i])
		}
	}
	t.Logf("%d promises were kept", len(promises))
}

// squeeze leaves out spaces, which mean nothing in what is printed.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// build returns a directory with the program.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "behalf"), "./cmd/behalf")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("build the program: %w\n%s", err, out))
	}
	return dir
}
