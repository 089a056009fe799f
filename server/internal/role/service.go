package role

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// maxRounds bounds the readings of one call. A party is at most a few links from the end
// of its hierarchy; a longer chain is a mistake in the data, and a check of it fails too.
const maxRounds = 50

// Reader reads the relationships that any of the filters selects, all at one revision.
// What has expired is not among them.
type Reader interface {
	Read(ctx context.Context, at relation.At, filters ...relation.Filter) ([]relation.Relationship, relation.Revision, error)
}

// Config is what a Service needs.
type Config struct {
	Relations Reader
	Catalogue *roles.Catalogue
}

// Service answers which roles a user has. It is safe for concurrent use.
type Service struct {
	relations Reader
	catalogue *roles.Catalogue
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Relations == nil || c.Catalogue == nil {
		return nil, fmt.Errorf("role: relations and catalogue are required")
	}
	return &Service{relations: c.Relations, catalogue: c.Catalogue}, nil
}

// Roles returns the roles of a user for a party, in the catalogue's order. A party or
// user that does not exist is no fault: there are no roles.
//
// Which tuples matter is known only when those before them are read: first the party's,
// then those of its main unit and of the organisations in a role. Every round therefore
// reads all that the one before found to be needed, the known ones again, so that the
// last round holds everything and all of it is of one revision. Most questions take one
// or two rounds.
func (s *Service) Roles(ctx context.Context, at relation.At, id party.ID, user party.UserID) ([]*roles.Role, relation.Revision, error) {
	asked := relation.Party(int64(id)).ID
	r := newReading(asked, relation.User(int64(user)).ID)
	for range maxRounds {
		tuples, revision, err := s.relations.Read(ctx, at, r.filters()...)
		if err != nil {
			return nil, "", fmt.Errorf("read the roles of user %d for party %d: %w", user, id, err)
		}
		h := newHoldings(s.catalogue, tuples)
		if r.extend(h) {
			continue
		}
		return s.catalogue.Closure(h.resolve(asked)), revision, nil
	}
	return nil, "", fmt.Errorf("roles of user %d for party %d: its hierarchy has more than %d levels", user, id, maxRounds)
}
