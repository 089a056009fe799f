package server_test

import (
	"encoding/json"
	"errors"
	"io"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
)

// readyParty is a party as Altinn writes it, ready to be marshalled.
type readyParty struct {
	PartyID       int64        `json:"partyId"`
	PartyUUID     *string      `json:"partyUuid"`
	PartyTypeName int          `json:"partyTypeName"`
	OrgNumber     string       `json:"orgNumber"`
	SSN           *string      `json:"ssn"`
	UnitType      *string      `json:"unitType"`
	Name          string       `json:"name"`
	IsDeleted     bool         `json:"isDeleted"`
	HierarchyOnly bool         `json:"onlyHierarchyElementWithNoAccess"`
	Person        *struct{}    `json:"person"`
	Organization  *struct{}    `json:"organization"`
	ChildParties  []readyParty `json:"childParties"`
}

func readyParties(b *testing.B, body []byte) (ready []readyParty) {
	if err := json.Unmarshal(body, &ready); err != nil {
		b.Fatal(err)
	}
	return ready
}

// lookup reads a page to its end and returns the cursor behind it.
func (w *listWorld) lookup(r *v1.LookupResourcesRequest) (next *v1.Cursor) {
	stream, err := v1.NewPermissionsServiceClient(w.conn).LookupResources(w.admin, r)
	for err == nil {
		var answer *v1.LookupResourcesResponse
		if answer, err = stream.Recv(); err == nil {
			next = answer.GetAfterResultCursor()
		}
	}
	if !errors.Is(err, io.EOF) {
		w.b.Fatal(err)
	}
	return next
}
