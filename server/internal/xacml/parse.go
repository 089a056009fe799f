package xacml

import (
	"errors"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// Namespace is that of policies, requests and responses of XACML 3.0.
const Namespace = "urn:oasis:names:tc:xacml:3.0:core:schema:wd-17"

// ParseOptions say how to read a policy. The zero ParseOptions are the standard.
type ParseOptions struct {
	// AnyOfPerCategory joins those AnyOf of a rule's target that are about one and the
	// same category by OR, as Altinn's engine does, instead of by AND.
	AnyOfPerCategory bool
	Limits           xmltree.Limits
}

// compiler makes a Policy of a tree. It goes on after a fault, to report all.
type compiler struct {
	options   ParseOptions
	faults    []Fault
	warnings  []Fault
	uses      []AttributeUse
	variables map[string]*definition // of the policy being read
}

// Parse reads and compiles a Policy or PolicySet. The error is an *Invalid with all that
// is wrong, each with its line.
func Parse(data []byte, o ParseOptions) (*Policy, error) {
	root, err := xmltree.Parse(data, o.Limits)
	if err != nil {
		f := Fault{Kind: FaultXML, Line: 1, Message: err.Error()}
		if at, ok := errors.AsType[*xmltree.Error](err); ok {
			f.Line, f.Column, f.Message = at.Line, at.Column, at.Message
		}
		return nil, &Invalid{Faults: []Fault{f}}
	}
	c := &compiler{options: o}
	var p *Policy
	switch {
	case root.Space != Namespace:
		c.fault(FaultStructure, root, "the namespace is %q, want %q", root.Space, Namespace)
	case root.Local == "Policy":
		p = c.policy(root)
	case root.Local == "PolicySet":
		p = c.policySet(root)
	default:
		c.fault(FaultStructure, root, "<%s> is neither a Policy nor a PolicySet", root.Local)
	}
	if len(c.faults) > 0 {
		return nil, &Invalid{Faults: c.faults}
	}
	p.uses, p.warnings = c.uses, c.warnings
	return p, nil
}

// head reads what Policy and PolicySet have in common.
func (c *compiler) head(n *xmltree.Node, set bool) *Policy {
	kind := n.Local
	p := &Policy{line: n.Line}
	p.id = PolicyID{Set: set, ID: c.must(n, kind+"Id"), Version: "1.0"}
	if version, ok := n.Attr("Version"); !ok {
		c.warn(WarnStructure, n, "the attribute Version is missing, 1.0 is taken")
	} else if !validVersion(version) {
		c.fault(FaultStructure, n, "the Version %q must be numbers with dots, such as 1.0", version)
	} else {
		p.id.Version = version
	}
	name := "RuleCombiningAlgId"
	if set {
		name = "PolicyCombiningAlgId"
	}
	id := c.must(n, name)
	var known bool
	p.algorithm, known = algorithmOf(id)
	switch {
	case !known && id != "", !set && p.algorithm.name == "only-one-applicable":
		c.fault(FaultUnknown, n, "no combining algorithm for %s is called %q", kind, id)
	case known && set == strings.Contains(id, ":rule-combining"):
		c.warn(WarnStructure, n, "%s is not meant for a %s; the algorithm of that name that is, is taken", id, kind)
	}
	return p
}

// must returns an attribute that an element must have.
func (c *compiler) must(n *xmltree.Node, name string) string {
	text, ok := n.Attr(name)
	if text = strings.TrimSpace(text); !ok || text == "" {
		c.fault(FaultStructure, n, "the attribute %s is missing", name)
	}
	return text
}

// common reads an element that a policy, set or rule may have, and says whether it did.
func (c *compiler) common(p *Policy, n *xmltree.Node) bool {
	switch n.Local {
	case "Description":
		p.description = strings.TrimSpace(n.Content())
	case "PolicyDefaults", "PolicySetDefaults":
		c.defaults(n)
	case "Target":
		p.target = c.target(n)
	case "ObligationExpressions", "AdviceExpressions":
		p.duties = append(p.duties, c.duties(n)...)
	case "CombinerParameters", "RuleCombinerParameters", "PolicyCombinerParameters", "PolicySetCombinerParameters":
		// no algorithm of the standard has parameters
	case "PolicyIssuer":
		c.fault(FaultStructure, n, "policies with an issuer need the administration profile, which is not available")
	default:
		return false
	}
	return true
}

func (c *compiler) defaults(n *xmltree.Node) {
	for _, e := range n.Elements() {
		version := strings.TrimSpace(e.Content())
		if e.Local == "XPathVersion" && !strings.EqualFold(version, "http://www.w3.org/TR/1999/REC-xpath-19991116") {
			c.warn(WarnXPath, e, "XPath is evaluated as version 1.0, not as %q", version)
		}
	}
}

// foreign reports an element that does not belong where it is.
func (c *compiler) foreign(n *xmltree.Node) {
	c.fault(FaultStructure, n, "<%s> does not belong into <%s>", n.Local, n.Parent.Local)
}

// elements returns the children, of which each must be of XACML.
func (c *compiler) elements(n *xmltree.Node) []*xmltree.Node {
	all := n.Elements()
	kept := all[:0]
	for _, e := range all {
		if e.Space == Namespace {
			kept = append(kept, e)
		} else {
			c.foreign(e)
		}
	}
	return kept
}

func (c *compiler) policy(n *xmltree.Node) *Policy {
	p := c.head(n, false)
	outer := c.variables
	elements := c.elements(n)
	c.define(elements)
	hasTarget := false
	rules := make(map[string]bool)
	for _, e := range elements {
		switch {
		case e.Local == "VariableDefinition":
			c.resolve(e)
		case e.Local == "Rule":
			r := c.rule(e)
			if rules[r.id] {
				c.warn(WarnDuplicate, e, "another rule is called %q", r.id)
			}
			rules[r.id] = true
			p.children = append(p.children, r)
		case !c.common(p, e):
			c.foreign(e)
		}
		hasTarget = hasTarget || e.Local == "Target"
	}
	c.variables = outer
	if !hasTarget {
		c.warn(WarnStructure, n, "<Target> is missing, the policy applies to all requests")
	}
	c.unreachable(n, p)
	p.lookup = newLookup(p)
	return p
}

func (c *compiler) policySet(n *xmltree.Node) *Policy {
	p := c.head(n, true)
	hasTarget := false
	for _, e := range c.elements(n) {
		switch e.Local {
		case "Policy":
			p.children = append(p.children, c.policy(e))
		case "PolicySet":
			p.children = append(p.children, c.policySet(e))
		case "PolicyIdReference":
			p.children = append(p.children, c.policyReference(e, false))
		case "PolicySetIdReference":
			p.children = append(p.children, c.policyReference(e, true))
		default:
			if !c.common(p, e) {
				c.foreign(e)
			}
		}
		hasTarget = hasTarget || e.Local == "Target"
	}
	if !hasTarget {
		c.warn(WarnStructure, n, "<Target> is missing, the set applies to all requests")
	}
	return p
}
