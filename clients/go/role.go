package behalf

import (
	"context"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Answers about roles and callers.
type (
	// Role is a role that a user has for a party.
	Role = behalfv1.HeldRole
	// CatalogueRole is a role that there is.
	CatalogueRole = behalfv1.CatalogueRole
	// Caller is what the server has established of a caller.
	Caller = behalfv1.GetCallerResponse
)

// Roles returns the roles of a user for a party: held directly, through its main unit, through an
// organisation in which he has a key role, and implied by those.
func (c *Client) Roles(ctx context.Context, user UserID, party PartyID) ([]*Role, error) {
	answer, err := read(c, func(fresh string) (*behalfv1.ListRolesResponse, error) {
		return c.roles.ListRoles(ctx, &behalfv1.ListRolesRequest{PartyId: int64(party), UserId: int64(user), AtLeastAsFresh: fresh})
	})
	return answer.GetRoles(), err
}

// Catalogue returns all roles that there are.
func (c *Client) Catalogue(ctx context.Context) ([]*CatalogueRole, error) {
	answer, err := c.roles.ListCatalogue(ctx, &behalfv1.ListCatalogueRequest{})
	return answer.GetRoles(), err
}

// Caller returns who the client's credentials are, as the server has verified them.
func (c *Client) Caller(ctx context.Context) (*Caller, error) {
	return c.callers.GetCaller(ctx, &behalfv1.GetCallerRequest{})
}
