package delegation

import (
	"context"
	"errors"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Relations is the relation graph. Pin fixes the revision that reads with the context it
// returns are answered at.
type Relations interface {
	Pin(ctx context.Context, at relation.At) (context.Context, relation.Revision, error)
	Check(ctx context.Context, at relation.At, questions ...relation.Question) ([]relation.Answer, relation.Revision, error)
	Read(ctx context.Context, at relation.At, filters ...relation.Filter) ([]relation.Relationship, relation.Revision, error)
}

// Register writes what parties delegate.
type Register interface {
	Delegate(ctx context.Context, may func(context.Context) error,
		plan func(context.Context, *records.Tx) (register.Delegations, error)) (relation.Revision, error)
}

// Roles returns the roles of a user for a party.
type Roles interface {
	Roles(ctx context.Context, at relation.At, of party.ID, user party.UserID) ([]*roles.Role, relation.Revision, error)
}

// Policies returns the policy of a resource, an app by app_<org>_<app>. Without one the
// error is a NotFound fault.
type Policies interface {
	Policy(ctx context.Context, resource string) (*xacml.Policy, error)
}

// Config is what a Service needs. All but Now are required.
type Config struct {
	Records   *records.Store
	Register  Register
	Relations Relations
	Directory *party.Directory
	Catalogue *roles.Catalogue
	Roles     Roles
	Policies  Policies
	Now       func() time.Time // nil for the clock
}

// Service passes on what parties have, and takes it back. It is safe for concurrent use.
type Service struct {
	records   *records.Store
	register  Register
	relations Relations
	directory *party.Directory
	catalogue *roles.Catalogue
	roles     Roles
	policies  Policies
	now       func() time.Time
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Records == nil || c.Register == nil || c.Relations == nil || c.Directory == nil || c.Catalogue == nil ||
		c.Roles == nil || c.Policies == nil {
		return nil, errors.New("delegation: records, a register, relations, a directory, a catalogue, roles and policies are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{
		records: c.Records, register: c.Register, relations: c.Relations, directory: c.Directory, catalogue: c.Catalogue,
		roles: c.Roles, policies: c.Policies, now: c.Now,
	}, nil
}
