package behalf

import (
	"context"
	"iter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Answers about delegations.
type (
	// Delegation is something that a party has given.
	Delegation = behalfv1.Delegation
	// DelegationAnswer says whether one thing may be passed on, and why not.
	DelegationAnswer = behalfv1.DelegationAnswer
	// DelegationSide is on which side of delegations a party is.
	DelegationSide = behalfv1.DelegationSide
)

// The sides of delegations.
const (
	// Given is what a party has given, and what its providers have passed on.
	Given = behalfv1.DelegationSide_DELEGATION_SIDE_GIVEN
	// Received is what it was given.
	Received = behalfv1.DelegationSide_DELEGATION_SIDE_RECEIVED
	// OfClients is what it has passed on of its clients'.
	OfClients = behalfv1.DelegationSide_DELEGATION_SIDE_CLIENTS
)

// Receiver is who is given something. Make one with ToParty or ToSystemUser.
type Receiver struct{ receiver *behalfv1.Receiver }

// ToParty gives to a person or an organisation.
func ToParty(party PartyRef) Receiver {
	return Receiver{&behalfv1.Receiver{Receiver: &behalfv1.Receiver_Party{Party: party.reference}}}
}

// ToSystemUser gives to a system user, by its UUID.
func ToSystemUser(uuid string) Receiver {
	return Receiver{&behalfv1.Receiver{Receiver: &behalfv1.Receiver_SystemUserId{SystemUserId: uuid}}}
}

// Right is a single right to a resource.
type Right struct {
	// Resource is the resource's id, or app_<org>_<app> for an app.
	Resource string
	// Action is what may be done, such as read.
	Action string
	// Instance and Task limit the right to one instance and one task; empty for all.
	Instance, Task string
}

// Grant says who gives whom, and until when.
type Grant struct {
	// From is the party that gives.
	From PartyRef
	// To is who is given it.
	To Receiver
	// Expires ends it; the zero time leaves it standing until it is revoked.
	Expires time.Time
	// User is the user who gives, for a service that acts for him. Me gives in the caller's own name.
	User UserID
}

func (g Grant) expiry() *timestamppb.Timestamp {
	if g.Expires.IsZero() {
		return nil
	}
	return timestamppb.New(g.Expires)
}

// GrantRight gives a single right. To give it again changes when it ends and nothing else.
func (c *Client) GrantRight(ctx context.Context, grant Grant, right Right) (*Delegation, error) {
	answer, err := write(ctx, c, func(ctx context.Context) (*behalfv1.GrantRightResponse, error) {
		return c.delegations.GrantRight(ctx, &behalfv1.GrantRightRequest{
			From: grant.From.reference, To: grant.To.receiver, ExpiresAt: grant.expiry(), UserId: int64(grant.User),
			Right: &behalfv1.Right{Resource: right.Resource, Action: right.Action, Instance: right.Instance, Task: right.Task},
		})
	})
	return answer.GetDelegation(), err
}

// GrantPackage gives an access package, named by code or URN.
func (c *Client) GrantPackage(ctx context.Context, grant Grant, accessPackage string) (*Delegation, error) {
	answer, err := write(ctx, c, func(ctx context.Context) (*behalfv1.GrantPackageResponse, error) {
		return c.delegations.GrantPackage(ctx, &behalfv1.GrantPackageRequest{
			From: grant.From.reference, To: grant.To.receiver, ExpiresAt: grant.expiry(), UserId: int64(grant.User),
			Package: accessPackage,
		})
	})
	return answer.GetDelegation(), err
}

// GrantClientPackage gives an agent of a provider a package of a client: grant.From is the
// provider, and client the party for which it works.
func (c *Client) GrantClientPackage(ctx context.Context, client PartyRef, grant Grant, accessPackage string) (*Delegation, error) {
	answer, err := write(ctx, c, func(ctx context.Context) (*behalfv1.GrantClientPackageResponse, error) {
		return c.delegations.GrantClientPackage(ctx, &behalfv1.GrantClientPackageRequest{
			Client: client.reference, Provider: grant.From.reference, Agent: grant.To.receiver,
			ExpiresAt: grant.expiry(), UserId: int64(grant.User), Package: accessPackage,
		})
	})
	return answer.GetDelegation(), err
}

// Revoke takes a delegation back, by its id. To take back what is not there is no error. User is
// the user who does, for a service that acts for him.
func (c *Client) Revoke(ctx context.Context, id string, user UserID) error {
	_, err := write(ctx, c, func(ctx context.Context) (*behalfv1.RevokeDelegationResponse, error) {
		return c.delegations.RevokeDelegation(ctx, &behalfv1.RevokeDelegationRequest{Id: id, UserId: int64(user)})
	})
	return err
}

// Delegations lists what is on one side of a party, by id. User is the user who asks, for a service
// that acts for him. An error is the last entry.
func (c *Client) Delegations(ctx context.Context, party PartyID, side DelegationSide, user UserID) iter.Seq2[*Delegation, error] {
	return pages(0, func(size int32, token string) ([]*Delegation, string, error) {
		answer, err := c.delegations.ListDelegations(ctx, &behalfv1.ListDelegationsRequest{
			PartyId: int64(party), Side: side, UserId: int64(user), PageSize: size, PageToken: token,
		})
		return answer.GetDelegations(), answer.GetNextPageToken(), err
	})
}

// DelegationQuery says what is to be passed on. Without a resource and packages, all packages are
// meant.
type DelegationQuery struct {
	// Party is the party that would give.
	Party PartyID
	// User is the user who would.
	User UserID
	// Resource asks about the rights to a resource.
	Resource string
	// Packages asks about access packages.
	Packages []string
	// Provider asks about packages of the party, a client, that this provider may pass on.
	Provider PartyID
}

// MayDelegate says what a user may pass on for a party, and why not the rest.
func (c *Client) MayDelegate(ctx context.Context, query DelegationQuery) ([]*DelegationAnswer, error) {
	answer, err := read(c, func(fresh string) (*behalfv1.CheckDelegationResponse, error) {
		return c.delegations.CheckDelegation(ctx, &behalfv1.CheckDelegationRequest{
			PartyId: int64(query.Party), UserId: int64(query.User), Resource: query.Resource,
			Packages: query.Packages, ProviderPartyId: int64(query.Provider), AtLeastAsFresh: fresh,
		})
	})
	return answer.GetAnswers(), err
}
