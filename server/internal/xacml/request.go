package xacml

import (
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// Categories that XACML names and others use.
const (
	SubjectCategory     = "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject"
	ResourceCategory    = "urn:oasis:names:tc:xacml:3.0:attribute-category:resource"
	ActionCategory      = "urn:oasis:names:tc:xacml:3.0:attribute-category:action"
	EnvironmentCategory = "urn:oasis:names:tc:xacml:3.0:attribute-category:environment"
)

// Request is a request for a decision, or for several: categories may be repeated, and
// Questions may choose among them. Evaluation does not change it.
type Request struct {
	ReturnPolicyIDs bool
	Combined        bool // one decision for all questions
	Categories      []Attributes
	Questions       []Question // none: all combinations of the categories
}

// Question chooses the categories of one of several questions.
type Question struct {
	Categories []int  // indexes into those of the request
	Fault      string // why it cannot be answered, "" if it can
}

// Attributes are the attributes of one category.
type Attributes struct {
	Category   string
	ID         string        // xml:id, by which questions name it
	Content    *xmltree.Node // the document of kind Document that selectors look into
	Attributes []Attribute
	Fault      string // why no question about it can be answered, "" if it can
}

// Attribute is a named bag of values.
type Attribute struct {
	ID              string
	Issuer          string
	IncludeInResult bool
	Values          []AttributeValue
}

// AttributeValue is a value as it is written. It is read when a policy needs it, so that
// a request may carry values that nobody asks about in any shape.
type AttributeValue struct {
	DataType      string
	Text          string
	XPathCategory string            // of an xpathExpression
	Prefixes      map[string]string // the namespaces in scope, for an xpathExpression
}

// StringValue returns a value of type string.
func StringValue(text string) AttributeValue {
	return AttributeValue{DataType: value.StringURI, Text: text}
}

// written returns v as it is written in requests and responses.
func written(v value.Value, dataType string) AttributeValue {
	a := AttributeValue{DataType: dataType, Text: v.Text()}
	if x := v.XPath(); x != nil {
		a.XPathCategory, a.Prefixes = x.Category, x.Prefixes
	}
	return a
}

// read returns the value that a stands for.
func (a *AttributeValue) read(kind value.Kind) (value.Value, error) {
	if kind == value.XPathExpression {
		return value.OfXPath(a.Text, &value.XPath{Category: a.XPathCategory, Prefixes: a.Prefixes}), nil
	}
	return value.Parse(kind, a.Text)
}

// content returns the content of a category, nil if it has none.
func (r *Request) content(category string) *xmltree.Node {
	for i := range r.Categories {
		if r.Categories[i].Category == category && r.Categories[i].Content != nil {
			return r.Categories[i].Content
		}
	}
	return nil
}

// included returns the attributes that the request wants back.
func (r *Request) included() []Attributes {
	var back []Attributes
	for i := range r.Categories {
		c := &r.Categories[i]
		var kept []Attribute
		for j := range c.Attributes {
			if c.Attributes[j].IncludeInResult {
				kept = append(kept, c.Attributes[j])
			}
		}
		if kept != nil {
			back = append(back, Attributes{Category: c.Category, ID: c.ID, Attributes: kept})
		}
	}
	return back
}
