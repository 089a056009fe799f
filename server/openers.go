package server

import (
	"context"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// policyOpeners tells what of the catalogue opens resources by their policies.
type policyOpeners struct {
	catalogue *roles.Catalogue
	policies  *policy.Service
}

// Openers implements party.Policies. A subject that must have more than one attribute, or
// another one, is nobody's whom a list of roles and packages could tell.
func (o policyOpeners) Openers(ctx context.Context, at relation.At, resource, action string) (byRole, byPackage []string, err error) {
	current, _, err := o.policies.Current(ctx, at, policy.Resource(resource))
	if err != nil {
		return nil, nil, err
	}
	for _, subject := range current.Openers(action) {
		if len(subject) != 1 {
			continue
		}
		switch subject[0].ID {
		case attributeRole:
			if r, ok := o.catalogue.Role(subject[0].Value); ok {
				byRole = append(byRole, r.Relation)
			}
		case attributePackage:
			if p, ok := o.catalogue.Package(subject[0].Value); ok {
				byPackage = append(byPackage, p.Relation)
			}
		}
	}
	return byRole, byPackage, nil
}
