package authzed_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	client "github.com/authzed/authzed-go/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/rpc/authzed"
)

// An unmodified client writes a relationship, reads it back at the token it was given,
// watches it and looks resources up.
func TestUnmodifiedClient(t *testing.T) {
	address := serve(t, startEngine(t), []string{"user", "party"}, admin())
	c, err := client.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	before, err := c.ReadSchema(ctx, &v1.ReadSchemaRequest{})
	if err != nil {
		t.Fatalf("ReadSchema: %v", err)
	}
	watch, err := c.Watch(ctx, &v1.WatchRequest{OptionalStartCursor: before.GetReadAt()})
	if err != nil {
		t.Fatalf("Watch: %v", err)
	}
	written, err := c.WriteRelationships(ctx, touch(
		rel(ref("party", "1"), "dagl", sub("user", "7")), rel(ref("party", "2"), "main_unit", sub("party", "1"))))
	if err != nil {
		t.Fatalf("WriteRelationships: %v", err)
	}
	exact := &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: written.GetWrittenAt()}}
	fresh := &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: written.GetWrittenAt()}}

	read, err := c.ReadRelationships(ctx, &v1.ReadRelationshipsRequest{Consistency: exact, RelationshipFilter: &v1.RelationshipFilter{ResourceType: "party"}})
	if err != nil {
		t.Fatalf("ReadRelationships: %v", err)
	}
	var found []string
	for {
		r, err := read.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("ReadRelationships: %v", err)
		}
		found = append(found, r.GetRelationship().GetResource().GetObjectId()+"#"+r.GetRelationship().GetRelation())
	}
	slices.Sort(found)
	if !slices.Equal(found, []string{"1#dagl", "2#main_unit"}) {
		t.Errorf("read back %q", found)
	}
	event, err := watch.Recv()
	if err != nil || len(event.GetUpdates()) != 2 {
		t.Errorf("Watch: %v, %v", event, err)
	}
	atEvent := &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: event.GetChangesThrough()}}
	seen, err := c.CheckPermission(ctx, &v1.CheckPermissionRequest{Consistency: atEvent, Resource: ref("party", "2"), Permission: "represent", Subject: sub("user", "7")})
	if err != nil || seen.GetPermissionship() != v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION {
		t.Errorf("CheckPermission at the event's token: %v, %v", seen, err)
	}
	lookup, err := c.LookupResources(ctx, &v1.LookupResourcesRequest{Consistency: fresh, ResourceObjectType: "party", Permission: "represent", Subject: sub("user", "7")})
	if err != nil {
		t.Fatalf("LookupResources: %v", err)
	}
	found = nil
	for {
		r, err := lookup.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("LookupResources: %v", err)
		}
		found = append(found, r.GetResourceObjectId())
	}
	slices.Sort(found)
	if !slices.Equal(found, []string{"1", "2"}) {
		t.Errorf("looked up %q", found)
	}
	// Without a consistency of its own a check sees the write too.
	checked, err := c.CheckPermission(ctx, &v1.CheckPermissionRequest{Resource: ref("party", "2"), Permission: "represent", Subject: sub("user", "7")})
	if err != nil || checked.GetPermissionship() != v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION {
		t.Errorf("CheckPermission: %v, %v", checked, err)
	}
}

func TestScopesCoverEveryMethod(t *testing.T) {
	scopes := authzed.Scopes()
	n := 0
	for _, service := range services() {
		for _, name := range methods(service) {
			n++
			if !slices.Contains([]caller.Scope{caller.RelationsRead, caller.RelationsWrite, caller.SchemaWrite}, scopes[name]) {
				t.Errorf("%s has the scope %q", name, scopes[name])
			}
		}
	}
	if n != len(scopes) {
		t.Errorf("%d scopes for %d methods", len(scopes), n)
	}
}

// A call of another API passes both interceptors untouched.
func TestOthersPass(t *testing.T) {
	s, err := authzed.New(startEngine(t), nil, own)
	if err != nil {
		t.Fatal(err)
	}
	want := errors.New("as it was")
	_, err = s.UnaryInterceptor()(t.Context(), 1, &grpc.UnaryServerInfo{FullMethod: "/behalf.v1.CheckService/Check"},
		func(ctx context.Context, req any) (any, error) {
			if ctx != t.Context() || req != 1 {
				t.Error("the call was changed")
			}
			return nil, want
		})
	if err != want { //nolint:errorlint // the very same
		t.Errorf("unary: %v", err)
	}
	err = s.StreamInterceptor()(1, nil, &grpc.StreamServerInfo{FullMethod: "/behalf.v1.X/Y"}, func(any, grpc.ServerStream) error { return want })
	if err != want { //nolint:errorlint // the very same
		t.Errorf("stream: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	e := startEngine(t)
	if _, err := authzed.New(e, []string{"ghost"}, own); err == nil {
		t.Error("an own definition that the schema lacks was taken")
	}
	if _, err := authzed.New(e, nil, "definition {"); err == nil {
		t.Error("a schema that does not compile was taken")
	}
}

// wantStatus fails unless err has the code and, if one is given, the reason.
func wantStatus(t *testing.T, what string, err error, code codes.Code, reason string) {
	t.Helper()
	if status.Code(err) != code || reasonOf(err) != reason {
		t.Errorf("%s: %v with reason %q, want %s with reason %q", what, err, reasonOf(err), code, reason)
	}
}
