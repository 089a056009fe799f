package cli

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// conformance returns the folder of cases that are not part of the source, or skips.
func conformance(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BEHALF_CONFORMANCE")
	if dir == "" {
		dir = "../../../../../shared/conformance"
	}
	dir = filepath.Join(dir, "xacml-conformance")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no conformance cases: set BEHALF_CONFORMANCE to their folder")
	}
	return dir
}

// evaluateCase is a case of the OASIS suite.
type evaluateCase struct {
	ID, Tier, PolicyFile string
	Roots                []string       `json:"rootPolicies"`
	References           []string       `json:"referencedPolicies"`
	Expected             []evaluateWant `json:"expected"`
	Oasis                []evaluateWant `json:"expectedOasis"`
	KnownIssue           string         `json:"knownIssue"`
	dir                  string
}

type evaluateWant struct {
	Decision, Status    string
	Obligations, Advice []string
}

// responseDocument is what is compared of a response.
type responseDocument struct {
	Results []struct {
		Decision string
		Status   struct {
			Code struct {
				Value string `xml:",attr"`
			} `xml:"StatusCode"`
		}
		Obligations []dutyDocument `xml:"Obligations>Obligation"`
		Advice      []dutyDocument `xml:"AssociatedAdvice>Advice"`
		Attributes  []struct {
			Category   string `xml:",attr"`
			Attributes []struct {
				ID     string `xml:"AttributeId,attr"`
				Values []struct {
					DataType string `xml:",attr"`
					Text     string `xml:",chardata"`
				} `xml:"AttributeValue"`
			} `xml:"Attribute"`
		}
	} `xml:"Result"`
}

type dutyDocument struct {
	ObligationID string `xml:"ObligationId,attr"`
	AdviceID     string `xml:"AdviceId,attr"`
	Assignments  []struct {
		ID       string `xml:"AttributeId,attr"`
		Category string `xml:",attr"`
		DataType string `xml:",attr"`
		Text     string `xml:",chardata"`
	} `xml:"AttributeAssignment"`
}

// TestPolicyEvaluateConformance asks each case of `behalf policy evaluate`, and prints how
// many of each tier are as expected.
func TestPolicyEvaluateConformance(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(conformance(t), "*", "case.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	passed, all := map[string]int{}, map[string]int{}
	for _, file := range files {
		var c evaluateCase
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &c)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		c.dir = filepath.Dir(file)
		all[c.Tier]++
		switch diff := c.evaluate(t); {
		case diff == "":
			passed[c.Tier]++
		case c.KnownIssue != "":
			t.Logf("data issue: %s (%s): %s", c.ID, c.KnownIssue, diff)
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
}

// evaluate runs the command and says in what its answer is not as expected.
func (c *evaluateCase) evaluate(t *testing.T) string {
	args := []string{"policy", "evaluate", "--now", "2026-08-20T12:00:00Z", "--request", filepath.Join(c.dir, "request.xml")}
	roots := c.Roots
	if len(roots) == 0 {
		roots = []string{c.PolicyFile}
	}
	for _, name := range roots {
		args = append(args, "--policy", filepath.Join(c.dir, name))
	}
	for _, name := range c.References {
		args = append(args, "--reference", filepath.Join(c.dir, name))
	}
	var out, errs bytes.Buffer
	if code := Run(t.Context(), args, Terminal{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 0 || errs.Len() > 0 {
		return fmt.Sprintf("exit code %d: %s", code, errs.String())
	}
	var got responseDocument
	if err := xml.Unmarshal(out.Bytes(), &got); err != nil {
		return fmt.Sprintf("%v in %s", err, out.String())
	}
	expected := c.Expected
	if c.Oasis != nil {
		expected = c.Oasis // where Altinn disputes the standard, the standard is ours
	}
	var have []evaluateWant
	for _, r := range got.Results {
		w := evaluateWant{Decision: r.Decision, Status: r.Status.Code.Value, Obligations: []string{}, Advice: []string{}}
		for _, o := range r.Obligations {
			w.Obligations = append(w.Obligations, o.ObligationID)
		}
		for _, a := range r.Advice {
			w.Advice = append(w.Advice, a.AdviceID)
		}
		have = append(have, w)
	}
	for i := range min(len(have), len(expected)) {
		if expected[i].Status == "" {
			have[i].Status = ""
		}
	}
	diff := cmp.Diff(expected, have)
	if c.Oasis == nil {
		text, err := os.ReadFile(filepath.Join(c.dir, "expected.xml"))
		if err != nil {
			t.Fatal(err)
		}
		var want responseDocument
		if err := xml.Unmarshal(text, &want); err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		diff += cmp.Diff(want.carried(), got.carried())
	}
	return diff
}

// carried lists what obligations and advice carry, and the attributes that are returned.
func (d responseDocument) carried() []string {
	var all []string
	for i, r := range d.Results {
		for _, o := range slices.Concat(r.Obligations, r.Advice) {
			for _, a := range o.Assignments {
				all = append(all, fmt.Sprint(i, o.ObligationID, o.AdviceID, "|", a.ID, "|", a.Category, "|", a.DataType, "|", strings.TrimSpace(a.Text)))
			}
		}
		for _, category := range r.Attributes {
			for _, a := range category.Attributes {
				for _, v := range a.Values {
					all = append(all, fmt.Sprint(i, category.Category, "|", a.ID, "|", v.DataType, "|", strings.TrimSpace(v.Text)))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}
