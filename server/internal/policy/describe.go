package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// The attributes that readers of policies look for.
const (
	attributeOrg      = "urn:altinn:org"
	attributeApp      = "urn:altinn:app"
	attributeResource = "urn:altinn:resource"
	attributeRole     = "urn:altinn:rolecode"
	attributeAction   = "urn:oasis:names:tc:xacml:1.0:action:action-id"
	ignoringCase      = "string-equal-ignore-case"

	levelCategory = "urn:altinn:minimum-authenticationlevel"
)

// Attribute is an attribute with a value.
type Attribute struct{ ID, Value string }

// Described is a policy for people to read.
type Described struct {
	Resources []DescribedResource // in the order of the text
	Level     int                 // the authentication level that its obligations ask for
}

// DescribedResource is something that rules are about.
type DescribedResource struct {
	Attributes []Attribute
	Actions    []DescribedAction
}

// DescribedAction is what may be done with it, and in which roles.
type DescribedAction struct {
	Attribute
	Roles []string
}

// Roles returns the codes of the roles that any rule names, each once.
func (p Policy) Roles() []string {
	var codes []string
	for _, rule := range p.Compiled.Rules() {
		for _, code := range rolesIn(rule) {
			if !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	return codes
}

func rolesIn(rule xacml.Rule) []string {
	var codes []string
	for _, a := range alternatives(rule, xacml.SubjectCategory) {
		for _, m := range a {
			if m.ID == attributeRole && !slices.Contains(codes, m.Value) {
				codes = append(codes, m.Value)
			}
		}
	}
	return codes
}

// alternatives returns the AllOf of a rule's target, of each the attributes of a category;
// those without any are left out.
func alternatives(rule xacml.Rule, category string) [][]Attribute {
	var found [][]Attribute
	for _, anyOf := range rule.Target {
		for _, allOf := range anyOf {
			var attributes []Attribute
			for _, m := range allOf {
				if m.Category == category {
					attributes = append(attributes, Attribute{m.ID, m.Value})
				}
			}
			if attributes != nil {
				found = append(found, attributes)
			}
		}
	}
	return found
}

// Describe returns what the permitting rules of the policy that name roles let these do
// with what the policy was put for.
func (p Policy) Describe() Described {
	d := Described{Level: level(p.Compiled)}
	for _, rule := range p.Compiled.Rules() {
		roles := rolesIn(rule)
		if rule.Effect != xacml.PermitEffect || len(roles) == 0 {
			continue
		}
		actions := alternatives(rule, xacml.ActionCategory)
		for _, about := range alternatives(rule, xacml.ResourceCategory) {
			if p.Ref.about(about) {
				d.add(about, actions, roles)
			}
		}
	}
	return d
}

// Openers returns the subjects that rules of the policy let take an action, any action when
// it is empty, with what the policy was put for, or a part of it: of each all attributes that
// it must have.
func (p Policy) Openers(action string) [][]Attribute {
	var found [][]Attribute
	for _, rule := range p.Compiled.Rules() {
		if rule.Effect != xacml.PermitEffect || !takes(rule, action) {
			continue
		}
		about := alternatives(rule, xacml.ResourceCategory)
		if len(about) > 0 && !slices.ContainsFunc(about, p.Ref.about) {
			continue
		}
		found = append(found, alternatives(rule, xacml.SubjectCategory)...)
	}
	return found
}

// takes reports whether a rule's target names an action, or none at all.
func takes(rule xacml.Rule, action string) bool {
	named := false
	for _, anyOf := range rule.Target {
		for _, allOf := range anyOf {
			for _, m := range allOf {
				if m.Category != xacml.ActionCategory || m.ID != attributeAction {
					continue
				}
				if named = true; action == "" || m.Value == action || m.Function == ignoringCase && strings.EqualFold(m.Value, action) {
					return true
				}
			}
		}
	}
	return !named
}

// about says whether a rule about these attributes is about r.
func (r Ref) about(attributes []Attribute) bool {
	has := func(id, value string) bool { return slices.Contains(attributes, Attribute{id, value}) }
	switch r.kind {
	case OfApp:
		return has(attributeOrg, r.org) && has(attributeApp, r.name) || has(attributeResource, r.ResourceID())
	case OfResource:
		return has(attributeResource, r.name)
	case OfType:
	}
	return true
}

func (d *Described) add(about []Attribute, actions [][]Attribute, roles []string) {
	at := slices.IndexFunc(d.Resources, func(r DescribedResource) bool { return slices.Equal(r.Attributes, about) })
	if at < 0 {
		at = len(d.Resources)
		d.Resources = append(d.Resources, DescribedResource{Attributes: about})
	}
	for _, all := range actions {
		for _, action := range all {
			d.Resources[at].allow(action, roles)
		}
	}
}

func (r *DescribedResource) allow(action Attribute, roles []string) {
	at := slices.IndexFunc(r.Actions, func(a DescribedAction) bool { return a.Attribute == action })
	if at < 0 {
		at = len(r.Actions)
		r.Actions = append(r.Actions, DescribedAction{Attribute: action})
	}
	for _, role := range roles {
		if !slices.Contains(r.Actions[at].Roles, role) {
			r.Actions[at].Roles = append(r.Actions[at].Roles, role)
		}
	}
}

// level returns the authentication level that the obligations of a Permit ask for. Ones
// that depend on the request are not known here.
func level(p *xacml.Policy) int {
	obligations, _, _ := p.Duties(&xacml.Request{}, xacml.Permit, xacml.Options{})
	for _, o := range obligations {
		for _, a := range o.Assignments {
			if n, err := strconv.Atoi(strings.TrimSpace(a.Value.Text)); err == nil && a.Category == levelCategory {
				return n
			}
		}
	}
	return 0
}
