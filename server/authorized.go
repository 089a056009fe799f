package server

import (
	"context"
	"strings"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/authorized"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/relation"
	authorizedrpc "github.com/behalf-authz/behalf/server/internal/rpc/authorized"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// newAuthorized returns the service that tells for whom somebody may act, and by what.
func (s *Server) newAuthorized(catalogue *roles.Catalogue, policies *policy.Service, registered *registry.Service) (*authorizedrpc.Server, error) {
	parties, err := authorized.New(authorized.Config{
		Relations: s.engine,
		Directory: s.directory,
		Catalogue: catalogue,
		Openings:  resourceOpenings{catalogue, policies, registered},
	})
	if err != nil {
		return nil, err
	}
	return authorizedrpc.New(authorizedrpc.Config{Authorized: parties, Parties: s.directory, Relations: s.engine})
}

// resourceOpenings finds what opens resources in their records and policies.
type resourceOpenings struct {
	catalogue  *roles.Catalogue
	policies   *policy.Service
	registered *registry.Service
}

// Owner implements authorized.Openings.
func (o resourceOpenings) Owner(ctx context.Context, resource string) (string, error) {
	if app, is := strings.CutPrefix(resource, "app_"); is {
		owner, _, _ := strings.Cut(app, "_")
		return owner, nil
	}
	r, err := o.registered.Resource(ctx, resource)
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	return r.Owner, err
}

// OwnedBy implements authorized.Openings.
func (o resourceOpenings) OwnedBy(ctx context.Context, owner string) ([]string, error) {
	var ids []string
	for after := ""; ; {
		page, next, err := o.registered.Resources(ctx, owner, after, 0)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			ids = append(ids, r.ID)
		}
		if after = next; after == "" {
			return ids, nil
		}
	}
}

// The attributes by which policies name roles and packages.
const (
	attributeRole    = "urn:altinn:rolecode"
	attributePackage = "urn:altinn:accesspackage"
)

// Subjects implements authorized.Openings.
func (o resourceOpenings) Subjects(ctx context.Context, resource string) (byRole, byPackage []string, err error) {
	current, _, err := o.policies.Current(ctx, relation.At{}, policy.Resource(resource))
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, rule := range current.Compiled.Rules() {
		for _, anyOf := range rule.Target {
			for _, allOf := range anyOf {
				for _, m := range allOf {
					byRole, byPackage = o.named(m, byRole, byPackage)
				}
			}
		}
	}
	return byRole, byPackage, nil
}

func (o resourceOpenings) named(m xacml.Match, byRole, byPackage []string) ([]string, []string) {
	if m.Category != xacml.SubjectCategory {
		return byRole, byPackage
	}
	switch m.ID {
	case attributeRole:
		if r, ok := o.catalogue.Role(m.Value); ok {
			byRole = append(byRole, r.Relation)
		}
	case attributePackage:
		if p, ok := o.catalogue.Package(m.Value); ok {
			byPackage = append(byPackage, p.Relation)
		}
	}
	return byRole, byPackage
}
