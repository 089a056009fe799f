package brreg

import (
	"encoding/json"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// code is a code with its description, which is not read.
type code struct {
	Kode string `json:"kode"`
}

// unit is an object of enheter or underenheter.
type unit struct {
	Organisasjonsnummer string `json:"organisasjonsnummer"`
	Navn                string `json:"navn"`
	Organisasjonsform   code   `json:"organisasjonsform"`
	OverordnetEnhet     string `json:"overordnetEnhet"`
	Slettedato          string `json:"slettedato"`
	Nedleggelsesdato    string `json:"nedleggelsesdato"`
}

// levelRole is the role by which a public body stands under another.
const levelRole = "ORGL"

// unit reads a main unit or sub-unit.
func (r *Reader) unit(place registerfile.Place, text []byte) error {
	var u unit
	if err := json.Unmarshal(text, &u); err != nil {
		return err
	}
	if field := u.missing(); field != "" {
		r.add(place.Unreadable(field, "is missing"))
		return nil
	}
	place.Reference = "org:" + u.Organisasjonsnummer
	record := &behalfv1.PartyRecord{
		Kind:      u.kind(),
		Name:      tidy(u.Navn),
		OrgNumber: u.Organisasjonsnummer,
		UnitType:  u.Organisasjonsform.Kode,
		DeletedOn: day(u.Slettedato, u.Nedleggelsesdato),
	}
	parent := ""
	if u.OverordnetEnhet != "" {
		parent = "org:" + u.OverordnetEnhet
	}
	if record.Kind == behalfv1.PartyKind_PARTY_KIND_SUB_UNIT {
		record.MainUnit = parent
	}
	entry := place.Checked(place.Party(record))
	r.add(entry)
	if parent != "" && record.MainUnit == "" && entry.GetUnreadable() == nil {
		r.add(place.Checked(place.Assignment(&behalfv1.AssignmentRecord{From: place.Reference, Role: levelRole, To: parent})))
	}
	return nil
}

func (u *unit) missing() string {
	switch "" {
	case u.Organisasjonsnummer:
		return "organisasjonsnummer"
	case u.Navn:
		return "navn"
	case u.Organisasjonsform.Kode:
		return "organisasjonsform.kode"
	}
	return ""
}

func (u *unit) kind() behalfv1.PartyKind {
	switch form := u.Organisasjonsform.Kode; {
	case isSubUnit(form):
		return behalfv1.PartyKind_PARTY_KIND_SUB_UNIT
	case form == "KBO":
		return behalfv1.PartyKind_PARTY_KIND_BANKRUPTCY_ESTATE
	}
	return behalfv1.PartyKind_PARTY_KIND_ORGANISATION
}

// day returns the first day given. Some are written with a time of day, which is cut.
func day(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			date, _, _ := strings.Cut(text, "T")
			return date
		}
	}
	return ""
}

// tidy makes one space of each stretch of white space.
func tidy(text string) string { return strings.Join(strings.Fields(text), " ") }
