package relation

import (
	"fmt"
	"strconv"
	"strings"
)

// The definitions of Behalf's own part of the schema.
const (
	TypeUser       = "user"
	TypeSystemUser = "systemuser"
	TypeParty      = "party"
	TypeRight      = "right"
	TypeGroup      = "group"
	TypeAccessList = "access_list"
	TypePolicy     = "policy"
	TypePolicyText = "policy_text"
	TypeEstateRole = "estate_role" // id: partyId of the estate and the role
)

// Holder is the relation of who has a role in an estate.
const Holder = "holder"

// Represent is the permission of a user who may act for a party.
const Represent = "represent"

// maxID is the greatest length of an object's id, in bytes.
const maxID = 1024

// Party returns the object of a party.
func Party(partyID int64) Object {
	return Object{Type: TypeParty, ID: strconv.FormatInt(partyID, 10)}
}

// User returns the subject of a user.
func User(userID int64) Subject {
	return Subject{Object: Object{Type: TypeUser, ID: strconv.FormatInt(userID, 10)}}
}

// Number returns the number in the id of a party or user. Ids that people wrote through
// the relations API need not be numbers; ok is then false.
func (o Object) Number() (n int64, ok bool) {
	if o.ID == "" || o.ID[0] < '1' || o.ID[0] > '9' {
		return 0, false // each number has one spelling
	}
	n, err := strconv.ParseInt(o.ID, 10, 64)
	if err != nil {
		return 0, false
	}
	return n, true
}

// JoinID makes an id of parts. Letters, digits, '_' and '-' stand for themselves, every
// other byte of a part is '=' and two upper-case hexadecimal digits; parts are joined by
// '/'. It fails when there is no part, a part is empty, or the id exceeds 1,024 bytes.
func JoinID(parts ...string) (string, error) {
	if len(parts) == 0 {
		return "", fmt.Errorf("an id needs at least one part")
	}
	var b strings.Builder
	for i, part := range parts {
		if part == "" {
			return "", fmt.Errorf("part %d of an id is empty", i+1)
		}
		if i > 0 {
			b.WriteByte('/')
		}
		for j := 0; j < len(part); j++ {
			if c := part[j]; plain(c) {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "=%02X", c)
			}
		}
	}
	if b.Len() > maxID {
		return "", fmt.Errorf("an id has at most %d bytes, this has %d", maxID, b.Len())
	}
	return b.String(), nil
}

// SplitID returns the parts of an id that JoinID made, and fails on every other text.
func SplitID(id string) ([]string, error) {
	if len(id) > maxID {
		return nil, fmt.Errorf("an id has at most %d bytes, this has %d", maxID, len(id))
	}
	parts := strings.Split(id, "/")
	for i, part := range parts {
		text, err := unescape(part)
		if err != nil {
			return nil, fmt.Errorf("part %d of id %q: %w", i+1, id, err)
		}
		parts[i] = text
	}
	return parts, nil
}

func unescape(part string) (string, error) {
	if part == "" {
		return "", fmt.Errorf("is empty")
	}
	var b strings.Builder
	for i := 0; i < len(part); i++ {
		switch c := part[i]; {
		case plain(c):
			b.WriteByte(c)
		case c == '=' && i+2 < len(part):
			n, ok := hexByte(part[i+1], part[i+2])
			if !ok || plain(n) {
				return "", fmt.Errorf("%q is no escape", part[i:i+3])
			}
			b.WriteByte(n)
			i += 2
		default:
			return "", fmt.Errorf("byte %d is %q", i+1, c)
		}
	}
	return b.String(), nil
}

func plain(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// hexByte reads two upper-case hexadecimal digits, so that each byte has one escape only.
func hexByte(high, low byte) (byte, bool) {
	h, ok1 := hexDigit(high)
	l, ok2 := hexDigit(low)
	return h<<4 | l, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
