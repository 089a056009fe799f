package behalf

import (
	"context"
	"iter"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Answers about parties.
type (
	// Party is a person, organisation, sub-unit, self-identified user or estate.
	Party = behalfv1.Party
	// Representative is a user who may represent a party.
	Representative = behalfv1.Representative
	// PartyOrder is the order of a list of parties; the zero value is by name.
	PartyOrder = behalfv1.PartyOrder
)

// PartyRef names a party by one of its identifiers. Make one with ByPartyID, ByUUID, ByOrgNumber
// or ByNationalID; the zero value names none.
type PartyRef struct{ reference *behalfv1.PartyReference }

// ByPartyID names a party by Altinn's partyId.
func ByPartyID(id PartyID) PartyRef {
	return PartyRef{&behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: int64(id)}}}
}

// ByUUID names a party by its UUID.
func ByUUID(uuid string) PartyRef {
	return PartyRef{&behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyUuid{PartyUuid: uuid}}}
}

// ByOrgNumber names an organisation by its nine-digit number.
func ByOrgNumber(number string) PartyRef {
	return PartyRef{&behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_OrgNumber{OrgNumber: number}}}
}

// ByNationalID names a person by the eleven-digit national identity number.
func ByNationalID(number string) PartyRef {
	return PartyRef{&behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_NationalId{NationalId: number}}}
}

// PartyQuery says which of the parties that a user may represent are listed, and how. The zero
// value lists all by name.
type PartyQuery struct {
	// User is the user asked about.
	User UserID
	// Role keeps the parties on which the user has this role: a code or URN in any case.
	Role string
	// Package keeps the parties for which the user may use this access package, Resource those
	// for which this resource's policy lets him take Action, or any action when that is empty, by
	// a role or a package that it names or by a right delegated. One of Role, Package and
	// Resource can be given.
	Package, Resource, Action string
	// Search keeps the parties whose name or organisation number begins with its words.
	Search string
	// Order is the order of the list.
	Order PartyOrder
	// GroupSubUnits nests sub-units in their main unit.
	GroupSubUnits bool
	// ExcludeDeleted leaves out parties that the register has struck off.
	ExcludeDeleted bool
	// PageSize is how many are fetched at once; 0 means 1,000. It changes no answer.
	PageSize int
}

// Parties lists the parties that a user may represent, all at one revision. They are fetched
// page by page while the list is read. An error is its last entry.
func (c *Client) Parties(ctx context.Context, query PartyQuery) iter.Seq2[*Party, error] {
	fresh := c.session.at() // of all pages: a token belongs to its query
	return pages(query.PageSize, func(size int32, token string) ([]*Party, string, error) {
		answer, err := c.parties.ListParties(ctx, &behalfv1.ListPartiesRequest{
			UserId: int64(query.User), Role: query.Role, Package: query.Package,
			Resource: query.Resource, Action: query.Action, Search: query.Search, Order: query.Order,
			GroupSubUnits: query.GroupSubUnits, ExcludeDeleted: query.ExcludeDeleted,
			PageSize: size, PageToken: token, AtLeastAsFresh: fresh,
		})
		if err == nil {
			c.session.saw(fresh, answer.GetRevision())
		}
		return answer.GetParties(), answer.GetNextPageToken(), err
	})
}

// Party returns a party. That there is none is an *Error with ReasonPartyNotFound.
func (c *Client) Party(ctx context.Context, party PartyRef) (*Party, error) {
	answer, err := read(c, func(fresh string) (*behalfv1.GetPartyResponse, error) {
		return c.parties.GetParty(ctx, &behalfv1.GetPartyRequest{Party: party.reference, AtLeastAsFresh: fresh})
	})
	return answer.GetParty(), err
}

// MayRepresent reports whether a user may act for a party. Nobody may act for a party that does
// not exist.
func (c *Client) MayRepresent(ctx context.Context, user UserID, party PartyID) (bool, error) {
	answer, err := read(c, func(fresh string) (*behalfv1.ValidatePartyResponse, error) {
		return c.parties.ValidateParty(ctx, &behalfv1.ValidatePartyRequest{
			PartyId: int64(party), UserId: int64(user), AtLeastAsFresh: fresh,
		})
	})
	return answer.GetMayRepresent(), err
}

// Representatives lists the users who may represent a party, by user id; with a role those who
// have it there. An error is the last entry.
func (c *Client) Representatives(ctx context.Context, party PartyID, role string) iter.Seq2[*Representative, error] {
	fresh := c.session.at()
	return pages(0, func(size int32, token string) ([]*Representative, string, error) {
		answer, err := c.parties.ListRepresentatives(ctx, &behalfv1.ListRepresentativesRequest{
			PartyId: int64(party), Role: role, PageSize: size, PageToken: token, AtLeastAsFresh: fresh,
		})
		if err == nil {
			c.session.saw(fresh, answer.GetRevision())
		}
		return answer.GetRepresentatives(), answer.GetNextPageToken(), err
	})
}
