package authorized

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Relations is the graph.
type Relations interface {
	Pin(ctx context.Context, at relation.At) (context.Context, relation.Revision, error)
	Read(ctx context.Context, at relation.At, filters ...relation.Filter) ([]relation.Relationship, relation.Revision, error)
	Check(ctx context.Context, at relation.At, questions ...relation.Question) ([]relation.Answer, relation.Revision, error)
}

// Directory knows parties by their ids.
type Directory interface {
	Get(id party.ID) (party.Party, bool)
}

// Openings says what opens resources.
type Openings interface {
	// Owner returns the code of the organisation that owns a resource, empty when it is not known.
	Owner(ctx context.Context, resource string) (string, error)
	// OwnedBy returns the resources of an owner that have a record.
	OwnedBy(ctx context.Context, owner string) ([]string, error)
	// Subjects returns the roles and packages, by relation, that a resource's policy names. A
	// resource without a policy has none.
	Subjects(ctx context.Context, resource string) (roles, packages []string, err error)
}

// Config is what a Service needs.
type Config struct {
	Relations Relations
	Directory Directory
	Catalogue *roles.Catalogue
	Openings  Openings
}

// Service answers for whom somebody may act. It is safe for concurrent use.
type Service struct {
	relations Relations
	directory Directory
	catalogue *roles.Catalogue
	openings  Openings
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Relations == nil || c.Directory == nil || c.Catalogue == nil || c.Openings == nil {
		return nil, errors.New("authorized: relations, a directory, a catalogue and openings are required")
	}
	return &Service{relations: c.Relations, directory: c.Directory, catalogue: c.Catalogue, openings: c.Openings}, nil
}

// List returns the parties for which a subject may act.
func (s *Service) List(ctx context.Context, q Query) (List, error) {
	after, err := q.position()
	if err != nil {
		return List{}, err
	}
	ctx, revision, err := s.relations.Pin(ctx, q.At)
	if err != nil {
		return List{}, err
	}
	g, err := s.gather(ctx, q)
	if err != nil {
		return List{}, err
	}
	keep, err := s.wanted(ctx, q)
	if err != nil {
		return List{}, err
	}
	t := &tree{gathering: g, keep: keep, mains: make(map[party.ID]party.ID)}
	if err := t.descend(ctx); err != nil {
		return List{}, err
	}
	entries := t.entries()
	out := List{Total: len(entries), Revision: revision}
	out.Entries, out.Next = q.page(entries, after)
	return out, nil
}

// wanted is which resources a query keeps, and by which roles and packages they are open.
// A nil wanted keeps all.
type wanted struct {
	resources map[string]bool
	owner     string
	roles     map[string]bool
	packages  map[string]bool
}

func (s *Service) wanted(ctx context.Context, q Query) (*wanted, error) {
	if q.Owner == "" && len(q.Resources) == 0 {
		return nil, nil
	}
	w := &wanted{resources: make(map[string]bool), owner: q.Owner, roles: make(map[string]bool), packages: make(map[string]bool)}
	of := slices.Clone(q.Resources)
	for i := range of {
		of[i] = relation.ResourceID(of[i])
	}
	if len(of) == 0 {
		owned, err := s.openings.OwnedBy(ctx, q.Owner)
		if err != nil {
			return nil, err
		}
		of = owned
	} else if q.Owner != "" {
		kept := of[:0]
		for _, resource := range of {
			owner, err := s.openings.Owner(ctx, resource)
			if err != nil {
				return nil, err
			}
			if owner == q.Owner {
				kept = append(kept, resource)
			}
		}
		of, w.owner = kept, ""
	}
	for _, resource := range of {
		w.resources[resource] = true
		byRole, byPackage, err := s.openings.Subjects(ctx, resource)
		if err != nil {
			return nil, fmt.Errorf("read who may use %s: %w", resource, err)
		}
		for _, name := range byRole {
			w.roles[name] = true
		}
		for _, name := range byPackage {
			w.packages[name] = true
		}
	}
	return w, nil
}

// resource reports whether a resource is one of those that are wanted.
func (w *wanted) resource(id string) bool {
	return w == nil || w.resources[id] || w.owner != "" && appOf(id) == w.owner
}

// appOf returns the owner in the id of an app, empty for other resources.
func appOf(id string) string {
	const prefix = "app_"
	if len(id) <= len(prefix) || id[:len(prefix)] != prefix {
		return ""
	}
	for i := len(prefix); i < len(id); i++ {
		if id[i] == '_' {
			return id[len(prefix):i]
		}
	}
	return ""
}

func sorted(of map[string]bool) []string { return slices.Sorted(maps.Keys(of)) }
