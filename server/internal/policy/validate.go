package policy

import (
	"fmt"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// The kinds of findings of this package, beside those of the evaluator.
const (
	// FindAttribute is an attribute that nothing but the request itself could supply.
	FindAttribute xacml.FaultKind = "UNKNOWN_ATTRIBUTE"
	// FindRole is a role that the catalogue lacks: nobody ever has it.
	FindRole xacml.FaultKind = "UNKNOWN_ROLE"
	// FindPackage is an access package that the catalogue lacks.
	FindPackage xacml.FaultKind = "UNKNOWN_PACKAGE"
	// FindOther is a rule about something else than the policy is put for: it is never asked.
	FindOther xacml.FaultKind = "OTHER_RESOURCE"
)

const attributePackage = "urn:altinn:accesspackage"

// Check returns what is wrong with a text, and what is suspicious about it as the policy of
// ref; the zero Ref stands for anything.
func (s *Service) Check(ref Ref, text []byte, anyOf bool) (faults, findings []xacml.Fault) {
	return Check(s.catalogue, ref, text, anyOf || s.anyOf)
}

// Check does the same without a service.
func Check(catalogue *roles.Catalogue, ref Ref, text []byte, anyOf bool) (faults, findings []xacml.Fault) {
	p, err := xacml.Parse(text, xacml.ParseOptions{AnyOfPerCategory: anyOf})
	if err != nil {
		return faultsOf(err), nil
	}
	return nil, inspect(catalogue, ref, p)
}

// findings returns what is suspicious about a policy that can be evaluated.
func (s *Service) findings(ref Ref, p *xacml.Policy) []xacml.Fault {
	return inspect(s.catalogue, ref, p)
}

// inspector gathers findings.
type inspector struct {
	catalogue *roles.Catalogue
	ref       Ref
	found     []xacml.Fault
}

func inspect(catalogue *roles.Catalogue, ref Ref, p *xacml.Policy) []xacml.Fault {
	i := &inspector{catalogue: catalogue, ref: ref}
	i.found = append(i.found, p.Warnings()...)
	i.attributes(p)
	for _, rule := range p.Rules() {
		i.subjects(rule)
		i.resources(rule)
	}
	return i.found
}

func (i *inspector) note(kind xacml.FaultKind, line int, element, format string, args ...any) {
	i.found = append(i.found, xacml.Fault{Kind: kind, Line: line, Element: element, Message: fmt.Sprintf(format, args...)})
}

// attributes finds those that nothing supplies, each once in each category.
func (i *inspector) attributes(p *xacml.Policy) {
	type key struct{ category, id string }
	seen := make(map[key]bool)
	for _, use := range p.Attributes() {
		k := key{use.Category, use.ID}
		if use.ID == "" || seen[k] || supplied(use.Category, use.ID) {
			continue
		}
		seen[k] = true
		if other, ok := otherCategory(use.ID); ok {
			i.note(FindAttribute, use.Line, "AttributeDesignator", "nothing supplies %s in category %s; it is supplied in %s", use.ID, use.Category, other)
			continue
		}
		effect := "where it is missing, matches of it do not hold"
		if use.Must {
			effect = "where it is missing, the decision is Indeterminate"
		}
		i.note(FindAttribute, use.Line, "AttributeDesignator", "nothing supplies %s; only a request that carries it itself has it, and %s", use.ID, effect)
	}
}

// subjects finds roles and packages that nobody can have.
func (i *inspector) subjects(rule xacml.Rule) {
	for _, all := range alternatives(rule, xacml.SubjectCategory) {
		for _, a := range all {
			switch a.ID {
			case attributeRole:
				if _, known := i.catalogue.Role(a.Value); !known {
					i.note(FindRole, rule.Line, "Rule", "rule %s: the catalogue has no role %q, so nobody has it", rule.ID, a.Value)
				}
			case attributePackage:
				if _, known := i.catalogue.Package(a.Value); !known {
					i.note(FindPackage, rule.Line, "Rule", "rule %s: the catalogue has no access package %q, so nobody has it", rule.ID, a.Value)
				}
			}
		}
	}
}

// resources finds rules that are about other things only.
func (i *inspector) resources(rule xacml.Rule) {
	about := alternatives(rule, xacml.ResourceCategory)
	if i.ref.kind == 0 || len(about) == 0 {
		return
	}
	for _, all := range about {
		if !i.ref.excludes(all) {
			return
		}
	}
	i.note(FindOther, rule.Line, "Rule", "rule %s is about something else than %s, so it never applies", rule.ID, i.ref)
}

// excludes reports whether a request for r never has all these attributes.
func (r Ref) excludes(attributes []Attribute) bool {
	for _, a := range attributes {
		switch {
		case a.ID == attributeResource && r.kind != OfType && a.Value != r.ResourceID(),
			a.ID == attributeOrg && r.kind == OfApp && a.Value != r.org,
			a.ID == attributeApp && r.kind == OfApp && a.Value != r.name:
			return true
		}
	}
	return false
}
