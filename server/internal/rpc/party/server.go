package party

import (
	"context"
	"fmt"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/rpc/reading"
)

// Config is what a Server needs.
type Config struct {
	Parties   *party.Service
	Catalogue *roles.Catalogue
}

// Server is the PartyService.
type Server struct {
	behalfv1.UnimplementedPartyServiceServer

	parties   *party.Service
	catalogue *roles.Catalogue
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Parties == nil || c.Catalogue == nil {
		return nil, fmt.Errorf("rpc/party: parties and catalogue are required")
	}
	return &Server{parties: c.Parties, catalogue: c.Catalogue}, nil
}

// ListParties returns the parties a user may represent.
func (s *Server) ListParties(ctx context.Context, req *behalfv1.ListPartiesRequest) (*behalfv1.ListPartiesResponse, error) {
	user, err := caller.From(ctx).Subject(req.GetUserId())
	if err != nil {
		return nil, err
	}
	role, err := s.role(req.GetRole())
	if err != nil {
		return nil, err
	}
	access, err := s.accessPackage(req.GetPackage())
	if err != nil {
		return nil, err
	}
	if err := oneFilter(req); err != nil {
		return nil, err
	}
	order, err := partyOrder(req.GetOrder())
	if err != nil {
		return nil, err
	}
	at, err := reading.At(ctx, req)
	if err != nil {
		return nil, err
	}
	list, err := s.parties.List(ctx, party.Query{
		User:           party.UserID(user),
		Role:           role,
		Package:        access,
		Resource:       req.GetResource(),
		Action:         req.GetAction(),
		Search:         req.GetSearch(),
		Order:          order,
		PageSize:       int(req.GetPageSize()),
		PageToken:      req.GetPageToken(),
		Group:          req.GetGroupSubUnits(),
		ExcludeDeleted: req.GetExcludeDeleted(),
		At:             at,
	})
	if err != nil {
		return nil, err
	}
	return &behalfv1.ListPartiesResponse{
		Parties:       entryMessages(list.Entries),
		NextPageToken: list.Next,
		TotalSize:     int32(list.Total),
		Revision:      string(list.Revision),
	}, nil
}

// GetParty returns one party by any of its identifiers.
func (s *Server) GetParty(ctx context.Context, req *behalfv1.GetPartyRequest) (*behalfv1.GetPartyResponse, error) {
	ref, err := reference(req.GetParty())
	if err != nil {
		return nil, err
	}
	at := relation.At{AtLeast: relation.Revision(req.GetAtLeastAsFresh())}
	p, revision, err := s.parties.Get(ctx, at, caller.From(ctx), ref)
	if err != nil {
		return nil, err
	}
	return &behalfv1.GetPartyResponse{Party: partyMessage(p), Revision: string(revision)}, nil
}

// ValidateParty says whether a user may represent a party.
func (s *Server) ValidateParty(ctx context.Context, req *behalfv1.ValidatePartyRequest) (*behalfv1.ValidatePartyResponse, error) {
	user, err := caller.From(ctx).Subject(req.GetUserId())
	if err != nil {
		return nil, err
	}
	at, err := reading.At(ctx, req)
	if err != nil {
		return nil, err
	}
	may, revision, err := s.parties.Validate(ctx, at, party.ID(req.GetPartyId()), party.UserID(user))
	if err != nil {
		return nil, err
	}
	return &behalfv1.ValidatePartyResponse{MayRepresent: may, Revision: string(revision)}, nil
}

// ListRepresentatives returns the users who may represent a party. It is closed to end
// users here too, not by the access table alone: it shows other people.
func (s *Server) ListRepresentatives(ctx context.Context, req *behalfv1.ListRepresentativesRequest) (*behalfv1.ListRepresentativesResponse, error) {
	if caller.From(ctx).Kind != caller.Service {
		return nil, fault.New(fault.Denied, fault.ReasonServicesOnly, "the call is open to services only")
	}
	role, err := s.role(req.GetRole())
	if err != nil {
		return nil, err
	}
	at, err := reading.At(ctx, req)
	if err != nil {
		return nil, err
	}
	list, err := s.parties.Representatives(ctx, party.RepresentativesQuery{
		Party:     party.ID(req.GetPartyId()),
		Role:      role,
		PageSize:  int(req.GetPageSize()),
		PageToken: req.GetPageToken(),
		At:        at,
	})
	if err != nil {
		return nil, err
	}
	return &behalfv1.ListRepresentativesResponse{
		Representatives: representativeMessages(list.Users),
		NextPageToken:   list.Next,
		TotalSize:       int32(list.Total),
		Revision:        string(list.Revision),
	}, nil
}

// role returns the relation of the role that a text names, empty for no text.
func (s *Server) role(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	role, ok := s.catalogue.Role(text)
	if !ok {
		e := fault.Field("role", "the catalogue has no role %q; a role is named by its code, legacy code or URN", text)
		e.Reason = fault.ReasonUnknownRole
		return "", e
	}
	return role.Relation, nil
}

// accessPackage returns the relation of the access package that a text names, empty for no
// text.
func (s *Server) accessPackage(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	p, ok := s.catalogue.Package(text)
	if !ok {
		return "", fault.Field("package", "the catalogue has no access package %q; a package is named by its code or URN", text)
	}
	return p.Relation, nil
}

// oneFilter refuses a request that asks for a list by several things at once.
func oneFilter(req *behalfv1.ListPartiesRequest) error {
	given := 0
	for _, text := range []string{req.GetRole(), req.GetPackage(), req.GetResource()} {
		if text != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return fault.Field("resource", "at most one of role, package and resource can be given")
	case req.GetAction() != "" && req.GetResource() == "":
		return fault.Field("action", "is an action of a resource, which is missing")
	}
	return nil
}
