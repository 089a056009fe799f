package engine

import (
	"context"
	"slices"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// wildcard is the id of a subject that stands for all of its type.
const wildcard = "*"

// Resources returns the ids of all objects of the type on which the subject has the
// permission, each once, in no order. Objects on which he has it only under a caveat are
// left out.
func (e *Engine) Resources(ctx context.Context, at relation.At, objectType, permission string, subject relation.Subject) ([]string, relation.Revision, error) {
	found, revision, err := e.ListResources(ctx, at, objectType, permission, subject)
	if err != nil {
		return nil, "", err
	}
	return slices.Clone(found.IDs()), revision, nil
}

// ListResources is Resources whose answer is one value for as long as it stays the same, if
// the list is long and its walk is kept.
func (e *Engine) ListResources(ctx context.Context, at relation.At, objectType, permission string, subject relation.Subject) (*relation.Listed, relation.Revision, error) {
	w, revision, head := e.head(ctx, at)
	if w.ok {
		if found, ok := w.Resources(ctx, objectType, permission, subject); ok {
			return found, revision, nil
		}
	}
	ctx, revision, err := e.atHead(ctx, at, head)
	if err != nil {
		return nil, "", err
	}
	if found, ok := e.Walk(ctx).Resources(ctx, objectType, permission, subject); ok {
		return found, revision, nil
	}
	if err := gone(ctx); err != nil {
		return nil, "", err
	}
	request := &v1.LookupResourcesRequest{ResourceObjectType: objectType, Permission: permission, Subject: subjectReference(subject)}
	if err := e.validate(request); err != nil {
		return nil, "", err
	}
	var ids []string
	seen := make(map[string]struct{})
	err = e.services.Permissions.LookupResources(request, &sink[v1.LookupResourcesResponse]{ctx: ctx, each: func(r *v1.LookupResourcesResponse) {
		if r.GetPermissionship() != v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION {
			return
		}
		if _, again := seen[r.GetResourceObjectId()]; !again {
			seen[r.GetResourceObjectId()] = struct{}{}
			ids = append(ids, r.GetResourceObjectId())
		}
	}})
	if err != nil {
		return nil, "", faultOf(err)
	}
	return relation.NewListed(ids), revision, nil
}

// Subjects returns the ids of all subjects of the type that have the permission on the
// object, each once, in no order. A wildcard names nobody and is left out, with those who
// have the permission through nothing else; so are those who have it only under a caveat.
func (e *Engine) Subjects(ctx context.Context, at relation.At, object relation.Object, permission, subjectType string) ([]string, relation.Revision, error) {
	found, revision, err := e.ListSubjects(ctx, at, object, permission, subjectType)
	if err != nil {
		return nil, "", err
	}
	return slices.Clone(found.IDs()), revision, nil
}

// ListSubjects is Subjects whose answer is one value as that of ListResources is.
func (e *Engine) ListSubjects(ctx context.Context, at relation.At, object relation.Object, permission, subjectType string) (*relation.Listed, relation.Revision, error) {
	w, revision, head := e.head(ctx, at)
	if w.ok {
		if found, _, ok := w.Subjects(ctx, object, permission, subjectType, ""); ok {
			return found, revision, nil
		}
	}
	ctx, revision, err := e.atHead(ctx, at, head)
	if err != nil {
		return nil, "", err
	}
	if found, _, ok := e.Walk(ctx).Subjects(ctx, object, permission, subjectType, ""); ok {
		return found, revision, nil
	}
	if err := gone(ctx); err != nil {
		return nil, "", err
	}
	request := &v1.LookupSubjectsRequest{Resource: objectReference(object), Permission: permission, SubjectObjectType: subjectType}
	if err := e.validate(request); err != nil {
		return nil, "", err
	}
	var ids []string
	seen := make(map[string]struct{})
	err = e.services.Permissions.LookupSubjects(request, &sink[v1.LookupSubjectsResponse]{ctx: ctx, each: func(r *v1.LookupSubjectsResponse) {
		s := r.GetSubject()
		if s.GetSubjectObjectId() == wildcard || s.GetPermissionship() != v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION {
			return
		}
		if _, again := seen[s.GetSubjectObjectId()]; !again {
			seen[s.GetSubjectObjectId()] = struct{}{}
			ids = append(ids, s.GetSubjectObjectId())
		}
	}})
	if err != nil {
		return nil, "", faultOf(err)
	}
	return relation.NewListed(ids), revision, nil
}

// sink is a server stream whose messages go to a function. The message that each gets is
// reused by SpiceDB afterwards and must not be kept.
type sink[T any] struct {
	ctx  context.Context //nolint:containedctx // a stream hands its context out
	each func(*T)
}

var _ grpc.ServerStreamingServer[v1.LookupResourcesResponse] = (*sink[v1.LookupResourcesResponse])(nil)

// Send hands m over, or fails when nobody waits any more.
func (s *sink[T]) Send(m *T) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	s.each(m)
	return nil
}

// Context returns the context of the call.
func (s *sink[T]) Context() context.Context { return s.ctx }

// SetHeader does nothing: there is no client.
func (s *sink[T]) SetHeader(metadata.MD) error { return nil }

// SendHeader does nothing: there is no client.
func (s *sink[T]) SendHeader(metadata.MD) error { return nil }

// SetTrailer does nothing: there is no client.
func (s *sink[T]) SetTrailer(metadata.MD) {}

// SendMsg hands over a message of the stream's type.
func (s *sink[T]) SendMsg(m any) error {
	if typed, ok := m.(*T); ok {
		return s.Send(typed)
	}
	return nil
}

// RecvMsg does nothing: a server stream's request is an argument.
func (s *sink[T]) RecvMsg(any) error { return nil }
