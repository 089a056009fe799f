package world

import "time"

// Party is a party of a world, written as a line of the native format.
type Party struct {
	Line       string `json:"kind"` // always "party"
	Type       string `json:"type"`
	ID         int64  `json:"partyId"`
	UUID       string `json:"partyUuid"`
	OrgNumber  string `json:"orgNumber,omitempty"`
	NationalID string `json:"nationalId,omitempty"`
	Name       string `json:"name"`
	UnitType   string `json:"unitType,omitempty"`
	MainUnit   string `json:"mainUnit,omitempty"`
	DeletedOn  string `json:"deletedOn,omitempty"`
	BirthDate  string `json:"birthDate,omitempty"`
	UserID     int64  `json:"userId,omitempty"`
	Login      bool   `json:"login,omitempty"`

	main int64 // the id of MainUnit
}

// The types of party, as the native format names them.
const (
	person         = "person"
	organisation   = "organisation"
	subUnit        = "sub-unit"
	selfIdentified = "self-identified"
	estate         = "bankruptcy-estate"
)

// Assignment says that To holds Role in From.
type Assignment struct {
	From, To int64
	Role     string    // a code of the catalogue
	Expires  time.Time // zero for never
}

// User is a user who may represent an exact number of parties.
type User struct {
	UserID  int64   `json:"user"`
	PartyID int64   `json:"party"` // his own party, which is among Parties
	Count   int     `json:"count"`
	Parties []int64 `json:"parties"` // in ascending order
}

// World is an invented register.
type World struct {
	Parties     []Party
	Assignments []Assignment
	Users       []User // by count
}
