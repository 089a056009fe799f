package authorized

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// maxLevels bounds a hierarchy that the register got wrong.
const maxLevels = 8

// tree puts what a subject has into the hierarchy of units.
type tree struct {
	*gathering
	keep  *wanted
	mains map[party.ID]party.ID // sub-unit to main unit, of those that are listed
}

// descend adds the sub-units of what the subject has, which share in it, and learns the
// main units of sub-units.
func (t *tree) descend(ctx context.Context) error {
	level := slices.Sorted(maps.Keys(t.has))
	for range maxLevels {
		if len(level) == 0 {
			return nil
		}
		filters := make([]relation.Filter, len(level))
		for i, id := range level {
			filters[i] = relation.Filter{
				ResourceType: relation.TypeParty, Relation: relationMainUnit, SubjectType: relation.TypeParty, SubjectID: relation.Party(int64(id)).ID,
			}
		}
		found, err := t.read(ctx, filters...)
		if err != nil {
			return err
		}
		level = level[:0]
		for _, r := range found {
			unit, ok := r.Resource.Number()
			main, also := r.Subject.Number()
			if !ok || !also {
				continue
			}
			id := party.ID(unit)
			t.mains[id] = party.ID(main)
			if t.query.WithoutSubUnits || t.has[id] != nil {
				continue
			}
			t.has[id] = &holding{acts: true, below: true}
			level = append(level, id)
		}
	}
	return nil
}

// main returns the main unit of a party, 0 when it has none.
func (t *tree) main(id party.ID) party.ID {
	if main, ok := t.mains[id]; ok {
		return main
	}
	p, _ := t.service.directory.Get(id)
	return p.MainUnit
}

// entries returns the top-level entries, in order.
func (t *tree) entries() []Entry {
	made := make(map[party.ID]*Entry)
	for id := range t.has {
		if e := t.entry(id); e != nil {
			made[id] = e
		}
	}
	tops := make(map[party.ID]*Entry)
	below := make(map[party.ID][]Entry)
	for id, e := range made {
		top := t.top(id)
		if top == id {
			tops[id] = e
			continue
		}
		below[top] = append(below[top], *e)
	}
	for id, units := range below {
		if tops[id] == nil {
			p, known := t.service.directory.Get(id)
			if !known {
				p = party.Party{ID: id}
			}
			tops[id] = &Entry{Party: p, HierarchyOnly: true}
		}
		slices.SortFunc(units, func(a, b Entry) int { return cmp.Compare(a.Party.ID, b.Party.ID) })
		tops[id].SubUnits = units
	}
	all := make([]Entry, 0, len(tops))
	for _, e := range tops {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return t.query.order(a).compare(t.query.order(b)) })
	return all
}

// top returns the party under which one is listed, itself when it is no sub-unit.
func (t *tree) top(id party.ID) party.ID {
	at := id
	for range maxLevels {
		main := t.main(at)
		if main == 0 || main == id {
			break
		}
		at = main
	}
	return at
}

// entry returns what is shown of a party, nil when it is not listed.
func (t *tree) entry(id party.ID) *Entry {
	q := t.query
	p, known := t.service.directory.Get(id)
	if !known {
		p = party.Party{ID: id}
	}
	if !t.has[id].acts || q.WithoutDeleted && p.DeletedOn != "" || len(q.Parties) > 0 && !slices.Contains(q.Parties, id) {
		return nil
	}
	e := &Entry{Party: p}
	relations, given, resources := t.shared(id)
	held := slices.DeleteFunc(t.service.catalogue.Closure(relations), func(r *roles.Role) bool { return r.Relation == unnamedKeyRole })
	if !q.WithoutRoles {
		if e.Roles = held; q.HeldOnly {
			e.Roles = t.heldAlone(relations)
		}
	}
	packages := t.packages(id, given)
	if !q.WithoutPackages {
		e.Packages = packages
	}
	kept := slices.DeleteFunc(resources, func(r string) bool { return !t.keep.resource(r) })
	if !q.WithoutResources {
		e.Resources = kept
	}
	var instances []Instance
	for i := range t.has[id].instances {
		if t.keep.resource(i.Resource) {
			instances = append(instances, i)
		}
	}
	slices.SortFunc(instances, func(a, b Instance) int { return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.ID, b.ID)) })
	if !q.WithoutInstances {
		e.Instances = instances
	}
	if t.keep != nil && len(kept)+len(instances) == 0 && !t.keep.opens(held, packages) {
		return nil
	}
	if q.ShownOnly && len(e.Roles)+len(e.Packages)+len(e.Resources)+len(e.Instances) == 0 {
		return nil
	}
	return e
}

