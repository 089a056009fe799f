package role

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Path is how a user has a role for a party.
type Path struct {
	Role *roles.Role
	// Steps are the relationships, from the party to the user. What the last role of the
	// tuples implies by the catalogue has no step.
	Steps []relation.Relationship
}

// Paths returns one path to each role that Roles returns, in its order.
func (s *Service) Paths(ctx context.Context, at relation.At, id party.ID, user party.UserID) ([]Path, relation.Revision, error) {
	asked := relation.Party(int64(id)).ID
	r := newReading(asked, relation.User(int64(user)).ID)
	for range maxRounds {
		tuples, revision, err := s.relations.Read(ctx, at, r.filters()...)
		if err != nil {
			return nil, "", fmt.Errorf("read the paths of user %d to party %d: %w", user, id, err)
		}
		h := newHoldings(s.catalogue, tuples)
		if r.extend(h) {
			continue
		}
		return s.paths(newTrails(h, tuples).to(asked)), revision, nil
	}
	return nil, "", fmt.Errorf("paths of user %d to party %d: its hierarchy has more than %d levels", user, id, maxRounds)
}

// paths gives each role the shortest trail that leads to it.
func (s *Service) paths(trails map[string][]relation.Relationship) []Path {
	shortest := func(a, b string) int {
		return cmp.Or(cmp.Compare(len(trails[a]), len(trails[b])), cmp.Compare(a, b))
	}
	byRole := map[string][]relation.Relationship{}
	for _, name := range slices.SortedFunc(maps.Keys(trails), shortest) {
		for _, r := range s.catalogue.Closure([]string{name}) {
			if _, known := byRole[r.Code]; !known {
				byRole[r.Code] = trails[name]
			}
		}
	}
	var paths []Path
	for _, r := range s.catalogue.Closure(slices.Collect(maps.Keys(trails))) {
		paths = append(paths, Path{Role: r, Steps: byRole[r.Code]})
	}
	return paths
}

// trails finds the relationships by which relations are held.
type trails struct {
	*holdings
	tuples map[[3]string]relation.Relationship // by party, relation and subject
	keys   map[string]relation.Relationship    // a key role of the user, by organisation
	user   string
}

func newTrails(h *holdings, tuples []relation.Relationship) *trails {
	t := &trails{holdings: h, tuples: map[[3]string]relation.Relationship{}, keys: map[string]relation.Relationship{}}
	for _, tuple := range tuples {
		t.tuples[[3]string{tuple.Resource.ID, tuple.Relation, tuple.Subject.ID}] = tuple
		if tuple.Subject.Type != relation.TypeUser {
			continue
		}
		t.user = tuple.Subject.ID
		if _, key, ok := h.catalogue.Held(tuple.Relation); ok && key {
			t.keys[tuple.Resource.ID] = tuple
		}
	}
	return t
}

// to returns a trail to each relation that is held on a party.
func (t *trails) to(asked string) map[string][]relation.Relationship {
	return t.on(asked, map[string]bool{})
}

func (t *trails) on(id string, above map[string]bool) map[string][]relation.Relationship {
	found := map[string][]relation.Relationship{}
	if above[id] {
		return found // a circle leads to nothing new
	}
	above[id] = true
	defer delete(above, id)
	put := func(name string, steps ...relation.Relationship) {
		if was, known := found[name]; !known || len(steps) < len(was) {
			found[name] = steps
		}
	}
	for _, name := range t.own[id] {
		put(name, t.tuples[[3]string{id, name, t.user}])
	}
	for _, f := range t.firms[id] {
		if key, ok := t.keys[f.id]; ok {
			put(f.relation, t.tuples[[3]string{id, f.relation, f.id}], key)
		}
	}
	for _, main := range t.mains[id] {
		link := t.tuples[[3]string{id, string(roles.MainUnit), main}]
		for name, steps := range t.on(main, above) {
			put(name, append([]relation.Relationship{link}, steps...)...)
		}
	}
	for _, business := range t.businesses[id] {
		t.throughBusiness(id, business, above, put)
	}
	return found
}

// throughBusiness finds what roles on a sole trader's business give on the trader.
func (t *trails) throughBusiness(id, business string, above map[string]bool, put func(string, ...relation.Relationship)) {
	link := t.tuples[[3]string{id, soleTrader, business}]
	for name, steps := range t.on(business, above) {
		for _, given := range t.forTrader(map[string]bool{name: true}) {
			put(given, append([]relation.Relationship{link}, steps...)...)
		}
	}
}
