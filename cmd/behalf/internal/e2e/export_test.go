package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/demo"
	"github.com/behalf-authz/behalf/server"
)

// second is a register of another source, which knows persons by its own keys, names one
// that the demonstration has, and leaves out identifiers that the server then gives.
const second = `{"kind":"header","format":"behalf/v1","source":"second"}
{"kind":"party","type":"organisation","orgNumber":"314249879","name":"SMIÅ <OG> \"CO\" AS","unitType":"AS"}
{"kind":"party","type":"sub-unit","orgNumber":"315249879","name":"SMIÅ AVD","unitType":"BEDR","mainUnit":"org:314249879"}
{"kind":"party","type":"organisation","orgNumber":"316249879","name":"GONE AS","unitType":"ENK","deletedOn":"2020-02-03"}
{"kind":"party","type":"person","name":"ÅSE ØST","birthDate":"1990-12-31","sourceKey":"åse|1990"}
{"kind":"party","type":"person","name":"ÅSE ØST-VEST","birthDate":"1990-12-31","sourceKey":"åse|1991"}
{"kind":"party","type":"person","partyId":50010001,"name":"KARI F. BEKK","birthDate":"1975-02-14","diedOn":"2026-01-01"}
{"kind":"assignment","from":"org:314249879","role":"DAGL","to":"key:åse|1990"}
{"kind":"assignment","from":"org:314249879","role":"REVI","to":"org:316249879","expiresAt":"2099-01-02T03:04:05.678901Z"}
{"kind":"assignment","from":"org:315249879","role":"BEDR","to":"org:314249879"}
{"kind":"assignment","from":"org:316249879","role":"innh","to":"key:åse|1991"}
{"kind":"assignment","from":"org:314249879","role":"lede","to":"party:50010001"}
`

// TestExport exports a register of two sources, imports it into an empty one, and exports
// that: the files are the same, and what follows from them is too.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	old, anew := filepath.Join(dir, "old"), filepath.Join(dir, "new")
	for name, text := range map[string]string{"demo.jsonl": string(demo.Register), "second.jsonl": second} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := start(t)
	first.run(t, "import", filepath.Join(dir, "demo.jsonl"))
	first.run(t, "import", filepath.Join(dir, "second.jsonl"))
	first.run(t, "export", old)
	if code, _, said := behalf(t, first.reach([]string{"export", old})...); code != 1 {
		t.Errorf("over an export: exit code %d, %s", code, said)
	}

	next := start(t)
	files, err := filepath.Glob(filepath.Join(old, "*.jsonl"))
	if err != nil || len(files) != 2 {
		t.Fatalf("exported %v, %v", files, err)
	}
	next.run(t, append([]string{"import"}, files...)...)
	next.run(t, "export", anew)
	for _, file := range files {
		again := filepath.Join(anew, filepath.Base(file))
		if diff := cmp.Diff(string(readFile(t, file)), string(readFile(t, again))); diff != "" {
			t.Errorf("%s, exported (-) and exported again (+):\n%s", filepath.Base(file), diff)
		}
	}
	for _, question := range [][]string{
		{"parties", "--user", "20010001"}, {"parties", "--user", "20010002"}, {"roles", "--user", "20010001", "--party", "50010001"},
	} {
		if a, b := first.run(t, question...), next.run(t, question...); a != b || a == "" {
			t.Errorf("%q: %q, and after export and import %q", question, a, b)
		}
	}
	if *datastoreFlag != server.DatastoreSQLite {
		return // verify is of files
	}
	first.stop()
	next.stop()
	a, b := run(t, "verify", "--data-dir", first.dataDir), run(t, "verify", "--data-dir", next.dataDir)
	if counts(a) != counts(b) {
		t.Errorf("%s\nafter export and import %s", a, b)
	}
}

// counts is what verify says of relationships.
func counts(said string) string {
	_, after, _ := strings.Cut(said, "compared, ")
	return after
}
