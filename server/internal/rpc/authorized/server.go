package authorized

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/authorized"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// ReasonNotAdministrator is given to an end user who asks about a party whose access he does
// not administer, whether or not it exists.
const ReasonNotAdministrator fault.Reason = "NOT_ADMINISTRATOR"

// Parties finds parties.
type Parties interface {
	Find(ref party.Reference) (party.Party, bool)
}

// Checker answers who has which permission on what.
type Checker interface {
	Check(ctx context.Context, at relation.At, questions ...relation.Question) ([]relation.Answer, relation.Revision, error)
}

// Administration decides who may see what others may act for on a party's behalf. It
// decides nothing, which decided says, when no policy for it is stored.
type Administration interface {
	MaySee(ctx context.Context, user party.UserID, of party.ID, at relation.At) (allowed, decided bool, err error)
}

// Config is what a Server needs.
type Config struct {
	Authorized     *authorized.Service
	Parties        Parties
	Relations      Checker
	Administration Administration
}

// Server is the AuthorizedPartyService.
type Server struct {
	behalfv1.UnimplementedAuthorizedPartyServiceServer

	authorized *authorized.Service
	parties    Parties
	relations  Checker
	decides    Administration
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Authorized == nil || c.Parties == nil || c.Relations == nil || c.Administration == nil {
		return nil, errors.New("rpc/authorized: authorized parties, parties, relations and an administration are required")
	}
	return &Server{authorized: c.Authorized, parties: c.Parties, relations: c.Relations, decides: c.Administration}, nil
}

// Register registers the service.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	behalfv1.RegisterAuthorizedPartyServiceServer(r, s)
}

// ListAuthorizedParties returns the parties for which somebody may act.
func (s *Server) ListAuthorizedParties(ctx context.Context, req *behalfv1.ListAuthorizedPartiesRequest) (*behalfv1.ListAuthorizedPartiesResponse, error) {
	subject, err := s.subject(ctx, req)
	if err != nil {
		return nil, err
	}
	q := authorized.Query{
		Subject: subject, At: relation.At{AtLeast: relation.Revision(req.GetAtLeastAsFresh())},
		WithoutRoles: req.GetWithoutRoles(), WithoutPackages: req.GetWithoutPackages(),
		WithoutResources: req.GetWithoutResources(), WithoutInstances: req.GetWithoutInstances(),
		WithoutKeyRoles: req.GetWithoutKeyRoles(), WithoutSubUnits: req.GetWithoutSubUnits(), WithoutDeleted: req.GetWithoutDeleted(),
		HeldOnly: req.GetHeldRolesOnly(), ShownOnly: req.GetShownOnly(), Owner: req.GetOwner(), Resources: req.GetResources(),
		PageSize: int(req.GetPageSize()), PageToken: req.GetPageToken(),
	}
	for _, ref := range req.GetParties() {
		q.Parties = append(q.Parties, s.party(ref).ID) // 0 is no party, and so keeps none
	}
	list, err := s.authorized.List(ctx, q)
	if err != nil {
		return nil, err
	}
	return &behalfv1.ListAuthorizedPartiesResponse{
		Parties: messages(list.Entries), NextPageToken: list.Next, TotalSize: int32(list.Total), Revision: string(list.Revision),
	}, nil
}

// The scopes by which service owners ask about anybody, as Altinn spells them.
const (
	scopeResourceOwner = "altinn:accessmanagement/authorizedparties.resourceowner"
	scopeAdmin         = "altinn:accessmanagement/authorizedparties.admin"
)

// mayAskAboutAnybody reports whether the caller is a service with a scope for it.
func mayAskAboutAnybody(who caller.Caller) bool {
	return who.Has(caller.PartiesRead) || who.Kind == caller.Service &&
		(slices.Contains(who.Granted, scopeResourceOwner) || slices.Contains(who.Granted, scopeAdmin))
}

// subject returns whom the call is about, if the caller may ask.
func (s *Server) subject(ctx context.Context, req *behalfv1.ListAuthorizedPartiesRequest) (authorized.Subject, error) {
	who := caller.From(ctx)
	if who.Kind == caller.Service && !mayAskAboutAnybody(who) {
		return authorized.Subject{}, fault.New(fault.Denied, fault.ReasonScopeMissing, "the call needs the scope %s", caller.PartiesRead).
			With("scope", string(caller.PartiesRead))
	}
	switch of := req.GetSubject().GetSubject().(type) {
	case *behalfv1.AuthorizedSubject_SystemUserId:
		if who.Kind != caller.Service {
			return authorized.Subject{}, fault.New(fault.Denied, fault.ReasonServicesOnly, "a system user is asked about by services only")
		}
		return authorized.Subject{SystemUser: of.SystemUserId}, nil
	case *behalfv1.AuthorizedSubject_Party:
		return s.ofParty(ctx, who, of.Party, req.GetAtLeastAsFresh())
	case *behalfv1.AuthorizedSubject_UserId:
		user, err := who.Subject(of.UserId)
		return authorized.Subject{User: party.UserID(user)}, err
	}
	user, err := who.Subject(0)
	return authorized.Subject{User: party.UserID(user)}, err
}