// opens reports whether one of the roles or packages opens a wanted resource.
func (w *wanted) opens(held []*roles.Role, packages []roles.Package) bool {
	return slices.ContainsFunc(held, func(r *roles.Role) bool { return w.roles[r.Relation] }) ||
		slices.ContainsFunc(packages, func(p roles.Package) bool { return w.packages[p.Relation] })
}

// shared returns what the subject has on a party with what comes down from main units:
// relations of roles, packages that were given, and resources.
func (t *tree) shared(id party.ID) (relations []string, given map[string]bool, resources []string) {
	names, opened := make(map[string]bool), make(map[string]bool)
	given = make(map[string]bool)
	t.upwards(id, func(h *holding, _ party.ID) {
		maps.Copy(names, h.relations)
		maps.Copy(given, h.packages)
		maps.Copy(opened, h.resources)
	})
	return sorted(names), given, sorted(opened)
}

// upwards calls f for what the subject has on a party and on the main units above it.
func (t *tree) upwards(id party.ID, f func(h *holding, at party.ID)) {
	for range maxLevels {
		if h := t.has[id]; h != nil {
			f(h, id)
		}
		if id = t.main(id); id == 0 {
			return
		}
	}
}

// heldAlone returns the roles that are held, without those that they imply, and without a
// key role that no source names.
func (t *tree) heldAlone(relations []string) []*roles.Role {
	has := make(map[string]bool)
	for _, name := range relations {
		if r, _, ok := t.service.catalogue.Held(name); ok && r.Relation != unnamedKeyRole {
			has[r.Relation] = true
		}
	}
	var held []*roles.Role
	all := t.service.catalogue.Roles()
	for i := range all {
		if has[all[i].Relation] {
			held = append(held, &all[i])
		}
	}
	return held
}

// unnamedKeyRole is a role of Behalf's own, which Altinn's clients do not know.
const unnamedKeyRole = "keyrole"

// packages returns the access packages that the subject may use for a party: those that it
// was given, and, unless only what is held counts, those that roles bring.
func (t *tree) packages(id party.ID, given map[string]bool) []roles.Package {
	brought := maps.Clone(given)
	if !t.query.HeldOnly {
		t.bring(id, brought)
	}
	if len(brought) == 0 {
		return nil
	}
	var out []roles.Package
	for _, p := range t.service.catalogue.Packages() {
		if brought[p.Relation] {
			out = append(out, p)
		}
	}
	return out
}

// bring adds the packages that roles bring. A role brings them where it is held and in the
// units below, for the unit types of either.
func (t *tree) bring(id party.ID, into map[string]bool) {
	held := make(map[string]map[string]bool) // role to unit types
	own, _ := t.service.directory.Get(id)
	t.upwards(id, func(h *holding, at party.ID) {
		unit, _ := t.service.directory.Get(at)
		for name := range h.relations {
			r, _, _ := t.service.catalogue.Held(name)
			if held[r.Relation] == nil {
				held[r.Relation] = map[string]bool{own.UnitType: true}
			}
			held[r.Relation][unit.UnitType] = true
		}
	})
	if len(held) == 0 {
		return
	}
	for _, p := range t.service.catalogue.Packages() {
		for _, g := range p.Grants {
			if types := held[g.Role]; g.Access && types != nil && (g.UnitType == "" || types[g.UnitType]) {
				into[p.Relation] = true
			}
		}
	}
}
