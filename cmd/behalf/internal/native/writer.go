package native

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Writer writes one file, which a Reader reads back to the same records.
type Writer struct{ lines *json.Encoder }

// NewWriter returns a writer to out, having written the header.
func NewWriter(out io.Writer, source string) (*Writer, error) {
	w := &Writer{json.NewEncoder(out)}
	w.lines.SetEscapeHTML(false)
	return w, w.lines.Encode(headerLine{"header", Format, source})
}

// Write writes an entry.
func (w *Writer) Write(e *behalfv1.ImportEntry) error {
	switch is := e.GetEntry().(type) {
	case *behalfv1.ImportEntry_Party:
		return w.lines.Encode(lineOfParty(is.Party))
	case *behalfv1.ImportEntry_Assignment:
		return w.lines.Encode(lineOfAssignment(is.Assignment))
	case *behalfv1.ImportEntry_Delegation:
		return w.lines.Encode(lineOfDelegation(is.Delegation))
	case *behalfv1.ImportEntry_SystemUser:
		return w.lines.Encode(lineOfSystemUser(is.SystemUser))
	case *behalfv1.ImportEntry_AccessList:
		return w.lines.Encode(lineOfAccessList(is.AccessList))
	case *behalfv1.ImportEntry_Resource:
		return w.lines.Encode(lineOfResource(is.Resource))
	}
	return fmt.Errorf("an entry is of no kind that the format has: %v", e)
}

type headerLine struct {
	Kind   string `json:"kind"`
	Format string `json:"format"`
	Source string `json:"source"`
}

type partyLine struct {
	Kind       string `json:"kind"`
	Type       string `json:"type"`
	PartyID    int64  `json:"partyId,omitempty"`
	PartyUUID  string `json:"partyUuid,omitempty"`
	OrgNumber  string `json:"orgNumber,omitempty"`
	NationalID string `json:"nationalId,omitempty"`
	Name       string `json:"name"`
	UnitType   string `json:"unitType,omitempty"`
	DeletedOn  string `json:"deletedOn,omitempty"`
	MainUnit   string `json:"mainUnit,omitempty"`
	BirthDate  string `json:"birthDate,omitempty"`
	DiedOn     string `json:"diedOn,omitempty"`
	UserID     int64  `json:"userId,omitempty"`
	Login      bool   `json:"login,omitempty"`
	SourceKey  string `json:"sourceKey,omitempty"`
}

func lineOfParty(p *behalfv1.PartyRecord) partyLine {
	return partyLine{
		Kind: "party", Type: Kinds()[p.GetKind()], PartyID: p.GetPartyId(), PartyUUID: p.GetPartyUuid(), OrgNumber: p.GetOrgNumber(),
		NationalID: p.GetNationalId(), Name: p.GetName(), UnitType: p.GetUnitType(), DeletedOn: p.GetDeletedOn(), MainUnit: p.GetMainUnit(),
		BirthDate: p.GetBirthDate(), DiedOn: p.GetDiedOn(), UserID: p.GetUserId(), Login: p.GetLogin(), SourceKey: p.GetSourceKey(),
	}
}

type assignmentLine struct {
	Kind      string `json:"kind"`
	From      string `json:"from"`
	Role      string `json:"role"`
	To        string `json:"to"`
	ExpiresAt string `json:"expiresAt,omitempty"`
}

func lineOfAssignment(a *behalfv1.AssignmentRecord) assignmentLine {
	line := assignmentLine{Kind: "assignment", From: a.GetFrom(), Role: a.GetRole(), To: a.GetTo()}
	if at := a.GetExpiresAt(); at != nil {
		line.ExpiresAt = at.AsTime().Format(time.RFC3339Nano)
	}
	return line
}
