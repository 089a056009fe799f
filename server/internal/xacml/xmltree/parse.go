package xmltree

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits bound what a document may cost. Zero fields take the default.
type Limits struct {
	Bytes int // length of the text, 1 MiB
	Depth int // nesting of elements, 64
	Nodes int // elements, texts, comments and attributes, 100,000
}

func (l Limits) orDefault() Limits {
	if l.Bytes == 0 {
		l.Bytes = 1 << 20
	}
	if l.Depth == 0 {
		l.Depth = 64
	}
	if l.Nodes == 0 {
		l.Nodes = 100_000
	}
	return l
}

// Error says where a text stops being acceptable XML, and why.
type Error struct {
	Line    int
	Column  int
	Message string
}

// Error returns the place and the reason.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Parse reads one document and returns its outermost element.
func Parse(data []byte, limits Limits) (*Node, error) {
	limits = limits.orDefault()
	if len(data) > limits.Bytes {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("%d bytes, at most %d are read", len(data), limits.Bytes)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	p := &parser{limits: limits, decoder: xml.NewDecoder(bytes.NewReader(data))}
	p.decoder.Strict = true
	document := &Node{Kind: Document, Line: 1, Column: 1}
	p.open = document
	for {
		line, column := p.decoder.InputPos()
		token, err := p.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, p.syntax(err)
		}
		if err := p.take(token, line, column); err != nil {
			return nil, err
		}
	}
	if p.open != document {
		return nil, p.fail("the text ends inside <%s>", p.open.Local)
	}
	if p.root == nil {
		return nil, p.fail("the text has no element")
	}
	return p.root, nil
}

type parser struct {
	limits  Limits
	decoder *xml.Decoder
	root    *Node
	open    *Node
	depth   int
	nodes   int
	pending *Node  // the text being read
	text    []byte // its bytes so far: texts, CDATA sections and references make one node
}

func (p *parser) fail(format string, args ...any) *Error {
	line, column := p.decoder.InputPos()
	return &Error{Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
}

// syntax turns the decoder's error into ours, which counts columns too.
func (p *parser) syntax(err error) *Error {
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return p.fail("%s", syntax.Msg)
	}
	return p.fail("%s", strings.TrimPrefix(err.Error(), "xml: "))
}

func (p *parser) take(token xml.Token, line, column int) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t, line, column)
	case xml.EndElement:
		return p.end(t)
	case xml.CharData:
		return p.characters(t, line, column)
	case xml.Comment:
		if p.open.Kind == Document {
			return nil
		}
		return p.add(&Node{Kind: Comment, Text: string(t), Line: line, Column: column})
	case xml.Directive:
		return p.fail("a document type definition is not accepted")
	case xml.ProcInst:
		return nil // the XML declaration; other instructions say nothing to us
	}
	return p.fail("unexpected token")
}

// add puts n below the open element, after the text that was being read.
func (p *parser) add(n *Node) error {
	p.flush()
	return p.append(n)
}

func (p *parser) append(n *Node) error {
	if p.nodes++; p.nodes > p.limits.Nodes {
		return p.fail("more than %d elements, attributes and texts", p.limits.Nodes)
	}
	n.Parent, n.index = p.open, len(p.open.Children)
	n.scope = p.open.scope
	p.open.Children = append(p.open.Children, n)
	return nil
}

func (p *parser) characters(s []byte, line, column int) error {
	if p.open.Kind == Document {
		if len(bytes.Trim(s, " \t\r\n")) != 0 {
			return p.fail("text outside the outermost element")
		}
		return nil
	}
	if p.pending == nil {
		p.pending = &Node{Kind: Text, Line: line, Column: column}
		if err := p.append(p.pending); err != nil {
			return err
		}
	}
	p.text = append(p.text, s...)
	return nil
}

// flush ends the text being read.
func (p *parser) flush() {
	if p.pending != nil {
		p.pending.Text = string(p.text)
		p.pending, p.text = nil, p.text[:0]
	}
}

func (p *parser) end(t xml.EndElement) error {
	if p.open.Kind == Document || t.Name.Local != p.open.Local || t.Name.Space != p.open.Prefix {
		return p.fail("</%s> closes nothing that is open", t.Name.Local)
	}
	p.flush()
	p.open = p.open.Parent
	p.depth--
	return nil
}

func (p *parser) start(t xml.StartElement, line, column int) error {
	if p.open.Kind == Document && p.root != nil {
		return p.fail("a second outermost element <%s>", t.Name.Local)
	}
	if p.depth++; p.depth > p.limits.Depth {
		return p.fail("elements are nested deeper than %d", p.limits.Depth)
	}
	n := &Node{Kind: Element, Prefix: t.Name.Space, Local: t.Name.Local, Line: line, Column: column}
	if err := p.add(n); err != nil {
		return err
	}
	if err := p.declare(n, t.Attr); err != nil {
		return err
	}
	var found bool
	if n.Space, found = n.scope.find(n.Prefix); !found {
		return p.fail("prefix %q of <%s> is not declared", n.Prefix, n.Local)
	}
	if err := p.attributes(n, t.Attr); err != nil {
		return err
	}
	if p.root == nil {
		p.root = n
	}
	p.open = n
	return nil
}

// declare takes the namespaces that an element declares, before any name is resolved.
func (p *parser) declare(n *Node, attrs []xml.Attr) error {
	for _, a := range attrs {
		switch {
		case a.Name.Space == "xmlns" && a.Value == "":
			return p.fail("prefix %q is declared as no namespace", a.Name.Local)
		case a.Name.Space == "xmlns":
			n.scope = &scope{prefix: a.Name.Local, uri: a.Value, outer: n.scope}
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			n.scope = &scope{uri: a.Value, outer: n.scope}
		}
	}
	return nil
}

func (p *parser) attributes(n *Node, attrs []xml.Attr) error {
	if p.nodes += len(attrs); p.nodes > p.limits.Nodes {
		return p.fail("more than %d elements, attributes and texts", p.limits.Nodes)
	}
	var seen map[[2]string]bool
	if len(attrs) > 8 {
		seen = make(map[[2]string]bool, len(attrs))
	}
	for _, a := range attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		attr := Attr{Prefix: a.Name.Space, Local: a.Name.Local, Value: a.Value}
		if attr.Prefix != "" {
			var found bool
			if attr.Space, found = n.scope.find(attr.Prefix); !found {
				return p.fail("prefix %q of attribute %s is not declared", attr.Prefix, attr.Local)
			}
		}
		if twice(n.Attrs, attr, seen) {
			return p.fail("attribute %s is given twice", attr.Local)
		}
		n.Attrs = append(n.Attrs, attr)
	}
	return nil
}

// twice says whether attr is among those before it: by a map when there are many.
func twice(before []Attr, attr Attr, seen map[[2]string]bool) bool {
	if seen != nil {
		name := [2]string{attr.Space, attr.Local}
		known := seen[name]
		seen[name] = true
		return known
	}
	for i := range before {
		if before[i].Local == attr.Local && before[i].Space == attr.Space {
			return true
		}
	}
	return false
}
