package policy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

func TestFindings(t *testing.T) {
	s := service(t, policy.Config{})
	good := string(text("skd", "flyttemelding", "DAGL", "read"))
	for name, c := range map[string]struct {
		ref  policy.Ref
		text string
		want []string // kind and a part of the message
	}{
		"nothing":         {policy.App("skd", "flyttemelding"), good, nil},
		"as the resource": {policy.Resource("app_skd_flyttemelding"), good, nil},
		"another app":     {policy.App("skd", "taxreport"), good, []string{"OTHER_RESOURCE rule urn:r is about something else than app skd/taxreport"}},
		"no ref":          {policy.Ref{}, good, nil},
		"unknown role":    {policy.Ref{}, strings.ReplaceAll(good, "DAGL", "NOPE"), []string{`UNKNOWN_ROLE rule urn:r: the catalogue has no role "NOPE"`}},
		"unknown package": {policy.Ref{}, strings.NewReplacer("urn:altinn:rolecode", "urn:altinn:accesspackage").Replace(good),
			[]string{`UNKNOWN_PACKAGE rule urn:r: the catalogue has no access package "DAGL"`}},
		"unknown attribute": {policy.Ref{}, strings.ReplaceAll(good, "urn:altinn:rolecode", "urn:shoe-size"),
			[]string{"UNKNOWN_ATTRIBUTE nothing supplies urn:shoe-size; only a request that carries it itself has it"}},
		"another category": {policy.Ref{}, strings.Replace(good, "urn:altinn:app", "urn:altinn:rolecode", 1),
			[]string{"UNKNOWN_ATTRIBUTE nothing supplies urn:altinn:rolecode in category urn:oasis:names:tc:xacml:3.0:attribute-category:resource"}},
		"unknown function": {policy.Ref{}, strings.Replace(good, "string-equal", "string-alike", 1), []string{"UNKNOWN_FUNCTION "}},
	} {
		faults, findings := s.Check(c.ref, []byte(c.text), false)
		if len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		if len(findings) != len(c.want) {
			t.Errorf("%s: %v, want %q", name, findings, c.want)
			continue
		}
		for i, f := range findings {
			kind, part, _ := strings.Cut(c.want[i], " ")
			if string(f.Kind) != kind || !strings.Contains(f.Message, part) || f.Line == 0 {
				t.Errorf("%s: %s %v, want %q", name, f.Kind, f, c.want[i])
			}
		}
	}
}

// TestRealPolicies finds nothing wrong with policies that real services use.
func TestRealPolicies(t *testing.T) {
	dir := os.Getenv("BEHALF_CONFORMANCE")
	if dir == "" {
		dir = "../../../../shared/conformance"
	}
	root := filepath.Join(dir, "pdp", "world", "policies")
	if _, err := os.Stat(root); err != nil {
		t.Skip("no conformance cases: set BEHALF_CONFORMANCE to their folder")
	}
	s, kinds, read := service(t, policy.Config{}), map[xacml.FaultKind]int{}, 0
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".xml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		faults, findings := s.Check(policy.Ref{}, text, false)
		for _, f := range faults {
			t.Errorf("%s: %v", path, f)
		}
		for _, f := range findings {
			kinds[f.Kind]++
			t.Logf("%s: %s %v", strings.TrimPrefix(path, root), f.Kind, f)
		}
		return nil
	})
	if err != nil || read == 0 {
		t.Fatalf("%d policies read: %v", read, err)
	}
	t.Logf("%d policies: %v", read, kinds)
}

func TestDescribe(t *testing.T) {
	s := service(t, policy.Config{})
	ref := policy.App("describe", "app")
	both := strings.Replace(string(text("describe", "app", "DAGL", "read")), "</Policy>",
		string(ruleOf(text("describe", "app", "LEDE", "read")))+string(ruleOf(text("describe", "other", "LEDE", "write")))+
			`<ObligationExpressions><ObligationExpression ObligationId="urn:o" FulfillOn="Permit">
			<AttributeAssignmentExpression AttributeId="urn:a" Category="urn:altinn:minimum-authenticationlevel">
			<AttributeValue DataType="http://www.w3.org/2001/XMLSchema#integer">3</AttributeValue>
			</AttributeAssignmentExpression></ObligationExpression></ObligationExpressions></Policy>`, 1)
	if _, err := s.PutPolicy(t.Context(), policy.Upload{Ref: ref, Text: []byte(both)}); err != nil {
		t.Fatal(err)
	}
	p, _, err := s.Readable(t.Context(), relation.At{}, ref)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DAGL", "LEDE"}, p.Roles()); diff != "" {
		t.Error(diff)
	}
	d := p.Describe()
	got := []string{fmt.Sprint("level ", d.Level)}
	for _, r := range d.Resources {
		for _, a := range r.Actions {
			got = append(got, fmt.Sprint(r.Attributes, " ", a.Value, " ", a.Roles))
		}
	}
	want := []string{"level 3", "[{urn:altinn:org describe} {urn:altinn:app app}] read [DAGL LEDE]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// ruleOf returns the rule of a policy, under another name.
func ruleOf(text []byte) []byte {
	i, j := strings.Index(string(text), "<Rule "), strings.Index(string(text), "</Policy>")
	return []byte(strings.Replace(string(text[i:j]), "urn:r", fmt.Sprintf("urn:r%d", slices.Max([]int{i, j})), 1))
}
