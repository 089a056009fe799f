package authzed_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// page asks for one page and returns its ids and the cursor behind the last one.
func page(t *testing.T, conn *grpc.ClientConn, r *v1.LookupResourcesRequest, after *v1.Cursor) (ids []string, next *v1.Cursor, err error) {
	t.Helper()
	r.OptionalCursor = after
	stream, err := v1.NewPermissionsServiceClient(conn).LookupResources(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return ids, next, nil
		}
		if err != nil {
			return nil, nil, err
		}
		ids, next = append(ids, answer.GetResourceObjectId()), answer.GetAfterResultCursor()
	}
}

// pages asks for all pages.
func pages(t *testing.T, conn *grpc.ClientConn, r *v1.LookupResourcesRequest) (all []string) {
	t.Helper()
	var cursor *v1.Cursor
	for {
		ids, next, err := page(t, conn, r, cursor)
		if err != nil {
			t.Fatalf("after %v: %v", all, err)
		}
		if len(ids) == 0 {
			return all
		}
		all, cursor = append(all, ids...), next
	}
}

// A cursor is continued by whoever made it, at its revision, whatever is written meanwhile.
func TestPages(t *testing.T) {
	registry := prometheus.NewRegistry()
	e := startFileEngine(t, registry)
	conn := dial(t, serve(t, e, nil, admin()))
	schema := v1.NewSchemaServiceClient(conn)
	permissions := v1.NewPermissionsServiceClient(conn)
	if _, err := schema.WriteSchema(t.Context(), &v1.WriteSchemaRequest{Schema: own + others}); err != nil {
		t.Fatal(err)
	}
	var rs []*v1.Relationship
	var want []string
	for i := range 7 {
		id := fmt.Sprint(100 + i)
		rs, want = append(rs, rel(ref("party", id), "dagl", sub("user", "7"))), append(want, id)
	}
	caveated := rel(ref("folder", "1"), "reader", sub("user", "7"))
	caveated.OptionalCaveat = &v1.ContextualizedCaveat{CaveatName: "in_hours"}
	rs = append(rs, caveated, rel(ref("folder", "2"), "owner", sub("party", "100")), rel(ref("folder", "3"), "owner", sub("party", "101")))
	if _, err := permissions.WriteRelationships(t.Context(), touch(rs...)); err != nil {
		t.Fatal(err)
	}
	list := func() *v1.LookupResourcesRequest {
		return &v1.LookupResourcesRequest{Consistency: full(), ResourceObjectType: "party", Permission: "represent", Subject: sub("user", "7"), OptionalLimit: 3}
	}

	if got := pages(t, conn, list()); !slices.Equal(got, want) {
		t.Errorf("pages of a walk: %v, want %v", got, want)
	}
	if walks(t, registry, "resources", "answered") != 4 {
		t.Errorf("walks made %v pages, want 4", walks(t, registry, "resources", "answered"))
	}
	folders := &v1.LookupResourcesRequest{Consistency: full(), ResourceObjectType: "folder", Permission: "read", Subject: sub("user", "7"), OptionalLimit: 1}
	got := pages(t, conn, folders) // SpiceDB's pages may hold the same folder again
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("pages of SpiceDB: %v", got)
	}
	if walks(t, registry, "resources", "caveat") == 0 {
		t.Error("the list with a caveat was not left to SpiceDB")
	}

	first, cursor, err := page(t, conn, list(), nil)
	if err != nil || !slices.Equal(first, want[:3]) {
		t.Fatalf("first page: %v, %v", first, err)
	}
	other := list()
	other.Subject = sub("user", "8")
	if _, _, err := page(t, conn, other, cursor); status.Code(err) != codes.FailedPrecondition && status.Code(err) != codes.InvalidArgument {
		t.Errorf("another call's cursor: %v", err)
	}
	if _, err := permissions.WriteRelationships(t.Context(), touch(rel(ref("party", "1035"), "dagl", sub("user", "7")))); err != nil {
		t.Fatal(err)
	}
	if _, err := schema.WriteSchema(t.Context(), &v1.WriteSchemaRequest{Schema: own + others + "\n\ndefinition extra {}"}); err != nil {
		t.Fatal(err)
	}
	second, _, err := page(t, conn, list(), cursor)
	if err != nil || !slices.Equal(second, want[3:6]) {
		t.Errorf("second page after writes: %v, %v", second, err)
	}
}
