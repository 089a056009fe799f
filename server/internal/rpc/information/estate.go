package information

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
)

// PutEstateRole gives a person a role in the estate of another.
func (s *Server) PutEstateRole(ctx context.Context, req *behalfv1.PutEstateRoleRequest) (*behalfv1.PutEstateRoleResponse, error) {
	of, user, err := s.persons(req.GetEstateRole())
	if err != nil {
		return nil, err
	}
	revision, err := s.estates.Put(ctx, of, req.GetEstateRole().GetRole(), user)
	if err != nil {
		return nil, err
	}
	return &behalfv1.PutEstateRoleResponse{Revision: string(revision)}, nil
}

// DeleteEstateRole takes it away.
func (s *Server) DeleteEstateRole(ctx context.Context, req *behalfv1.DeleteEstateRoleRequest) (*behalfv1.DeleteEstateRoleResponse, error) {
	of, user, err := s.persons(req.GetEstateRole())
	if err != nil {
		return nil, err
	}
	revision, err := s.estates.Delete(ctx, of, req.GetEstateRole().GetRole(), user)
	if err != nil {
		return nil, err
	}
	return &behalfv1.DeleteEstateRoleResponse{Revision: string(revision)}, nil
}

// ListEstateRoles returns roles in estates.
func (s *Server) ListEstateRoles(ctx context.Context, req *behalfv1.ListEstateRolesRequest) (*behalfv1.ListEstateRolesResponse, error) {
	held, revision, err := s.estates.List(ctx, party.ID(req.GetPartyId()))
	if err != nil {
		return nil, err
	}
	out := &behalfv1.ListEstateRolesResponse{Revision: string(revision)}
	for _, h := range held {
		out.EstateRoles = append(out.EstateRoles, &behalfv1.EstateRole{
			From: fmt.Sprintf("party:%d", h.Of), To: fmt.Sprintf("user:%d", h.Holder), Role: h.Role,
		})
	}
	return out, nil
}

// persons returns whose estate a role is in, and the user who holds it.
func (s *Server) persons(r *behalfv1.EstateRole) (of party.ID, user party.UserID, err error) {
	from, err := s.named("estate_role.from", r.GetFrom())
	if err != nil {
		return 0, 0, err
	}
	if text, ok := strings.CutPrefix(r.GetTo(), "user:"); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n <= 0 {
			return 0, 0, fault.Field("estate_role.to", "user:<userId> must have a positive number")
		}
		return from.ID, party.UserID(n), nil
	}
	to, err := s.named("estate_role.to", r.GetTo())
	if err != nil {
		return 0, 0, err
	}
	if to.UserID == 0 {
		return 0, 0, fault.Field("estate_role.to", "must be a person")
	}
	return from.ID, to.UserID, nil
}

// named returns the party that a reference names.
func (s *Server) named(field, reference string) (party.Party, error) {
	scheme, text, _ := strings.Cut(reference, ":")
	var p party.Party
	known := false
	switch scheme {
	case "party":
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return p, fault.Field(field, "party:<partyId> must have a number")
		}
		p, known = s.parties.Get(party.ID(id))
	case "nin":
		p, known = s.parties.ByNationalID(text)
	case "uuid":
		p, known = s.parties.ByUUID(text)
	default:
		return p, fault.Field(field, "must be party:<partyId>, nin:<national identity number> or uuid:<UUID>")
	}
	if !known {
		return p, fault.New(fault.NotFound, fault.ReasonPartyNotFound, "%s names no party on record", field)
	}
	return p, nil
}
