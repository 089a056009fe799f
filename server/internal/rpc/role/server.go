package role

import (
	"context"
	"fmt"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/role"
	"github.com/behalf-authz/behalf/server/internal/rpc/reading"
)

// Config is what a Server needs.
type Config struct {
	Roles     *role.Service
	Catalogue *roles.Catalogue
}

// Server is the RoleService.
type Server struct {
	behalfv1.UnimplementedRoleServiceServer

	roles     *role.Service
	catalogue *behalfv1.ListCatalogueResponse // never changes, so it is built once
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Roles == nil || c.Catalogue == nil {
		return nil, fmt.Errorf("rpc/role: roles and catalogue are required")
	}
	catalogue, err := catalogueMessage(c.Catalogue)
	if err != nil {
		return nil, err
	}
	return &Server{roles: c.Roles, catalogue: catalogue}, nil
}

// ListRoles returns the roles of a user for a party.
func (s *Server) ListRoles(ctx context.Context, req *behalfv1.ListRolesRequest) (*behalfv1.ListRolesResponse, error) {
	user, err := caller.From(ctx).Subject(req.GetUserId())
	if err != nil {
		return nil, err
	}
	at, err := reading.At(ctx, req)
	if err != nil {
		return nil, err
	}
	held, revision, err := s.roles.Roles(ctx, at, party.ID(req.GetPartyId()), party.UserID(user))
	if err != nil {
		return nil, err
	}
	out := &behalfv1.ListRolesResponse{Revision: string(revision), Roles: make([]*behalfv1.HeldRole, len(held))}
	for i, r := range held {
		out.Roles[i] = &behalfv1.HeldRole{Code: r.Code, Urn: r.URN}
	}
	return out, nil
}

// ListCatalogue returns the role catalogue.
func (s *Server) ListCatalogue(context.Context, *behalfv1.ListCatalogueRequest) (*behalfv1.ListCatalogueResponse, error) {
	return s.catalogue, nil
}

func catalogueMessage(c *roles.Catalogue) (*behalfv1.ListCatalogueResponse, error) {
	out := &behalfv1.ListCatalogueResponse{}
	for _, r := range c.Roles() {
		implied, err := codes(c, r.Implies)
		if err != nil {
			return nil, fmt.Errorf("rpc/role: role %s: %w", r.Code, err)
		}
		out.Roles = append(out.Roles, &behalfv1.CatalogueRole{
			Code:      r.Code,
			Slug:      r.Slug,
			Urn:       r.URN,
			LegacyUrn: r.LegacyURN,
			Name:      r.Name,
			NameEn:    r.NameEN,
			KeyRole:   r.KeyRole,
			Implies:   implied,
			Relation:  r.Relation,
		})
	}
	return out, nil
}

func codes(c *roles.Catalogue, relations []string) ([]string, error) {
	out := make([]string, len(relations))
	for i, name := range relations {
		r, ok := c.ByRelation(name)
		if !ok {
			return nil, fmt.Errorf("implies %q, which the catalogue lacks", name)
		}
		out[i] = r.Code
	}
	return out, nil
}
