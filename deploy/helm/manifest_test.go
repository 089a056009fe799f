package helm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chartutil"
)

// TestEmbedded holds what one node with a volume is.
func TestEmbedded(t *testing.T) {
	all := objects(t, cases(t)["embedded"])
	set := find(t, all, "StatefulSet")
	if set == nil || set.at("spec", "replicas") != 1.0 || set.at("spec", "volumeClaimTemplates", 0, "metadata", "name") != "data" {
		t.Fatalf("no single node with a volume: %v", set)
	}
	for _, kind := range []string{"Deployment", "Job", "PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor"} {
		if find(t, all, kind) != nil {
			t.Errorf("a %s", kind)
		}
	}
	if !slices.Contains(container(set).args(), "--datastore=sqlite") {
		t.Errorf("%q", container(set).args())
	}
}

// TestPostgres holds what many nodes on one database are.
func TestPostgres(t *testing.T) {
	all := objects(t, cases(t)["postgres"])
	deployment, job, budget := find(t, all, "Deployment"), find(t, all, "Job"), find(t, all, "PodDisruptionBudget")
	if deployment == nil || job == nil || budget == nil || find(t, all, "StatefulSet") != nil {
		t.Fatalf("not a deployment, a migration and a budget: %v", all)
	}
	rolling := object{"of": deployment.at("spec", "strategy", "rollingUpdate")}
	if rolling.at("of", "maxUnavailable") != 0.0 || rolling.at("of", "maxSurge") != 1.0 {
		t.Errorf("replaced by %v", rolling)
	}
	if deployment.at("spec", "template", "spec", "affinity", "podAntiAffinity") == nil {
		t.Error("nodes may all be on one machine")
	}
	if hook := job.at("metadata", "annotations", "helm.sh/hook"); hook != "pre-install,pre-upgrade" {
		t.Errorf("the migration is run at %v", hook)
	}
	if args := container(job).args(); !slices.Equal(args[:2], []string{"migrate", "up"}) {
		t.Errorf("the migration runs %q", args)
	}
	const datastore = "--datastore=postgres://behalf@postgres:5432/behalf?sslmode=verify-full&sslrootcert=/secrets/postgres/ca.crt"
	for _, o := range []object{deployment, job} {
		if !slices.Contains(container(o).args(), datastore) {
			t.Errorf("%s: %q", o.kind(), container(o).args())
		}
	}
	for _, other := range []object{job, budget} {
		same := fmt.Sprint(other.at("spec", "template", "metadata", "labels")) == fmt.Sprint(deployment.at("spec", "selector", "matchLabels"))
		if other.kind() == "Job" && same {
			t.Error("the service sends calls to the migration")
		}
		if other.kind() == "PodDisruptionBudget" &&
			fmt.Sprint(other.at("spec", "selector")) != fmt.Sprint(deployment.at("spec", "selector")) {
			t.Error("the budget is not the deployment's")
		}
	}
}

