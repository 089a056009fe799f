package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rolePolicy is a policy by which a role may do everything.
func rolePolicy(role string) string {
	return `<Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicyId="urn:p" Version="1.0"
  RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides">
  <Target/>
  <Rule RuleId="urn:r" Effect="Permit"><Target><AnyOf><AllOf>
    <Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">
      <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">` + role + `</AttributeValue>
      <AttributeDesignator AttributeId="urn:altinn:rolecode" Category="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/>
    </Match>
  </AllOf></AnyOf></Target></Rule>
</Policy>
`
}

// TestPolicies puts, reads, rolls back and deletes policies by the commands.
func TestPolicies(t *testing.T) {
	s, dir := start(t), t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one, two := write("one.xml", rolePolicy("dagl")), write("two.xml", rolePolicy("lede"))
	app := []string{"--app", "skd/taxreport"}
	policy := func(command string, args ...string) string {
		t.Helper()
		return s.run(t, append([]string{"policy", command}, args...)...)
	}
	refused := func(want string, args ...string) {
		t.Helper()
		if code, _, said := behalf(t, s.reach(append([]string{"policy"}, args...))...); code != 1 || !strings.Contains(said, want) {
			t.Errorf("%q: exit code %d, %q; want %q", args, code, said, want)
		}
	}
	refused("app skd/taxreport has no policy (POLICY_NOT_FOUND)", append([]string{"get"}, app...)...)
	first := strings.TrimSpace(policy("put", append(app, one)...))
	refused("nothing was written (ETAG_MISMATCH)", append([]string{"put", "--new", two}, app...)...)
	second := strings.TrimSpace(policy("put", append(app, "--if-match", first, two)...))
	if got := policy("get", app...); got != rolePolicy("lede") {
		t.Errorf("get: %s", got)
	}
	if got := policy("get", append(app, "--etag", first)...); got != rolePolicy("dagl") {
		t.Errorf("get the first: %s", got)
	}
	if got := strings.TrimSpace(policy("rollback", app...)); got != first {
		t.Errorf("rolled back to %s, want %s", got, first)
	}
	policy("put", "--resource", "ttd-res", "--altinn-anyof", one)
	policy("put", "--type", "document", one)
	if got := policy("list"); strings.Count(got, first) != 3 || !strings.Contains(got, first+"/altinn-anyof") || !strings.Contains(got, "--type document ") {
		t.Errorf("list: %s", got)
	}
	policy("delete", "--type", "document")
	refused("type document has no policy", "get", "--type", "document")
	policy("rollback", "--type", "document")
	if got := policy("history", app...); strings.Count(got, first) != 2 || strings.Count(got, second) != 1 || !strings.Contains(got, "3       rollback  ") {
		t.Errorf("history: %s", got)
	}
	refused("line 1", append([]string{"put", write("broken.xml", "no policy")}, app...)...)
	refused("Policy/Rule: ", append([]string{"put", write("wrong.xml", strings.Replace(rolePolicy("dagl"), `Effect="Permit"`, `Effect="Perhaps"`, 1))}, app...)...)
}

// TestExportPolicies exports policies, imports them into another server, and exports that:
// the files are the same.
func TestExportPolicies(t *testing.T) {
	dir := t.TempDir()
	first, next := start(t), start(t)
	text := filepath.Join(dir, "policy.xml")
	if err := os.WriteFile(text, []byte(rolePolicy("dagl")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, about := range [][]string{{"--app", "skd/taxreport"}, {"--resource", "ttd/odd id"}, {"--type", "document", "--altinn-anyof"}} {
		first.run(t, append([]string{"policy", "put", text}, about...)...)
	}
	old, anew := filepath.Join(dir, "old"), filepath.Join(dir, "new")
	if said := first.run(t, "export", old); !strings.Contains(said, "3 policies") {
		t.Error(said)
	}
	if said := next.run(t, "import", old); !strings.Contains(said, "polic") {
		t.Error(said)
	}
	next.run(t, "export", anew)
	var found int
	err := filepath.WalkDir(old, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		found++
		within, err := filepath.Rel(old, path)
		if err == nil && string(readFile(t, path)) != string(readFile(t, filepath.Join(anew, within))) {
			t.Errorf("%s differs", within)
		}
		return err
	})
	if err != nil || found != 3 {
		t.Errorf("%d files, %v", found, err)
	}
	etags := func(s *instance) string {
		var all strings.Builder
		for line := range strings.Lines(s.run(t, "policy", "list")) {
			fields := strings.Fields(line)
			all.WriteString(strings.Join(fields[:min(4, len(fields))], " ") + "\n")
		}
		return all.String()
	}
	if a, b := etags(first), etags(next); a != b || !strings.Contains(a, "/altinn-anyof") {
		t.Errorf("%s\nafter export and import\n%s", a, b)
	}
}
