package registry

import (
	"cmp"
	"context"
	"errors"

	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Parties finds parties.
type Parties interface {
	Find(ref party.Reference) (party.Party, bool)
}

// Config is what a Server needs.
type Config struct {
	Registry *registry.Service
	Parties  Parties
}

// Server is the RegistryService.
type Server struct {
	behalfv1.UnimplementedRegistryServiceServer

	registry *registry.Service
	parties  Parties
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Registry == nil || c.Parties == nil {
		return nil, errors.New("rpc/registry: a registry and parties are required")
	}
	return &Server{registry: c.Registry, parties: c.Parties}, nil
}

// Register registers the service.
func (s *Server) Register(r grpc.ServiceRegistrar) { behalfv1.RegisterRegistryServiceServer(r, s) }

// PutSystemUser adds a system user, or replaces what is recorded of it.
func (s *Server) PutSystemUser(ctx context.Context, req *behalfv1.PutSystemUserRequest) (*behalfv1.PutSystemUserResponse, error) {
	put, revision, err := s.registry.PutSystemUser(ctx, sourceOf(req), SystemUser(req.GetSystemUser()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.PutSystemUserResponse{SystemUser: systemUserMessage(put), Revision: string(revision)}, nil
}

// GetSystemUser returns one system user.
func (s *Server) GetSystemUser(ctx context.Context, req *behalfv1.GetSystemUserRequest) (*behalfv1.GetSystemUserResponse, error) {
	u, err := s.registry.SystemUser(ctx, req.GetUuid())
	if err != nil {
		return nil, err
	}
	return &behalfv1.GetSystemUserResponse{SystemUser: systemUserMessage(u)}, nil
}

// ListSystemUsers returns system users, by UUID.
func (s *Server) ListSystemUsers(ctx context.Context, req *behalfv1.ListSystemUsersRequest) (*behalfv1.ListSystemUsersResponse, error) {
	after, err := continued(req, 1)
	if err != nil {
		return nil, err
	}
	found, next, err := s.registry.SystemUsers(ctx, registry.Reference(req.GetOwner()), after[0], int(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.ListSystemUsersResponse{SystemUsers: each(found, systemUserMessage), NextPageToken: token(next)}, nil
}

// DeleteSystemUser removes a system user.
func (s *Server) DeleteSystemUser(ctx context.Context, req *behalfv1.DeleteSystemUserRequest) (*behalfv1.DeleteSystemUserResponse, error) {
	revision, err := s.registry.DeleteSystemUser(ctx, req.GetUuid())
	if err != nil {
		return nil, err
	}
	return &behalfv1.DeleteSystemUserResponse{Revision: string(revision)}, nil
}

// PutAccessList adds an access list, or replaces it.
func (s *Server) PutAccessList(ctx context.Context, req *behalfv1.PutAccessListRequest) (*behalfv1.PutAccessListResponse, error) {
	put, revision, err := s.registry.PutAccessList(ctx, sourceOf(req), AccessList(req.GetAccessList()), req.GetIfMatch())
	if err != nil {
		return nil, err
	}
	return &behalfv1.PutAccessListResponse{AccessList: accessListMessage(put), Revision: string(revision)}, nil
}

// ChangeAccessListMembers adds members to a list and takes others out.
func (s *Server) ChangeAccessListMembers(ctx context.Context, req *behalfv1.ChangeAccessListMembersRequest) (*behalfv1.ChangeAccessListMembersResponse, error) {
	etag, revision, err := s.registry.ChangeMembers(ctx, req.GetOwner(), req.GetIdentifier(),
		references(req.GetAdd()), references(req.GetRemove()), req.GetIfMatch())
	if err != nil {
		return nil, err
	}
	return &behalfv1.ChangeAccessListMembersResponse{Etag: etag, Revision: string(revision)}, nil
}

func references(texts []string) []registry.Reference {
	return each(texts, func(text string) registry.Reference { return registry.Reference(text) })
}

// GetAccessList returns one access list.
func (s *Server) GetAccessList(ctx context.Context, req *behalfv1.GetAccessListRequest) (*behalfv1.GetAccessListResponse, error) {
	l, err := s.registry.AccessList(ctx, req.GetOwner(), req.GetIdentifier())
	if err != nil {
		return nil, err
	}
	return &behalfv1.GetAccessListResponse{AccessList: accessListMessage(l)}, nil
}

// ListAccessLists returns access lists without their members.
func (s *Server) ListAccessLists(ctx context.Context, req *behalfv1.ListAccessListsRequest) (*behalfv1.ListAccessListsResponse, error) {
	after, err := continued(req, 2)
	if err != nil {
		return nil, err
	}
	found, next, err := s.registry.AccessLists(ctx, req.GetOwner(), [2]string(after), int(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.ListAccessListsResponse{AccessLists: each(found, accessListMessage), NextPageToken: token(next[:]...)}, nil
}

// DeleteAccessList removes an access list.
func (s *Server) DeleteAccessList(ctx context.Context, req *behalfv1.DeleteAccessListRequest) (*behalfv1.DeleteAccessListResponse, error) {
	revision, err := s.registry.DeleteAccessList(ctx, req.GetOwner(), req.GetIdentifier(), req.GetIfMatch())
	if err != nil {
		return nil, err
	}
	return &behalfv1.DeleteAccessListResponse{Revision: string(revision)}, nil
}

// AuthorizeByAccessList says whether a list opens a resource to a party.
func (s *Server) AuthorizeByAccessList(ctx context.Context, req *behalfv1.AuthorizeByAccessListRequest) (*behalfv1.AuthorizeByAccessListResponse, error) {
	standing, revision, err := s.registry.Standing(ctx, relation.At{AtLeast: relation.Revision(req.GetAtLeastAsFresh())},
		s.party(req.GetParty()), req.GetResource(), req.GetAction())
	if err != nil {
		return nil, err
	}
	result := behalfv1.AccessListResult_ACCESS_LIST_RESULT_NOT_AUTHORIZED
	switch {
	case standing.Allowed:
		result = behalfv1.AccessListResult_ACCESS_LIST_RESULT_AUTHORIZED
	case !standing.Known:
		result = behalfv1.AccessListResult_ACCESS_LIST_RESULT_NOT_DETERMINED
	}
	return &behalfv1.AuthorizeByAccessListResponse{Result: result, Revision: string(revision)}, nil
}

// party returns the id of a party, 0, which is on no list, when nobody is known by that name.
func (s *Server) party(ref *behalfv1.PartyReference) party.ID {
	p, _ := s.parties.Find(party.Reference{
		ID: party.ID(ref.GetPartyId()), UUID: ref.GetPartyUuid(), OrgNumber: ref.GetOrgNumber(), NationalID: ref.GetNationalId(),
	})
	return p.ID
}

// PutResource adds a resource, or replaces what is recorded of it.
func (s *Server) PutResource(ctx context.Context, req *behalfv1.PutResourceRequest) (*behalfv1.PutResourceResponse, error) {
	r := Resource(req.GetResource())
	r.Source = sourceOf(req)
	if err := s.registry.PutResource(ctx, r); err != nil {
		return nil, err
	}
	return &behalfv1.PutResourceResponse{Resource: resourceMessage(r)}, nil
}

// GetResource returns one resource.
func (s *Server) GetResource(ctx context.Context, req *behalfv1.GetResourceRequest) (*behalfv1.GetResourceResponse, error) {
	r, err := s.registry.Resource(ctx, req.GetId())
	if err != nil {
		return nil, err
	}
	return &behalfv1.GetResourceResponse{Resource: resourceMessage(r)}, nil
}

// ListResources returns resources, by id.
func (s *Server) ListResources(ctx context.Context, req *behalfv1.ListResourcesRequest) (*behalfv1.ListResourcesResponse, error) {
	after, err := continued(req, 1)
	if err != nil {
		return nil, err
	}
	found, next, err := s.registry.Resources(ctx, req.GetOwner(), after[0], int(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.ListResourcesResponse{Resources: each(found, resourceMessage), NextPageToken: token(next)}, nil
}

// DeleteResource removes a resource.
func (s *Server) DeleteResource(ctx context.Context, req *behalfv1.DeleteResourceRequest) (*behalfv1.DeleteResourceResponse, error) {
	if err := s.registry.DeleteResource(ctx, req.GetId()); err != nil {
		return nil, err
	}
	return &behalfv1.DeleteResourceResponse{}, nil
}

// sourceOf returns who writes.
func sourceOf(req interface{ GetSource() string }) string {
	return cmp.Or(req.GetSource(), registry.SourceAPI)
}

func each[A, B any](all []A, f func(A) B) []B {
	out := make([]B, len(all))
	for i, a := range all {
		out[i] = f(a)
	}
	return out
}
