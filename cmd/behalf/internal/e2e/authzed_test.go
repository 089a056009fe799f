package e2e

import (
	"errors"
	"io"
	"slices"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/authzed-go/v1"
	"github.com/authzed/grpcutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// TestAuthzedClient uses an unmodified authzed-go client: it writes, reads back at the
// token it got, watches and looks up, as against any SpiceDB.
func TestAuthzedClient(t *testing.T) {
	i := start(t)
	client, err := authzed.NewClient(i.address,
		grpcutil.WithInsecureBearerToken(i.admin), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	ctx := t.Context()

	before, err := client.ReadSchema(ctx, &v1.ReadSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := client.Watch(ctx, &v1.WatchRequest{OptionalStartCursor: before.GetReadAt()})
	if err != nil {
		t.Fatal(err)
	}
	dagl := &v1.Relationship{
		Resource: &v1.ObjectReference{ObjectType: "party", ObjectId: "50000001"},
		Relation: "dagl",
		Subject:  &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: "20000001"}},
	}
	written, err := client.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{
		Updates: []*v1.RelationshipUpdate{{Operation: v1.RelationshipUpdate_OPERATION_CREATE, Relationship: dagl}},
	})
	if err != nil {
		t.Fatal(err)
	}
	token := written.GetWrittenAt()

	at := &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: token}}
	read, err := client.ReadRelationships(ctx, &v1.ReadRelationshipsRequest{
		Consistency:        at,
		RelationshipFilter: &v1.RelationshipFilter{ResourceType: "party", OptionalRelation: "dagl"},
	})
	if err != nil {
		t.Fatal(err)
	}
	found := drain(t, read)
	if len(found) != 1 || found[0].GetRelationship().GetSubject().GetObject().GetObjectId() != "20000001" {
		t.Errorf("read back %v", found)
	}

	event, err := watch.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if got := event.GetUpdates(); len(got) != 1 || got[0].GetRelationship().GetRelation() != "dagl" {
		t.Errorf("watched %v", event)
	}

	lookup, err := client.LookupResources(ctx, &v1.LookupResourcesRequest{
		Consistency:        &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: token}},
		ResourceObjectType: "party",
		Permission:         "has_utinn", // which comes with dagl
		Subject:            dagl.GetSubject(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range drain(t, lookup) {
		ids = append(ids, r.GetResourceObjectId())
	}
	if !slices.Equal(ids, []string{"50000001"}) {
		t.Errorf("looked up %q", ids)
	}
}

// drain receives all messages of a stream.
func drain[T any](t *testing.T, stream grpc.ServerStreamingClient[T]) (all []*T) {
	t.Helper()
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, message)
	}
}

// TestAuthzedClosedToUsers calls every method of authzed.api.v1 with an end user's token.
func TestAuthzedClosedToUsers(t *testing.T) {
	i := start(t)
	ctx := as(t.Context(), i.userToken(t, 20000001, 50000001))
	calls := 0
	for _, service := range []grpc.ServiceDesc{
		v1.PermissionsService_ServiceDesc, v1.SchemaService_ServiceDesc, v1.WatchService_ServiceDesc, v1.ExperimentalService_ServiceDesc,
	} {
		for _, m := range service.Methods {
			method := "/" + service.ServiceName + "/" + m.MethodName
			t.Run(m.MethodName, func(t *testing.T) {
				refused(t, i.conn.Invoke(ctx, method, &v1.ReadSchemaRequest{}, &v1.ReadSchemaResponse{}))
			})
			calls++
		}
		for _, s := range service.Streams {
			t.Run(s.StreamName, func(t *testing.T) {
				stream, err := i.conn.NewStream(ctx, &s, "/"+service.ServiceName+"/"+s.StreamName)
				if err == nil {
					err = stream.RecvMsg(&v1.ReadSchemaResponse{})
				}
				refused(t, err)
			})
			calls++
		}
	}
	if calls < 20 {
		t.Errorf("only %d methods were found", calls)
	}
}

func refused(t *testing.T, err error) {
	t.Helper()
	s := status.Convert(err)
	if reason, _ := details(s); s.Code() != codes.PermissionDenied || reason != "SERVICES_ONLY" {
		t.Errorf("got %s %s, want PermissionDenied SERVICES_ONLY", s.Code(), reason)
	}
}
