package xacml_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmlform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// conformance returns the folder of cases that are not part of the source, or skips.
func conformance(t testing.TB) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("BEHALF_CONFORMANCE"), "../../../../shared/conformance"} {
		if dir == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "xacml-conformance")); err == nil {
			return dir
		}
	}
	t.Skip("no conformance cases: set BEHALF_CONFORMANCE to their folder")
	return ""
}

type expectation struct {
	Decision    string
	Status      string
	Obligations []string
	Advice      []string
	Attributes  int      `json:"attributesReturned"`
	PolicyIDs   []string `json:"policyIds"`
}

type conformanceCase struct {
	ID           string
	Tier         string
	PolicyFile   string
	Roots        []string      `json:"rootPolicies"`
	References   []string      `json:"referencedPolicies"`
	Expected     []expectation `json:"expected"`
	Oasis        []expectation `json:"expectedOasis"`
	KnownIssue   string        `json:"knownIssue"`
	dir          string
	requestBytes []byte
	response     *xmltree.Node
}

func conformanceCases(t testing.TB) []conformanceCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(conformance(t), "xacml-conformance", "*", "case.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cases []conformanceCase
	for _, file := range files {
		var c conformanceCase
		if err := json.Unmarshal(read(t, file), &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		c.dir = filepath.Dir(file)
		c.requestBytes = read(t, filepath.Join(c.dir, "request.xml"))
		if c.response, err = xmltree.Parse(read(t, filepath.Join(c.dir, "expected.xml")), xmltree.Limits{}); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if c.Oasis != nil {
			c.Expected = c.Oasis // where Altinn disputes the standard, the standard is ours
		}
		cases = append(cases, c)
	}
	return cases
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// policy loads what decides a case, with the policies it may refer to.
func (c *conformanceCase) policy(t testing.TB) (*xacml.Policy, xacml.Library, error) {
	t.Helper()
	roots := c.Roots
	if len(roots) == 0 {
		roots = []string{c.PolicyFile}
	}
	var all []*xacml.Policy
	for _, name := range roots {
		p, err := xacml.Parse(read(t, filepath.Join(c.dir, name)), xacml.ParseOptions{})
		if err != nil {
			return nil, nil, err
		}
		all = append(all, p)
	}
	var references xacml.Library
	for _, name := range c.References {
		data := read(t, filepath.Join(c.dir, name))
		p, err := xacml.Parse(data, xacml.ParseOptions{})
		if err != nil {
			p = xacml.Broken(data, err)
		}
		references = append(references, p)
	}
	return xacml.Choose(all...), references, nil
}

func (c *conformanceCase) respond(t testing.TB, o xacml.Options) *xacml.Response {
	t.Helper()
	request, err := xmlform.ReadRequest(c.requestBytes, xmltree.Limits{})
	if err != nil {
		return xacml.Failed(xacml.StatusSyntaxError, err.Error())
	}
	policy, references, err := c.policy(t)
	if err != nil {
		return xacml.FailedPolicy(err)
	}
	o.References = references
	if o.Now.IsZero() {
		o.Now = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)
	}
	return xacml.Respond(policy, request, o)
}

// TestConformance runs the OASIS cases and prints how many of each tier are as expected.
func TestConformance(t *testing.T) {
	passed, all := map[string]int{}, map[string]int{}
	var failed []string
	for _, c := range conformanceCases(t) {
		all[c.Tier]++
		diff := c.compare(c.respond(t, xacml.Options{}))
		if explained := c.compare(c.respond(t, xacml.Options{Explain: true})); explained != diff {
			t.Errorf("%s: explaining changes the answer: %s", c.ID, explained)
		}
		switch {
		case diff == "":
			passed[c.Tier]++
		case c.KnownIssue != "":
			failed = append(failed, fmt.Sprintf("%s (%s): %s", c.ID, c.KnownIssue, diff))
		default:
			t.Errorf("%s: %s", c.ID, diff)
		}
	}
	tiers := make([]string, 0, len(all))
	for tier := range all {
		tiers = append(tiers, tier)
	}
	slices.Sort(tiers)
	for _, tier := range tiers {
		t.Logf("%-40s %3d of %3d", tier, passed[tier], all[tier])
	}
	for _, f := range failed {
		t.Logf("data issue: %s", f)
	}
}

func (c *conformanceCase) compare(r *xacml.Response) string {
	if len(r.Results) != len(c.Expected) {
		return fmt.Sprintf("%d results, want %d", len(r.Results), len(c.Expected))
	}
	var diffs []string
	for i, want := range c.Expected {
		got := r.Results[i]
		if got.Decision.String() != want.Decision {
			diffs = append(diffs, fmt.Sprintf("%s (%s), want %s", got.Decision.Extended(), got.Status.Message, want.Decision))
		}
		if want.Status != "" && string(got.Status.Code) != want.Status {
			diffs = append(diffs, fmt.Sprintf("status %s (%s), want %s", got.Status.Code, got.Status.Message, want.Status))
		}
		if diff := cmp.Diff(want.Obligations, ids(got.Obligations)); diff != "" {
			diffs = append(diffs, "obligations: "+diff)
		}
		if diff := cmp.Diff(want.Advice, ids(got.Advice)); diff != "" {
			diffs = append(diffs, "advice: "+diff)
		}
		if c.Oasis == nil {
			if diff := cmp.Diff(document(c.response.Elements()[i]), written(&got)); diff != "" {
				diffs = append(diffs, "what is returned: "+diff)
			}
		}
		if len(got.Attributes) != want.Attributes {
			diffs = append(diffs, fmt.Sprintf("%d categories returned, want %d", len(got.Attributes), want.Attributes))
		}
	}
	return strings.Join(diffs, "; ")
}

// written lists obligations with what they carry, and the attributes returned.
func written(r *xacml.Result) []string {
	var text []string
	for _, o := range slices.Concat(r.Obligations, r.Advice) {
		for _, a := range o.Assignments {
			text = append(text, fmt.Sprint(o.ID, "|", a.ID, "|", a.Value.DataType, "|", a.Category, "|", a.Value.XPathCategory, "|", strings.TrimSpace(a.Value.Text)))
		}
	}
	for _, c := range r.Attributes {
		for _, a := range c.Attributes {
			for _, v := range a.Values {
				text = append(text, fmt.Sprint(c.Category, "|", c.ID, "|", a.ID, "|", v.DataType, "|", strings.TrimSpace(v.Text)))
			}
		}
	}
	slices.Sort(text)
	return text
}

// document lists the same of one result of expected.xml.
func document(result *xmltree.Node) []string {
	var text []string
	attr := func(n *xmltree.Node, name string) string {
		v, _ := n.Attr(name)
		return v
	}
	for _, part := range result.Elements() {
		for _, o := range part.Elements() {
			for _, a := range o.Elements() {
				id := attr(o, "ObligationId") + attr(o, "AdviceId")
				value := strings.TrimSpace(a.Value())
				switch part.Local {
				case "Obligations", "AssociatedAdvice":
					text = append(text, fmt.Sprint(id, "|", attr(a, "AttributeId"), "|", attr(a, "DataType"), "|", attr(a, "Category"), "|", attr(a, "XPathCategory"), "|", value))
				case "Attributes":
					text = append(text, fmt.Sprint(attr(part, "Category"), "|", part.XMLID(), "|", attr(o, "AttributeId"), "|", attr(a, "DataType"), "|", value))
				}
			}
		}
	}
	slices.Sort(text)
	return text
}

func ids(all []xacml.Obligation) []string {
	ids := []string{}
	for _, o := range all {
		ids = append(ids, o.ID)
	}
	return ids
}

// TestFaultsOfRealFiles says for each policy of the corpus that is refused, why.
func TestFaultsOfRealFiles(t *testing.T) {
	for _, c := range conformanceCases(t) {
		if _, _, err := c.policy(t); err != nil {
			if _, ok := errors.AsType[*xacml.Invalid](err); !ok {
				t.Errorf("%s: %v", c.ID, err)
			}
			t.Logf("%s: %v", c.ID, err)
		}
	}
}
