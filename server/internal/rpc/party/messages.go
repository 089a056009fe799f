package party

import (
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
)

// reference reads an identifier.
func reference(ref *behalfv1.PartyReference) (party.Reference, error) {
	switch id := ref.GetIdentifier().(type) {
	case *behalfv1.PartyReference_PartyId:
		return party.Reference{ID: party.ID(id.PartyId)}, nil
	case *behalfv1.PartyReference_PartyUuid:
		return party.Reference{UUID: id.PartyUuid}, nil
	case *behalfv1.PartyReference_OrgNumber:
		return party.Reference{OrgNumber: id.OrgNumber}, nil
	case *behalfv1.PartyReference_NationalId:
		return party.Reference{NationalID: id.NationalId}, nil
	}
	return party.Reference{}, fault.Field("party", "one identifier is required")
}

func partyOrder(o behalfv1.PartyOrder) (party.Order, error) {
	switch o {
	case behalfv1.PartyOrder_PARTY_ORDER_UNSPECIFIED, behalfv1.PartyOrder_PARTY_ORDER_NAME:
		return party.ByName, nil
	case behalfv1.PartyOrder_PARTY_ORDER_NUMBER:
		return party.ByNumber, nil
	case behalfv1.PartyOrder_PARTY_ORDER_ID:
		return party.ByID, nil
	}
	return party.ByName, fault.Field("order", "there is no order %d", o)
}

func entryMessages(entries []party.Entry) []*behalfv1.Party {
	if len(entries) == 0 {
		return nil
	}
	out := make([]*behalfv1.Party, len(entries))
	room := make([]behalfv1.Party, len(entries)) // lists are long: one piece of memory for all
	for i := range entries {
		e, m := &entries[i], &room[i]
		set(m, &e.Party)
		m.HierarchyOnly = e.HierarchyOnly
		m.SubUnits = entryMessages(e.SubUnits)
		out[i] = m
	}
	return out
}

func partyMessage(p party.Party) *behalfv1.Party {
	m := new(behalfv1.Party)
	set(m, &p)
	return m
}

// set fills a message, which is empty.
func set(m *behalfv1.Party, p *party.Party) {
	m.PartyId = int64(p.ID)
	m.PartyUuid = p.UUID
	m.Kind = behalfv1.PartyKind(p.Kind)
	m.Name = p.Name
	m.OrgNumber = p.OrgNumber
	m.NationalId = p.NationalID
	m.UnitType = p.UnitType
	m.Deleted = p.DeletedOn != ""
	m.MainUnitId = int64(p.MainUnit)
	m.BirthDate = p.BirthDate
}

func representativeMessages(users []party.Representative) []*behalfv1.Representative {
	out := make([]*behalfv1.Representative, len(users))
	for i, u := range users {
		out[i] = &behalfv1.Representative{UserId: int64(u.User)}
		if u.Party.ID != 0 {
			out[i].Party = partyMessage(u.Party)
		}
	}
	return out
}
