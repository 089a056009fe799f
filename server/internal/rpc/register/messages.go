package register

import (
	"time"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// reference reads an identifier; field is the request's, for the fault.
func reference(field string, ref *behalfv1.PartyReference) (register.Reference, error) {
	switch id := ref.GetIdentifier().(type) {
	case *behalfv1.PartyReference_PartyId:
		return register.PartyID(party.ID(id.PartyId)), nil
	case *behalfv1.PartyReference_PartyUuid:
		return register.Reference{Scheme: register.ByUUID, Value: id.PartyUuid}, nil
	case *behalfv1.PartyReference_OrgNumber:
		return register.Reference{Scheme: register.ByOrgNumber, Value: id.OrgNumber}, nil
	case *behalfv1.PartyReference_NationalId:
		return register.Reference{Scheme: register.ByNationalID, Value: id.NationalId}, nil
	}
	return register.Reference{}, fault.Field(field, "one identifier is required")
}

func partyRecord(m *behalfv1.PartyRecord) register.PartyRecord {
	return register.PartyRecord{
		ID:         party.ID(m.GetPartyId()),
		UUID:       m.GetPartyUuid(),
		Kind:       party.Kind(m.GetKind()), //nolint:gosec // the validator lets defined kinds through only
		Name:       m.GetName(),
		OrgNumber:  m.GetOrgNumber(),
		NationalID: m.GetNationalId(),
		UnitType:   m.GetUnitType(),
		DeletedOn:  m.GetDeletedOn(),
		MainUnit:   m.GetMainUnit(),
		BirthDate:  m.GetBirthDate(),
		DiedOn:     m.GetDiedOn(),
		UserID:     party.UserID(m.GetUserId()),
		Login:      m.GetLogin(),
		Key:        m.GetSourceKey(),
	}
}

func assignmentRecord(m *behalfv1.AssignmentRecord) register.AssignmentRecord {
	var expires time.Time
	if m.GetExpiresAt() != nil {
		expires = m.GetExpiresAt().AsTime()
	}
	return register.AssignmentRecord{From: m.GetFrom(), Role: m.GetRole(), To: m.GetTo(), Expires: expires}
}

func entry(m *behalfv1.ImportEntry) register.Entry {
	e := register.Entry{File: m.GetFile(), Line: m.GetLine()}
	switch body := m.GetEntry().(type) {
	case *behalfv1.ImportEntry_Party:
		record := partyRecord(body.Party)
		e.Party = &record
	case *behalfv1.ImportEntry_Assignment:
		record := assignmentRecord(body.Assignment)
		e.Assignment = &record
	case *behalfv1.ImportEntry_Unreadable:
		e.Unreadable = &register.Unreadable{
			Reference: body.Unreadable.GetReference(),
			Field:     body.Unreadable.GetField(),
			Message:   body.Unreadable.GetMessage(),
		}
	}
	return e
}

func partyMessage(p party.Party) *behalfv1.Party {
	return &behalfv1.Party{
		PartyId:    int64(p.ID),
		PartyUuid:  p.UUID,
		Kind:       behalfv1.PartyKind(p.Kind),
		Name:       p.Name,
		OrgNumber:  p.OrgNumber,
		NationalId: p.NationalID,
		UnitType:   p.UnitType,
		Deleted:    p.DeletedOn != "",
		MainUnitId: int64(p.MainUnit),
		BirthDate:  p.BirthDate,
	}
}

func outcomeMessage(o register.Outcome) *behalfv1.ImportOutcome {
	m := &behalfv1.ImportOutcome{DryRun: o.DryRun, Revision: string(o.Revision)}
	for _, s := range o.Sources {
		m.Sources = append(m.Sources, &behalfv1.SourceOutcome{
			Source:      s.Source,
			Parties:     countsMessage(s.Parties),
			Assignments: countsMessage(s.Assignments),
			Unreadable:  s.Unreadable,
		})
	}
	for _, r := range o.Refusals {
		m.Refusals = append(m.Refusals, &behalfv1.ImportRefusal{File: r.File, Line: r.Line, Field: r.Field, Message: r.Message})
	}
	return m
}

func countsMessage(c register.Counts) *behalfv1.ImportCounts {
	return &behalfv1.ImportCounts{
		Added: c.Added, Changed: c.Changed, Unchanged: c.Unchanged, Removed: c.Removed, Refused: c.Refused,
	}
}
