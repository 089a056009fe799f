package e2e

import (
	"context"
	"net/http"
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

// TestDrainDelay stops a server that load balancers are to learn of first: its probes say so,
// and it goes on answering.
func TestDrainDelay(t *testing.T) {
	const delay = 3 * time.Second
	dir := t.TempDir()
	s, err := server.New(t.Context(), server.Config{
		DataDir: dir, GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", DrainDelay: delay,
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
	i := &instance{url: "http://" + s.HTTPAddr()}
	stop()
	began := time.Now()
	for i.call(t, http.MethodGet, "/readyz", "", "").status == http.StatusOK {
		if time.Since(began) > time.Minute {
			t.Fatal("the server is ready all the same")
		}
	}
	// Whoever has not learned of it yet is answered, on a connection of his own.
	if time.Since(began) < delay {
		got, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(i.url + "/livez")
		switch {
		case err == nil:
			_ = got.Body.Close()
		case time.Since(began) < delay:
			t.Errorf("a call before the delay is over: %v", err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < delay {
		t.Errorf("the server has stopped after %s", took)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
