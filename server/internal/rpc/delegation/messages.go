package delegation

import (
	"regexp"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
)

func reference(m *behalfv1.PartyReference) party.Reference {
	return party.Reference{
		ID: party.ID(m.GetPartyId()), UUID: m.GetPartyUuid(), OrgNumber: m.GetOrgNumber(), NationalID: m.GetNationalId(),
	}
}

func receiver(m *behalfv1.Receiver) delegation.Receiver {
	return delegation.Receiver{Party: reference(m.GetParty()), SystemUser: m.GetSystemUserId()}
}

func right(m *behalfv1.Right) delegation.Right {
	return delegation.Right{Resource: m.GetResource(), Action: m.GetAction(), Instance: m.GetInstance(), Task: m.GetTask()}
}

func rightMessage(r delegation.Right) *behalfv1.Right {
	return &behalfv1.Right{Resource: r.Resource, Action: r.Action, Instance: r.Instance, Task: r.Task}
}

// instant is the time of a timestamp, the zero time when it is absent.
func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func side(s behalfv1.DelegationSide) delegation.Side {
	switch s {
	case behalfv1.DelegationSide_DELEGATION_SIDE_RECEIVED:
		return delegation.Received
	case behalfv1.DelegationSide_DELEGATION_SIDE_CLIENTS:
		return delegation.Clients
	case behalfv1.DelegationSide_DELEGATION_SIDE_UNSPECIFIED, behalfv1.DelegationSide_DELEGATION_SIDE_GIVEN:
	}
	return delegation.Given
}

// token is the id after which a page begins.
var token = regexp.MustCompile(`^([a-z2-7]{26})?$`)

func pageToken(text string) (string, error) {
	if !token.MatchString(text) {
		e := fault.Field("page_token", "is not a page token")
		e.Reason = fault.ReasonInvalidPageToken
		return "", e
	}
	return text, nil
}

func message(d delegation.Delegation) *behalfv1.Delegation {
	m := &behalfv1.Delegation{
		Id: d.ID, FromPartyId: int64(d.From), ToPartyId: int64(d.To), ToUserId: int64(d.ToUser), ToSystemUserId: d.ToSystem,
		GivenByUserId: int64(d.GivenBy), GivenWith: d.GivenWith, GivenAt: timestamppb.New(d.GivenAt),
	}
	switch {
	case d.Provider != 0:
		m.What = &behalfv1.Delegation_ClientPackage{ClientPackage: &behalfv1.ClientPackage{ProviderPartyId: int64(d.Provider), Package: d.Package}}
	case d.Package != "":
		m.What = &behalfv1.Delegation_Package{Package: d.Package}
	default:
		m.What = &behalfv1.Delegation_Right{Right: rightMessage(d.Right)}
	}
	if !d.Expires.IsZero() {
		m.ExpiresAt = timestamppb.New(d.Expires)
	}
	return m
}

func answerMessage(a delegation.Answer) *behalfv1.DelegationAnswer {
	m := &behalfv1.DelegationAnswer{MayDelegate: a.No == nil}
	if a.Package != "" {
		m.What = &behalfv1.DelegationAnswer_Package{Package: a.Package}
	} else {
		m.What = &behalfv1.DelegationAnswer_Right{Right: rightMessage(a.Right)}
	}
	if a.No != nil {
		m.Reason, m.Message = string(a.No.Reason), a.No.Public
	}
	return m
}
