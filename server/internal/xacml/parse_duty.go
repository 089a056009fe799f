package xacml

import (
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// duties reads ObligationExpressions or AdviceExpressions.
func (c *compiler) duties(n *xmltree.Node) []duty {
	var all []duty
	for _, e := range c.elements(n) {
		switch {
		case e.Local == "ObligationExpression" && n.Local == "ObligationExpressions":
			d := duty{id: c.must(e, "ObligationId"), on: c.effect(e, "FulfillOn"), line: e.Line}
			d.assignments = c.assignments(e)
			all = append(all, d)
		case e.Local == "AdviceExpression" && n.Local == "AdviceExpressions":
			d := duty{id: c.must(e, "AdviceId"), on: c.effect(e, "AppliesTo"), advice: true, line: e.Line}
			d.assignments = c.assignments(e)
			all = append(all, d)
		default:
			c.foreign(e)
		}
	}
	return all
}

func (c *compiler) assignments(n *xmltree.Node) []assignment {
	var all []assignment
	for _, e := range c.elements(n) {
		if e.Local != "AttributeAssignmentExpression" {
			c.foreign(e)
			continue
		}
		a := assignment{id: c.must(e, "AttributeId")}
		a.category, _ = e.Attr("Category")
		a.issuer, _ = e.Attr("Issuer")
		elements := c.elements(e)
		if len(elements) != 1 {
			c.fault(FaultStructure, e, "an assignment has one expression and here %d", len(elements))
			continue
		}
		a.value = c.expression(elements[0])
		all = append(all, a)
	}
	return all
}

func (c *compiler) policyReference(n *xmltree.Node, set bool) *policyReference {
	r := &policyReference{line: n.Line}
	r.to = Reference{Set: set, ID: strings.TrimSpace(n.Content())}
	if r.to.ID == "" {
		c.fault(FaultStructure, n, "the reference names no policy")
	}
	for name, to := range map[string]*string{"Version": &r.to.Version, "EarliestVersion": &r.to.Earliest, "LatestVersion": &r.to.Latest} {
		if text, ok := n.Attr(name); ok {
			if !validPattern(text) {
				c.fault(FaultStructure, n, "%s %q must be numbers, * or + with dots, such as 1.*", name, text)
			}
			*to = text
		}
	}
	return r
}
