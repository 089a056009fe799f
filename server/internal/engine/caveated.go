package engine

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// CheckWith answers one question as Check does, and lets caveats read the context: a value
// of JSON for each of their parameters.
func (e *Engine) CheckWith(ctx context.Context, at relation.At, q relation.Question, caveats map[string]any) (relation.Answer, relation.Revision, error) {
	ctx, revision, err := e.at(ctx, at)
	if err != nil {
		return relation.Answer{}, "", err
	}
	if allowed, ok := e.Walk(ctx).Check(ctx, q); ok {
		return relation.Answer{Allowed: allowed}, revision, nil
	}
	request := checkRequest(q)
	if request.Context, err = caveatContext(caveats); err == nil {
		err = e.validate(request)
	}
	if err != nil {
		return relation.Answer{Err: err}, revision, nil
	}
	answer, err := e.checkOne(ctx, request)
	return answer, revision, err
}

func caveatContext(caveats map[string]any) (*structpb.Struct, error) {
	s, err := structpb.NewStruct(caveats)
	if err != nil {
		return nil, fault.New(fault.Invalid, fault.ReasonInvalidArgument, "the context of caveats is no JSON object").Because(err)
	}
	return s, nil
}

// CandidateResources returns the objects of a type on which a subject may have a permission.
func (e *Engine) CandidateResources(ctx context.Context, at relation.At, objectType, permission string, subject relation.Subject, caveats map[string]any) (relation.Candidates, relation.Revision, error) {
	ctx, revision, err := e.at(ctx, at)
	if err != nil {
		return relation.Candidates{}, "", err
	}
	if ids, ok := e.Walk(ctx).Resources(ctx, objectType, permission, subject); ok {
		return relation.Candidates{IDs: slices.Clone(ids.IDs())}, revision, nil
	}
	given, err := caveatContext(caveats)
	if err != nil {
		return relation.Candidates{}, "", err
	}
	request := &v1.LookupResourcesRequest{
		ResourceObjectType: objectType, Permission: permission, Subject: subjectReference(subject), Context: given,
	}
	if err := e.validate(request); err != nil {
		return relation.Candidates{}, "", err
	}
	var found collected
	err = e.services.Permissions.LookupResources(request, &sink[v1.LookupResourcesResponse]{ctx: ctx, each: func(r *v1.LookupResourcesResponse) {
		found.add(r.GetResourceObjectId())
	}})
	if err != nil {
		return relation.Candidates{}, "", faultOf(err)
	}
	return relation.Candidates{IDs: found.ids}, revision, nil
}

// CandidateSubjects returns the objects of a type that may have a permission on an object.
func (e *Engine) CandidateSubjects(ctx context.Context, at relation.At, object relation.Object, permission, subjectType string, caveats map[string]any) (relation.Candidates, relation.Revision, error) {
	ctx, revision, err := e.at(ctx, at)
	if err != nil {
		return relation.Candidates{}, "", err
	}
	if ids, everyone, ok := e.Walk(ctx).Subjects(ctx, object, permission, subjectType, ""); ok {
		return relation.Candidates{IDs: slices.Clone(ids.IDs()), Everyone: everyone}, revision, nil
	}
	given, err := caveatContext(caveats)
	if err != nil {
		return relation.Candidates{}, "", err
	}
	request := &v1.LookupSubjectsRequest{
		Resource: objectReference(object), Permission: permission, SubjectObjectType: subjectType, Context: given,
	}
	if err := e.validate(request); err != nil {
		return relation.Candidates{}, "", err
	}
	var found collected
	everyone := false
	err = e.services.Permissions.LookupSubjects(request, &sink[v1.LookupSubjectsResponse]{ctx: ctx, each: func(r *v1.LookupSubjectsResponse) {
		if id := r.GetSubject().GetSubjectObjectId(); id != wildcard {
			found.add(id)
			return
		}
		everyone = true
	}})
	if err != nil {
		return relation.Candidates{}, "", faultOf(err)
	}
	return relation.Candidates{IDs: found.ids, Everyone: everyone}, revision, nil
}

// collected is a set of ids in the order of their coming.
type collected struct {
	ids  []string
	seen map[string]struct{}
}

func (c *collected) add(id string) {
	if _, again := c.seen[id]; again {
		return
	}
	if c.seen == nil {
		c.seen = make(map[string]struct{})
	}
	c.seen[id] = struct{}{}
	c.ids = append(c.ids, id)
}

// Permissions returns the names of what a definition of the live schema has: its permissions
// and its relations. ok is false when there is no such definition.
func (e *Engine) Permissions(ctx context.Context, at relation.At, definition string) (permissions, relations []string, ok bool, err error) {
	ctx, _, err = e.at(ctx, at)
	if err != nil {
		return nil, nil, false, err
	}
	d, _, err := e.definition(ctx, definition)
	if err != nil || d == nil {
		return nil, nil, false, err
	}
	for _, p := range d.GetPermissions() {
		permissions = append(permissions, p.GetName())
	}
	for _, r := range d.GetRelations() {
		relations = append(relations, r.GetName())
	}
	return permissions, relations, true, nil
}

// definition returns a definition of the live schema, nil when there is none, and all.
func (e *Engine) definition(ctx context.Context, name string) (of *v1.ReflectionDefinition, all []*v1.ReflectionDefinition, err error) {
	response, err := e.services.Schema.ReflectSchema(ctx, &v1.ReflectSchemaRequest{})
	if err != nil {
		err = faultOf(err)
		if fault.KindOf(err) == fault.Precondition { // no schema yet
			return nil, nil, nil
		}
		return nil, nil, fmt.Errorf("read the live schema: %w", err)
	}
	for _, d := range response.GetDefinitions() {
		if d.GetName() == name {
			of = d
		}
	}
	return of, response.GetDefinitions(), nil
}
