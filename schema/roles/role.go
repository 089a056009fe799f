package roles

import "slices"

// Role is one role of the catalogue. Its slices are shared: read them only.
type Role struct {
	ID         string     `json:"id"`          // Altinn's UUID of the role, empty for a role of Behalf's own
	Code       string     `json:"code"`        // what clients see, in its own case: DAGL, apiadm, rettighetshaver
	LegacyCode string     `json:"legacy_code"` // the four-letter code of the register, empty when it has none
	Slug       string     `json:"slug"`        // the name within its provider: daglig-leder
	URN        string     `json:"urn"`
	LegacyURN  string     `json:"legacy_urn"` // the URN by legacy code, empty when it has none
	Name       string     `json:"name"`       // Norwegian
	NameEN     string     `json:"name_en"`
	Provider   Provider   `json:"provider"`
	EntityType EntityType `json:"entity_type"` // whose role it is: what kind of party has somebody in it
	Holders    Holders    `json:"holders"`     // who may hold it
	Assignable bool       `json:"assignable"`  // whether a party may give it away by itself

	// KeyRole says that a person who holds the role in an organisation has what that
	// organisation holds for others. It never holds for an organisation in the role.
	KeyRole bool `json:"key_role"`
	// NoKeyIn lists unit types in which a key role is none.
	NoKeyIn []string `json:"no_key_in"`
	// KeyHolders says that whoever holds a key role has this role too.
	KeyHolders bool `json:"key_holders"`
	// SoleTrader says that who holds the role for a sole trader's business holds it for
	// the trader as well.
	SoleTrader bool `json:"sole_trader"`
	// Link says that the role joins two parties and is not a role anybody acts in.
	Link Link `json:"link"`

	Lower    string   `json:"-"` // the code in lower case, as policies may write it
	Relation string   `json:"-"` // the role's name in the schema; has_<Relation> is its permission
	Implies  []string `json:"-"` // relations of the roles that come with this one directly
}

// PersonRelation returns the relation under which a person holds the role in a party of
// the unit type. It is empty when no person can.
func (r Role) PersonRelation(unitType string) string {
	switch {
	case r.Link != NoLink || r.Holders == Organisations:
		return ""
	case slices.Contains(r.NoKeyIn, unitType):
		return r.Relation + suffixNoKey
	default:
		return r.Relation
	}
}

// OrganisationRelation returns the relation under which an organisation holds the role in
// a party of the unit type. It is empty when no organisation can.
func (r Role) OrganisationRelation(unitType string) string {
	switch {
	case r.Link != NoLink || r.Holders == Persons:
		return ""
	case slices.Contains(r.NoKeyIn, unitType):
		return r.Relation + suffixNoKey + suffixOrg
	default:
		return r.Relation + suffixOrg
	}
}

// Provider is who defines a role or a package.
type Provider string

// The providers.
const (
	Altinn2 Provider = "altinn2"
	Altinn3 Provider = "altinn3"
	CCR     Provider = "ccr" // the central coordinating register for legal entities
	CRA     Provider = "cra" // the civil rights authority: guardianships
)

// EntityType is the kind of party that a role or package is about.
type EntityType string

// The entity types.
const (
	Organisation EntityType = "organisation"
	Person       EntityType = "person"
)

// Holders says who may hold a role.
type Holders string

// The kinds of holders.
const (
	Anybody       Holders = "any"
	Persons       Holders = "person"
	Organisations Holders = "organisation"
)

// Link is the relation that a role is written as when it joins two parties.
type Link string

// The links.
const (
	NoLink   Link = ""
	MainUnit Link = "main_unit" // sub-unit to main unit: rights flow down
	OrgLevel Link = "org_level" // level of a public body: no right follows
)
