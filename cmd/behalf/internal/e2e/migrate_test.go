package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMigrate migrates an empty database of each kind by the command, looks at it before and
// after, and has a server run on it.
func TestMigrate(t *testing.T) {
	for name, where := range map[string]func(t *testing.T, dir string) []string{
		"file":     func(_ *testing.T, dir string) []string { return []string{"--data-dir", dir} },
		"postgres": func(t *testing.T, _ string) []string { return []string{"--datastore", pg.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			to := where(t, dir)
			migrate := func(want int, args ...string) string {
				t.Helper()
				code, out, said := behalf(t, append(append([]string{"migrate"}, args...), to...)...)
				if code != want {
					t.Fatalf("migrate %q: exit code %d\n%s%s", args, code, out, said)
				}
				return out
			}
			if out := migrate(0, "status"); !strings.Contains(out, "records") || !strings.Contains(out, "none") {
				t.Errorf("status before: %s", out)
			}
			if out := migrate(5, "plan", "--exit-code"); !strings.Contains(out, "records: 0001_register.sql (programs that know 1 or newer can run afterwards)\n") {
				t.Errorf("plan before: %s", out)
			}
			if out := migrate(0, "up"); !strings.Contains(out, "records: from none to ") {
				t.Errorf("up: %s", out)
			}
			if out := migrate(0, "plan", "--exit-code"); out != "nothing is to be done\n" {
				t.Errorf("plan after: %s", out)
			}
			if out := migrate(0, "up"); out != "nothing was to be done\n" {
				t.Errorf("up again: %s", out)
			}
			var layers []struct {
				Layer, Current, Wanted, Oldest string
				Pending                        []any
			}
			if err := json.Unmarshal([]byte(migrate(0, "status", "-o", "json")), &layers); err != nil || len(layers) != 3 {
				t.Fatalf("status as JSON: %+v, %v", layers, err)
			}
			for _, l := range layers {
				if l.Current == "" || l.Current != l.Wanted || len(l.Pending) > 0 {
					t.Errorf("after: %+v", l)
				}
			}
			if name == "postgres" {
				startOn(t, to[1], dir, nil)
			} else {
				startOn(t, "sqlite", dir, nil)
			}
			if out := migrate(0, "status", "--exit-code"); !strings.Contains(out, "schema") {
				t.Errorf("status while a server runs: %s", out)
			}
			if out := migrate(0, "up"); out != "nothing was to be done\n" {
				t.Errorf("up while a server runs: %s", out)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "behalf.db")
	if err := os.WriteFile(file, []byte("not a database, but text that is long enough to be looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, said := behalf(t, "migrate", "status", "--data-dir", filepath.Dir(file)); code != 1 || said == "" {
		t.Errorf("of no database: exit code %d, %s", code, said)
	}
}
