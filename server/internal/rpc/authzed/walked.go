package authzed

import (
	"context"
	"slices"

	"github.com/authzed/authzed-go/pkg/requestmeta"
	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/middleware/consistency"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// walked is SpiceDB's permissions service with checks and lists answered from the graph
// where that is possible, at the revision that SpiceDB would answer at. Whatever is unusual,
// a trace, a caveat's context, a name that is not known, goes to SpiceDB, which says what
// there is to say.
type walked struct {
	v1.PermissionsServiceServer
	engine *engine.Engine
}

// UnaryInterceptor returns what SpiceDB does around its own unary methods.
func (w walked) UnaryInterceptor() grpc.UnaryServerInterceptor {
	if object, ok := w.PermissionsServiceServer.(extraUnary); ok {
		return object.UnaryInterceptor()
	}
	return nil
}

// StreamInterceptor returns what SpiceDB does around its own streams.
func (w walked) StreamInterceptor() grpc.StreamServerInterceptor {
	if object, ok := w.PermissionsServiceServer.(extraStream); ok {
		return object.StreamInterceptor()
	}
	return nil
}

// at returns the walk and the token of the revision that was chosen for a call. ok is false
// when SpiceDB is to answer all of it.
func (w walked) at(ctx context.Context) (walk engine.Walk, token *v1.ZedToken, ok bool) {
	if len(metadata.ValueFromIncomingContext(ctx, string(requestmeta.RequestDebugInformation))) > 0 {
		return walk, nil, false
	}
	_, _, token, err := consistency.RevisionFromContext(ctx)
	if err != nil {
		return walk, nil, false
	}
	return w.engine.Walk(ctx), token, true
}

// CheckPermission answers one check.
func (w walked) CheckPermission(ctx context.Context, r *v1.CheckPermissionRequest) (*v1.CheckPermissionResponse, error) {
	if r.GetWithTracing() || r.GetContext() != nil {
		return w.PermissionsServiceServer.CheckPermission(ctx, r)
	}
	walk, token, ok := w.at(ctx)
	if !ok {
		return w.PermissionsServiceServer.CheckPermission(ctx, r)
	}
	allowed, answered := walk.Check(ctx, relation.Question{
		Object: object(r.GetResource()), Permission: r.GetPermission(), Subject: subject(r.GetSubject()),
	})
	if !answered {
		return w.PermissionsServiceServer.CheckPermission(ctx, r)
	}
	return &v1.CheckPermissionResponse{CheckedAt: token, Permissionship: permissionship(allowed)}, nil
}

// CheckBulkPermissions answers many checks: SpiceDB gets those that walks leave, at the same
// revision.
func (w walked) CheckBulkPermissions(ctx context.Context, r *v1.CheckBulkPermissionsRequest) (*v1.CheckBulkPermissionsResponse, error) {
	walk, token, ok := w.at(ctx)
	if !ok || r.GetWithTracing() || len(r.GetItems()) > maxBulk {
		return w.PermissionsServiceServer.CheckBulkPermissions(ctx, r)
	}
	out := &v1.CheckBulkPermissionsResponse{CheckedAt: token, Pairs: make([]*v1.CheckBulkPermissionsPair, len(r.GetItems()))}
	rest := &v1.CheckBulkPermissionsRequest{Consistency: r.GetConsistency()}
	var places []int
	for i, item := range r.GetItems() {
		if item.GetContext() != nil {
			return w.PermissionsServiceServer.CheckBulkPermissions(ctx, r)
		}
		allowed, answered := walk.Check(ctx, relation.Question{
			Object: object(item.GetResource()), Permission: item.GetPermission(), Subject: subject(item.GetSubject()),
		})
		if !answered {
			rest.Items = append(rest.Items, item)
			places = append(places, i)
			continue
		}
		out.Pairs[i] = &v1.CheckBulkPermissionsPair{
			Request: item,
			Response: &v1.CheckBulkPermissionsPair_Item{
				Item: &v1.CheckBulkPermissionsResponseItem{Permissionship: permissionship(allowed)},
			},
		}
	}
	if len(places) == len(out.Pairs) {
		return w.PermissionsServiceServer.CheckBulkPermissions(ctx, r)
	}
	if len(places) > 0 {
		response, err := w.PermissionsServiceServer.CheckBulkPermissions(ctx, rest)
		if err != nil {
			return nil, err
		}
		for i, pair := range response.GetPairs() {
			out.Pairs[places[i]] = pair
		}
	}
	return out, nil
}

// LookupSubjects lists who has a permission on an object.
func (w walked) LookupSubjects(r *v1.LookupSubjectsRequest, stream grpc.ServerStreamingServer[v1.LookupSubjectsResponse]) error {
	if unusual(r.GetContext()) || r.GetOptionalConcreteLimit() != 0 || r.GetOptionalCursor() != nil {
		return w.PermissionsServiceServer.LookupSubjects(r, stream)
	}
	ctx := stream.Context()
	walk, token, ok := w.at(ctx)
	if !ok {
		return w.PermissionsServiceServer.LookupSubjects(r, stream)
	}
	found, everyone, answered := walk.Subjects(ctx, object(r.GetResource()), r.GetPermission(), r.GetSubjectObjectType(), r.GetOptionalSubjectRelation())
	if !answered {
		return w.PermissionsServiceServer.LookupSubjects(r, stream)
	}
	ids := found.IDs()
	if everyone {
		ids = append(slices.Clip(ids), "*")
	}
	const has = v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION
	to := sender[v1.LookupSubjectsRequest](stream)
	who := &v1.ResolvedSubject{Permissionship: has}
	m := &v1.LookupSubjectsResponse{ // for all: what is sent is encoded before Send returns
		Subject:        who,
		LookedUpAt:     token,
		Permissionship: has, //nolint:staticcheck // SpiceDB sets it as well
	}
	for _, id := range ids {
		who.SubjectObjectId = id
		m.SubjectObjectId = id //nolint:staticcheck // likewise
		if err := to.Send(m); err != nil {
			return err
		}
	}
	return nil
}

func unusual(context *structpb.Struct) bool { return context != nil }

func object(o *v1.ObjectReference) relation.Object {
	return relation.Object{Type: o.GetObjectType(), ID: o.GetObjectId()}
}

func subject(s *v1.SubjectReference) relation.Subject {
	return relation.Subject{Object: object(s.GetObject()), Relation: s.GetOptionalRelation()}
}

func permissionship(allowed bool) v1.CheckPermissionResponse_Permissionship {
	if allowed {
		return v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
	}
	return v1.CheckPermissionResponse_PERMISSIONSHIP_NO_PERMISSION
}
