package xacml

import (
	"github.com/behalf-authz/behalf/server/internal/xacml/function"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// selector is an AttributeSelector.
type selector struct {
	AttributeUse
	kind    value.Kind
	path    *xmltree.Path
	context string // the attribute that says where in the content to begin, "" at its root
}

func (s *selector) typ() function.Type { return function.Type{Kind: s.kind, Bag: true} }

// evaluate selects values from the content of a category (core, 7.3.7).
func (s *selector) evaluate(e *evaluation) (function.Operand, *Status) {
	if status := e.step(); status != nil {
		return function.Operand{}, status
	}
	content := e.request.content(s.Category)
	if content == nil {
		return s.present(nil)
	}
	at, status := s.begin(e, content)
	if status != nil || at == nil {
		if status == nil {
			return s.present(nil)
		}
		return function.Operand{}, status
	}
	nodes, scalar, err := s.path.Evaluate(content, at)
	if err != nil {
		return function.Operand{}, processing("%v", err)
	}
	if scalar != nil {
		return function.Operand{}, &Status{Code: StatusSyntaxError, Message: "the path " + s.Path + " gives a " + scalar.IsOf + " and must select nodes"}
	}
	bag := make([]value.Value, 0, len(nodes))
	for _, node := range nodes {
		v, err := value.Parse(s.kind, node.Value())
		if err != nil {
			return function.Operand{}, processing("the path %s: %v", s.Path, err)
		}
		bag = append(bag, v)
	}
	return s.present(bag)
}

// begin returns the node that the path starts from, nil if the request names none.
func (s *selector) begin(e *evaluation, content *xmltree.Node) (*xmltree.Node, *Status) {
	if s.context == "" {
		return content, nil
	}
	from := designator{
		AttributeUse: AttributeUse{Category: s.Category, ID: s.context, DataType: value.XPathExpressionURI},
		kind:         value.XPathExpression,
	}
	operand, status := from.evaluate(e)
	if status != nil || len(operand.Bag) == 0 {
		return nil, status
	}
	if len(operand.Bag) > 1 {
		return nil, &Status{Code: StatusSyntaxError, Message: "the context selector " + s.context + " has several values"}
	}
	nodes, status := selectNodes(e.request, operand.Bag[0])
	if status != nil {
		return nil, status
	}
	if len(nodes) != 1 || nodes[0].Attr >= 0 {
		return nil, &Status{Code: StatusSyntaxError, Message: "the context selector " + s.context + " must select one element"}
	}
	return nodes[0].Node, nil
}

// selectNodes returns the nodes that an xpathExpression selects.
func selectNodes(r *Request, v value.Value) ([]xmltree.Found, *Status) {
	x := v.XPath()
	if x == nil {
		return nil, processing("%s is no XPath expression", v.Text())
	}
	path, err := xmltree.NewPath(v.Text(), x.Prefixes)
	if err != nil {
		return nil, processing("%v", err)
	}
	content := r.content(x.Category)
	if content == nil {
		return nil, nil
	}
	nodes, scalar, err := path.Evaluate(content, content)
	if err != nil {
		return nil, processing("%v", err)
	}
	if scalar != nil {
		return nil, processing("the XPath expression %s must select nodes", v.Text())
	}
	return nodes, nil
}

// xpath computes the functions of A.3.15.
func (e *evaluation) xpath(f *function.Function, args []function.Operand) (function.Operand, *Status) {
	sets := make([][]xmltree.Found, len(args))
	for i, arg := range args {
		var status *Status
		if sets[i], status = selectNodes(e.request, arg.Value); status != nil {
			return function.Operand{}, status
		}
	}
	if f.Name == "xpath-node-count" {
		return function.Operand{Value: value.OfInt(int64(len(sets[0])))}, nil
	}
	among := make(map[xmltree.Found]bool, len(sets[1]))
	for _, node := range sets[1] {
		among[node] = true
	}
	for _, node := range sets[0] {
		if among[node] || f.Name == "xpath-node-match" && below(node, among) {
			return function.Operand{Value: value.OfBool(true)}, nil
		}
	}
	return function.Operand{Value: value.OfBool(false)}, nil
}

// below says whether an attribute or an element under node is among those wanted.
func below(node xmltree.Found, among map[xmltree.Found]bool) bool {
	if node.Attr >= 0 {
		return false
	}
	for i := range node.Node.Attrs {
		if among[xmltree.Found{Node: node.Node, Attr: i}] {
			return true
		}
	}
	for _, c := range node.Node.Children {
		found := xmltree.Found{Node: c, Attr: -1}
		if among[found] || below(found, among) {
			return true
		}
	}
	return false
}
