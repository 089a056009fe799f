package registerfile

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/reflect/protoreflect"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Place is where an entry stands, and what it is about as far as that could be read.
type Place struct {
	File      string
	Line      int64
	Reference string // such as org:910042963; empty when it could not be read
}

// Party returns an entry that introduces a party.
func (p Place) Party(record *behalfv1.PartyRecord) *behalfv1.ImportEntry {
	return &behalfv1.ImportEntry{File: p.File, Line: p.Line, Entry: &behalfv1.ImportEntry_Party{Party: record}}
}

// Assignment returns an entry that introduces an assignment.
func (p Place) Assignment(record *behalfv1.AssignmentRecord) *behalfv1.ImportEntry {
	return &behalfv1.ImportEntry{File: p.File, Line: p.Line, Entry: &behalfv1.ImportEntry_Assignment{Assignment: record}}
}

// Unreadable returns an entry for one that could not be made out. The server counts it
// as refused and leaves alone what the source had asserted of the party.
func (p Place) Unreadable(field, message string) *behalfv1.ImportEntry {
	return &behalfv1.ImportEntry{File: p.File, Line: p.Line, Entry: &behalfv1.ImportEntry_Unreadable{
		Unreadable: &behalfv1.UnreadableEntry{
			Reference: clip(p.Reference, 600), Field: clip(field, 256), Message: clip(message, 4096),
		},
	}}
}

// Checked returns the entry when the server's contract allows it, else the unreadable
// entry that says what is wrong. One bad entry would otherwise fail the whole stream.
func (p Place) Checked(entry *behalfv1.ImportEntry) *behalfv1.ImportEntry {
	if p.Reference == "" {
		p.Reference = Reference(entry)
	}
	err := protovalidate.Validate(entry)
	if err == nil {
		if field := noDay(entry.GetParty()); field != "" {
			return p.Unreadable(field, "is no day of the calendar")
		}
		return entry
	}
	field, message := "", err.Error()
	if invalid, ok := errors.AsType[*protovalidate.ValidationError](err); ok && len(invalid.Violations) > 0 {
		field, message = describe(invalid.Violations[0])
	}
	return p.Unreadable(field, message)
}

// noDay returns the first field that is written as a day and is none, such as 2023-02-30.
func noDay(p *behalfv1.PartyRecord) string {
	for _, day := range []struct{ field, text string }{
		{"deletedOn", p.GetDeletedOn()}, {"birthDate", p.GetBirthDate()}, {"diedOn", p.GetDiedOn()},
	} {
		if _, err := time.Parse(time.DateOnly, day.text); day.text != "" && err != nil {
			return day.field
		}
	}
	return ""
}

// Reference returns a reference to the party that an entry is about, empty when it has none.
func Reference(entry *behalfv1.ImportEntry) string {
	if a := entry.GetAssignment(); a != nil {
		return a.GetFrom()
	}
	if d := entry.GetDelegation(); d != nil {
		return d.GetFrom()
	}
	p := entry.GetParty()
	switch {
	case p.GetPartyId() > 0:
		return "party:" + strconv.FormatInt(p.GetPartyId(), 10)
	case p.GetOrgNumber() != "":
		return "org:" + p.GetOrgNumber()
	case p.GetNationalId() != "":
		return "nin:" + p.GetNationalId()
	case p.GetPartyUuid() != "":
		return "uuid:" + p.GetPartyUuid()
	case p.GetSourceKey() != "":
		return "key:" + p.GetSourceKey()
	}
	return ""
}

// describe says what is wrong in words that need no knowledge of regular expressions.
func describe(v *protovalidate.Violation) (field, message string) {
	message = v.Proto.GetMessage()
	if v.FieldDescriptor == nil {
		return "", message
	}
	field = v.FieldDescriptor.JSONName()
	if want := shape(v.FieldDescriptor.Name(), v.Proto.GetRuleId()); want != "" {
		message = want
	}
	return field, message
}

func shape(field protoreflect.Name, rule string) string {
	if rule == "string.min_len" {
		return "is missing"
	}
	if rule != "string.pattern" && rule != "string.uuid" {
		return ""
	}
	switch field {
	case "org_number":
		return "is not nine digits"
	case "national_id":
		return "is not eleven digits"
	case "unit_type":
		return "is not a code of upper-case letters, such as AS"
	case "deleted_on", "birth_date", "died_on":
		return "is not a day, such as 2024-12-31"
	case "party_uuid":
		return "is not a UUID"
	}
	return ""
}

// clip cuts a text to at most n characters, and makes it valid: what is reported of a
// bad entry must not itself be refused.
func clip(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}
