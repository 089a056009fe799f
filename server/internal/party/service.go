package party

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// ReasonPartyNotRepresented is given to an end user who asks for a party that he may not
// represent, whether or not it exists.
const ReasonPartyNotRepresented fault.Reason = "PARTY_NOT_REPRESENTED"

// Relations answers who has which permission on what.
type Relations interface {
	Pin(ctx context.Context, at relation.At) (context.Context, relation.Revision, error)
	Read(ctx context.Context, at relation.At, filters ...relation.Filter) ([]relation.Relationship, relation.Revision, error)
	Check(ctx context.Context, at relation.At, questions ...relation.Question) ([]relation.Answer, relation.Revision, error)
	// ListResources and ListSubjects should answer with one value while the answer stays the same.
	ListResources(ctx context.Context, at relation.At, objectType, permission string, subject relation.Subject) (*relation.Listed, relation.Revision, error)
	ListSubjects(ctx context.Context, at relation.At, object relation.Object, permission, subjectType string) (*relation.Listed, relation.Revision, error)
}

// Policies says who may use resources.
type Policies interface {
	// Openers returns the roles and packages, by relation, that the policy of a resource names
	// for an action, for any when it is empty.
	Openers(ctx context.Context, at relation.At, resource, action string) (roles, packages []string, err error)
}

// Config is what a Service needs.
type Config struct {
	Relations Relations
	Directory *Directory
	Policies  Policies // may be nil: then no list is filtered by resource
}

// Service answers whom a user may act for. It is safe for concurrent use.
type Service struct {
	relations Relations
	directory *Directory
	policies  Policies
	views     *views
	unions    *unions
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Relations == nil || c.Directory == nil {
		return nil, fmt.Errorf("party: relations and directory are required")
	}
	return &Service{relations: c.Relations, directory: c.Directory, policies: c.Policies, views: newViews(), unions: newUnions()}, nil
}

// Reference names a party by one of its identifiers. The others are zero.
type Reference struct {
	ID         ID
	UUID       string
	OrgNumber  string
	NationalID string
}

// Get returns one party. An end user gets a party that he may represent, and the same
// denial for every other, whether or not it exists; a service gets any party on record.
func (s *Service) Get(ctx context.Context, at relation.At, who caller.Caller, ref Reference) (Party, relation.Revision, error) {
	id := s.resolve(ref)
	// A reference that names nobody is asked about like all others, as party 0: neither the
	// answer nor its cost tells whether the party exists. For a service the answer is that
	// user 0 may not, and what counts is the revision.
	may, revision, err := s.check(ctx, at, id, relation.User(who.UserID))
	if err != nil {
		return Party{}, "", err
	}
	represented := may && who.Kind == caller.User && id != 0
	if !represented && who.Kind != caller.Service {
		return Party{}, "", fault.New(fault.Denied, ReasonPartyNotRepresented, "the user may not represent the party")
	}
	if p, ok := s.directory.Get(id); ok {
		return p, revision, nil
	}
	if represented {
		return Party{ID: id}, revision, nil // known to the relations only
	}
	return Party{}, "", fault.New(fault.NotFound, fault.ReasonPartyNotFound, "no such party is on record")
}

// resolve returns the id of a party, 0 when the directory knows none by that name.
func (s *Service) resolve(ref Reference) ID {
	if ref.ID != 0 {
		return ref.ID
	}
	p, _ := s.directory.Find(ref)
	return p.ID
}

// Validate reports whether a user may represent a party. A party or user that does not
// exist is no fault: the answer is false.
func (s *Service) Validate(ctx context.Context, at relation.At, id ID, user UserID) (bool, relation.Revision, error) {
	return s.check(ctx, at, id, relation.User(int64(user)))
}

func (s *Service) check(ctx context.Context, at relation.At, id ID, subject relation.Subject) (bool, relation.Revision, error) {
	answers, revision, err := s.relations.Check(ctx, at, relation.Question{
		Object:     relation.Party(int64(id)),
		Permission: relation.Represent,
		Subject:    subject,
	})
	if err != nil {
		return false, "", fmt.Errorf("check who may represent party %d: %w", id, err)
	}
	if err := answers[0].Err; err != nil {
		return false, "", fmt.Errorf("check who may represent party %d: %w", id, err)
	}
	return answers[0].Allowed, revision, nil
}
