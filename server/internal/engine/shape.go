package engine

import (
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// shapes returns what a relation of a definition allows, in the order of the text.
func shapes(definition string, r *core.Relation) []relation.Shape {
	var all []relation.Shape
	for _, a := range r.GetTypeInformation().GetAllowedDirectRelations() {
		s := relation.Shape{
			Resource: definition, Relation: r.GetName(), Subject: a.GetNamespace(),
			Everybody: a.GetPublicWildcard() != nil,
			Caveat:    a.GetRequiredCaveat().GetCaveatName(),
			Expires:   a.GetRequiredExpiration() != nil,
		}
		if named := a.GetRelation(); named != tuple.Ellipsis {
			s.SubjectRelation = named
		}
		all = append(all, s)
	}
	return all
}

// allowed returns all that a schema allows.
func (s *Schema) allowed() map[relation.Shape]bool {
	all := make(map[relation.Shape]bool)
	for name, d := range s.objects {
		for _, r := range d.GetRelation() {
			for _, shape := range shapes(name, r) {
				all[shape] = true
			}
		}
	}
	return all
}

// shapeOf returns the shape of a relationship.
func shapeOf(r *tuple.Relationship) relation.Shape {
	s := relation.Shape{
		Resource: r.Resource.ObjectType, Relation: r.Resource.Relation, Subject: r.Subject.ObjectType,
		Everybody: r.Subject.ObjectID == tuple.PublicWildcard,
		Caveat:    r.OptionalCaveat.GetCaveatName(),
		Expires:   r.OptionalExpiration != nil,
	}
	if r.Subject.Relation != tuple.Ellipsis {
		s.SubjectRelation = r.Subject.Relation
	}
	return s
}

// renames are relations that have another name in a wanted schema.
type renames []relations.Rename

// of returns the name of a definition's relation in the wanted schema.
func (all renames) of(definition, name string) string {
	for _, r := range all {
		if r.Definition == definition && r.Old == name {
			return r.New
		}
	}
	return name
}

// shape returns what a shape becomes.
func (all renames) shape(s relation.Shape) relation.Shape {
	s.Relation, s.SubjectRelation = all.of(s.Resource, s.Relation), all.of(s.Subject, s.SubjectRelation)
	return s
}

// relationship returns what a relationship becomes.
func (all renames) relationship(r tuple.Relationship) tuple.Relationship {
	r.Resource.Relation = all.of(r.Resource.ObjectType, r.Resource.Relation)
	r.Subject.Relation = all.of(r.Subject.ObjectType, r.Subject.Relation)
	return r
}
