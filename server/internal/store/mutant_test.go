package store_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutants makes TestCrash prove itself, which builds the package once per mutant:
// go test -run '^TestCrashFindsMutants$' -mutants.
var mutants = flag.Bool("mutants", false, "whether TestCrashFindsMutants runs")

// TestCrashFindsMutants builds the package with a commit in the wrong order, and sees
// TestCrash fail for it. A mutant is a text that is there once, and what stands in its place.
func TestCrashFindsMutants(t *testing.T) {
	if !*mutants {
		t.Log("not asked for: give -mutants")
		return
	}
	for name, c := range map[string]struct{ text, instead, want string }{
		"the answer before the commit": {
			`
	err := s.finish(start, endings, broken)
	for _, j := range members {
		j.committed <- err
	}
`, `
	for _, j := range members {
		j.committed <- broken
	}
	_ = s.finish(start, endings, broken)
`, "and was answered at",
		},
		"the publish before the commit": {
			`
		if err = s.w.commit(); err == nil {
			return s.publish(endings)
		}
`, `
		if err = s.publish(endings); err == nil {
			err = s.w.commit()
		}
		if err == nil {
			return nil
		}
`, "a watcher was told of",
		},
	} {
		t.Run(name, func(t *testing.T) {
			binary := mutant(t, "group.go", c.text, c.instead)
			cmd := exec.CommandContext(t.Context(), binary, "-test.run", "^TestCrash$", "-crashes", "1000")
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("the mutant lives:\n%s", out)
			}
			if !strings.Contains(string(out), c.want) {
				t.Errorf("the mutant dies of something else than %q:\n%s", c.want, out)
			}
			t.Logf("the mutant dies:\n%s", out)
		})
	}
}

// mutant builds the tests of this package with one text of it changed, and returns the
// binary.
func mutant(t *testing.T, file, text, instead string) string {
	t.Helper()
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), text); n != 1 {
		t.Fatalf("%s has this %d times, want once:\n%s", file, n, text)
	}
	dir := t.TempDir()
	changed, overlay, binary := filepath.Join(dir, file), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutant")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), text, instead, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlay, "-o", binary, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("build the mutant: %v\n%s", err, out)
	}
	return binary
}
