package engine

import (
	"context"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Objects returns the ids of all objects of a type that relationships name, as resources or
// as subjects, each once, in no order. Where it is cheaper not to look, some whose
// relationships have ended are among them.
func (e *Engine) Objects(ctx context.Context, at relation.At, typ string) ([]string, relation.Revision, error) {
	ctx, revision, err := e.at(ctx, at)
	if err != nil {
		return nil, "", err
	}
	if w := e.Walk(ctx); w.ok {
		ids := objectsIn(ctx, w.view.Snapshot(), typ)
		return ids, revision, gone(ctx)
	}
	ids, err := e.readObjects(ctx, typ)
	return ids, revision, err
}

// objectsIn finds them in a snapshot of the graph.
func objectsIn(ctx context.Context, s *graph.Snapshot, typ string) []string {
	of, ok := s.Type(typ)
	if !ok {
		return nil
	}
	var ids []string
	for n := range graph.Node(s.Nodes()) {
		if n%(1<<16) == 0 && ctx.Err() != nil {
			return nil
		}
		if s.TypeOf(n) != of || s.Forward(n).Len() == 0 && s.Reverse(n).Len() == 0 {
			continue
		}
		if id := s.ID(n); id != wildcard {
			ids = append(ids, id)
		}
	}
	return ids
}

// readObjects finds them in relationships that SpiceDB reads.
func (e *Engine) readObjects(ctx context.Context, typ string) ([]string, error) {
	of, all, err := e.definition(ctx, typ)
	if err != nil || of == nil {
		return nil, err
	}
	var found collected
	read := func(filter *v1.RelationshipFilter) error {
		request := &v1.ReadRelationshipsRequest{RelationshipFilter: filter}
		return faultOf(e.services.Permissions.ReadRelationships(request, &sink[v1.ReadRelationshipsResponse]{ctx: ctx, each: func(r *v1.ReadRelationshipsResponse) {
			resource, subject := r.GetRelationship().GetResource(), r.GetRelationship().GetSubject().GetObject()
			if resource.GetObjectType() == typ {
				found.add(resource.GetObjectId())
			}
			if subject.GetObjectType() == typ && subject.GetObjectId() != wildcard {
				found.add(subject.GetObjectId())
			}
		}}))
	}
	if err := read(&v1.RelationshipFilter{ResourceType: typ}); err != nil {
		return nil, err
	}
	for _, d := range all {
		if !names(d, typ) {
			continue
		}
		if err := read(&v1.RelationshipFilter{ResourceType: d.GetName(), OptionalSubjectFilter: &v1.SubjectFilter{SubjectType: typ}}); err != nil {
			return nil, err
		}
	}
	return found.ids, nil
}

// names reports whether a relation of a definition allows subjects of a type.
func names(d *v1.ReflectionDefinition, typ string) bool {
	for _, r := range d.GetRelations() {
		for _, t := range r.GetSubjectTypes() {
			if t.GetSubjectDefinitionName() == typ {
				return true
			}
		}
	}
	return false
}
