package xmltree

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/antchfx/xpath"
)

// maxXPath bounds the length of an expression.
const maxXPath = 4096

// Path is an XPath 1.0 expression that has been found acceptable.
type Path struct {
	text       string
	namespaces map[string]string
}

// Found is one node that a Path selected, an attribute if Attr is one of Node's.
type Found struct {
	Node *Node
	Attr int // index into Node.Attrs, -1 for the node itself
}

// Value returns the text of what was found.
func (f Found) Value() string {
	if f.Attr >= 0 {
		return f.Node.Attrs[f.Attr].Value
	}
	return f.Node.Value()
}

// NewPath checks an expression. Prefixes in it are those of namespaces.
func NewPath(text string, namespaces map[string]string) (*Path, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errors.New("the XPath expression is empty")
	}
	if len(text) > maxXPath {
		return nil, fmt.Errorf("the XPath expression is longer than %d bytes", maxXPath)
	}
	if err := acceptable(text); err != nil {
		return nil, err
	}
	if namespaces == nil {
		namespaces = map[string]string{} // with nil the library takes any prefix for any namespace
	}
	p := &Path{text: text, namespaces: namespaces}
	_, err := p.compile()
	return p, err
}

// String returns the expression.
func (p *Path) String() string { return p.text }

// compile makes the library's form anew for each use: evaluating one keeps state in it,
// so that it cannot be shared between decisions.
func (p *Path) compile() (expr *xpath.Expr, err error) {
	defer recovered(&err)
	expr, err = xpath.CompileWithNS(p.text, p.namespaces)
	if err != nil {
		return nil, fmt.Errorf("the XPath expression %q is not valid: %w", p.text, err)
	}
	return expr, nil
}

// recovered turns a panic of the library into an error: the expression comes from outside.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the XPath expression cannot be evaluated: %v", r)
	}
}

// Scalar is the answer of a Path that selects no nodes but computes.
type Scalar struct {
	Text string
	IsOf string // "string", "number" or "boolean"
}

// Evaluate answers p at the node at, whose whole tree under root it may visit.
// It returns nodes, or a scalar.
func (p *Path) Evaluate(root, at *Node) (nodes []Found, scalar *Scalar, err error) {
	expr, err := p.compile()
	if err != nil {
		return nil, nil, err
	}
	defer recovered(&err)
	left := maxMoves
	switch answer := expr.Evaluate(&navigator{root: root, at: at, attr: -1, left: &left}).(type) {
	case *xpath.NodeIterator:
		seen := make(map[Found]bool)
		for answer.MoveNext() {
			v, ok := answer.Current().(*navigator)
			if !ok {
				return nil, nil, errors.New("the XPath expression selected something that is no node")
			}
			f := Found{Node: v.at, Attr: v.attr}
			if !seen[f] {
				seen[f] = true
				nodes = append(nodes, f)
			}
		}
		return nodes, nil, nil
	case string:
		return nil, &Scalar{Text: answer, IsOf: "string"}, nil
	case bool:
		return nil, &Scalar{Text: strconv.FormatBool(answer), IsOf: "boolean"}, nil
	case float64:
		return nil, &Scalar{Text: strconv.FormatFloat(answer, 'f', -1, 64), IsOf: "number"}, nil
	default:
		return nil, nil, fmt.Errorf("the XPath expression gives a %T", answer)
	}
}
