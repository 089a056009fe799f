package run

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFlags holds every command of the files to the flags that the program has.
func TestFlags(t *testing.T) {
	commands := map[string][]string{}
	for name, s := range readCompose(t).Services {
		if s.Image == "behalf" {
			commands["compose "+name] = s.Command
		}
	}
	unit := strings.ReplaceAll(read(t, "behalf.service"), "\\\n", " ")
	_, exec, _ := strings.Cut(unit, "ExecStart=/usr/local/bin/behalf ")
	exec, _, _ = strings.Cut(exec, "\n")
	commands["unit"] = strings.Fields(exec)
	cmd := regexp.MustCompile(`(?m)^CMD \[(.*)\]$`).FindStringSubmatch(read(t, "Dockerfile"))
	if cmd == nil {
		t.Fatal("the Dockerfile has no CMD")
	}
	commands["Dockerfile"] = strings.Fields(strings.NewReplacer(`"`, "", ",", "").Replace(cmd[1]))
	for name, command := range commands {
		words := slices.DeleteFunc(slices.Clone(command), func(word string) bool {
			return strings.HasPrefix(word, "-") || strings.HasPrefix(word, ":") || strings.HasPrefix(word, "/") || word == "json"
		})
		help := output(t, append(words, "--help")...)
		flags := 0
		for _, word := range command {
			if flag, _, _ := strings.Cut(word, "="); strings.HasPrefix(flag, "--") {
				flags++
				if !strings.Contains(help, " "+flag+" ") {
					t.Errorf("%s: behalf %s has no flag %s", name, strings.Join(words, " "), flag)
				}
			}
		}
		if flags < 2 {
			t.Errorf("%s: %d flags read of %q", name, flags, command)
		}
	}
}

// TestBuild holds that the image is built with the command of CI.
func TestBuild(t *testing.T) {
	build := regexp.MustCompile(`(?m)^\s*(?:RUN )?(go build .*) -o \S+ (\S+)$`)
	image, ci := build.FindStringSubmatch(read(t, "Dockerfile")), build.FindStringSubmatch(read(t, "../../.ci/run"))
	if image == nil || ci == nil || image[1] != ci[1] || image[2] != ci[2] {
		t.Errorf("the image is built with %q, and CI builds with %q", image, ci)
	}
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../../go.mod"))
	if language == nil || !strings.Contains(read(t, "Dockerfile"), "FROM golang:"+language[1]+" AS build\n") {
		t.Errorf("the image is not built with Go %v", language)
	}
}

// TestUnit has systemd read its unit, where there is a systemd.
func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze here: the unit is held to the flags only")
		return
	}
	path := filepath.Join(t.TempDir(), "behalf.service")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(read(t, "behalf.service"), "/usr/local/bin/behalf", binary)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", path).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "behalf.service") { // others' units are not our concern
			t.Error(line)
		}
	}
	if err != nil && !strings.Contains(string(out), "behalf.service") {
		t.Logf("systemd-analyze: %v\n%s", err, out)
	}
}

func output(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("behalf %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
