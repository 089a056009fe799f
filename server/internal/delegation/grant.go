package delegation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Grant gives what it says. To give the same again changes when it ends, and is the same
// delegation. The revision is one at which it stands.
func (s *Service) Grant(ctx context.Context, g Grant) (Delegation, relation.Revision, error) {
	row := records.Delegation{Source: Source, Expires: micros(g.Expires), GivenBy: g.By.User, GivenWith: g.By.With}
	if err := s.shape(g, &row); err != nil {
		return Delegation{}, "", err
	}
	var stands []records.Delegation
	revision, err := s.register.Delegate(ctx,
		func(ctx context.Context) error {
			ctx, _, err := s.relations.Pin(ctx, relation.At{Latest: true})
			if err != nil {
				return err
			}
			return s.may(ctx, g, &row)
		},
		func(ctx context.Context, tx *records.Tx) (register.Delegations, error) {
			var (
				change register.Delegations
				err    error
			)
			if err = systemUserMayHave(ctx, tx, row); err != nil {
				return change, err
			}
			stands, change, err = s.put(ctx, tx, row)
			return change, err
		})
	if err != nil {
		return Delegation{}, "", err
	}
	return s.of(stands), revision, nil
}

// shape checks what can be told without asking anybody, and fills in the row.
func (s *Service) shape(g Grant, row *records.Delegation) error {
	if !g.Expires.IsZero() && !g.Expires.After(s.now()) {
		return refused(fault.Invalid, ReasonExpired, "expires_at", "is in the past: the delegation would have ended before it begins")
	}
	row.ToSystem = strings.ToLower(g.To.SystemUser)
	if g.Package != "" {
		p, ok := s.catalogue.Package(g.Package)
		if !ok {
			return refused(fault.Invalid, ReasonUnknownPackage, "package", "the catalogue has no access package %q", g.Package)
		}
		row.Package = p.Relation
		return nil
	}
	if _, err := relation.Right(1<<31-1, g.Right.Resource, g.Right.Action, g.Right.Instance, g.Right.Task); err != nil {
		return fault.Field("right", "%s", err.Error())
	}
	row.Resource, row.Action = relation.ResourceID(g.Right.Resource), g.Right.Action
	row.Instance, row.Task = relation.InstanceID(g.Right.Instance), g.Right.Task
	return nil
}

// may says whether the actor may give what he wants to give, and fills in the parties. Who
// does not administer the giver is told nothing else: neither which parties exist, nor what
// policies say.
func (s *Service) may(ctx context.Context, g Grant, row *records.Delegation) error {
	if g.client() {
		return s.mayPassOn(ctx, g, row)
	}
	from, err := s.giver(ctx, "from", g.From, permissionAdminister, g.By.User)
	if err != nil {
		return err
	}
	row.From = from.ID
	if err := s.receiver(from, g.To, row); err != nil {
		return err
	}
	if row.Package != "" {
		return s.mayGivePackage(ctx, from, row.Package, g.By.User)
	}
	return s.mayGiveRight(ctx, from, Right{row.Resource, row.Action, row.Instance, row.Task}, g.By.User)
}

// giver finds the party that gives, which the user administers.
func (s *Service) giver(ctx context.Context, field string, name party.Reference, permission string, user party.UserID) (party.Party, error) {
	p, known := s.directory.Find(name)
	if user == 0 {
		if !known {
			return party.Party{}, refused(fault.NotFound, fault.ReasonPartyNotFound, field, "no such party is on record")
		}
		return p, nil
	}
	// A party that is not known is asked about like all others, as party 0.
	may, err := s.has(ctx, relation.Party(int64(p.ID)), permission, relation.User(int64(user)))
	if err != nil {
		return party.Party{}, err
	}
	if !may || !known {
		return party.Party{}, refused(fault.Denied, ReasonNotAdministrator, field, "the user does not administer the party")
	}
	return p, nil
}

// receiver finds the party that is given something, and says which cannot be.
func (s *Service) receiver(from party.Party, to Receiver, row *records.Delegation) error {
	if row.ToSystem != "" {
		return nil // see systemUserMayHave
	}
	p, ok := s.directory.Find(to.Party)
	switch {
	case !ok:
		return refused(fault.NotFound, fault.ReasonPartyNotFound, "to.party", "no such party is on record")
	case p.ID == from.ID:
		return refused(fault.Invalid, ReasonReceiverNotAllowed, "to.party", "is the party that gives; nobody delegates to himself")
	case p.Kind == party.SubUnit:
		return refused(fault.Invalid, ReasonReceiverNotAllowed, "to.party",
			"is a sub-unit, in which nobody has a key role; give it to its main unit, party %d", p.MainUnit)
	case p.DiedOn != "":
		return refused(fault.Invalid, ReasonReceiverNotAllowed, "to.party", "is a person who has died")
	}
	row.To = p.ID
	if natural(p.Kind) {
		row.ToUser = p.UserID
	}
	return nil
}

// systemUserMayHave says which system user cannot be given something. It is asked in the
// transaction of the write, as system users come and go by themselves.
func systemUserMayHave(ctx context.Context, tx *records.Tx, row records.Delegation) error {
	if row.ToSystem == "" {
		return nil
	}
	u, ok, err := tx.SystemUser(ctx, row.ToSystem)
	switch {
	case err != nil:
		return fmt.Errorf("look for system user %s: %w", row.ToSystem, err)
	case row.Via != 0 && (!ok || u.Owner != row.Via || !u.Agent):
		return refused(fault.Precondition, ReasonNotAgent, "agent.system_user_id", "is no system user of the provider that acts for its clients")
	case !ok:
		return refused(fault.NotFound, ReasonSystemUserNotFound, "to.system_user_id", "there is no such system user")
	}
	return nil
}

func natural(k party.Kind) bool { return k == party.Person || k == party.SelfIdentified }

// put compares the row with what is recorded. What stands is returned, changed or not.
func (s *Service) put(ctx context.Context, tx *records.Tx, row records.Delegation) (stands []records.Delegation, change register.Delegations, err error) {
	known, err := tx.DelegationsWithID(ctx, row.ID())
	if err != nil {
		return nil, register.Delegations{}, err
	}
	now := s.now()
	row.GivenAt = micros(now)
	for _, had := range known {
		if had.Source != row.Source {
			stands = append(stands, had)
			continue
		}
		if had.Expires.IsZero() || had.Expires.After(now) {
			row.GivenBy, row.GivenWith, row.GivenAt = had.GivenBy, had.GivenWith, had.GivenAt
		}
	}
	stands = append(stands, row)
	if slices.Contains(known, row) {
		return stands, register.Delegations{}, nil
	}
	return stands, register.Delegations{Put: []records.Delegation{row}}, nil
}

// micros is a time as records keep it; zero stays zero.
func micros(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
