package bench

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// behalf is behalf.v1 over gRPC.
type behalf struct {
	clients     []behalfv1.CheckServiceClient
	permission  string
	consistency Consistency
	revision    string // of the first answer
}

func newBehalf(conns []grpc.ClientConnInterface, permission string, c Consistency) *behalf {
	b := &behalf{permission: permission, consistency: c}
	for _, conn := range conns {
		b.clients = append(b.clients, behalfv1.NewCheckServiceClient(conn))
	}
	return b
}

func (b *behalf) Probe(ctx context.Context, q Question) ([]byte, error) {
	response, err := b.clients[0].Check(ctx, checkRequest(q, b.permission, b.consistency, ""))
	if err != nil {
		return nil, err
	}
	b.revision = response.GetRevision()
	return proto.Marshal(response)
}

func (b *behalf) Ask(ctx context.Context, caller int, q Question) (bool, error) {
	response, err := b.clients[caller%len(b.clients)].Check(ctx, checkRequest(q, b.permission, b.consistency, b.revision))
	return response.GetAllowed(), err
}

// checkRequest is a question in behalf.v1. Without a revision it is about what is newest.
func checkRequest(q Question, permission string, c Consistency, revision string) *behalfv1.CheckRequest {
	r := &behalfv1.CheckRequest{Question: &behalfv1.CheckQuestion{
		Object:     &behalfv1.ObjectReference{Type: "party", Id: q.Party},
		Permission: permission,
		Subject:    &behalfv1.SubjectReference{Type: "user", Id: q.User},
	}}
	switch c {
	case AtLeastAsFresh:
		r.AtLeastAsFresh = revision
	case AtExactSnapshot:
		r.AtRevision = revision
	case FullyConsistent, MinimizeLatency:
	}
	return r
}
