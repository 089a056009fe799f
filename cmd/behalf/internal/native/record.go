package native

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// Kinds are the names of the kinds of party in the format, by kind.
func Kinds() map[behalfv1.PartyKind]string {
	return map[behalfv1.PartyKind]string{
		behalfv1.PartyKind_PARTY_KIND_PERSON:            "person",
		behalfv1.PartyKind_PARTY_KIND_ORGANISATION:      "organisation",
		behalfv1.PartyKind_PARTY_KIND_SUB_UNIT:          "sub-unit",
		behalfv1.PartyKind_PARTY_KIND_SELF_IDENTIFIED:   "self-identified",
		behalfv1.PartyKind_PARTY_KIND_BANKRUPTCY_ESTATE: "bankruptcy-estate",
	}
}

// parse makes an entry of a line.
func parse(place registerfile.Place, line []byte) *behalfv1.ImportEntry {
	o, err := decode(line)
	place.Reference = o.reference()
	if err != nil {
		return unreadable(place, err)
	}
	if !o.has("kind") {
		return place.Unreadable("kind", "is missing; write "+entryKinds)
	}
	switch kind := o.text("kind"); {
	case o.err != nil:
		return unreadable(place, o.err)
	case kind == "party":
		return o.party(place)
	case kind == "assignment":
		return o.assignment(place)
	case kind == "delegation":
		return o.delegation(place)
	case kind == "system-user":
		return o.systemUser(place)
	case kind == "access-list":
		return o.accessList(place)
	case kind == "resource":
		return o.resource(place)
	case kind == "header":
		return place.Unreadable("kind", "is header; a header is the first line")
	default:
		return place.Unreadable("kind", "is "+quote(kind)+"; write "+entryKinds)
	}
}

const entryKinds = "party, assignment, delegation, system-user, access-list or resource"

func (o *object) party(place registerfile.Place) *behalfv1.ImportEntry {
	record := &behalfv1.PartyRecord{
		PartyId:    o.number("partyId"),
		PartyUuid:  strings.ToLower(o.text("partyUuid")),
		Kind:       o.partyKind(),
		Name:       o.text("name"),
		OrgNumber:  o.text("orgNumber"),
		NationalId: o.text("nationalId"),
		UnitType:   o.text("unitType"),
		DeletedOn:  o.text("deletedOn"),
		MainUnit:   o.text("mainUnit"),
		BirthDate:  o.text("birthDate"),
		DiedOn:     o.text("diedOn"),
		UserId:     o.number("userId"),
		Login:      o.flag("login"),
		SourceKey:  o.text("sourceKey"),
	}
	if record.MainUnit != "" && !isReference(record.MainUnit) {
		o.fail("mainUnit", noReference)
	}
	if err := o.end("a party"); err != nil {
		return unreadable(place, err)
	}
	return place.Checked(place.Party(record))
}

func (o *object) partyKind() behalfv1.PartyKind {
	if !o.has("type") {
		o.fail("type", "is missing; write one of %s", kindNames)
	}
	name := o.text("type")
	for kind, known := range Kinds() {
		if name == known {
			return kind
		}
	}
	o.fail("type", "is %s; write one of %s", quote(name), kindNames)
	return behalfv1.PartyKind_PARTY_KIND_UNSPECIFIED
}

const kindNames = "person, organisation, sub-unit, self-identified, bankruptcy-estate"

func (o *object) assignment(place registerfile.Place) *behalfv1.ImportEntry {
	record := &behalfv1.AssignmentRecord{From: o.text("from"), Role: o.text("role"), To: o.text("to")}
	for _, end := range []struct{ name, text string }{{"from", record.From}, {"to", record.To}} {
		if end.text != "" && !isReference(end.text) {
			o.fail(end.name, noReference)
		}
	}
	if o.has("expiresAt") {
		at, err := time.Parse(time.RFC3339, o.text("expiresAt"))
		if err != nil {
			o.fail("expiresAt", "is not a time, such as 2030-12-31T23:59:59Z")
		}
		record.ExpiresAt = timestamppb.New(at)
	}
	if err := o.end("an assignment"); err != nil {
		return unreadable(place, err)
	}
	return place.Checked(place.Assignment(record))
}

const noReference = "is no reference, such as org:910042963, party:50002598, uuid:…, nin:… or key:…"

func isReference(text string) bool {
	scheme, id, _ := strings.Cut(text, ":")
	switch scheme {
	case "party", "uuid", "org", "nin", "key":
		return id != ""
	}
	return false
}

// reference returns a reference to the party that a line is about, without taking
// fields or keeping faults.
func (o *object) reference() string {
	look := object{names: o.names, values: make(map[string]json.RawMessage, len(o.values))}
	for name, value := range o.values {
		look.values[name] = value
	}
	if from := look.text("from"); from != "" && isReference(from) {
		return from
	}
	return registerfile.Reference(&behalfv1.ImportEntry{Entry: &behalfv1.ImportEntry_Party{Party: &behalfv1.PartyRecord{
		PartyId: look.number("partyId"), OrgNumber: look.text("orgNumber"), NationalId: look.text("nationalId"),
		PartyUuid: look.text("partyUuid"), SourceKey: look.text("sourceKey"),
	}}})
}

func unreadable(place registerfile.Place, err error) *behalfv1.ImportEntry {
	if at, ok := errors.AsType[*fieldError](err); ok {
		return place.Unreadable(at.field, at.message)
	}
	return place.Unreadable("", err.Error())
}

// quote shows a text of the file, cut when it is long.
func quote(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		text = string(runes[:39]) + "…"
	}
	return `"` + text + `"`
}
