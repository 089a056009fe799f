package bench

import (
	"context"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// authzed is authzed.api.v1 over gRPC.
type authzed struct {
	clients     []v1.PermissionsServiceClient
	permission  string
	consistency Consistency
	token       *v1.ZedToken // of the first answer
}

func newAuthzed(conns []grpc.ClientConnInterface, permission string, c Consistency) *authzed {
	a := &authzed{permission: permission, consistency: c}
	for _, conn := range conns {
		a.clients = append(a.clients, v1.NewPermissionsServiceClient(conn))
	}
	return a
}

func (a *authzed) Probe(ctx context.Context, q Question) ([]byte, error) {
	first := *a
	first.consistency = FullyConsistent
	response, err := first.clients[0].CheckPermission(ctx, first.request(q))
	if err != nil {
		return nil, err
	}
	a.token = response.GetCheckedAt()
	return proto.Marshal(response)
}

func (a *authzed) Ask(ctx context.Context, caller int, q Question) (bool, error) {
	response, err := a.clients[caller%len(a.clients)].CheckPermission(ctx, a.request(q))
	if err != nil {
		return false, err
	}
	switch p := response.GetPermissionship(); p {
	case v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION:
		return true, nil
	case v1.CheckPermissionResponse_PERMISSIONSHIP_NO_PERMISSION:
		return false, nil
	case v1.CheckPermissionResponse_PERMISSIONSHIP_CONDITIONAL_PERMISSION, v1.CheckPermissionResponse_PERMISSIONSHIP_UNSPECIFIED:
		return false, fmt.Errorf("the answer is %s, which is neither yes nor no", p)
	default:
		return false, fmt.Errorf("the answer is permissionship %d, which is unknown", p)
	}
}

func (a *authzed) request(q Question) *v1.CheckPermissionRequest {
	return &v1.CheckPermissionRequest{
		Consistency: a.requirement(),
		Resource:    &v1.ObjectReference{ObjectType: "party", ObjectId: q.Party},
		Permission:  a.permission,
		Subject:     &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: q.User}},
	}
}

func (a *authzed) requirement() *v1.Consistency {
	switch a.consistency {
	case MinimizeLatency:
		return &v1.Consistency{Requirement: &v1.Consistency_MinimizeLatency{MinimizeLatency: true}}
	case AtLeastAsFresh:
		return &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: a.token}}
	case AtExactSnapshot:
		return &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: a.token}}
	case FullyConsistent:
	}
	return &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}}
}
