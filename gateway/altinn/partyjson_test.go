package altinn

import (
	"bytes"
	"encoding/json"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// party is a party as encoding/json would write it. Pointers are fields that can be null.
type party struct {
	PartyID       int64     `json:"partyId"`
	PartyUUID     *string   `json:"partyUuid"`
	PartyTypeName int       `json:"partyTypeName"`
	OrgNumber     string    `json:"orgNumber"`
	SSN           *string   `json:"ssn"`
	UnitType      *string   `json:"unitType"`
	Name          string    `json:"name"`
	IsDeleted     bool      `json:"isDeleted"`
	HierarchyOnly bool      `json:"onlyHierarchyElementWithNoAccess"`
	Person        *struct{} `json:"person"`
	Organization  *struct{} `json:"organization"`
	ChildParties  []party   `json:"childParties"`
}

func convert(parties []*behalfv1.Party) []party {
	if len(parties) == 0 {
		return nil
	}
	out := make([]party, len(parties))
	for i, p := range parties {
		out[i] = party{
			PartyID: p.GetPartyId(), PartyUUID: orNull(&p.PartyUuid), PartyTypeName: typeName(p.GetKind()),
			OrgNumber: p.GetOrgNumber(), SSN: orNull(&p.NationalId), UnitType: orNull(&p.UnitType), Name: p.GetName(),
			IsDeleted: p.GetDeleted(), HierarchyOnly: p.GetHierarchyOnly(), ChildParties: convert(p.GetSubUnits()),
		}
	}
	return out
}

// FuzzAppendParties compares the list with what encoding/json writes.
func FuzzAppendParties(f *testing.F) {
	f.Add("FJELLHEIM <ØYA & CO>", "35042029-f290-473c-9770-2e256bb50d3b", "910042963", int64(1), uint8(2), true)
	f.Add("\"\\\n\x00\x7f\u2028\u2029", "", "\xff\xc3(", int64(-1), uint8(4), false)
	f.Add("\ufffd æøå 日本", "a", "", int64(1<<62), uint8(9), true)
	f.Fuzz(func(t *testing.T, name, uuid, number string, id int64, kind uint8, flag bool) {
		unit := &behalfv1.Party{PartyId: id, Name: name, OrgNumber: number, UnitType: uuid, Deleted: flag, Kind: behalfv1.PartyKind(kind)}
		list := []*behalfv1.Party{
			{PartyUuid: uuid, Name: name, NationalId: number, HierarchyOnly: flag, SubUnits: []*behalfv1.Party{unit, unit}}, unit, {},
		}
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(convert(list)); err != nil {
			t.Fatal(err)
		}
		if got := appendParties(nil, list); string(got) != string(bytes.TrimSuffix(want.Bytes(), []byte("\n"))) {
			t.Errorf("%s\nwant %s", got, want.Bytes())
		}
	})
}
