package xacml

import (
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/function"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// expression reads any expression but Function. Of what is wrong it makes something that
// fails, so that reading can go on.
func (c *compiler) expression(n *xmltree.Node) expression {
	switch n.Local {
	case "Apply":
		return c.apply(n)
	case "AttributeValue":
		return c.literal(n)
	case "AttributeDesignator":
		return c.designator(n)
	case "AttributeSelector":
		return c.selector(n)
	case "VariableReference":
		return c.variable(n)
	}
	c.foreign(n)
	return broken{message: "no expression"}
}

func (c *compiler) literal(n *xmltree.Node) literal {
	l := literal{dataType: c.must(n, "DataType")}
	kind, text := value.KindOf(l.dataType), n.Value()
	if kind == value.XPathExpression {
		l.value = value.OfXPath(text, &value.XPath{Category: c.must(n, "XPathCategory"), Prefixes: n.Namespaces()})
		if _, err := xmltree.NewPath(text, n.Namespaces()); err != nil {
			c.warn(WarnXPath, n, "%v", err)
		}
		return l
	}
	l.value = value.OfUnknown(text)
	if kind == value.Unknown {
		if l.dataType != "" {
			c.warn(WarnDataType, n, "data type %q is not known", l.dataType)
		}
		return l
	}
	v, err := value.Parse(kind, text)
	if err != nil {
		c.fault(FaultValue, n, "%v", err)
		return l
	}
	l.value = v
	return l
}

// use reads what designators and selectors have in common.
func (c *compiler) use(n *xmltree.Node) (AttributeUse, value.Kind) {
	u := AttributeUse{Category: c.must(n, "Category"), DataType: c.must(n, "DataType"), Line: n.Line}
	switch must, given := n.Attr("MustBePresent"); {
	case !given:
		c.warn(WarnStructure, n, "the attribute MustBePresent is missing, false is taken")
	case must == "true" || must == "1":
		u.Must = true
	case must != "false" && must != "0":
		c.fault(FaultStructure, n, "MustBePresent %q must be true or false", must)
	}
	kind := value.KindOf(u.DataType)
	if kind == value.Unknown && u.DataType != "" {
		c.warn(WarnDataType, n, "data type %q is not known: evaluating it is Indeterminate", u.DataType)
	}
	return u, kind
}

func (c *compiler) designator(n *xmltree.Node) expression {
	u, kind := c.use(n)
	u.ID = c.must(n, "AttributeId")
	u.Issuer, _ = n.Attr("Issuer")
	c.uses = append(c.uses, u)
	if kind == value.Unknown {
		return broken{message: "data type " + u.DataType + " is not known", result: function.Type{Bag: true}}
	}
	return &designator{AttributeUse: u, kind: kind}
}

func (c *compiler) selector(n *xmltree.Node) expression {
	u, kind := c.use(n)
	u.Path = c.must(n, "Path")
	c.uses = append(c.uses, u)
	failing := broken{result: function.Type{Kind: kind, Bag: true}}
	if kind == value.Unknown {
		failing.message = "data type " + u.DataType + " is not known"
		return failing
	}
	path, err := xmltree.NewPath(u.Path, n.Namespaces())
	if err != nil {
		c.warn(WarnXPath, n, "%v", err)
		failing.message = err.Error()
		return failing
	}
	context, _ := n.Attr("ContextSelectorId")
	return &selector{AttributeUse: u, kind: kind, path: path, context: context}
}

// function finds a function, or warns that there is none.
func (c *compiler) function(n *xmltree.Node, id string) (*function.Function, bool) {
	f, ok := function.Lookup(id)
	if !ok {
		c.warn(WarnFunction, n, "function %q is not known: evaluating it is Indeterminate", id)
	}
	return f, ok
}

// accepts checks arguments, except those of which nobody knows the type: they fail
// when they are evaluated.
func accepts(f *function.Function, types []function.Type) error {
	known := append([]function.Type(nil), types...)
	for i := range known {
		if known[i].Kind == value.Unknown && len(f.Params) > 0 {
			known[i] = f.Param(i)
		}
	}
	return f.Accepts(known)
}

func (c *compiler) apply(n *xmltree.Node) expression {
	id := c.must(n, "FunctionId")
	var elements []*xmltree.Node
	for _, e := range c.elements(n) {
		if e.Local != "Description" {
			elements = append(elements, e)
		}
	}
	f, ok := function.Lookup(id)
	if ok && f.Form == function.Higher {
		return c.higher(n, f, elements)
	}
	args := make([]expression, len(elements))
	types := make([]function.Type, len(elements))
	for i, e := range elements {
		args[i] = c.expression(e)
		types[i] = args[i].typ()
	}
	if id == "" {
		return broken{message: "no function"}
	}
	if _, ok := c.function(n, id); !ok {
		return broken{message: "function " + id + " is not known"}
	}
	if err := accepts(f, types); err != nil {
		c.fault(FaultType, n, "%v", err)
		return broken{message: err.Error(), result: f.Result}
	}
	for i, arg := range args {
		if l, ok := arg.(literal); ok && types[i].Kind == value.Unknown {
			return broken{message: "data type " + l.dataType + " is not known", result: f.Result}
		}
	}
	switch f.Form {
	case function.And, function.Or, function.NOf:
		return &connective{function: f, args: args}
	case function.Strict, function.XPath, function.Higher:
	}
	if len(args) > 0 {
		if l, ok := args[0].(literal); ok {
			f = c.fixed(elements[0], f, l)
		}
	}
	return &apply{call: call{f}, args: args}
}

// fixed compiles the pattern of a function that matches a regular expression.
func (c *compiler) fixed(n *xmltree.Node, f *function.Function, first literal) *function.Function {
	if !f.IsPattern() || first.value.Kind() != value.String {
		return f
	}
	re, err := function.Pattern(first.value.Text())
	if err != nil {
		c.fault(FaultValue, n, "%v", err)
		return f
	}
	return f.WithPattern(re)
}

func (c *compiler) higher(n *xmltree.Node, f *function.Function, elements []*xmltree.Node) expression {
	if len(elements) == 0 || elements[0].Local != "Function" {
		c.fault(FaultStructure, n, "the first argument of %s must be a <Function>", f.Name)
		return broken{result: f.Result}
	}
	id := c.must(elements[0], "FunctionId")
	args := make([]expression, len(elements)-1)
	for i, e := range elements[1:] {
		args[i] = c.expression(e)
	}
	inner, ok := c.function(elements[0], id)
	if !ok {
		return broken{message: "function " + id + " is not known"}
	}
	h, err := newHigher(f, inner, args)
	if err != nil {
		c.fault(FaultType, n, "%v", err)
		return broken{message: err.Error(), result: f.Result}
	}
	return h
}

// definition is a VariableDefinition that is read when it is first referred to.
type definition struct {
	node     *xmltree.Node
	variable *variable
	reading  bool
}

// define notes the variables of a policy, which may be referred to before they come.
func (c *compiler) define(elements []*xmltree.Node) {
	c.variables = make(map[string]*definition)
	for _, e := range elements {
		if e.Local != "VariableDefinition" {
			continue
		}
		id := c.must(e, "VariableId")
		if c.variables[id] != nil {
			c.fault(FaultStructure, e, "variable %q is defined twice", id)
		}
		c.variables[id] = &definition{node: e}
	}
}

// resolve reads the definition at n if no reference has done so.
func (c *compiler) resolve(n *xmltree.Node) {
	id, _ := n.Attr("VariableId")
	if d := c.variables[strings.TrimSpace(id)]; d != nil && d.variable == nil {
		c.read(d, n)
	}
}

func (c *compiler) variable(n *xmltree.Node) expression {
	id := c.must(n, "VariableId")
	d := c.variables[id]
	switch {
	case d == nil:
		c.fault(FaultUnknown, n, "variable %q is not defined in this policy", id)
		return broken{message: "variable " + id + " is not defined"}
	case d.reading:
		c.fault(FaultStructure, n, "variable %q is defined by itself", id)
		return broken{message: "variable " + id + " is defined by itself"}
	case d.variable == nil:
		c.read(d, n)
	}
	return reference{to: d.variable}
}

func (c *compiler) read(d *definition, from *xmltree.Node) {
	d.reading = true
	d.variable = &variable{value: broken{message: "no expression"}}
	d.variable.id, _ = from.Attr("VariableId")
	if elements := c.elements(d.node); len(elements) == 1 {
		d.variable.value = c.expression(elements[0])
	} else {
		c.fault(FaultStructure, d.node, "a variable has one expression and here %d", len(elements))
	}
	d.reading = false
}
