package helm

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"sigs.k8s.io/yaml"
)

const chartDir = "behalf"

// kubernetes is the oldest release that the chart is for, and the newest whose schemas
// kubectl-validate carries.
const kubernetes = "1.30"

// everything turns on what no profile does.
const everything = `
image: {repository: registry.example.com/behalf, digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", pullSecrets: [registry]}
tls: {secret: behalf-tls, clientCASecret: clients}
sessionKeysSecret: {name: session-keys}
issuerKeySecret: {name: issuer-key, key: keys.pem}
issuersSecret: {name: issuers}
routesConfigMap: {name: routes}
settings: {max-connections: 1000000, rate-limit: 500.5, audit: [records, stdout], audit-sync: true, trusted-peers: [10.2.0.0/16, 10.3.0.0/16]}
persistence: {storageClass: fast}
resources: {requests: {cpu: 1}, limits: {memory: 1536Mi, cpu: 4}}
service: {type: LoadBalancer, annotations: {example.com/internal: "true"}}
serviceMonitor:
  enabled: true
  labels: {release: prometheus}
  tlsConfig:
    serverName: behalf.example.com
    ca: {secret: {name: ca, key: ca.crt}}
    cert: {secret: {name: prometheus, key: tls.crt}}
    keySecret: {name: prometheus, key: tls.key}
networkPolicy:
  enabled: true
  from: [{namespaceSelector: {matchLabels: {name: apps}}}]
  metricsFrom: [{namespaceSelector: {matchLabels: {name: monitoring}}}]
  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 5432, protocol: TCP}]}]
podAnnotations: {example.com/a: b}
podLabels: {example.com/team: access}
nodeSelector: {kubernetes.io/arch: amd64}
tolerations: [{key: dedicated, operator: Exists}]
priorityClassName: important
`

const named = "image: {repository: registry.example.com/behalf}\n"

// plain is a pod behind a mesh that ends TLS.
const plain = named + "tls: {secret: \"\", plaintext: true}\n"

// object is one of Kubernetes.
type object map[string]any

func (o object) kind() string { kind, _ := o["kind"].(string); return kind }

// at returns what is at a path of keys and indexes, nil when there is nothing.
func (o object) at(path ...any) any {
	var here any = map[string]any(o)
	for _, step := range path {
		switch step := step.(type) {
		case string:
			of, _ := here.(map[string]any)
			here = of[step]
		case int:
			of, _ := here.([]any)
			if step >= len(of) {
				return nil
			}
			here = of[step]
		}
	}
	return here
}

// cases are the values that the chart is rendered with: every profile as it is, with everything
// turned on, and behind a mesh.
func cases(t *testing.T) map[string]map[string]any {
	t.Helper()
	profiles, err := filepath.Glob(filepath.Join(chartDir, "profiles", "*.yaml"))
	if err != nil || len(profiles) != 2 {
		t.Fatalf("%d profiles: %v", len(profiles), err)
	}
	all := map[string]map[string]any{}
	for _, file := range profiles {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		profile := strings.TrimSuffix(filepath.Base(file), ".yaml")
		for name, more := range map[string]string{"": named, " everything": everything, " plaintext": plain} {
			all[profile+name] = chartutil.CoalesceTables(parse(t, more), parse(t, string(text)))
		}
	}
	return all
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var values map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// render is `helm template`: the chart's documents for the values, or why there are none.
func render(t *testing.T, values map[string]any) ([]string, error) {
	t.Helper()
	chart, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	able := chartutil.DefaultCapabilities.Copy()
	able.KubeVersion = chartutil.KubeVersion{Version: "v" + kubernetes + ".0", Major: "1", Minor: strings.TrimPrefix(kubernetes, "1.")}
	all, err := chartutil.ToRenderValues(chart, values, chartutil.ReleaseOptions{Name: "try", Namespace: "access", Revision: 1, IsInstall: true}, able)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, all)
	if err != nil {
		return nil, err
	}
	var documents []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for document := range strings.SplitSeq(files[name], "\n---\n") {
			if !strings.HasSuffix(name, ".tpl") && strings.TrimSpace(document) != "" {
				documents = append(documents, document)
			}
		}
	}
	return documents, nil
}

// objects renders the chart and reads what comes out.
func objects(t *testing.T, values map[string]any) []object {
	t.Helper()
	documents, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	var all []object
	for _, document := range documents {
		all = append(all, parse(t, document))
	}
	return all
}

// find returns the only object of a kind, nil when there is none.
func find(t *testing.T, all []object, kind string) object {
	t.Helper()
	var found object
	for _, o := range all {
		if o.kind() == kind {
			if found != nil {
				t.Fatalf("two of kind %s", kind)
			}
			found = o
		}
	}
	return found
}

// TestLint is `helm lint --strict` with the chart's own values and every profile.
func TestLint(t *testing.T) {
	all := cases(t)
	all["no values"] = map[string]any{}
	for name, values := range all {
		t.Run(name, func(t *testing.T) {
			linter := lint.All(chartDir, values, "access", true)
			for _, message := range linter.Messages {
				if message.Severity >= support.WarningSev {
					t.Error(message)
				}
			}
		})
	}
}
