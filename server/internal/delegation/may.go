package delegation

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Permissions of those who administer a party.
const (
	permissionAdminister        = "administer"
	permissionAdministerClients = "administer_clients"
	permissionKeyHolder         = "key_holder"
)

// has asks one question.
func (s *Service) has(ctx context.Context, object relation.Object, permission string, subject relation.Subject) (bool, error) {
	answers, _, err := s.relations.Check(ctx, relation.At{}, relation.Question{Object: object, Permission: permission, Subject: subject})
	if err == nil {
		err = answers[0].Err
	}
	if err != nil {
		return false, fmt.Errorf("check %s#%s@%s: %w", object, permission, subject, err)
	}
	return answers[0].Allowed, nil
}

// assignable says why nobody can be given the package for such a party, nil when one can.
func assignable(p roles.Package, from party.Party) *fault.Error {
	switch {
	case !p.Assignable:
		return refused(fault.Precondition, ReasonPackageNotAssignable, "package", "%s cannot be given to anybody: it comes with a role", p.Code)
	case (p.EntityType == roles.Person) != (from.Kind == party.Person):
		return refused(fault.Precondition, ReasonPackageNotAssignable, "package", "%s opens services of %ss, and the party is none", p.Code, p.EntityType)
	}
	return nil
}

// notDelegable is the answer to who has no role that may delegate the package.
func notDelegable(p roles.Package) *fault.Error {
	return refused(fault.Denied, ReasonPackageNotDelegable, "package", "the user has no role for the party that may pass %s on", p.Code)
}

func (s *Service) mayGivePackage(ctx context.Context, from party.Party, name string, user party.UserID) error {
	p, ok := s.catalogue.PackageByRelation(name)
	if !ok {
		return fmt.Errorf("package %s has left the catalogue", name)
	}
	if no := assignable(p, from); no != nil {
		return no
	}
	if user == 0 {
		return nil
	}
	may, err := s.has(ctx, relation.Party(int64(from.ID)), "may_delegate_pkg_"+p.Relation, relation.User(int64(user)))
	if err != nil {
		return err
	}
	if !may {
		return notDelegable(p)
	}
	return nil
}

// mayPassOn is may for a package of a client: the user administers the provider's clients,
// the provider has the package of the client by its role, and the receiver is its agent.
func (s *Service) mayPassOn(ctx context.Context, g Grant, row *records.Delegation) error {
	provider, err := s.giver(ctx, "provider", g.Provider, permissionAdministerClients, g.By.User)
	if err != nil {
		return err
	}
	client, ok := s.directory.Find(g.From)
	if !ok {
		// Whom the provider does not work for is none of its business.
		return refused(fault.Precondition, ReasonNotProvider, "client", "the provider has no role for the party that brings the package")
	}
	row.From, row.Via = client.ID, provider.ID
	p, ok := s.catalogue.PackageByRelation(row.Package)
	if !ok {
		return fmt.Errorf("package %s has left the catalogue", row.Package)
	}
	if err := s.provides(ctx, client, provider, p); err != nil {
		return err
	}
	return s.agent(ctx, provider, g.To, row)
}

// provides says whether the provider has the package of the client, and may pass it on.
func (s *Service) provides(ctx context.Context, client, provider party.Party, p roles.Package) error {
	held, _, err := s.relations.Read(ctx, relation.At{}, relation.Filter{
		ResourceType: relation.TypeParty, ResourceID: relation.Party(int64(client.ID)).ID,
		SubjectType: relation.TypeParty, SubjectID: relation.Party(int64(provider.ID)).ID,
	})
	if err != nil {
		return fmt.Errorf("read the roles of party %d for party %d: %w", provider.ID, client.ID, err)
	}
	for _, t := range held {
		if role, _, ok := s.catalogue.Held(t.Relation); ok && p.ClientGrants(role.Relation, client.UnitType) {
			return nil
		}
	}
	if len(p.ClientRoles()) == 0 {
		return refused(fault.Precondition, ReasonPackageNotAssignable, "package", "%s is none that a provider passes on to its agents", p.Code)
	}
	return refused(fault.Precondition, ReasonNotProvider, "client", "the provider has no role for the party that brings the package")
}

// agent finds the provider's agent.
func (s *Service) agent(ctx context.Context, provider party.Party, to Receiver, row *records.Delegation) error {
	if row.ToSystem != "" {
		return nil // see systemUserMayHave
	}
	notAgent := refused(fault.Precondition, ReasonNotAgent, "agent.party", "has not the role agent in the provider")
	p, ok := s.directory.Find(to.Party)
	if !ok || !natural(p.Kind) || p.UserID == 0 {
		return notAgent
	}
	is, err := s.has(ctx, relation.Party(int64(provider.ID)), "agent", relation.User(int64(p.UserID)))
	if err != nil {
		return err
	}
	if !is {
		return notAgent
	}
	row.To, row.ToUser = p.ID, p.UserID
	return nil
}
