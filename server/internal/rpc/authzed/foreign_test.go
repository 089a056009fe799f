package authzed_test

import (
	"errors"
	"io"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestForeign shows tokens and cursors of one store to another, which has an identity of its
// own as a restored one has, and to the one that gave them. SpiceDB would answer some.
func TestForeign(t *testing.T) {
	here := dial(t, serve(t, startFileEngine(t, prometheus.NewRegistry()), nil, admin()))
	there := dial(t, serve(t, startFileEngine(t, prometheus.NewRegistry()), nil, admin()))
	request := touch(rel(ref("party", "1"), "dagl", sub("user", "7")), rel(ref("party", "2"), "dagl", sub("user", "7")))
	for _, conn := range []*grpc.ClientConn{here, there} {
		if _, err := v1.NewPermissionsServiceClient(conn).WriteRelationships(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	client := v1.NewPermissionsServiceClient(there)
	written, err := client.WriteRelationships(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	token := written.GetWrittenAt()
	for range 3 { // by its number it was here too
		if _, err := v1.NewPermissionsServiceClient(here).WriteRelationships(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	list := &v1.LookupResourcesRequest{Consistency: full(), ResourceObjectType: "party", Permission: "represent", Subject: sub("user", "7"), OptionalLimit: 1}
	_, listed, err := page(t, there, list, nil)
	if err != nil {
		t.Fatal(err)
	}
	read := &v1.ReadRelationshipsRequest{Consistency: full(), RelationshipFilter: &v1.RelationshipFilter{ResourceType: "party"}, OptionalLimit: 1}
	found, err := readOne(t, there, read)
	if err != nil {
		t.Fatal(err)
	}
	check := func(c *v1.Consistency) func(*grpc.ClientConn) error {
		return func(conn *grpc.ClientConn) error {
			_, err := v1.NewPermissionsServiceClient(conn).CheckPermission(t.Context(), &v1.CheckPermissionRequest{
				Consistency: c, Resource: ref("party", "1"), Permission: "represent", Subject: sub("user", "7"),
			})
			return err
		}
	}
	fresh := &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: token}}
	exact := &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: token}}
	for name, ask := range map[string]func(*grpc.ClientConn) error{
		"a check at least as fresh": check(fresh),
		"a check at an exact state": check(exact),
		"a stream at least as fresh": func(conn *grpc.ClientConn) error {
			return readErr(readOne(t, conn, &v1.ReadRelationshipsRequest{Consistency: fresh, RelationshipFilter: read.GetRelationshipFilter()}))
		},
		"a list after a cursor": func(conn *grpc.ClientConn) error { _, _, err := page(t, conn, list, listed); return err },
		"relations read from a cursor": func(conn *grpc.ClientConn) error {
			return readErr(readOne(t, conn, &v1.ReadRelationshipsRequest{Consistency: full(), RelationshipFilter: read.GetRelationshipFilter(), OptionalLimit: 1, OptionalCursor: found.GetAfterResultCursor()}))
		},
	} {
		if err := ask(there); err != nil {
			t.Errorf("%s where it was given: %v", name, err)
		}
		err := ask(here)
		if status.Code(err) != codes.InvalidArgument || reasonOf(err) != "INVALID_REVISION" {
			t.Errorf("%s elsewhere: %v, want INVALID_REVISION", name, err)
		}
	}
}

// readOne reads the first relationship.
func readOne(t *testing.T, conn *grpc.ClientConn, r *v1.ReadRelationshipsRequest) (*v1.ReadRelationshipsResponse, error) {
	t.Helper()
	stream, err := v1.NewPermissionsServiceClient(conn).ReadRelationships(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return stream.Recv()
}

func readErr(_ *v1.ReadRelationshipsResponse, err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
