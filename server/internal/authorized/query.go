package authorized

import (
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Subject is who acts for others: exactly one field is set.
type Subject struct {
	User         party.UserID
	Organisation party.ID
	SystemUser   string // a UUID
}

// Query asks for whom a subject may act. What it leaves out is left out of the reading too,
// where that decides nothing else.
type Query struct {
	Subject Subject
	At      relation.At

	WithoutRoles, WithoutPackages, WithoutResources, WithoutInstances bool

	WithoutKeyRoles bool // pass over what comes through organisations
	WithoutSubUnits bool // pass over sub-units that come through their main units alone
	WithoutDeleted  bool // leave out what the register has struck off
	HeldOnly        bool // leave out roles that others imply, and packages that roles bring
	ShownOnly       bool // leave out parties of which nothing would be shown

	Parties   []party.ID // keep these; none keeps all
	Owner     string     // keep resources of this service owner
	Resources []string   // keep these resources

	PageSize  int    // 0 for all
	PageToken string // from the page before
}

// Instance is an instance of a resource.
type Instance struct{ Resource, ID string }

// Entry is a party for which the subject may act.
type Entry struct {
	Party         party.Party
	HierarchyOnly bool // there only to carry sub-units
	Roles         []*roles.Role
	Packages      []roles.Package
	Resources     []string
	Instances     []Instance
	SubUnits      []Entry
}

// List is one page of entries: the subject's own party, then by id.
type List struct {
	Entries  []Entry
	Next     string // token of the next page
	Total    int    // top-level entries of all pages
	Revision relation.Revision
}
