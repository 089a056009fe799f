package helm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/strvals"
)

// TestReadme holds that the commands of deploy/README.md, which are run from the root of a clone,
// install each of the profiles.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{"embedded.yaml": "StatefulSet", "postgres.yaml": "Deployment"}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		words := strings.Fields(line)
		if len(words) < 5 || strings.Join(words[:4], " ") != "helm upgrade --install behalf" {
			continue
		}
		values, kind := map[string]any{}, ""
		for i, word := range words {
			switch word {
			case "-f":
				file, err := os.ReadFile(filepath.Join("../..", words[i+1]))
				if err != nil {
					t.Fatal(err)
				}
				values, kind = parse(t, string(file)), kinds[filepath.Base(words[i+1])]
			case "--set":
				given, err := strvals.Parse(words[i+1])
				if err != nil {
					t.Fatal(err)
				}
				values = chartutil.CoalesceTables(given, values)
			}
		}
		if words[4] != "deploy/helm/"+chartDir || kind == "" || find(t, objects(t, values), kind) == nil {
			t.Errorf("no %s comes of %s", kind, line)
		}
		delete(kinds, map[string]string{"StatefulSet": "embedded.yaml", "Deployment": "postgres.yaml"}[kind])
	}
	if len(kinds) > 0 {
		t.Errorf("no command is shown for %v", kinds)
	}
}