// ofParty returns the subject that a party is: a person is his user.
func (s *Server) ofParty(ctx context.Context, who caller.Caller, ref *behalfv1.PartyReference, fresh string) (authorized.Subject, error) {
	p := s.party(ref)
	natural := p.Kind == party.Person || p.Kind == party.SelfIdentified
	if who.Kind == caller.User {
		if natural && int64(p.UserID) == who.UserID {
			return authorized.Subject{User: p.UserID}, nil
		}
		administers, err := s.administers(ctx, who.UserID, p, fresh)
		if err != nil {
			return authorized.Subject{}, err
		}
		if natural || !administers {
			return authorized.Subject{}, fault.New(fault.Denied, ReasonNotAdministrator, "the user does not administer the party's access")
		}
	}
	switch {
	case p.ID == 0:
		e := fault.Field("subject.party", "no such party is on record")
		e.Reason = fault.ReasonPartyNotFound
		return authorized.Subject{}, e
	case natural:
		return authorized.Subject{User: p.UserID}, nil
	}
	return authorized.Subject{Organisation: p.ID}, nil
}

// administers reports whether a user administers the access of a party: the policy of access
// management says so or, where none is stored, he holds a key role in it, or is its main
// administrator or an administrator of access. A party that nobody is
// on record under is asked about like all others.
func (s *Server) administers(ctx context.Context, user int64, p party.Party, fresh string) (bool, error) {
	at := relation.At{AtLeast: relation.Revision(fresh)}
	if p.ID != 0 {
		if allowed, decided, err := s.decides.MaySee(ctx, party.UserID(user), p.ID, at); err != nil || decided {
			return allowed && err == nil, err
		}
	}
	var questions []relation.Question
	for _, permission := range []string{"key_holder", "has_admai", "has_hovedadministrator"} {
		questions = append(questions, relation.Question{Object: relation.Party(int64(p.ID)), Permission: permission, Subject: relation.User(user)})
	}
	answers, _, err := s.relations.Check(ctx, at, questions...)
	if err != nil {
		return false, fmt.Errorf("check who administers party %d: %w", p.ID, err)
	}
	administers := false
	for _, a := range answers {
		if a.Err != nil {
			return false, fmt.Errorf("check who administers party %d: %w", p.ID, a.Err)
		}
		administers = administers || a.Allowed
	}
	return administers, nil
}

// party returns the party that is meant, or none.
func (s *Server) party(ref *behalfv1.PartyReference) party.Party {
	p, _ := s.parties.Find(party.Reference{
		ID: party.ID(ref.GetPartyId()), UUID: ref.GetPartyUuid(), OrgNumber: ref.GetOrgNumber(), NationalID: ref.GetNationalId(),
	})
	return p
}

func messages(entries []authorized.Entry) []*behalfv1.AuthorizedParty {
	out := make([]*behalfv1.AuthorizedParty, len(entries))
	for i, e := range entries {
		m := &behalfv1.AuthorizedParty{
			Party: partyMessage(e.Party), HierarchyOnly: e.HierarchyOnly, Resources: e.Resources, SubUnits: messages(e.SubUnits),
		}
		for _, r := range e.Roles {
			m.Roles = append(m.Roles, &behalfv1.AuthorizedRole{Code: r.Code, Slug: r.Slug, LegacyCode: r.LegacyCode})
		}
		for _, p := range e.Packages {
			m.Packages = append(m.Packages, p.Code)
		}
		for _, in := range e.Instances {
			m.Instances = append(m.Instances, &behalfv1.AuthorizedInstance{Resource: in.Resource, Instance: in.ID})
		}
		out[i] = m
	}
	return out
}

func partyMessage(p party.Party) *behalfv1.Party {
	return &behalfv1.Party{
		PartyId: int64(p.ID), PartyUuid: p.UUID, Kind: behalfv1.PartyKind(p.Kind), Name: p.Name, OrgNumber: p.OrgNumber,
		NationalId: p.NationalID, UnitType: p.UnitType, Deleted: p.DeletedOn != "", MainUnitId: int64(p.MainUnit), BirthDate: p.BirthDate,
	}
}
