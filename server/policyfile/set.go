package policyfile

import (
	"bytes"
	"time"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/jsonform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmlform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// Text is the text of a policy or set, and what it is called in reports.
type Text struct {
	Name string
	Data []byte
}

// Options say how to read and evaluate. The zero Options are the standard and the clock.
type Options struct {
	AnyOfPerCategory bool      // join several AnyOf of one category by OR, as Altinn's engine does
	Now              time.Time // the instant of requests
}

// Set is policies that decide together. It is immutable.
type Set struct {
	policy     *xacml.Policy
	invalid    error // why the only policy cannot be read
	references xacml.Library
	rules      []Rule
	now        time.Time
}

// Load reads policies, and those that they may refer to. Of several, the only one whose
// target applies decides. One that cannot be read is no error: it is Indeterminate when it
// is needed.
func Load(policies, references []Text, o Options) *Set {
	s := &Set{now: o.Now}
	var roots []*xacml.Policy
	for _, t := range policies {
		p, err := s.read(t, o)
		if err != nil && len(policies) == 1 {
			s.invalid = err
		}
		roots = append(roots, p)
	}
	for _, t := range references {
		p, _ := s.read(t, o)
		s.references = append(s.references, p)
	}
	s.policy = xacml.Choose(roots...)
	return s
}

// read reads one text. With an error, the policy is one that is Indeterminate.
func (s *Set) read(t Text, o Options) (*xacml.Policy, error) {
	p, err := xacml.Parse(t.Data, xacml.ParseOptions{AnyOfPerCategory: o.AnyOfPerCategory})
	if err != nil {
		return xacml.Broken(t.Data, err), err
	}
	for _, r := range p.Rules() {
		s.rules = append(s.rules, Rule{File: t.Name, Policy: r.Policy.ID, ID: r.ID, Line: r.Line})
	}
	return p, nil
}

// Rule is a rule of a set.
type Rule struct {
	File   string `json:"file"`
	Policy string `json:"policy"`
	ID     string `json:"rule"`
	Line   int    `json:"line"`
}

// Rules returns the rules of all policies that can be read, in the order of the texts.
func (s *Set) Rules() []Rule { return s.rules }

// Result is the answer to one question, as a test looks at it.
type Result struct {
	Decision    string
	Status      string // a URN
	Message     string
	Obligations []string // their ids
	Advice      []string
	Reason      string // why, in one line
}

// Answer is what a set says to a request.
type Answer struct {
	Results []Result
	Applied []Rule // the rules that took part in a decision with their effect
	Body    []byte // the response, in XML or JSON as the request
}

// Evaluate answers a request, in XML or in the JSON profile. One that cannot be read has
// an answer, too.
func (s *Set) Evaluate(request []byte) (Answer, error) {
	inJSON := bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(request, []byte("\xef\xbb\xbf")), " \t\r\n"), []byte("{"))
	read := xmlform.ReadRequest
	if inJSON {
		read = jsonform.ReadRequest
	}
	var response *xacml.Response
	var answer Answer
	switch r, err := read(request, xmltree.Limits{}); {
	case err != nil:
		response = xacml.Failed(xacml.StatusSyntaxError, err.Error())
	case s.invalid != nil:
		response = xacml.FailedPolicy(s.invalid)
	default:
		response = s.respond(r)
		answer.Applied = s.applied(response)
	}
	for i := range response.Results {
		answer.Results = append(answer.Results, result(&response.Results[i]))
	}
	if !inJSON {
		answer.Body = xmlform.WriteResponse(response)
		return answer, nil
	}
	var err error
	answer.Body, err = jsonform.WriteResponse(response, jsonform.Style{})
	return answer, err
}

func (s *Set) respond(r *xacml.Request) *xacml.Response {
	now := s.now
	if now.IsZero() {
		now = time.Now()
	}
	return xacml.Respond(s.policy, r, xacml.Options{Now: now, References: s.references, Explain: true})
}

func result(r *xacml.Result) Result {
	out := Result{
		Decision: r.Decision.String(), Status: string(r.Status.Code), Message: r.Status.Message,
		Obligations: ids(r.Obligations), Advice: ids(r.Advice), Reason: r.Status.Message,
	}
	if r.Trace != nil {
		out.Reason = r.Trace.Reason()
	}
	return out
}

func ids(obligations []xacml.Obligation) []string {
	all := make([]string, len(obligations))
	for i, o := range obligations {
		all[i] = o.ID
	}
	return all
}

// applied returns the rules that took part in the response.
func (s *Set) applied(response *xacml.Response) []Rule {
	type place struct {
		policy, rule string
		line         int
	}
	hit := make(map[place]bool)
	var walk func(t *xacml.Trace, policy string)
	walk = func(t *xacml.Trace, policy string) {
		switch {
		case t.Kind == "Rule" && (t.Decision == xacml.Permit || t.Decision == xacml.Deny):
			hit[place{policy, t.ID, t.Line}] = true
		case t.Kind == "Policy":
			policy = t.ID
		}
		for _, c := range t.Children {
			walk(c, policy)
		}
	}
	for i := range response.Results {
		if t := response.Results[i].Trace; t != nil {
			walk(t, "")
		}
	}
	var applied []Rule
	for _, r := range s.rules {
		if hit[place{r.Policy, r.ID, r.Line}] {
			applied = append(applied, r)
		}
	}
	return applied
}
