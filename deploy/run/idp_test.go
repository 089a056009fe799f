//go:build unix

package run

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// provider returns a directory with the identity provider and the packages that it needs.
func provider(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s to run the identity provider: apt-get install nodejs npm", tool)
		}
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "provider.mjs"), read(t, "idp/provider.mjs"))
	put(t, filepath.Join(dir, "package.json"), read(t, "idp/package.json"))
	if err := os.Symlink(filepath.Join(packages(t), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// packages installs the packages in the user's cache, once.
func packages(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	files := map[string]string{"package.json": read(t, "idp/package.json"), "package-lock.json": read(t, "idp/package-lock.json")}
	sum := sha256.Sum256([]byte(files["package.json"] + files["package-lock.json"]))
	dir := filepath.Join(cache, fmt.Sprintf("behalf-idp-%x", sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(cache, 0o750); err != nil {
		t.Fatal(err)
	}
	filling, err := os.MkdirTemp(cache, "behalf-idp-new-*") //nolint:usetesting // beside the directory that it becomes
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(filling) }()
	for name, text := range files {
		put(t, filepath.Join(filling, name), text)
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = filling
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("the npm package oidc-provider cannot be had: %v\n%s", err, text)
	}
	if err := os.Rename(filling, dir); err != nil {
		if _, other := os.Stat(dir); other != nil { // no other run was faster
			t.Fatal(errors.Join(err, other))
		}
	}
	return dir
}
