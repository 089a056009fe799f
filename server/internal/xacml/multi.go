package xacml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// defaultQuestions bounds the questions in one request.
const defaultQuestions = 1000

// Respond answers every question of a request (Multiple Decision Profile 1.0). A question
// that cannot be answered is Indeterminate alone, the others are answered.
func Respond(p *Policy, r *Request, o Options) *Response {
	most := o.MaxQuestions
	if most == 0 {
		most = defaultQuestions
	}
	questions, err := ask(r, most)
	if err != nil {
		return Failed(StatusProcessingError, err.Error())
	}
	response := &Response{Results: make([]Result, 0, len(questions))}
	for i := range questions {
		response.Results = append(response.Results, questions[i].answer(p, o))
	}
	if r.Combined {
		response.Results = []Result{combineResults(response.Results)}
	}
	return response
}

// question is a request with each category once, or the reason why it is none.
type question struct {
	request *Request
	fault   string
}

func (q *question) answer(p *Policy, o Options) Result {
	if q.fault != "" {
		return failed(StatusSyntaxError, q.fault)
	}
	result := p.Evaluate(q.request, o)
	result.Attributes = q.request.included()
	return result
}

// ask cuts a request into questions.
func ask(r *Request, most int) ([]question, error) {
	if r.single() {
		return []question{{request: r}}, nil
	}
	chosen := r.Questions
	if len(chosen) == 0 {
		all := make([]int, len(r.Categories))
		for i := range all {
			all[i] = i
		}
		chosen = []Question{{Categories: all}}
	}
	var questions []question
	for _, c := range chosen {
		if c.Fault != "" {
			questions = append(questions, question{fault: c.Fault})
			continue
		}
		single, err := combinations(r, c.Categories, most-len(questions))
		if err != nil {
			return nil, err
		}
		for _, s := range single {
			expanded, err := selectContents(s, most-len(questions))
			if err != nil {
				return nil, err
			}
			questions = append(questions, expanded...)
		}
		if len(questions) > most {
			return nil, tooMany(most)
		}
	}
	return questions, nil
}

// single says whether r asks one question as it is.
func (r *Request) single() bool {
	if len(r.Questions) > 0 {
		return false
	}
	for i := range r.Categories {
		c := &r.Categories[i]
		if c.Fault != "" {
			return false
		}
		for j := range i {
			if r.Categories[j].Category == c.Category {
				return false
			}
		}
		for j := range c.Attributes {
			if c.Attributes[j].ID == multipleContentSelector {
				return false
			}
		}
	}
	return true
}

func tooMany(most int) error {
	return fmt.Errorf("the request asks more than %d questions", most)
}

// combinations makes a request of each choice of one Attributes per category.
func combinations(r *Request, indexes []int, most int) ([]question, error) {
	var groups [][]int // by category, in the order of the request
	count := 1
	for _, i := range indexes {
		same := slices.IndexFunc(groups, func(g []int) bool { return r.Categories[g[0]].Category == r.Categories[i].Category })
		if same < 0 {
			groups = append(groups, []int{i})
		} else {
			groups[same] = append(groups[same], i)
		}
	}
	for _, g := range groups {
		if count *= len(g); count > most {
			return nil, tooMany(most)
		}
	}
	questions := make([]question, count)
	for n := range questions {
		one := &Request{ReturnPolicyIDs: r.ReturnPolicyIDs, Categories: make([]Attributes, len(groups))}
		left := n
		for i := len(groups) - 1; i >= 0; i-- { // the last category changes fastest
			g := groups[i]
			one.Categories[i] = r.Categories[g[left%len(g)]]
			left /= len(g)
		}
		questions[n].request = one
		for i := range one.Categories {
			if fault := one.Categories[i].Fault; fault != "" {
				questions[n].fault = fault
			}
		}
	}
	return questions, nil
}

// The attributes by which a request asks about each of several parts of a content.
const (
	multipleContentSelector = "urn:oasis:names:tc:xacml:3.0:multiple:content-selector"
	contentSelector         = "urn:oasis:names:tc:xacml:3.0:content-selector"
)

// selectContents asks once for each node that the first multiple content selector of a
// request selects, and again for those that are left.
func selectContents(q question, most int) ([]question, error) {
	if q.fault != "" {
		return []question{q}, nil
	}
	for i := range q.request.Categories {
		for j := range q.request.Categories[i].Attributes {
			if a := &q.request.Categories[i].Attributes[j]; a.ID == multipleContentSelector && len(a.Values) == 1 {
				return eachNode(q, i, j, most)
			}
		}
	}
	return []question{q}, nil
}

func eachNode(q question, category, attribute, most int) ([]question, error) {
	a := q.request.Categories[category].Attributes[attribute]
	v, err := a.Values[0].read(value.KindOf(a.Values[0].DataType))
	if err != nil {
		return []question{{fault: err.Error()}}, nil
	}
	nodes, status := selectNodes(q.request, v)
	if status != nil {
		return []question{{fault: status.Message}}, nil
	}
	if len(nodes) > most {
		return nil, tooMany(most)
	}
	var questions []question
	for _, node := range nodes {
		text, prefixes, err := canonicalPath(node)
		if err != nil {
			return []question{{fault: err.Error()}}, nil
		}
		one := *q.request
		one.Categories = slices.Clone(one.Categories)
		attributes := slices.Clone(one.Categories[category].Attributes)
		attributes[attribute].ID = contentSelector
		attributes[attribute].Values = []AttributeValue{{
			DataType: a.Values[0].DataType, Text: text, XPathCategory: a.Values[0].XPathCategory, Prefixes: prefixes,
		}}
		one.Categories[category].Attributes = attributes
		more, err := selectContents(question{request: &one}, most-len(questions))
		if err != nil {
			return nil, err
		}
		questions = append(questions, more...)
	}
	return questions, nil
}

// canonicalPath returns an XPath expression that selects one element and nothing else.
func canonicalPath(found xmltree.Found) (text string, prefixes map[string]string, err error) {
	if found.Attr >= 0 || found.Node.Kind != xmltree.Element {
		return "", nil, errors.New("a multiple content selector must select elements")
	}
	prefixes = found.Node.Namespaces()
	var steps []string
	for n := found.Node; n != nil && n.Kind == xmltree.Element; n = n.Parent {
		name := n.Local
		if n.Space != "" {
			name = prefixFor(prefixes, n) + ":" + n.Local
		}
		steps = append(steps, fmt.Sprintf("/%s[%d]", name, n.Position()))
	}
	slices.Reverse(steps)
	return strings.Join(steps, ""), prefixes, nil
}

// prefixFor returns a prefix of n's namespace, which it adds if there is none.
func prefixFor(prefixes map[string]string, n *xmltree.Node) string {
	if prefixes[n.Prefix] == n.Space {
		return n.Prefix
	}
	for prefix, uri := range prefixes {
		if uri == n.Space {
			return prefix
		}
	}
	prefix := fmt.Sprintf("ns%d", len(prefixes))
	prefixes[prefix] = n.Space
	return prefix
}

// combineResults makes one decision of many: theirs if they agree and none comes with
// obligations or advice, which would have to be told apart.
func combineResults(results []Result) Result {
	first := results[0]
	for _, r := range results {
		if len(r.Obligations) > 0 || len(r.Advice) > 0 {
			return failed(StatusProcessingError, "decisions with obligations or advice cannot be combined")
		}
		if r.Decision.String() != first.Decision.String() {
			return failed(StatusProcessingError, "the decisions to be combined are not the same")
		}
	}
	return Result{Decision: first.Decision, Status: first.Status}
}
