package register

import (
	"strconv"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// PartyRecord is what a source says of a party.
type PartyRecord struct {
	ID         party.ID // 0 lets the server find or number the party
	UUID       string   // empty lets the server make one
	Kind       party.Kind
	Name       string
	OrgNumber  string
	NationalID string
	UnitType   string
	DeletedOn  string
	MainUnit   string // a sub-unit's main unit, as ParseReference reads it
	BirthDate  string
	DiedOn     string
	UserID     party.UserID // 0 lets the server number a person
	Login      bool
	Key        string // the source's own key of the party
}

// AssignmentRecord is what a source says of who holds a role.
type AssignmentRecord struct {
	From    string // the party in which the role is held, as ParseReference reads it
	Role    string // code, legacy code, slug or URN, in any case
	To      string // the party that holds it, as ParseReference reads it
	Expires time.Time
}

// Scheme is what a reference names a party by.
type Scheme string

// The schemes.
const (
	ByID         Scheme = "party"
	ByUUID       Scheme = "uuid"
	ByOrgNumber  Scheme = "org"
	ByNationalID Scheme = "nin"
	ByKey        Scheme = "key" // a key of the source that speaks
)

// Reference names a party. The zero Reference names none.
type Reference struct {
	Scheme Scheme
	Value  string
}

// String returns scheme:value.
func (r Reference) String() string { return string(r.Scheme) + ":" + r.Value }

// id is the id in a reference by id.
func (r Reference) id() party.ID {
	id, err := strconv.ParseInt(r.Value, 10, 32)
	if err != nil {
		return 0
	}
	return party.ID(id)
}

// PartyID returns the reference to a party by its id.
func PartyID(id party.ID) Reference {
	return Reference{Scheme: ByID, Value: strconv.FormatInt(int64(id), 10)}
}

// ParseReference reads scheme:value. It is not ok when no party could be named so.
func ParseReference(text string) (r Reference, ok bool) {
	scheme, value, _ := strings.Cut(text, ":")
	r = Reference{Scheme: Scheme(scheme), Value: value}
	switch r.Scheme {
	case ByID:
		id, err := strconv.ParseInt(value, 10, 32)
		if err != nil || id <= 0 {
			return Reference{}, false
		}
		return PartyID(party.ID(id)), true
	case ByUUID:
		r.Value = strings.ToLower(value)
		ok = uuidForm.MatchString(r.Value)
	case ByOrgNumber:
		ok = digits(value, 9)
	case ByNationalID:
		ok = digits(value, 11)
	case ByKey:
		ok = value != "" && len(value) <= maxKey
	}
	if !ok {
		return Reference{}, false
	}
	return r, true
}

func digits(s string, n int) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) == n
}
