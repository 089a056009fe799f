package world

import "time"

// Party is a party of a world: what follows from the register depends on no more of it.
type Party struct {
	ID        int64
	UserID    int64
	Type      string
	UnitType  string
	DeletedOn string
	Login     bool

	main int64 // the id of its main unit
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
