package delegation

import (
	"context"
	"errors"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Asked is what is asked of Check: the rights to Resource or, when it is empty, Packages.
type Asked struct {
	Party    party.ID
	User     party.UserID
	Resource string
	Packages []string // codes or URNs; none for all
	Provider party.ID // asks about packages of the party that this provider may pass on
	At       relation.At
}

// Answer says whether one thing may be passed on.
type Answer struct {
	Right   Right  // zero for a package
	Package string // URN, empty for a right
	No      *fault.Error
}

// Check says what a user may pass on for a party, and why not the rest. All of it is told to
// those who administer the party only.
func (s *Service) Check(ctx context.Context, q Asked) ([]Answer, relation.Revision, error) {
	ctx, revision, err := s.relations.Pin(ctx, q.At)
	if err != nil {
		return nil, "", err
	}
	of, permission, field := q.Party, permissionAdminister, "party_id"
	if q.Provider != 0 {
		of, permission, field = q.Provider, permissionAdministerClients, "provider_party_id"
	}
	from, err := s.giver(ctx, field, party.Reference{ID: of}, permission, q.User)
	if err != nil {
		return nil, "", err
	}
	var answers []Answer
	if q.Resource != "" {
		answers, err = s.checkRights(ctx, q, from)
	} else {
		answers, err = s.checkPackages(ctx, q, from)
	}
	return answers, revision, err
}

func (s *Service) checkRights(ctx context.Context, q Asked, from party.Party) ([]Answer, error) {
	if q.Provider != 0 {
		return nil, fault.Field("resource", "single rights of clients are not passed on; ask about packages")
	}
	resource := relation.ResourceID(q.Resource)
	policy, err := s.policy(ctx, resource)
	if err != nil {
		return nil, err
	}
	may, err := s.mayUse(ctx, policy, from.ID, q.User)
	if err != nil {
		return nil, err
	}
	rights := rightsIn(policy, resource)
	answers := make([]Answer, len(rights))
	for i, r := range rights {
		answers[i].Right = r
		if !may.permits(policy, from.ID, r) {
			answers[i].No = rightNotDelegable(r)
		}
	}
	return answers, nil
}

func (s *Service) checkPackages(ctx context.Context, q Asked, from party.Party) ([]Answer, error) {
	packages := s.catalogue.Packages()
	if len(q.Packages) > 0 {
		packages = packages[:0]
		for _, name := range q.Packages {
			p, ok := s.catalogue.Package(name)
			if !ok {
				return nil, refused(fault.Invalid, ReasonUnknownPackage, "packages", "the catalogue has no access package %q", name)
			}
			packages = append(packages, p)
		}
	}
	if q.Provider != 0 {
		return s.checkClient(ctx, q, from, packages)
	}
	names, err := s.delegable(ctx, from.ID, q.User, packages)
	if err != nil {
		return nil, err
	}
	delegable := make(map[string]bool, len(names))
	for _, name := range names {
		delegable[name] = true
	}
	answers := make([]Answer, len(packages))
	for i, p := range packages {
		_, name := splitURN(p.URN)
		answers[i] = Answer{Package: p.URN, No: assignable(p, from)}
		if answers[i].No == nil && !delegable[name] {
			answers[i].No = notDelegable(p)
		}
	}
	return answers, nil
}

// checkClient says which packages of a client its provider may pass on.
func (s *Service) checkClient(ctx context.Context, q Asked, provider party.Party, packages []roles.Package) ([]Answer, error) {
	client, _ := s.directory.Get(q.Party)
	answers := make([]Answer, len(packages))
	for i, p := range packages {
		answers[i].Package = p.URN
		err := s.provides(ctx, client, provider, p)
		if no, ok := errors.AsType[*fault.Error](err); ok {
			answers[i].No = no
		} else if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// MayDelegate reports whether some user could pass the right on: a rule of the policy
// permits it to a role or an access package.
func MayDelegate(policy *xacml.Policy, r Right) bool { return offers(policy, r) }
