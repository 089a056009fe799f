package register

import (
	"context"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/registry"
)

// Taker takes what an export finds.
type Taker interface {
	Begin([]records.Source) error
	Party(source string, r PartyRecord) error
	Assignment(source string, r AssignmentRecord) error
	Delegation(source string, r DelegationRecord) error
	Registered(source string, e registry.Entry) error
}

// Export gives all that sources say, as of one state: of each source its parties, then its
// assignments, then its delegations, then what it has registered. An import of it into an empty register, with the sources in this order, comes
// to the same parties under the same identifiers.
func (s *Service) Export(ctx context.Context, to Taker) error {
	return s.records.Read(ctx, func(tx *records.Tx) error {
		sources, err := tx.Sources(ctx)
		if err != nil {
			return err
		}
		if err := to.Begin(sources); err != nil {
			return err
		}
		for _, source := range sources {
			err := tx.Said(ctx, source.Name, func(a records.Assertion) error {
				return to.Party(source.Name, said(a))
			})
			if err != nil {
				return err
			}
			err = tx.Held(ctx, source.Name, func(a records.Assignment) error {
				return to.Assignment(source.Name, AssignmentRecord{
					From: PartyID(a.From).String(), Role: roleName(s.catalogue, a.Role), To: PartyID(a.To).String(), Expires: a.Expires,
				})
			})
			if err != nil {
				return err
			}
			err = tx.EachDelegationBy(ctx, source.Name, func(d records.Delegation) error {
				return to.Delegation(source.Name, delegated(s.catalogue, d))
			})
			if err != nil {
				return err
			}
			err = registry.Export(ctx, tx, source.Name, func(e registry.Entry) error { return to.Registered(source.Name, e) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func said(a records.Assertion) PartyRecord {
	s := a.Says
	r := PartyRecord{
		ID: s.ID, UUID: s.UUID, Kind: s.Kind, Name: s.Name, OrgNumber: s.OrgNumber, NationalID: s.NationalID, UnitType: s.UnitType,
		DeletedOn: s.DeletedOn, BirthDate: s.BirthDate, DiedOn: s.DiedOn, UserID: s.UserID, Login: s.Login, Key: a.Key,
	}
	if s.MainUnit != 0 {
		r.MainUnit = PartyID(s.MainUnit).String()
	}
	return r
}

// roleName returns the name by which an import knows the role of a relation: its code where
// that is its own. A role that has left the catalogue is named by its relation.
func roleName(catalogue *roles.Catalogue, relation string) string {
	role, ok := catalogue.ByRelation(relation)
	if !ok {
		return relation
	}
	for _, name := range []string{role.Code, role.LegacyCode, role.Slug} {
		if known, ok := catalogue.Role(name); ok && name != "" && known.Relation == relation {
			return name
		}
	}
	return role.URN
}

// delegated is a delegation as an import takes it.
func delegated(catalogue *roles.Catalogue, d records.Delegation) DelegationRecord {
	r := DelegationRecord{
		From: PartyID(d.From).String(), To: PartyID(d.To).String(), Package: d.Package,
		Resource: d.Resource, Action: d.Action, Instance: d.Instance, Task: d.Task,
		Expires: d.Expires, GivenBy: d.GivenBy, GivenWith: d.GivenWith, GivenAt: d.GivenAt,
	}
	if d.ToSystem != "" {
		r.To = systemUserScheme + d.ToSystem
	}
	if d.Via != 0 {
		r.Via = PartyID(d.Via).String()
	}
	if p, ok := catalogue.PackageByRelation(d.Package); ok {
		r.Package = p.Code
	}
	return r
}
