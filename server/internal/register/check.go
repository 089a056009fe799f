package register

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
)

const (
	maxName = 1024
	maxKey  = 512
	maxID   = math.MaxInt32 // what Altinn's clients read partyId and userId as
)

var (
	uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	unitType = regexp.MustCompile(`^[A-Z]{0,10}$`)
)

// wrongField is a field of an entry that is wrong.
type wrongField struct {
	fault.Violation
	kind   fault.Kind
	reason fault.Reason
}

// faults are what is wrong with one entry, by field.
type faults []wrongField

func (f *faults) add(field, format string, args ...any) {
	f.because(fault.Invalid, fault.ReasonInvalidArgument, field, format, args...)
}

// because adds a fault of a field that is well-formed and wrong all the same.
func (f *faults) because(kind fault.Kind, reason fault.Reason, field, format string, args ...any) {
	*f = append(*f, wrongField{
		Violation: fault.Violation{Field: field, Message: fmt.Sprintf(format, args...)}, kind: kind, reason: reason,
	})
}

// unless adds a fault when ok is false.
func (f *faults) unless(ok bool, field, format string, args ...any) {
	if !ok {
		f.add(field, format, args...)
	}
}

// natural reports whether parties of the kind hold roles as a person does: as a user.
func natural(k party.Kind) bool { return k == party.Person || k == party.SelfIdentified }

func kindName(k party.Kind) string {
	switch k {
	case party.Person:
		return "a person"
	case party.Organisation:
		return "an organisation"
	case party.SelfIdentified:
		return "a self-identified user"
	case party.SubUnit:
		return "a sub-unit"
	case party.BankruptcyEstate:
		return "a bankruptcy estate"
	}
	return "no party"
}

// check says what is wrong with a record taken by itself, and puts its UUID into the
// canonical form.
func (r *PartyRecord) check() (mainUnit Reference, wrong faults) {
	r.UUID = strings.ToLower(r.UUID)
	wrong.unless(r.ID >= 0 && r.ID <= maxID, "party_id", "must be between 0 and %d", maxID)
	wrong.unless(r.UUID == "" || uuidForm.MatchString(r.UUID), "party_uuid", "must be a UUID, such as 35042029-f290-473c-9770-2e256bb50d3b")
	wrong.unless(strings.TrimSpace(r.Name) != "", "name", "is required")
	wrong.unless(utf8.ValidString(r.Name) && utf8.RuneCountInString(r.Name) <= maxName, "name", "must have at most %d characters", maxName)
	wrong.unless(unitType.MatchString(r.UnitType), "unit_type", "must be at most ten capital letters, such as AS")
	wrong.unless(len(r.Key) <= maxKey && utf8.ValidString(r.Key), "source_key", "must have at most %d bytes", maxKey)
	checkDay(&wrong, "deleted_on", r.DeletedOn)
	checkDay(&wrong, "birth_date", r.BirthDate)
	checkDay(&wrong, "died_on", r.DiedOn)
	wrong.unless(r.ID != 0 || r.UUID != "" || r.OrgNumber != "" || r.NationalID != "" || r.Key != "", "source_key",
		"is required when party_id, party_uuid, org_number and national_id are absent: nothing would name the party again")
	switch r.Kind {
	case party.Person, party.SelfIdentified:
		r.checkNatural(&wrong)
	case party.Organisation, party.SubUnit, party.BankruptcyEstate:
		mainUnit = r.checkOrganised(&wrong)
	default:
		wrong.add("kind", "must be one of the kinds of party")
	}
	return mainUnit, wrong
}

func (r *PartyRecord) checkNatural(wrong *faults) {
	who := kindName(r.Kind)
	wrong.unless(r.OrgNumber == "", "org_number", "%s has none; an organisation, sub-unit or estate has", who)
	wrong.unless(r.UnitType == "", "unit_type", "%s has none; an organisation, sub-unit or estate has", who)
	wrong.unless(r.DeletedOn == "", "deleted_on", "%s is not deleted; a person's death is died_on", who)
	wrong.unless(r.MainUnit == "", "main_unit", "%s has none; a sub-unit has", who)
	wrong.unless(r.UserID >= 0 && r.UserID <= maxID, "user_id", "must be between 0 and %d", maxID)
	if r.Kind == party.Person {
		wrong.unless(r.NationalID == "" || digits(r.NationalID, 11), "national_id", "must be eleven digits")
	} else {
		wrong.unless(r.NationalID == "", "national_id", "%s has none; a person has", who)
	}
	// A name and a birth date may be two persons'. Whoever logs in must be one.
	wrong.unless(!r.Login || r.NationalID != "" || r.ID != 0 && r.UserID != 0, "login",
		"needs national_id, or party_id and user_id: a login belongs to one person")
}

func (r *PartyRecord) checkOrganised(wrong *faults) (mainUnit Reference) {
	who := kindName(r.Kind)
	wrong.unless(digits(r.OrgNumber, 9), "org_number", "must be nine digits")
	wrong.unless(r.NationalID == "", "national_id", "%s has none; a person has", who)
	wrong.unless(r.BirthDate == "", "birth_date", "%s has none; a person has", who)
	wrong.unless(r.DiedOn == "", "died_on", "%s does not die; it is deleted_on", who)
	wrong.unless(r.UserID == 0, "user_id", "%s has none; a person has", who)
	wrong.unless(!r.Login, "login", "%s does not log in; a person does", who)
	if r.Kind != party.SubUnit {
		wrong.unless(r.MainUnit == "", "main_unit", "%s has none; a sub-unit has", who)
		return Reference{}
	}
	wrong.unless(r.UnitType == "" || r.UnitType == "BEDR" || r.UnitType == "AAFY" || !unitType.MatchString(r.UnitType), "unit_type",
		"a sub-unit is BEDR or AAFY; a level of a public body is an organisation with an assignment of role ORGL")
	if r.MainUnit == "" {
		wrong.add("main_unit", "is required for a sub-unit: its main unit, such as org:910042963")
		return Reference{}
	}
	return reference(wrong, "main_unit", r.MainUnit)
}

// reference reads a reference of a field.
func reference(wrong *faults, field, text string) Reference {
	r, ok := ParseReference(text)
	wrong.unless(ok, field, "must be party:<partyId>, uuid:<UUID>, org:<nine digits>, nin:<eleven digits> or key:<source key>")
	return r
}

func checkDay(wrong *faults, field, day string) {
	if day == "" {
		return
	}
	_, err := time.Parse(time.DateOnly, day)
	wrong.unless(err == nil, field, "must be a day that exists, as YYYY-MM-DD")
}
