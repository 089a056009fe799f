package altinn

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// partyBytes is how long a party is in JSON beside its texts, at most.
const partyBytes = 256

// answerParties answers with a list as Altinn writes it. Lists are long: they are written
// without what encoding/json needs to find out of each party.
func (a *API) answerParties(w http.ResponseWriter, r *http.Request, parties []*behalfv1.Party) {
	a.answerBuffer(w, r, http.StatusOK, contentJSON, func(buf *bytes.Buffer) error {
		buf.Grow(sizeOf(parties)) // at once: growing would copy all of a long list
		_, err := buf.Write(appendParties(buf.AvailableBuffer(), parties))
		return err
	})
}

// sizeOf returns how long a list is in JSON, at most, when nothing in it is escaped.
func sizeOf(parties []*behalfv1.Party) int {
	n := 2
	for _, p := range parties {
		n += partyBytes + len(p.GetPartyUuid()) + len(p.GetOrgNumber()) + len(p.GetNationalId()) + len(p.GetUnitType()) + len(p.GetName())
		n += sizeOf(p.GetSubUnits())
	}
	return n
}

// appendParties appends a list, empty and not null when there is none.
func appendParties(b []byte, parties []*behalfv1.Party) []byte {
	b = append(b, '[')
	for i, p := range parties {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendParty(b, p)
	}
	return append(b, ']')
}

func appendParty(b []byte, p *behalfv1.Party) []byte {
	b = append(b, `{"partyId":`...)
	b = strconv.AppendInt(b, p.GetPartyId(), 10)
	b = append(b, `,"partyUuid":`...)
	b = appendOrNull(b, p.GetPartyUuid())
	b = append(b, `,"partyTypeName":`...)
	b = strconv.AppendInt(b, int64(typeName(p.GetKind())), 10)
	b = append(b, `,"orgNumber":`...)
	b = appendText(b, p.GetOrgNumber())
	b = append(b, `,"ssn":`...)
	b = appendOrNull(b, p.GetNationalId())
	b = append(b, `,"unitType":`...)
	b = appendOrNull(b, p.GetUnitType())
	b = append(b, `,"name":`...)
	b = appendText(b, p.GetName())
	b = append(b, `,"isDeleted":`...)
	b = strconv.AppendBool(b, p.GetDeleted())
	b = append(b, `,"onlyHierarchyElementWithNoAccess":`...)
	b = strconv.AppendBool(b, p.GetHierarchyOnly())
	b = append(b, `,"person":null,"organization":null,"childParties":`...) // the former two are never filled in lists
	if len(p.GetSubUnits()) == 0 {
		b = append(b, "null"...) // and not empty
	} else {
		b = appendParties(b, p.GetSubUnits())
	}
	return append(b, '}')
}

// appendOrNull appends a text, null for an empty one.
func appendOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendText(b, s)
}

// appendText appends a text as encoding/json writes it when it escapes no HTML.
func appendText(b []byte, s string) []byte {
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '"', c == '\\':
			return appendEscaped(b, s)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if !ascii && (!utf8.ValidString(s) || strings.ContainsAny(s, "\u2028\u2029")) {
		return appendEscaped(b, s)
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	buf := bytes.NewBuffer(b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return append(b, `""`...) // never: a text can be written
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
