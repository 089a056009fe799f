package policytest

import (
	"fmt"
	"os"
	"strings"

	"github.com/behalf-authz/behalf/server/policyfile"
)

// Outcome is how a case went.
type Outcome struct {
	Case        string   `json:"case"`
	Passed      bool     `json:"passed"`
	Decisions   []string `json:"decisions"`
	Differences []string `json:"differences,omitempty"`
}

// Report is how all cases went, and which rules took part with their effect.
type Report struct {
	Cases   []Outcome         `json:"cases"`
	Passed  int               `json:"passed"`
	Failed  int               `json:"failed"`
	Rules   int               `json:"rules"`
	Applied int               `json:"applied"`
	Never   []policyfile.Rule `json:"neverApplied"`
}

// Coverage returns how many per cent of the rules took part. Without rules it is all.
func (r Report) Coverage() float64 {
	if r.Rules == 0 {
		return 100
	}
	return 100 * float64(r.Applied) / float64(r.Rules)
}

// Run runs cases.
func Run(cases []Case, o policyfile.Options) (Report, error) {
	report := Report{Cases: []Outcome{}, Never: []policyfile.Rule{}}
	sets := make(map[string]*policyfile.Set) // many cases share their policies
	var rules []policyfile.Rule
	applied := make(map[policyfile.Rule]bool)
	for _, c := range cases {
		key := strings.Join(append(append([]string{}, c.Policies...), append([]string{""}, c.References...)...), "\x00")
		set := sets[key]
		if set == nil {
			var err error
			if set, err = load(c, o); err != nil {
				return Report{}, err
			}
			sets[key] = set
			for _, r := range set.Rules() {
				if _, known := applied[r]; !known {
					applied[r] = false
					rules = append(rules, r)
				}
			}
		}
		outcome, used, err := run(c, set)
		if err != nil {
			return Report{}, err
		}
		report.Cases = append(report.Cases, outcome)
		if outcome.Passed {
			report.Passed++
		} else {
			report.Failed++
		}
		for _, r := range used {
			applied[r] = true
		}
	}
	report.Rules = len(rules)
	for _, r := range rules {
		if applied[r] {
			report.Applied++
		} else {
			report.Never = append(report.Never, r)
		}
	}
	return report, nil
}

func load(c Case, o policyfile.Options) (*policyfile.Set, error) {
	policies, err := texts(c.Policies)
	if err != nil {
		return nil, err
	}
	references, err := texts(c.References)
	if err != nil {
		return nil, err
	}
	return policyfile.Load(policies, references, o), nil
}

func run(c Case, set *policyfile.Set) (Outcome, []policyfile.Rule, error) {
	request, err := os.ReadFile(c.Request)
	if err != nil {
		return Outcome{}, nil, err
	}
	answer, err := set.Evaluate(request)
	if err != nil {
		return Outcome{}, nil, fmt.Errorf("%s: %w", c.Request, err)
	}
	out := Outcome{Case: c.Name}
	for _, r := range answer.Results {
		out.Decisions = append(out.Decisions, r.Decision)
	}
	if len(answer.Results) != len(c.Expected) {
		out.Differences = append(out.Differences, fmt.Sprintf("%d results, want %d", len(answer.Results), len(c.Expected)))
	}
	for i := range min(len(answer.Results), len(c.Expected)) {
		for _, difference := range c.Expected[i].differences(answer.Results[i]) {
			if len(c.Expected) > 1 {
				difference = fmt.Sprintf("result %d: %s", i+1, difference)
			}
			out.Differences = append(out.Differences, difference)
		}
	}
	out.Passed = len(out.Differences) == 0
	return out, answer.Applied, nil
}
