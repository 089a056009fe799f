package information

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// PutEstateRole gives a person a role in the estate of another.
func (s *Server) PutEstateRole(ctx context.Context, req *behalfv1.PutEstateRoleRequest) (*behalfv1.PutEstateRoleResponse, error) {
	held, parties, err := s.estateRole(req.GetEstateRole())
	if err != nil {
		return nil, err
	}
	revision, err := s.writes.Relate(ctx, held, parties)
	if err != nil {
		return nil, err
	}
	return &behalfv1.PutEstateRoleResponse{Revision: string(revision)}, nil
}

// DeleteEstateRole takes it away.
func (s *Server) DeleteEstateRole(ctx context.Context, req *behalfv1.DeleteEstateRoleRequest) (*behalfv1.DeleteEstateRoleResponse, error) {
	held, _, err := s.estateRole(req.GetEstateRole())
	if err != nil {
		return nil, err
	}
	revision, err := s.writes.Unrelate(ctx, held)
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

// estateRole returns a role as a relationship, and the parties that it names.
func (s *Server) estateRole(r *behalfv1.EstateRole) (held relation.Relationship, parties []party.ID, err error) {
	from, err := s.named("estate_role.from", r.GetFrom())
	if err != nil {
		return held, nil, err
	}
	h := decision.HeldInEstate{Of: from.ID, Role: r.GetRole()}
	parties = []party.ID{from.ID}
	if text, ok := strings.CutPrefix(r.GetTo(), "user:"); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n <= 0 {
			return held, nil, fault.Field("estate_role.to", "user:<userId> must have a positive number")
		}
		h.Holder = party.UserID(n)
		if p, ok := s.parties.ByUser(h.Holder); ok { // users need not be on record
			parties = append(parties, p.ID)
		}
	} else {
		to, err := s.named("estate_role.to", r.GetTo())
		if err != nil {
			return held, nil, err
		}
		if to.UserID == 0 {
			return held, nil, fault.Field("estate_role.to", "must be a person")
		}
		h.Holder, parties = to.UserID, append(parties, to.ID)
	}
	held, err = h.Relationship()
	return held, parties, err
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
