package delegation

import (
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// Source is the source of what is delegated here, as records name who says something.
const Source = "delegations"

// Actor is who passes something on or takes it back. The zero Actor is a service that acts
// in its own name.
type Actor struct {
	User party.UserID // 0 when a service acts in its own name
	With string       // the service's name, empty when the user acts himself
}

// Receiver is who is given something: a party or a system user.
type Receiver struct {
	Party      party.Reference
	SystemUser string // a UUID
}

// Right is what may be done with a resource.
type Right struct {
	Resource string // such as app_skd_taxreport
	Action   string
	Instance string // empty for all
	Task     string // empty for all
}

// Grant says what is to be given. Exactly one of Right and Package is set.
type Grant struct {
	From     party.Reference
	To       Receiver
	Right    Right
	Package  string // code or URN
	Provider party.Reference
	Expires  time.Time // zero for never
	By       Actor
}

// client reports whether a provider passes on what it has of a client.
func (g Grant) client() bool { return g.Provider != (party.Reference{}) }

// Delegation is something that is delegated.
type Delegation struct {
	ID       string
	From     party.ID
	Provider party.ID // that has passed on a package of From; 0 for all others
	Right    Right    // zero for a package
	Package  string   // URN, empty for a right

	To       party.ID // 0 when a system user has it
	ToUser   party.UserID
	ToSystem string

	Expires   time.Time // zero for never
	GivenBy   party.UserID
	GivenWith string
	GivenAt   time.Time
}

// of returns the delegation that rows of one id say: it stands as long as the longest, and
// was given when the first was.
func (s *Service) of(rows []records.Delegation) Delegation {
	first := rows[0]
	d := Delegation{
		ID: first.ID(), From: first.From, Provider: first.Via,
		To: first.To, ToUser: first.ToUser, ToSystem: first.ToSystem,
		Expires: first.Expires, GivenBy: first.GivenBy, GivenWith: first.GivenWith, GivenAt: first.GivenAt,
	}
	if first.Package == "" {
		d.Right = Right{Resource: first.Resource, Action: first.Action, Instance: first.Instance, Task: first.Task}
	} else if p, ok := s.catalogue.PackageByRelation(first.Package); ok {
		d.Package = p.URN
	} else {
		d.Package = first.Package // has left the catalogue
	}
	for _, r := range rows[1:] {
		if r.GivenAt.Before(d.GivenAt) {
			d.GivenBy, d.GivenWith, d.GivenAt = r.GivenBy, r.GivenWith, r.GivenAt
		}
		if r.Expires.IsZero() || !d.Expires.IsZero() && r.Expires.After(d.Expires) {
			d.Expires = r.Expires
		}
	}
	return d
}
