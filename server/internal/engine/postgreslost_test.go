package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/authzed/spicedb/pkg/datastore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// TestPostgresLostReading crashes Postgres after a snapshot was chosen, before and amid the
// rows that are read at it: both say that the database cannot be reached.
func TestPostgresLostReading(t *testing.T) {
	store := openBare(t, database(t))
	e := startOn(t, store, world)
	var us []relation.Update
	for i := range 10_000 { // more than lies between a server and its client
		us = append(us, updates(relation.Touch, fmt.Sprintf("party:%0300d#dagl@user:7", i))...)
	}
	write(t, e, us)
	head, err := store.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	filter := datastore.RelationshipsFilter{OptionalResourceType: "party"}
	reader := store.SnapshotReader(head.Revision)
	amid, err := reader.QueryRelationships(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err = range amid {
		if n++; n == 1 {
			pg.Restart(t)
		}
		if err != nil {
			break
		}
	}
	t.Logf("%d rows had come", n)
	wantUnavailable(t, "amid the rows", err)
	// A connection of the pool that is left over fails once.
	if err := firstOf(t.Context(), reader, filter); err != nil {
		wantUnavailable(t, "before the rows", err)
	}
}

func firstOf(ctx context.Context, r datastore.Reader, filter datastore.RelationshipsFilter) error {
	found, err := r.QueryRelationships(ctx, filter)
	if err != nil {
		return err
	}
	_, _, err = datastore.FirstRelationshipIn(found)
	return err
}

func wantUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	if status.Code(err) != codes.Unavailable {
		t.Errorf("%s: %v, want unavailable", what, err)
	}
}
