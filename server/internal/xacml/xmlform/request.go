package xmlform

import (
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// ReadRequest reads a request. An error means that it is none; a category or a question
// that is wrong in itself is marked, and only what it is part of cannot be answered.
func ReadRequest(data []byte, limits xmltree.Limits) (*xacml.Request, error) {
	root, err := xmltree.Parse(data, limits)
	if err != nil {
		return nil, err
	}
	if root.Space != xacml.Namespace || root.Local != "Request" {
		return nil, fail(root, "the outermost element is {%s}%s, want {%s}Request", root.Space, root.Local, xacml.Namespace)
	}
	r := &xacml.Request{}
	if r.ReturnPolicyIDs, err = boolean(root, "ReturnPolicyIdList"); err != nil {
		return nil, err
	}
	if r.Combined, err = boolean(root, "CombinedDecision"); err != nil {
		return nil, err
	}
	var multi *xmltree.Node
	for _, e := range root.Elements() {
		switch {
		case e.Space != xacml.Namespace:
			return nil, fail(e, "<%s> is of another namespace", e.Local)
		case e.Local == "Attributes":
			r.Categories = append(r.Categories, attributes(e))
		case e.Local == "MultiRequests" && multi == nil:
			multi = e
		case e.Local != "RequestDefaults":
			return nil, fail(e, "<%s> does not belong into a request", e.Local)
		}
	}
	if multi != nil {
		r.Questions = questions(r, multi)
	}
	return r, nil
}

func fail(n *xmltree.Node, format string, args ...any) error {
	return &xmltree.Error{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}

// boolean reads an attribute that is false if it is absent.
func boolean(n *xmltree.Node, name string) (bool, error) {
	switch text, given := n.Attr(name); {
	case !given || text == "false" || text == "0":
		return false, nil
	case text == "true" || text == "1":
		return true, nil
	default:
		return false, fail(n, "%s is %q, want true or false", name, text)
	}
}

// attributes reads a category. What is wrong with it is noted in it.
func attributes(n *xmltree.Node) xacml.Attributes {
	a := xacml.Attributes{ID: n.XMLID()}
	a.Category, _ = n.Attr("Category")
	a.Category = strings.TrimSpace(a.Category)
	err := func() error {
		if a.Category == "" {
			return fail(n, "<Attributes> has no Category")
		}
		for _, e := range n.Elements() {
			switch {
			case e.Space == xacml.Namespace && e.Local == "Attribute":
				one, err := attribute(e)
				if err != nil {
					return err
				}
				a.Attributes = append(a.Attributes, one)
			case e.Space == xacml.Namespace && e.Local == "Content":
				if len(e.Elements()) != 1 || a.Content != nil {
					return fail(e, "<Content> must have one element, and be the only one")
				}
				a.Content = e.Elements()[0].Detach()
			default:
				return fail(e, "<%s> does not belong into <Attributes>", e.Local)
			}
		}
		return nil
	}()
	if err != nil {
		a.Fault = err.Error()
	}
	return a
}

func attribute(n *xmltree.Node) (xacml.Attribute, error) {
	var a xacml.Attribute
	var err error
	a.ID, _ = n.Attr("AttributeId")
	if a.ID = strings.TrimSpace(a.ID); a.ID == "" {
		return a, fail(n, "<Attribute> has no AttributeId")
	}
	a.Issuer, _ = n.Attr("Issuer")
	if a.IncludeInResult, err = boolean(n, "IncludeInResult"); err != nil {
		return a, err
	}
	for _, e := range n.Elements() {
		if e.Space != xacml.Namespace || e.Local != "AttributeValue" {
			return a, fail(e, "<%s> does not belong into <Attribute>", e.Local)
		}
		v := xacml.AttributeValue{Text: e.Value()}
		v.DataType, _ = e.Attr("DataType")
		if v.DataType = strings.TrimSpace(v.DataType); v.DataType == "" {
			return a, fail(e, "<AttributeValue> has no DataType")
		}
		if category, given := e.Attr("XPathCategory"); given {
			v.XPathCategory, v.Prefixes = category, e.Namespaces()
		}
		a.Values = append(a.Values, v)
	}
	if len(a.Values) == 0 {
		return a, fail(n, "<Attribute> has no <AttributeValue>")
	}
	return a, nil
}

// questions reads MultiRequests.
func questions(r *xacml.Request, multi *xmltree.Node) []xacml.Question {
	byID := make(map[string]int, len(r.Categories))
	for i := range r.Categories {
		if id := r.Categories[i].ID; id != "" {
			byID[id] = i
		}
	}
	var all []xacml.Question
	for _, e := range multi.Elements() {
		var q xacml.Question
		for _, ref := range e.Elements() {
			id, _ := ref.Attr("ReferenceId")
			i, found := byID[id]
			if !found {
				q.Fault = fail(ref, "no <Attributes> has the xml:id %q", id).Error()
				continue
			}
			q.Categories = append(q.Categories, i)
		}
		if len(q.Categories) == 0 && q.Fault == "" {
			q.Fault = fail(e, "the reference names no <Attributes>").Error()
		}
		all = append(all, q)
	}
	return all
}
