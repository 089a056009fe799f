package register

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/registry"
	registryrpc "github.com/behalf-authz/behalf/server/internal/rpc/registry"
)

// reference reads an identifier of a field.
func reference(field string, ref *behalfv1.PartyReference) (register.Reference, error) {
	var (
		name register.Reference
		ok   bool
	)
	switch id := ref.GetIdentifier().(type) {
	case *behalfv1.PartyReference_PartyId:
		name, ok = register.ParseReference(register.PartyID(party.ID(id.PartyId)).String())
	case *behalfv1.PartyReference_PartyUuid:
		name, ok = register.ParseReference("uuid:" + id.PartyUuid)
	case *behalfv1.PartyReference_OrgNumber:
		name, ok = register.ParseReference("org:" + id.OrgNumber)
	case *behalfv1.PartyReference_NationalId:
		name, ok = register.ParseReference("nin:" + id.NationalId)
	}
	if !ok {
		return register.Reference{}, fault.Field(field, "needs one identifier: a partyId, a UUID, nine digits or eleven")
	}
	return name, nil
}

func partyRecord(m *behalfv1.PartyRecord) register.PartyRecord {
	return register.PartyRecord{
		ID:         party.ID(m.GetPartyId()),
		UUID:       m.GetPartyUuid(),
		Kind:       partyKind(m.GetKind()),
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

// partyKind returns the kind, the zero Kind for a number that is none. The numbers agree.
func partyKind(k behalfv1.PartyKind) party.Kind {
	if _, ok := behalfv1.PartyKind_name[int32(k)]; !ok {
		return 0
	}
	return party.Kind(k)
}

func assignmentRecord(m *behalfv1.AssignmentRecord) register.AssignmentRecord {
	return register.AssignmentRecord{From: m.GetFrom(), Role: m.GetRole(), To: m.GetTo(), Expires: instant(m.GetExpiresAt())}
}

func delegationRecord(m *behalfv1.DelegationRecord) register.DelegationRecord {
	return register.DelegationRecord{
		From: m.GetFrom(), To: m.GetTo(), Via: m.GetVia(), Package: m.GetPackage(),
		Resource: m.GetResource(), Action: m.GetAction(), Instance: m.GetInstance(), Task: m.GetTask(),
		Expires: instant(m.GetExpiresAt()), GivenBy: party.UserID(m.GetGivenBy()), GivenWith: m.GetGivenWith(), GivenAt: instant(m.GetGivenAt()),
	}
}

// instant is the time of a timestamp, the zero time when it is absent.
func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func entries(batch []*behalfv1.ImportEntry) []register.Entry {
	all := make([]register.Entry, len(batch))
	for i, m := range batch {
		e := register.Entry{File: m.GetFile(), Line: m.GetLine()}
		switch is := m.GetEntry().(type) {
		case *behalfv1.ImportEntry_Party:
			record := partyRecord(is.Party)
			e.Party = &record
		case *behalfv1.ImportEntry_Assignment:
			record := assignmentRecord(is.Assignment)
			e.Assignment = &record
		case *behalfv1.ImportEntry_Delegation:
			record := delegationRecord(is.Delegation)
			e.Delegation = &record
		case *behalfv1.ImportEntry_SystemUser:
			record := registryrpc.SystemUser(is.SystemUser)
			e.Registered = &registry.Entry{SystemUser: &record}
		case *behalfv1.ImportEntry_AccessList:
			record := registryrpc.AccessList(is.AccessList)
			e.Registered = &registry.Entry{AccessList: &record}
		case *behalfv1.ImportEntry_Resource:
			record := registryrpc.Resource(is.Resource)
			e.Registered = &registry.Entry{Resource: &record}
		case *behalfv1.ImportEntry_Unreadable:
			u := is.Unreadable
			e.Unreadable = &register.Unreadable{Reference: u.GetReference(), Field: u.GetField(), Message: u.GetMessage()}
		}
		all[i] = e
	}
	return all
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

func outcomeMessage(o register.Outcome) *behalfv1.ImportResponse {
	m := &behalfv1.ImportOutcome{DryRun: o.DryRun, Revision: string(o.Revision)}
	for _, s := range o.Sources {
		outcome := &behalfv1.SourceOutcome{
			Source: s.Source, Parties: countsMessage(s.Parties), Assignments: countsMessage(s.Assignments), Unreadable: s.Unreadable,
		}
		if s.Delegations != (register.Counts{}) {
			outcome.Others = append(outcome.Others, &behalfv1.ImportKind{Kind: "delegations", Counts: countsMessage(s.Delegations)})
		}
		for _, c := range s.Others {
			outcome.Others = append(outcome.Others, &behalfv1.ImportKind{Kind: c.Kind.String(), Counts: &behalfv1.ImportCounts{
				Added: c.Added, Changed: c.Changed, Unchanged: c.Unchanged, Removed: c.Removed, Refused: c.Refused,
			}})
		}
		m.Sources = append(m.Sources, outcome)
	}
	for _, r := range o.Refusals {
		m.Refusals = append(m.Refusals, &behalfv1.ImportRefusal{File: r.File, Line: r.Line, Field: r.Field, Message: r.Message})
	}
	return &behalfv1.ImportResponse{Message: &behalfv1.ImportResponse_Outcome{Outcome: m}}
}

func countsMessage(c register.Counts) *behalfv1.ImportCounts {
	return &behalfv1.ImportCounts{Added: c.Added, Changed: c.Changed, Unchanged: c.Unchanged, Removed: c.Removed, Refused: c.Refused}
}

func progressMessage(p register.Progress) *behalfv1.ImportResponse {
	m := &behalfv1.ImportProgress{Done: p.Done, Total: p.Total}
	switch p.Phase {
	case register.Reading:
		m.Phase = behalfv1.ImportPhase_IMPORT_PHASE_READING
	case register.Comparing:
		m.Phase = behalfv1.ImportPhase_IMPORT_PHASE_COMPARING
	case register.Writing:
		m.Phase = behalfv1.ImportPhase_IMPORT_PHASE_WRITING
	}
	return &behalfv1.ImportResponse{Message: &behalfv1.ImportResponse_Progress{Progress: m}}
}
