package e2e

import (
	"context"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server"
)

// TestWatchDoesNotHoldAStop stops a server whose drain timeout nobody would wait for, while
// a client watches: the client is told why, and the server stops.
func TestWatchDoesNotHoldAStop(t *testing.T) {
	dir := t.TempDir()
	s, err := server.New(t.Context(), server.Config{
		DataDir: dir, GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", DrainTimeout: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin, err := server.ReadAdminKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	authorized := as(t.Context(), admin)
	before, err := v1.NewSchemaServiceClient(conn).ReadSchema(authorized, &v1.ReadSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := v1.NewWatchServiceClient(conn).Watch(authorized, &v1.WatchRequest{OptionalStartCursor: before.GetReadAt()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = v1.NewPermissionsServiceClient(conn).WriteRelationships(authorized, &v1.WriteRelationshipsRequest{
		Updates: []*v1.RelationshipUpdate{{Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: "group", ObjectId: "a"}, Relation: "member",
			Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: "1"}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil { // it is served
		t.Fatal(err)
	}
	stop()
	for err == nil {
		_, err = watch.Recv()
	}
	if reason, _ := details(status.Convert(err)); status.Code(err) != codes.Unavailable || reason != "SERVER_STOPPING" {
		t.Errorf("the watch ended with %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
