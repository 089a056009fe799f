package session

import (
	"context"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	partyrpc "github.com/behalf-authz/behalf/server/internal/rpc/party"
)

// defaultPage is how many parties a page has when a call does not say.
const defaultPage = 100

// Choices keep for whom the holders of sessions act.
type Choices interface {
	// Choose keeps for which party the holder of a session acts.
	Choose(ctx context.Context, secret authn.Secret, party int64) error
	// Back returns where a browser may be sent back to that comes from an address.
	Back(address string) string
}

// Parties knows whom users may act for.
type Parties interface {
	List(ctx context.Context, q party.Query) (party.List, error)
	// Get returns a party that an end user may represent, and the same denial for every other.
	Get(ctx context.Context, at relation.At, who caller.Caller, ref party.Reference) (party.Party, relation.Revision, error)
}

// ListSessionParties returns whom the holder of a session may act for.
func (s *Server) ListSessionParties(ctx context.Context, r *behalfv1.ListSessionPartiesRequest) (*behalfv1.ListSessionPartiesResponse, error) {
	who, err := s.sessions.Caller(ctx, authn.Secret(r.GetSession()))
	if err != nil {
		return nil, err
	}
	answer := &behalfv1.ListSessionPartiesResponse{ChosenPartyId: who.Chosen, ReturnTo: s.choices.Back(r.GetReturnTo())}
	if answer.ChosenPartyId == 0 {
		answer.ChosenPartyId = who.PartyID
	}
	if who.UserID <= 0 { // authenticated, and no user: he acts for nobody
		return answer, nil
	}
	size := int(r.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	list, err := s.parties.List(ctx, party.Query{
		User: party.UserID(who.UserID), Search: r.GetSearch(), PageSize: size, PageToken: r.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	answer.Parties, answer.NextPageToken = partyrpc.Messages(list.Entries), list.Next
	answer.TotalSize = int32(min(list.Total, 1<<31-1))
	return answer, nil
}

// ChooseSessionParty keeps for whom the holder of a session acts, if he may.
func (s *Server) ChooseSessionParty(ctx context.Context, r *behalfv1.ChooseSessionPartyRequest) (*behalfv1.ChooseSessionPartyResponse, error) {
	who, err := s.sessions.Caller(ctx, authn.Secret(r.GetSession()))
	if err != nil {
		return nil, err
	}
	ref, err := partyrpc.Reference(r.GetParty())
	if err != nil {
		return nil, err
	}
	chosen, _, err := s.parties.Get(ctx, relation.At{}, who, ref)
	if err != nil {
		return nil, err
	}
	if err := s.choices.Choose(ctx, authn.Secret(r.GetSession()), int64(chosen.ID)); err != nil {
		return nil, err
	}
	return &behalfv1.ChooseSessionPartyResponse{Party: partyrpc.Message(chosen), ReturnTo: s.choices.Back(r.GetReturnTo())}, nil
}
