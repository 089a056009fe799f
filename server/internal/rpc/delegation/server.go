package delegation

import (
	"context"
	"errors"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// defaultPage is how many delegations a page has unless the request says.
const defaultPage = 100

// Config is what a Server needs.
type Config struct {
	Delegations *delegation.Service
}

// Server is the DelegationService.
type Server struct {
	behalfv1.UnimplementedDelegationServiceServer

	delegations *delegation.Service
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Delegations == nil {
		return nil, errors.New("rpc/delegation: delegations are required")
	}
	return &Server{delegations: c.Delegations}, nil
}

// GrantRight gives a single right.
func (s *Server) GrantRight(ctx context.Context, req *behalfv1.GrantRightRequest) (*behalfv1.GrantRightResponse, error) {
	by, err := actor(ctx, req.GetUserId())
	if err != nil {
		return nil, err
	}
	d, revision, err := s.delegations.Grant(ctx, delegation.Grant{
		From: reference(req.GetFrom()), To: receiver(req.GetTo()), Right: right(req.GetRight()), Expires: instant(req.GetExpiresAt()), By: by,
	})
	if err != nil {
		return nil, err
	}
	return &behalfv1.GrantRightResponse{Delegation: message(d), Revision: string(revision)}, nil
}

// GrantPackage gives an access package.
func (s *Server) GrantPackage(ctx context.Context, req *behalfv1.GrantPackageRequest) (*behalfv1.GrantPackageResponse, error) {
	by, err := actor(ctx, req.GetUserId())
	if err != nil {
		return nil, err
	}
	d, revision, err := s.delegations.Grant(ctx, delegation.Grant{
		From: reference(req.GetFrom()), To: receiver(req.GetTo()), Package: req.GetPackage(), Expires: instant(req.GetExpiresAt()), By: by,
	})
	if err != nil {
		return nil, err
	}
	return &behalfv1.GrantPackageResponse{Delegation: message(d), Revision: string(revision)}, nil
}

// GrantClientPackage gives an agent of a provider a package of a client.
func (s *Server) GrantClientPackage(ctx context.Context, req *behalfv1.GrantClientPackageRequest) (*behalfv1.GrantClientPackageResponse, error) {
	by, err := actor(ctx, req.GetUserId())
	if err != nil {
		return nil, err
	}
	d, revision, err := s.delegations.Grant(ctx, delegation.Grant{
		From: reference(req.GetClient()), Provider: reference(req.GetProvider()), To: receiver(req.GetAgent()),
		Package: req.GetPackage(), Expires: instant(req.GetExpiresAt()), By: by,
	})
	if err != nil {
		return nil, err
	}
	return &behalfv1.GrantClientPackageResponse{Delegation: message(d), Revision: string(revision)}, nil
}

// RevokeDelegation takes a delegation back.
func (s *Server) RevokeDelegation(ctx context.Context, req *behalfv1.RevokeDelegationRequest) (*behalfv1.RevokeDelegationResponse, error) {
	by, err := actor(ctx, req.GetUserId())
	if err != nil {
		return nil, err
	}
	revision, err := s.delegations.Revoke(ctx, req.GetId(), by)
	if err != nil {
		return nil, err
	}
	return &behalfv1.RevokeDelegationResponse{Revision: string(revision)}, nil
}

// ListDelegations returns the delegations of a party.
func (s *Server) ListDelegations(ctx context.Context, req *behalfv1.ListDelegationsRequest) (*behalfv1.ListDelegationsResponse, error) {
	by, err := actor(ctx, req.GetUserId())
	if err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	after, err := pageToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, more, err := s.delegations.List(ctx, delegation.Query{
		Party: party.ID(req.GetPartyId()), SystemUser: req.GetSystemUserId(), Side: side(req.GetSide()), Size: size, After: after, By: by,
	})
	if err != nil {
		return nil, err
	}
	out := &behalfv1.ListDelegationsResponse{Delegations: make([]*behalfv1.Delegation, len(page))}
	for i, d := range page {
		out.Delegations[i] = message(d)
	}
	if more {
		out.NextPageToken = page[len(page)-1].ID
	}
	return out, nil
}

// CheckDelegation says what a user may pass on for a party.
func (s *Server) CheckDelegation(ctx context.Context, req *behalfv1.CheckDelegationRequest) (*behalfv1.CheckDelegationResponse, error) {
	user, err := caller.From(ctx).Subject(req.GetUserId())
	if err != nil {
		return nil, err
	}
	answers, revision, err := s.delegations.Check(ctx, delegation.Asked{
		Party: party.ID(req.GetPartyId()), User: party.UserID(user), Resource: req.GetResource(), Packages: req.GetPackages(),
		Provider: party.ID(req.GetProviderPartyId()), At: relation.At{AtLeast: relation.Revision(req.GetAtLeastAsFresh())},
	})
	if err != nil {
		return nil, err
	}
	out := &behalfv1.CheckDelegationResponse{Revision: string(revision), Answers: make([]*behalfv1.DelegationAnswer, len(answers))}
	for i, a := range answers {
		out.Answers[i] = answerMessage(a)
	}
	return out, nil
}

// actor is who calls: a user himself, a service for the user that it names or, when it names
// none, in its own name.
func actor(ctx context.Context, asked int64) (delegation.Actor, error) {
	who := caller.From(ctx)
	if who.Kind == caller.Service {
		return delegation.Actor{User: party.UserID(asked), With: who.Name}, nil
	}
	user, err := who.Subject(asked)
	if err == nil && user == 0 {
		// Nobody but a service acts without a user.
		err = fault.New(fault.Unauthenticated, fault.ReasonCredentialsInvalid, "the token names no user")
	}
	return delegation.Actor{User: party.UserID(user)}, err
}
