package engine

import (
	"context"

	"github.com/authzed/authzed-go/pkg/requestmeta"
	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// bounded is SpiceDB's permissions service within bounds. Where an object or a permission is
// reached from itself, SpiceDB asks itself the same question again and again: at best until its
// limit of depth; where several ways lead there, in numbers that double with each step; and
// where two such questions wait for one another's answer, for ever. Such a question does not
// get there: what can be decided is, and the rest is refused as SpiceDB would refuse it.
//
// Questions that ask for a trace do get there, since the trace is what shows the way round.
// They share no work with others, and a budget ends them.
type bounded struct {
	v1.PermissionsServiceServer
	around
	bounds *bounds
}

// CheckPermission answers one check.
func (s bounded) CheckPermission(ctx context.Context, r *v1.CheckPermissionRequest) (*v1.CheckPermissionResponse, error) {
	ctx = s.bounds.budget(ctx, checks, s.bounds.reads)
	if r.GetWithTracing() || len(metadata.ValueFromIncomingContext(ctx, string(requestmeta.RequestDebugInformation))) > 0 {
		return s.PermissionsServiceServer.CheckPermission(ctx, r)
	}
	allowed, ask, err := s.bounds.check(ctx, relation.Question{
		Object: objectOf(r.GetResource()), Permission: r.GetPermission(), Subject: subjectOf(r.GetSubject()),
	})
	if ask {
		return s.PermissionsServiceServer.CheckPermission(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	token, err := checkedAt(ctx)
	if err != nil {
		return nil, err
	}
	return &v1.CheckPermissionResponse{CheckedAt: token, Permissionship: permissionship(allowed)}, nil
}

// CheckBulkPermissions answers many checks: SpiceDB gets those that have no loops.
func (s bounded) CheckBulkPermissions(ctx context.Context, r *v1.CheckBulkPermissionsRequest) (*v1.CheckBulkPermissionsResponse, error) {
	ctx = s.bounds.budget(ctx, checks, s.bounds.reads+readsOfOneMore*int64(len(r.GetItems())))
	if r.GetWithTracing() {
		return s.PermissionsServiceServer.CheckBulkPermissions(ctx, r)
	}
	out := &v1.CheckBulkPermissionsResponse{Pairs: make([]*v1.CheckBulkPermissionsPair, len(r.GetItems()))}
	rest := &v1.CheckBulkPermissionsRequest{Consistency: r.GetConsistency()}
	var places []int // places[i] is the item that rest.Items[i] is
	for i, item := range r.GetItems() {
		allowed, ask, err := s.bounds.check(ctx, relation.Question{
			Object: objectOf(item.GetResource()), Permission: item.GetPermission(), Subject: subjectOf(item.GetSubject()),
		})
		switch {
		case ask:
			rest.Items = append(rest.Items, item)
			places = append(places, i)
		case err != nil:
			out.Pairs[i] = &v1.CheckBulkPermissionsPair{Request: item, Response: &v1.CheckBulkPermissionsPair_Error{Error: status.Convert(err).Proto()}}
		default:
			out.Pairs[i] = &v1.CheckBulkPermissionsPair{Request: item, Response: &v1.CheckBulkPermissionsPair_Item{
				Item: &v1.CheckBulkPermissionsResponseItem{Permissionship: permissionship(allowed)},
			}}
		}
	}
	if len(places) == len(out.Pairs) {
		return s.PermissionsServiceServer.CheckBulkPermissions(ctx, r)
	}
	var err error
	if out.CheckedAt, err = checkedAt(ctx); err != nil || len(places) == 0 {
		return out, err
	}
	response, err := s.PermissionsServiceServer.CheckBulkPermissions(ctx, rest)
	if err != nil {
		return nil, err
	}
	for i, pair := range response.GetPairs() {
		out.Pairs[places[i]] = pair
	}
	return out, nil
}

// ExpandPermissionTree shows what a permission is made of.
func (s bounded) ExpandPermissionTree(ctx context.Context, r *v1.ExpandPermissionTreeRequest) (*v1.ExpandPermissionTreeResponse, error) {
	if s.bounds.above(ctx, r.GetResource(), r.GetPermission(), true) {
		return nil, s.bounds.refuse(ctx, expansions)
	}
	return s.PermissionsServiceServer.ExpandPermissionTree(s.bounds.budget(ctx, expansions, s.bounds.reads), r)
}

// LookupResources lists the objects on which a subject has a permission.
func (s bounded) LookupResources(r *v1.LookupResourcesRequest, stream grpc.ServerStreamingServer[v1.LookupResourcesResponse]) error {
	ctx := stream.Context()
	if !r.GetWithDebug() && s.bounds.below(ctx, r) {
		return s.bounds.refuse(ctx, resourceLists)
	}
	ctx = s.bounds.budget(ctx, resourceLists, readsOfList)
	return s.PermissionsServiceServer.LookupResources(r, budgeted[v1.LookupResourcesResponse]{stream, ctx})
}

// LookupSubjects lists who has a permission on an object.
func (s bounded) LookupSubjects(r *v1.LookupSubjectsRequest, stream grpc.ServerStreamingServer[v1.LookupSubjectsResponse]) error {
	ctx := stream.Context()
	if s.bounds.above(ctx, r.GetResource(), r.GetPermission(), false) {
		return s.bounds.refuse(ctx, subjectLists)
	}
	ctx = s.bounds.budget(ctx, subjectLists, s.bounds.reads)
	return s.PermissionsServiceServer.LookupSubjects(r, budgeted[v1.LookupSubjectsResponse]{stream, ctx})
}

// boundedExperiments is SpiceDB's experimental service, whose checks have the same bounds.
type boundedExperiments struct {
	v1.ExperimentalServiceServer
	around
	bounds *bounds
}

// BulkCheckPermission answers many checks, unless one of them has loops.
func (s boundedExperiments) BulkCheckPermission(ctx context.Context, r *v1.BulkCheckPermissionRequest) (*v1.BulkCheckPermissionResponse, error) {
	items := r.GetItems() //nolint:staticcheck // it is there for those who still use it
	for _, item := range items {
		if s.bounds.above(ctx, item.GetResource(), item.GetPermission(), false) {
			return nil, s.bounds.refuse(ctx, checks)
		}
	}
	ctx = s.bounds.budget(ctx, checks, s.bounds.reads+readsOfOneMore*int64(len(items)))
	return s.ExperimentalServiceServer.BulkCheckPermission(ctx, r) //nolint:staticcheck // it is there for those who still use it
}

// budgeted is a stream whose calls have a budget.
type budgeted[T any] struct {
	grpc.ServerStreamingServer[T]
	ctx context.Context //nolint:containedctx // a stream hands its context out
}

// Context returns the context of the call.
func (s budgeted[T]) Context() context.Context { return s.ctx }

// around is what SpiceDB does around the methods of one of its services.
type around struct{ service any }

// UnaryInterceptor returns what it does around unary methods, nil for nothing.
func (a around) UnaryInterceptor() grpc.UnaryServerInterceptor {
	if s, ok := a.service.(interface {
		UnaryInterceptor() grpc.UnaryServerInterceptor
	}); ok {
		return s.UnaryInterceptor()
	}
	return nil
}

// StreamInterceptor returns what it does around streams, nil for nothing.
func (a around) StreamInterceptor() grpc.StreamServerInterceptor {
	if s, ok := a.service.(interface {
		StreamInterceptor() grpc.StreamServerInterceptor
	}); ok {
		return s.StreamInterceptor()
	}
	return nil
}

func permissionship(allowed bool) v1.CheckPermissionResponse_Permissionship {
	if allowed {
		return v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
	}
	return v1.CheckPermissionResponse_PERMISSIONSHIP_NO_PERMISSION
}
