package identity

import (
	"context"
	"errors"

	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/authn/link"
)

// defaultPage is how many identities a page has when a call does not say.
const defaultPage = 100

// Links links subjects and users.
type Links interface {
	Link(ctx context.Context, i link.Identity) (was int64, err error)
	Unlink(ctx context.Context, issuer, subject string) (was int64, err error)
	List(ctx context.Context, q link.Query, token string) (page []link.Identity, next string, err error)
}

// Server is behalf.v1.IdentityService.
type Server struct {
	behalfv1.UnimplementedIdentityServiceServer
	links Links
}

// New returns the service.
func New(links Links) (*Server, error) {
	if links == nil {
		return nil, errors.New("the identity service needs links")
	}
	return &Server{links: links}, nil
}

// Register adds the service to a server or channel.
func (s *Server) Register(r grpc.ServiceRegistrar) { behalfv1.RegisterIdentityServiceServer(r, s) }

// ListIdentities returns the subjects that are users.
func (s *Server) ListIdentities(ctx context.Context, r *behalfv1.ListIdentitiesRequest) (*behalfv1.ListIdentitiesResponse, error) {
	q := link.Query{User: r.GetUserId(), Issuer: r.GetIssuer(), Limit: int(r.GetPageSize())}
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	page, next, err := s.links.List(ctx, q, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &behalfv1.ListIdentitiesResponse{NextPageToken: next}
	for _, i := range page {
		answer.Identities = append(answer.Identities, &behalfv1.Identity{Issuer: i.Issuer, Subject: i.Subject, UserId: i.User})
	}
	return answer, nil
}

// LinkIdentity says which user a subject is.
func (s *Server) LinkIdentity(ctx context.Context, r *behalfv1.LinkIdentityRequest) (*behalfv1.LinkIdentityResponse, error) {
	i := r.GetIdentity()
	was, err := s.links.Link(ctx, link.Identity{Issuer: i.GetIssuer(), Subject: i.GetSubject(), User: i.GetUserId()})
	if err != nil {
		return nil, err
	}
	return &behalfv1.LinkIdentityResponse{PreviousUserId: was}, nil
}

// UnlinkIdentity says that a subject is nobody.
func (s *Server) UnlinkIdentity(ctx context.Context, r *behalfv1.UnlinkIdentityRequest) (*behalfv1.UnlinkIdentityResponse, error) {
	was, err := s.links.Unlink(ctx, r.GetIssuer(), r.GetSubject())
	if err != nil {
		return nil, err
	}
	return &behalfv1.UnlinkIdentityResponse{PreviousUserId: was}, nil
}
