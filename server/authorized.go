package server

import (
	"context"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/authorized"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/relation"
	authorizedrpc "github.com/behalf-authz/behalf/server/internal/rpc/authorized"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// newAuthorized returns the service that tells for whom somebody may act, and by what.
func (s *Server) newAuthorized(
	catalogue *roles.Catalogue, policies *policy.Service, registered *registry.Service, decisions *decision.Service,
) (*authorizedrpc.Server, error) {
	parties, err := authorized.New(authorized.Config{
		Relations: s.engine,
		Directory: s.directory,
		Catalogue: catalogue,
		Openings:  resourceOpenings{catalogue, policies, registered},
	})
	if err != nil {
		return nil, err
	}
	return authorizedrpc.New(authorizedrpc.Config{
		Authorized: parties, Parties: s.directory, Relations: s.engine, Administration: accessManagement{policies, decisions},
	})
}

// accessManagement asks the policy of access management who may see a party's.
type accessManagement struct {
	policies  *policy.Service
	decisions *decision.Service
}

// managementResource is the resource for which Altinn stores that policy.
const managementResource = "altinn_access_management"

// MaySee implements rpc/authorized.Administration: whoever may read the resource for the
// party. Every fault and everything but a Permit keeps the list closed.
func (m accessManagement) MaySee(ctx context.Context, user party.UserID, of party.ID, at relation.At) (allowed, decided bool, err error) {
	_, _, err = m.policies.Current(ctx, at, policy.Resource(managementResource))
	switch {
	case err != nil && fault.KindOf(err) == fault.NotFound:
		return false, false, nil
	case err != nil:
		return false, true, err
	}
	one := func(category, id, text string) xacml.Attributes {
		return xacml.Attributes{Category: category, Attributes: []xacml.Attribute{{ID: id, Values: []xacml.AttributeValue{xacml.StringValue(text)}}}}
	}
	resource := one(xacml.ResourceCategory, "urn:altinn:resource", managementResource)
	resource.Attributes = append(resource.Attributes, one("", "urn:altinn:partyid", strconv.FormatInt(int64(of), 10)).Attributes...)
	response, err := m.decisions.Decide(ctx, decision.Request{At: at, Origin: origin(ctx), XACML: &xacml.Request{Categories: []xacml.Attributes{
		one(xacml.SubjectCategory, "urn:altinn:userid", strconv.FormatInt(int64(user), 10)), resource,
		one(xacml.ActionCategory, "urn:oasis:names:tc:xacml:1.0:action:action-id", "read"),
	}}})
	if err != nil {
		return false, true, err
	}
	return len(response.Answers) == 1 && response.Answers[0].Permitted() && authenticated(response.Answers[0].Obligations, caller.From(ctx).Level), true, nil
}

// The obligations of a Permit that are understood here: the level at which a person, or an
// organisation, must have been authenticated.
const (
	personLevel       = "urn:altinn:minimum-authenticationlevel"
	organisationLevel = "urn:altinn:minimum-authenticationlevel-org"
)

// authenticated reports whether a person of a level meets the obligations. One that is not
// understood is not met.
func authenticated(obligations []xacml.Obligation, level int) bool {
	for _, o := range obligations {
		if len(o.Assignments) == 0 {
			return false
		}
		for _, a := range o.Assignments {
			asked, err := strconv.Atoi(strings.TrimSpace(a.Value.Text))
			if a.Category != organisationLevel && (a.Category != personLevel || err != nil || asked > level) {
				return false
			}
		}
	}
	return true
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
