package engine

import (
	"context"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Read returns the relationships that any of the filters selects, filter by filter, all
// at one revision. One that two filters select is there twice. Relationships that have
// expired, and those that hold only under a caveat, are left out.
func (e *Engine) Read(ctx context.Context, at relation.At, filters ...relation.Filter) ([]relation.Relationship, relation.Revision, error) {
	ctx, revision, err := e.at(ctx, at)
	if err != nil {
		return nil, "", err
	}
	if found, ok := e.readGraph(ctx, filters); ok {
		return found, revision, nil
	}
	requests := make([]*v1.ReadRelationshipsRequest, len(filters))
	for i, f := range filters {
		if requests[i], err = readRequest(i, f); err != nil {
			return nil, "", err
		}
		if err := e.validate(requests[i]); err != nil {
			return nil, "", err
		}
	}
	var found []relation.Relationship
	for _, request := range requests {
		err = e.services.Permissions.ReadRelationships(request, &sink[v1.ReadRelationshipsResponse]{ctx: ctx, each: func(r *v1.ReadRelationshipsResponse) {
			if r.GetRelationship().GetOptionalCaveat() == nil {
				found = append(found, relationship(r.GetRelationship()))
			}
		}})
		if err != nil {
			return nil, "", faultOf(err)
		}
	}
	return found, revision, nil
}

func readRequest(i int, f relation.Filter) (*v1.ReadRelationshipsRequest, error) {
	if f.ResourceType == "" {
		return nil, fault.Field(fmt.Sprintf("filters[%d].resource_type", i), "is required")
	}
	if f.SubjectID != "" && f.SubjectType == "" {
		return nil, fault.Field(fmt.Sprintf("filters[%d].subject_type", i), "is required with a subject's id")
	}
	filter := &v1.RelationshipFilter{ResourceType: f.ResourceType, OptionalResourceId: f.ResourceID, OptionalRelation: f.Relation}
	if f.SubjectType != "" {
		filter.OptionalSubjectFilter = &v1.SubjectFilter{SubjectType: f.SubjectType, OptionalSubjectId: f.SubjectID}
	}
	return &v1.ReadRelationshipsRequest{RelationshipFilter: filter}, nil
}

func relationship(r *v1.Relationship) relation.Relationship {
	out := relation.Relationship{
		Resource: relation.Object{Type: r.GetResource().GetObjectType(), ID: r.GetResource().GetObjectId()},
		Relation: r.GetRelation(),
		Subject: relation.Subject{
			Object:   relation.Object{Type: r.GetSubject().GetObject().GetObjectType(), ID: r.GetSubject().GetObject().GetObjectId()},
			Relation: r.GetSubject().GetOptionalRelation(),
		},
	}
	if r.GetOptionalExpiresAt() != nil {
		out.Expires = r.GetOptionalExpiresAt().AsTime()
	}
	return out
}

// OperationKey names the operation in the metadata of a transaction that was written as one.
const OperationKey = "behalf_operation"

// Write applies updates in their order and returns a revision that sees them. Up to
// 10,000 updates are one transaction; more are written 10,000 at a time, and an error
// then leaves the transactions before it written. Of several updates of one relationship
// the last one counts. Without updates it returns the head.
func (e *Engine) Write(ctx context.Context, updates []relation.Update) (relation.Revision, error) {
	if err := e.running(); err != nil {
		return "", err
	}
	rest, err := lastOfEach(updates)
	if err != nil {
		return "", err
	}
	if len(rest) == 0 {
		return e.Head(ctx)
	}
	ctx = e.Context(ctx)
	var metadata *structpb.Struct
	if o, ok := relation.OperationOf(ctx); ok {
		metadata = &structpb.Struct{Fields: map[string]*structpb.Value{OperationKey: structpb.NewStringValue(o.ID)}}
	}
	var revision relation.Revision
	for len(rest) > 0 {
		n := min(len(rest), maxUpdates)
		request := &v1.WriteRelationshipsRequest{Updates: rest[:n], OptionalTransactionMetadata: metadata}
		if err := e.validate(request); err != nil {
			return "", err
		}
		response, err := e.services.Permissions.WriteRelationships(ctx, request)
		if err != nil {
			return "", faultOf(err)
		}
		revision = relation.Revision(response.GetWrittenAt().GetToken())
		rest = rest[n:]
	}
	return revision, nil
}

// lastOfEach translates updates, dropping those that a later one of the same relationship
// makes void: SpiceDB refuses two of the same in one transaction.
func lastOfEach(updates []relation.Update) ([]*v1.RelationshipUpdate, error) {
	type key struct {
		resource relation.Object
		relation string
		subject  relation.Subject
	}
	last := make(map[key]int, len(updates))
	for i, u := range updates {
		last[key{u.Relationship.Resource, u.Relationship.Relation, u.Relationship.Subject}] = i
	}
	out := make([]*v1.RelationshipUpdate, 0, len(last))
	for i, u := range updates {
		var op v1.RelationshipUpdate_Operation
		switch u.Op {
		case relation.Touch:
			op = v1.RelationshipUpdate_OPERATION_TOUCH
		case relation.Delete:
			op = v1.RelationshipUpdate_OPERATION_DELETE
		default:
			return nil, fault.Field(fmt.Sprintf("updates[%d].op", i), "must be touch or delete")
		}
		if last[key{u.Relationship.Resource, u.Relationship.Relation, u.Relationship.Subject}] == i {
			out = append(out, &v1.RelationshipUpdate{Operation: op, Relationship: v1Relationship(u.Relationship)})
		}
	}
	return out, nil
}

func v1Relationship(r relation.Relationship) *v1.Relationship {
	out := &v1.Relationship{
		Resource: objectReference(r.Resource),
		Relation: r.Relation,
		Subject:  subjectReference(r.Subject),
	}
	if !r.Expires.IsZero() {
		out.OptionalExpiresAt = timestamppb.New(r.Expires)
	}
	return out
}
