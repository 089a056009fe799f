package policyfile

import (
	"fmt"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Finding is something wrong or suspicious in a text.
type Finding struct {
	Kind    string `json:"kind"` // for programs: it never changes its meaning
	Line    int    `json:"line"`
	Column  int    `json:"column,omitempty"`
	Element string `json:"element,omitempty"`
	Message string `json:"message"`
}

// About names what a policy is to decide about: an app by Org and App, or a Resource, or
// all objects of a Type. The zero About is anything.
type About struct{ Org, App, Resource, Type string }

func (a About) ref() policy.Ref {
	switch {
	case a.App != "":
		return policy.App(a.Org, a.App)
	case a.Resource != "":
		return policy.Resource(a.Resource)
	case a.Type != "":
		return policy.Type(a.Type)
	}
	return policy.Ref{}
}

// Check returns what is wrong with a text, and else what is suspicious about it, as an
// upload to a server does.
func Check(text []byte, about About, anyOfPerCategory bool) (faults, warnings []Finding, err error) {
	catalogue, err := roles.Load()
	if err != nil {
		return nil, nil, fmt.Errorf("load the role catalogue: %w", err)
	}
	wrong, suspicious := policy.Check(catalogue, about.ref(), text, anyOfPerCategory)
	return list(wrong), list(suspicious), nil
}

func list(found []xacml.Fault) []Finding {
	var out []Finding
	for _, f := range found {
		out = append(out, Finding{Kind: string(f.Kind), Line: f.Line, Column: f.Column, Element: f.Element, Message: f.Message})
	}
	return out
}
