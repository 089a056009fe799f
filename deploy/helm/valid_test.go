package helm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

// validate returns what kubectl-validate has against documents. Of those of which it has no schema
// the types of Prometheus' operator are asked.
func validate(t *testing.T, documents ...string) error {
	t.Helper()
	validator, err := exec.LookPath("kubectl-validate")
	if err != nil {
		t.Skip("kubectl-validate is not installed: go install sigs.k8s.io/kubectl-validate@v0.0.4")
	}
	dir := t.TempDir()
	var faults []error
	for i, document := range documents {
		if strings.Contains(document, "\nkind: ServiceMonitor\n") {
			var monitor monitoring.ServiceMonitor
			faults = append(faults, yaml.UnmarshalStrict([]byte(document), &monitor))
			for _, endpoint := range monitor.Spec.Endpoints {
				faults = append(faults, endpoint.Validate())
			}
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) == 0 {
		return errors.Join(faults...)
	}
	cmd := exec.CommandContext(t.Context(), validator, "--version", kubernetes, dir)
	// No cluster is asked, and no site: with neither, it has its own schemas only.
	cmd.Env = []string{"HOME=" + dir, "KUBECONFIG=" + filepath.Join(dir, "none"), "HTTPS_PROXY=http://127.0.0.1:1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		faults = append(faults, fmt.Errorf("%w:\n%s", err, out))
	}
	return errors.Join(faults...)
}

// TestValid holds every object of every profile to Kubernetes' schemas.
func TestValid(t *testing.T) {
	for name, values := range cases(t) {
		t.Run(name, func(t *testing.T) {
			documents, err := render(t, values)
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, document := range documents {
				kinds = append(kinds, object(parse(t, document)).kind())
			}
			if err := validate(t, documents...); err != nil {
				t.Error(err)
			}
			t.Log(strings.Join(kinds, " "))
			if len(kinds) < 3 {
				t.Errorf("only %s", kinds)
			}
		})
	}
}

// TestValidRefuses holds that the schemas are asked: what is misspelt in an object is refused.
func TestValidRefuses(t *testing.T) {
	wrong := map[string]string{ // what is in a document, and what is put in its place
		"kind: Deployment\n":          "kind: Deploymint\n",
		"automountServiceAccount":     "mountServiceAccount",
		"readOnlyRootFilesystem: t":   "readOnlyRootFileSystem: t",
		"  replicas: 3\n":             "  replicas: three\n",
		"periodSeconds: 2\n":          "periodSeconds: often\n",
		"unhealthyPodEvictionPolicy:": "unhealthyPodsEvictionPolicy:",
		"backoffLimit:":               "backOffLimit:",
		"policyTypes:":                "policyType:",
		"jobLabel:":                   "jobLable:",
		"keySecret:":                  "keyFile: /key\n        keySecret:",
	}
	documents, err := render(t, cases(t)["postgres everything"])
	if err != nil {
		t.Fatal(err)
	}
	for old, replacement := range wrong {
		found := false
		for _, document := range documents {
			if !strings.Contains(document, old) {
				continue
			}
			found = true
			if err := validate(t, strings.ReplaceAll(document, old, replacement)); err == nil {
				t.Errorf("%q is valid", replacement)
			}
		}
		if !found {
			t.Errorf("no document has %q", old)
		}
	}
}
