package xacml

import (
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/function"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

func (c *compiler) rule(n *xmltree.Node) *rule {
	r := &rule{id: c.must(n, "RuleId"), line: n.Line}
	r.permits = c.effect(n, "Effect")
	for _, e := range c.elements(n) {
		switch e.Local {
		case "Description":
			r.description = strings.TrimSpace(e.Content())
		case "Target":
			r.target = c.target(e)
			if c.options.AnyOfPerCategory {
				r.target = perCategory(r.target)
			}
		case "Condition":
			r.condition = c.condition(e)
		case "ObligationExpressions", "AdviceExpressions":
			r.duties = append(r.duties, c.duties(e)...)
		default:
			c.foreign(e)
		}
	}
	return r
}

func (c *compiler) effect(n *xmltree.Node, name string) Effect {
	switch text := c.must(n, name); text {
	case "Permit":
		return PermitEffect
	case "Deny", "":
	default:
		c.fault(FaultStructure, n, "the %s %q must be Permit or Deny", name, text)
	}
	return DenyEffect
}

func (c *compiler) condition(n *xmltree.Node) expression {
	elements := c.elements(n)
	if len(elements) != 1 {
		c.fault(FaultStructure, n, "a condition has one expression and here %d", len(elements))
		return nil
	}
	e := c.expression(elements[0])
	if t := e.typ(); t.Kind != value.Unknown && t != (function.Type{Kind: value.Boolean}) {
		c.fault(FaultType, elements[0], "a condition must be a boolean and is a %s", t)
	}
	if l, ok := e.(literal); ok && !l.value.Bool() {
		c.warn(WarnNever, n, "the condition is never true")
	}
	return e
}

func (c *compiler) target(n *xmltree.Node) target {
	var t target
	for _, any := range c.elements(n) {
		if any.Local != "AnyOf" {
			c.foreign(any)
			continue
		}
		a := anyOf{line: any.Line}
		for _, all := range c.elements(any) {
			if all.Local != "AllOf" {
				c.foreign(all)
				continue
			}
			a.alternatives = append(a.alternatives, c.allOf(all))
		}
		if len(a.alternatives) == 0 {
			c.fault(FaultStructure, any, "<AnyOf> has no <AllOf>")
		}
		t = append(t, a)
	}
	return t
}

func (c *compiler) allOf(n *xmltree.Node) allOf {
	var a allOf
	for _, e := range c.elements(n) {
		if e.Local != "Match" {
			c.foreign(e)
			continue
		}
		if m, ok := c.match(e); ok {
			a = append(a, m)
		}
	}
	if len(n.Elements()) == 0 {
		c.fault(FaultStructure, n, "<AllOf> has no <Match>")
	}
	return a
}

func (c *compiler) match(n *xmltree.Node) (match, bool) {
	m := match{line: n.Line}
	id := c.must(n, "MatchId")
	elements := c.elements(n)
	if len(elements) != 2 || elements[0].Local != "AttributeValue" ||
		elements[1].Local != "AttributeDesignator" && elements[1].Local != "AttributeSelector" {
		c.fault(FaultStructure, n, "<Match> has an AttributeValue and then an AttributeDesignator or AttributeSelector")
		return m, false
	}
	m.literal = c.literal(elements[0])
	m.attribute = c.expression(elements[1])
	if id == "" {
		return m, false
	}
	f, ok := c.function(n, id)
	if !ok {
		m.attribute = broken{message: "function " + id + " is not known", result: m.attribute.typ()}
		return m, true
	}
	each := function.Type{Kind: m.attribute.typ().Kind}
	if err := accepts(f, []function.Type{m.literal.typ(), each}); err != nil {
		c.fault(FaultType, n, "%v", err)
	}
	if f.Result != (function.Type{Kind: value.Boolean}) || f.Form == function.Higher {
		c.fault(FaultType, n, "%s gives no boolean and cannot match", f.Name)
	}
	if m.literal.value.Kind() == value.Unknown {
		m.attribute = broken{message: "data type " + m.literal.dataType + " is not known", result: m.attribute.typ()}
	}
	m.compare = call{c.fixed(elements[0], f, m.literal)}
	c.spaces(elements[0], m.literal)
	return m, true
}

// spaces warns of a literal that no reasonable request has.
func (c *compiler) spaces(n *xmltree.Node, l literal) {
	if text := l.value.Text(); l.value.Kind() == value.String && strings.TrimSpace(text) != text {
		c.warn(WarnSpaces, n, "the literal %q begins or ends with spaces, which are compared too", text)
	}
}

// perCategory joins the AnyOf that are about one and the same category.
func perCategory(t target) target {
	var joined target
	at := make(map[string]int)
	for _, a := range t {
		category, single := a.category()
		if i, seen := at[category]; single && seen {
			joined[i].alternatives = append(joined[i].alternatives[:len(joined[i].alternatives):len(joined[i].alternatives)], a.alternatives...)
			continue
		}
		if single {
			at[category] = len(joined)
		}
		joined = append(joined, a)
	}
	return joined
}

// category returns the category that all matches of a are about.
func (a *anyOf) category() (string, bool) {
	category, seen := "", false
	for _, all := range a.alternatives {
		for _, m := range all {
			d, ok := m.attribute.(*designator)
			if !ok || seen && d.Category != category {
				return "", false
			}
			category, seen = d.Category, true
		}
	}
	return category, seen
}

// unreachable warns of rules that cannot make a difference after a rule without
// target and condition.
func (c *compiler) unreachable(n *xmltree.Node, p *Policy) {
	var before *rule
	for i, ch := range p.children {
		r, ok := ch.(*rule)
		if !ok {
			continue
		}
		if before != nil && i > 0 {
			c.warnings = append(c.warnings, Fault{
				Kind: WarnNever, Line: r.line, Element: n.Path() + "/Rule",
				Message: "rule " + r.id + " makes no difference: rule " + before.id + " before it always applies",
			})
		}
		always := len(r.target) == 0 && r.condition == nil && len(r.duties) == 0
		if before == nil && always && decides(p.algorithm.name, r.permits) {
			before = r
		}
	}
}

// decides says whether an algorithm looks no further after a rule with this effect.
func decides(algorithm string, e Effect) bool {
	switch algorithm {
	case "first-applicable":
		return true
	case "deny-overrides", "legacy deny-overrides", "permit-unless-deny":
		return e == DenyEffect
	case "permit-overrides", "legacy permit-overrides", "deny-unless-permit":
		return e == PermitEffect
	}
	return false
}
