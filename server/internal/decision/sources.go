package decision

import (
	"context"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Relations is the relation graph. Pin fixes the revision that every other source sees
// with the context it returns.
type Relations interface {
	Pin(ctx context.Context, at relation.At) (context.Context, relation.Revision, error)
	Check(ctx context.Context, at relation.At, questions ...relation.Question) ([]relation.Answer, relation.Revision, error)
	Read(ctx context.Context, at relation.At, filters ...relation.Filter) ([]relation.Relationship, relation.Revision, error)
}

// Policy is a policy that is current.
type Policy struct {
	Hash       string // of its text
	Compiled   *xacml.Policy
	References xacml.Resolver // nil: it may refer to none
}

// Policies finds the policy of a resource. Without one the error is a NotFound fault.
type Policies interface {
	Policy(ctx context.Context, of Resource) (Policy, error)
}

// Parties resolves the identifiers of parties.
type Parties interface {
	Get(id party.ID) (party.Party, bool)
	ByUUID(uuid string) (party.Party, bool)
	ByOrgNumber(number string) (party.Party, bool)
	ByNationalID(number string) (party.Party, bool)
	ByUser(user party.UserID) (party.Party, bool)
}

// Roles returns the roles of a user for a party.
type Roles interface {
	Roles(ctx context.Context, at relation.At, of party.ID, user party.UserID) ([]*roles.Role, relation.Revision, error)
}

// Packages tells of the access packages that a subject, a user or system user, has for a
// party: which of those that are wanted, and by which relations he was given one. A package
// that comes with a role was given by nobody.
type Packages interface {
	PackagePath(ctx context.Context, of party.ID, who relation.Subject, p roles.Package) (path []string, ok bool, err error)
	Packages(ctx context.Context, of party.ID, who relation.Subject, wanted []roles.Package) ([]roles.Package, error)
}

// Right is a right that may have been delegated.
type Right struct {
	Party    party.ID // the giver
	Resource string   // such as app_skd_taxreport
	Task     string   // of an app, or the end event that ended its process; "" for none
	Instance string   // {partyId}/{UUID} or its reference, "" for none
	Action   string
}

// Delegations says whether one of the subjects, each a user, a system user or a party, may
// exercise a right because it was delegated, and by which relations.
type Delegations interface {
	Delegated(ctx context.Context, right Right, subjects []relation.Subject) (path []string, ok bool, err error)
}

// AccessLists tells of the access lists of resources.
type AccessLists interface {
	// Admits says whether a resource admits a party for an action: it has no access lists
	// enabled, or the party is on one. gated is false in the first case.
	Admits(ctx context.Context, resource string, p party.Party, action string) (gated, admitted bool, err error)
	// ListsOf returns the access lists that a party is on, such as ttd:approved-banks.
	ListsOf(ctx context.Context, of party.ID) ([]string, error)
}

// Instance is an instance of an app.
type Instance struct {
	ID       string // {partyId}/{UUID}
	Org      string
	App      string
	Task     string // that it is in, "" if in none
	EndEvent string // with which it ended, "" if it has not
	Party    party.ID
}

// Instances finds instances by their id. ok is false when there is none.
type Instances interface {
	Instance(ctx context.Context, id string) (i Instance, ok bool, err error)
}

// Auditor records the decisions of one request. None of them leaves when it fails.
type Auditor interface {
	Record(ctx context.Context, records []Record) error
}
