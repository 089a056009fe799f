package xmltree

import "strings"

// Kind is what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Element Kind = iota
	Text
	Comment
	Document // the parent of the outermost element
)

// Attr is an attribute of an element. Declarations of namespaces are not attributes.
type Attr struct {
	Space  string // namespace
	Prefix string // as written
	Local  string
	Value  string
}

// Node is an element, a text, a comment or the document.
type Node struct {
	Kind     Kind
	Space    string // namespace of an element
	Prefix   string // as written
	Local    string
	Text     string // of a text or a comment
	Attrs    []Attr
	Children []*Node
	Parent   *Node
	Line     int
	Column   int

	index int // among the children of its parent
	scope *scope
}

// scope is one declaration of a namespace and those around it.
type scope struct {
	prefix, uri string
	outer       *scope
}

// find returns the namespace of prefix.
func (s *scope) find(prefix string) (string, bool) {
	for ; s != nil; s = s.outer {
		if s.prefix == prefix {
			return s.uri, true
		}
	}
	switch prefix {
	case "":
		return "", true
	case "xml":
		return xmlNamespace, true
	}
	return "", false
}

const xmlNamespace = "http://www.w3.org/XML/1998/namespace"

// Namespaces returns the prefixes in scope at n, without the default namespace,
// which XPath 1.0 does not apply to names without prefix.
func (n *Node) Namespaces() map[string]string {
	names := make(map[string]string)
	for s := n.scope; s != nil; s = s.outer {
		if _, nearer := names[s.prefix]; !nearer && s.prefix != "" {
			names[s.prefix] = s.uri
		}
	}
	return names
}

// Attr returns the value of the attribute without namespace called local.
func (n *Node) Attr(local string) (string, bool) {
	for i := range n.Attrs {
		if n.Attrs[i].Local == local && n.Attrs[i].Space == "" {
			return n.Attrs[i].Value, true
		}
	}
	return "", false
}

// XMLID returns the value of xml:id.
func (n *Node) XMLID() string {
	for i := range n.Attrs {
		if n.Attrs[i].Local == "id" && n.Attrs[i].Space == xmlNamespace {
			return n.Attrs[i].Value
		}
	}
	return ""
}

// Elements returns the children that are elements.
func (n *Node) Elements() []*Node {
	var elements []*Node
	for _, c := range n.Children {
		if c.Kind == Element {
			elements = append(elements, c)
		}
	}
	return elements
}

// Content returns the text directly in n.
func (n *Node) Content() string {
	if len(n.Children) == 1 && n.Children[0].Kind == Text {
		return n.Children[0].Text
	}
	var b strings.Builder
	for _, c := range n.Children {
		if c.Kind == Text {
			b.WriteString(c.Text)
		}
	}
	return b.String()
}

// Value returns the text in n and in everything below, as XPath's string() does.
func (n *Node) Value() string {
	if n.Kind == Text || n.Kind == Comment {
		return n.Text
	}
	if len(n.Children) == 1 && n.Children[0].Kind == Text {
		return n.Children[0].Text
	}
	var b strings.Builder
	n.appendText(&b)
	return b.String()
}

func (n *Node) appendText(b *strings.Builder) {
	for _, c := range n.Children {
		switch c.Kind {
		case Text:
			b.WriteString(c.Text)
		case Element:
			c.appendText(b)
		case Comment, Document:
		}
	}
}

// Path names n by the elements around it, for messages.
func (n *Node) Path() string {
	if n.Kind == Document {
		return ""
	}
	if n.Parent == nil || n.Parent.Kind == Document {
		return n.Local
	}
	return n.Parent.Path() + "/" + n.Local
}

// Detach returns a document whose outermost element is a shallow copy of n that knows
// nothing of what was around it but the namespaces: the tree that XPath sees of a
// request's content.
func (n *Node) Detach() *Node {
	document := &Node{Kind: Document, Line: n.Line, Column: n.Column, scope: n.scope}
	root := *n
	root.Parent, root.index = document, 0
	for _, c := range root.Children {
		c.Parent = &root
	}
	document.Children = []*Node{&root}
	return document
}

// Position returns the place of an element among its siblings of the same name, from 1.
func (n *Node) Position() int {
	position := 1
	for _, c := range n.Parent.Children[:n.index] {
		if c.Kind == Element && c.Local == n.Local && c.Space == n.Space {
			position++
		}
	}
	return position
}