// TestSharedKeys holds that nodes get the keys that they share from where they are named, and that one
// node needs none.
func TestSharedKeys(t *testing.T) {
	args := func(values string) []string {
		all := objects(t, chartutil.CoalesceTables(parse(t, values), cases(t)["postgres"]))
		return container(find(t, all, "Deployment")).args()
	}
	for _, want := range []string{"--session-keys=/secrets/session/session.keys", "--issuer-key=/secrets/issuer-key/keys.pem"} {
		if got := args("{issuerKeySecret: {key: keys.pem}}"); !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	for _, arg := range args("{replicas: 1, sessionKeysSecret: {name: \"\"}, issuerKeySecret: {name: \"\"}}") {
		if strings.Contains(arg, "-key") && !strings.HasPrefix(arg, "--tls-key=") {
			t.Errorf("one node has %s", arg)
		}
	}
}

// TestMonitor holds whose certificate Prometheus wants of a node, which it scrapes by its address.
func TestMonitor(t *testing.T) {
	const trust = "ca: {secret: {name: behalf-tls, key: ca.crt}}"
	for _, c := range []struct {
		values string
		scheme string
		name   any
	}{
		{"serviceMonitor: {enabled: true, tlsConfig: {" + trust + "}}", "https", "try-behalf"},
		{"serviceMonitor: {enabled: true, tlsConfig: {serverName: behalf.example.com, " + trust + "}}", "https", "behalf.example.com"},
		{"serviceMonitor: {enabled: true, tlsConfig: {caFile: /ca.pem}}", "https", "try-behalf"},
		{"serviceMonitor: {enabled: true, tlsConfig: {insecureSkipVerify: true}}", "https", "try-behalf"},
		{"{tls: {secret: \"\", plaintext: true}, serviceMonitor: {enabled: true}}", "http", nil},
	} {
		monitor := find(t, objects(t, chartutil.CoalesceTables(parse(t, c.values), cases(t)["postgres"])), "ServiceMonitor")
		if is := monitor.at("spec", "endpoints", 0, "tlsConfig", "serverName"); is != c.name || monitor.at("spec", "endpoints", 0, "scheme") != c.scheme {
			t.Errorf("%s: %v", c.values, monitor.at("spec", "endpoints"))
		}
	}
}

// TestPods holds of every pod that it may do nothing, writes its data only, has all it mounts,
// and stops in time.
func TestPods(t *testing.T) {
	for name, values := range cases(t) {
		for _, o := range objects(t, values) {
			if o.at("spec", "template") == nil {
				continue
			}
			t.Run(name+" "+o.kind(), func(t *testing.T) { checkPod(t, o) })
		}
	}
}

func checkPod(t *testing.T, o object) {
	pod, c := object{"spec": o.at("spec", "template", "spec")}, container(o)
	for _, want := range []struct{ is, want any }{
		{pod.at("spec", "automountServiceAccountToken"), false},
		{pod.at("spec", "securityContext", "runAsNonRoot"), true},
		{pod.at("spec", "securityContext", "seccompProfile", "type"), "RuntimeDefault"},
		{pod.at("spec", "securityContext", "fsGroupChangePolicy"), "OnRootMismatch"},
		{object(c).at("securityContext", "readOnlyRootFilesystem"), true},
		{object(c).at("securityContext", "allowPrivilegeEscalation"), false},
		{object(c).at("securityContext", "capabilities", "drop", 0), "ALL"},
	} {
		if want.is != want.want {
			t.Errorf("%v, not %v", want.is, want.want)
		}
	}
	volumes := map[any]bool{}
	for i := 0; pod.at("spec", "volumes", i) != nil; i++ {
		volumes[pod.at("spec", "volumes", i, "name")] = true
	}
	volumes["data"] = volumes["data"] || o.kind() == "StatefulSet"
	for i := 0; object(c).at("volumeMounts", i) != nil; i++ {
		volume := object(c).at("volumeMounts", i, "name")
		if !volumes[volume] {
			t.Errorf("no volume %v", volume)
		}
		delete(volumes, volume)
		if volume != "data" && object(c).at("volumeMounts", i, "readOnly") != true {
			t.Errorf("%v can be written", volume)
		}
	}
	if len(volumes) > 0 {
		t.Errorf("mounted nowhere: %v", volumes)
	}
	heap := object(c).at("env", 0, "value")
	if want := map[any]string{"2Gi": "1638MiB", "1536Mi": "1228MiB"}[object(c).at("resources", "limits", "memory")]; heap != want {
		t.Errorf("GOMEMLIMIT=%v, not %s", heap, want)
	}
	if o.kind() == "Job" {
		return
	}
	if grace := pod.at("spec", "terminationGracePeriodSeconds"); grace != 30.0 || object(c).at("lifecycle", "preStop", "sleep", "seconds") != 5.0 {
		t.Errorf("stopped after %v s", grace)
	}
	for probe, path := range map[string]string{"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"} {
		certificates := slices.ContainsFunc(c.args(), func(arg string) bool { return strings.HasPrefix(arg, "--tls-client-ca=") })
		if is := object(c).at(probe, "httpGet", "path"); !certificates && is != path || certificates && is != nil {
			t.Errorf("%s asks %v", probe, is)
		}
	}
}

// program is a container.
type program map[string]any

func container(o object) program {
	c, _ := o.at("spec", "template", "spec", "containers", 0).(map[string]any)
	return c
}

func (p program) args() []string {
	var args []string
	for i := 0; object(p).at("args", i) != nil; i++ {
		args = append(args, object(p).at("args", i).(string))
	}
	return args
}

// TestFlags holds every flag of every container to those that the program has, and every
// setting that it must not take from values to what templates set themselves.
func TestFlags(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "behalf")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, "./cmd/behalf")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, out)
	}
	faults, err := os.ReadFile(filepath.Join(chartDir, "templates", "_faults.tpl"))
	if err != nil {
		t.Fatal(err)
	}
	helps := map[string]string{}
	for name, values := range cases(t) {
		settings, _ := values["settings"].(map[string]any)
		for _, o := range objects(t, values) {
			args := container(o).args()
			words := args[:max(0, slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") }))]
			for _, arg := range args[len(words):] {
				flag, _, _ := strings.Cut(arg, "=")
				command := strings.Join(words, " ")
				if helps[command] == "" {
					out, err := exec.CommandContext(t.Context(), binary, append(slices.Clone(words), "--help")...).CombinedOutput()
					if err != nil {
						t.Fatalf("behalf %s: %v\n%s", command, err, out)
					}
					helps[command] = string(out)
				}
				if !strings.Contains(helps[command], " "+flag+" ") {
					t.Errorf("%s: behalf %s has no flag %s", name, command, flag)
				}
				_, given := settings[strings.TrimPrefix(flag, "--")]
				given = given || flag == "--log-format" || flag == "--max-calls"
				if command == "serve" && !given && !strings.Contains(string(faults), fmt.Sprintf("%q", strings.TrimPrefix(flag, "--"))) {
					t.Errorf("settings may set %s too", flag)
				}
			}
		}
	}
	if len(helps) != 2 {
		t.Errorf("commands: %d", len(helps))
	}
}
