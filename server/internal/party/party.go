package party

// ID is Altinn's partyId, unique over all kinds of party. It is positive.
type ID int64

// UserID is the id under which a person holds roles and logs in. It is positive, and
// never an e-mail address, an OIDC subject or a national id.
type UserID int64

// Kind is what a party is. The numbers are Altinn's partyTypeName.
type Kind uint8

// The kinds of party. The zero Kind is never a party's.
const (
	Person           Kind = 1
	Organisation     Kind = 2
	SelfIdentified   Kind = 3
	SubUnit          Kind = 4
	BankruptcyEstate Kind = 5
)

// Party is a person, organisation, sub-unit, self-identified user or estate, as recorded.
type Party struct {
	ID         ID
	UUID       string // canonical lower-case form
	Kind       Kind
	Name       string
	OrgNumber  string // nine digits; empty for persons
	NationalID string // eleven digits; empty for all but persons
	UnitType   string // organisation form, such as AS; empty for persons
	MainUnit   ID     // a sub-unit's main unit, 0 for all others
	DeletedOn  string // YYYY-MM-DD when the register struck it off; empty while it stands
	BirthDate  string // YYYY-MM-DD; empty when not known
	DiedOn     string // YYYY-MM-DD; empty while alive or not known
	UserID     UserID // the id under which a person holds roles, 0 for all others
	Login      bool   // whether the user can log in, and so represents himself
}
