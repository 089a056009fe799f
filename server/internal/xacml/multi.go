package xacml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// Bounds on one request with several questions.
const (
	defaultQuestions = 1000
	maxWork          = 500_000 // categories, attributes and values of all questions together
)

// Respond answers every question of a request (Multiple Decision Profile 1.0). A question
// that cannot be answered is Indeterminate alone, the others are answered.
func Respond(p *Policy, r *Request, o Options) *Response {
	a := newAsking(o)
	questions, err := a.ask(r)
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

// asking cuts a request into questions, and counts what they cost: a short request can
// ask very many questions about very many attributes.
type asking struct {
	most int // questions
	work int // what is left of maxWork
}

func newAsking(o Options) *asking {
	a := &asking{most: o.MaxQuestions, work: maxWork}
	if a.most == 0 {
		a.most = defaultQuestions
	}
	return a
}

// spend takes the cost of count questions like r from what is left.
func (a *asking) spend(r *Request, count int) error {
	cost := 1
	for i := range r.Categories {
		cost++
		for j := range r.Categories[i].Attributes {
			cost += 1 + len(r.Categories[i].Attributes[j].Values)
		}
	}
	if a.work -= cost * count; a.work < 0 {
		return errors.New("the request asks too many questions about too many attributes")
	}
	return nil
}

// ask cuts a request into questions.
func (a *asking) ask(r *Request) ([]question, error) {
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
		single, err := a.combinations(r, c.Categories, a.most-len(questions))
		if err != nil {
			return nil, err
		}
		for _, s := range single {
			expanded, err := a.selectContents(s, a.most-len(questions))
			if err != nil {
				return nil, err
			}
			questions = append(questions, expanded...)
		}
		if len(questions) > a.most {
			return nil, a.tooMany()
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

func (a *asking) tooMany() error {
	return fmt.Errorf("the request asks more than %d questions", a.most)
}

// combinations makes a request of each choice of one Attributes per category.
func (a *asking) combinations(r *Request, indexes []int, most int) ([]question, error) {
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
			return nil, a.tooMany()
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
		if err := a.spend(one, 1); err != nil {
			return nil, err
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
func (a *asking) selectContents(q question, most int) ([]question, error) {
	if q.fault != "" {
		return []question{q}, nil
	}
	for i := range q.request.Categories {
		for j := range q.request.Categories[i].Attributes {
			if selector := &q.request.Categories[i].Attributes[j]; selector.ID == multipleContentSelector && len(selector.Values) == 1 {
				return a.eachNode(q, i, j, most)
			}
		}
	}
	return []question{q}, nil
}

func (a *asking) eachNode(q question, category, attribute, most int) ([]question, error) {
	selector := q.request.Categories[category].Attributes[attribute].Values[0]
	v, err := selector.read(value.KindOf(selector.DataType))
	if err != nil {
		return []question{{fault: err.Error()}}, nil
	}
	nodes, status := selectNodes(q.request, v)
	if status != nil {
		return []question{{fault: status.Message}}, nil
	}
	if len(nodes) > most {
		return nil, a.tooMany()
	}
	if err := a.spend(q.request, len(nodes)); err != nil {
		return nil, err
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
			DataType: selector.DataType, Text: text, XPathCategory: selector.XPathCategory, Prefixes: prefixes,
		}}
		one.Categories[category].Attributes = attributes
		more, err := a.selectContents(question{request: &one}, most-len(questions))
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
