package oidc

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Install puts a program for node, with the packages of its lock file, into a directory of the
// user's cache, once, and returns it. The directory is no test's own and is not to be written to.
// Tests of several packages may install at the same time: each fills a directory of its own, and
// the first gives it the name that all look for, which tells what is in it.
func Install(t *testing.T, program fs.FS) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s to run an OpenID provider: apt-get install nodejs npm", tool)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	files, sum := map[string][]byte{}, sha256.New()
	for _, name := range []string{"provider.mjs", "package.json", "package-lock.json"} {
		text, err := fs.ReadFile(program, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	dir := filepath.Join(cache, fmt.Sprintf("behalf-oidc-%x", sum.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(cache, 0o750); err != nil {
		t.Fatal(err)
	}
	filling, err := os.MkdirTemp(cache, "behalf-oidc-new-*") //nolint:usetesting // beside the directory that it becomes
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(filling) }()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(filling, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = filling
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("the npm package oidc-provider cannot be had: %v\n%s", err, text)
	}
	if err := os.Rename(filling, dir); err != nil {
		if _, other := os.Stat(dir); other != nil { // nobody was faster
			t.Fatal(err)
		}
	}
	return dir
}
