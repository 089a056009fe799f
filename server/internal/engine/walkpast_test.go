package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// startAt returns an engine over a file, and what ends it.
func startAt(t *testing.T, path string) (e *engine.Engine, stop func()) {
	t.Helper()
	data, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if e, err = engine.New(engine.Config{Logger: slog.New(slog.DiscardHandler), Datastore: data}); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return e, stop
}

// TestWalkPast asks about revisions of the past, first while memory has them and then after they
// were rebuilt from the file. Walks answer all of it, and as SpiceDB does.
func TestWalkPast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "behalf.db")
	e, stop := startAt(t, path)
	if err := e.EnsureSchema(t.Context(), world); err != nil {
		t.Fatal(err)
	}
	expires := updates(relation.Touch, "party:1#dagl@user:1", "party:1#dagl@user:3")
	expires[0].Relationship.Expires = time.Now().Add(time.Hour).Truncate(time.Second)
	first := write(t, e, append(expires, updates(relation.Touch, "party:2#main_unit@party:1", "party:9#self@user:9")...))
	second := write(t, e, append(updates(relation.Delete, "party:1#dagl@user:3"), updates(relation.Touch, "party:3#self@user:3", "party:0#self@user:4")...))
	write(t, e, updates(relation.Delete, "party:2#main_unit@party:1", "party:3#self@user:3"))
	want := map[relation.Revision][]string{
		first:  {"party:1@user:1", "party:2@user:1", "party:1@user:3", "party:2@user:3", "party:9@user:9"},
		second: {"party:1@user:1", "party:2@user:1", "party:3@user:3", "party:9@user:9", "party:0@user:4"},
	}
	for _, from := range []string{"memory", "file"} {
		t.Run(from, func(t *testing.T) {
			for range 2 { // a rebuilt state is asked again
				for at, want := range want {
					askPast(t, e, at, want)
				}
			}
		})
		stop() // and memory has the newest revision alone
		if from == "memory" {
			e, stop = startAt(t, path)
		}
	}
}

// askPast asks who represents whom at a revision, in a context whose own instant is after all
// that expires.
func askPast(t *testing.T, e *engine.Engine, at relation.Revision, want []string) {
	t.Helper()
	ctx, end := context.WithCancel(relation.WithInstant(t.Context(), time.Now().Add(24*time.Hour)))
	defer end()
	ctx, _, err := e.Pin(ctx, relation.At{Exact: at, Old: true})
	if err != nil {
		t.Fatalf("revision %s: %v", at, err)
	}
	for n := range 10 {
		party, user := relation.Object{Type: "party", ID: fmt.Sprint(n)}, subject(fmt.Sprint("user:", n))
		for m := range 10 {
			q := question(fmt.Sprintf("party:%d#represent@user:%d", n, m))
			allowed, answered := e.Walk(ctx).Check(ctx, q)
			theirs, err := e.SpiceDB().CheckPermission(ctx, &v1.CheckPermissionRequest{
				Resource: &v1.ObjectReference{ObjectType: "party", ObjectId: q.Object.ID}, Permission: q.Permission, Subject: v1Subject(q.Subject),
			})
			if err != nil {
				t.Fatal(err)
			}
			has := theirs.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
			if wanted := slices.Contains(want, fmt.Sprintf("party:%d@user:%d", n, m)); !answered || allowed != wanted || has != wanted {
				t.Errorf("%v at %s: %v (walked: %v), SpiceDB %v, want %v", q, at, allowed, answered, has, wanted)
			}
		}
		var parties, users []string
		for _, w := range want {
			var p, u string
			if _, err := fmt.Sscanf(w, "party:%1s@user:%1s", &p, &u); err != nil {
				t.Fatal(err)
			}
			if p == party.ID {
				users = append(users, u)
			}
			if u == user.ID {
				parties = append(parties, p)
			}
		}
		found, answered := e.Walk(ctx).Resources(ctx, "party", "represent", user)
		sameIDs(t, fmt.Sprintf("parties of %v at %s", user, at), found, answered, parties)
		if len(users) > 0 { // SpiceDB is asked about what the graph does not know
			found, _, answered = e.Walk(ctx).Subjects(ctx, party, "represent", "user", "")
			sameIDs(t, fmt.Sprintf("users of %v at %s", party, at), found, answered, users)
		}
	}
	read, _, err := e.Read(ctx, relation.At{}, relation.Filter{ResourceType: "party", Relation: "dagl"})
	if err != nil || len(read) == 0 || read[0].Subject.ID != "1" {
		t.Errorf("managers at %s: %v, %v", at, read, err)
	}
}

func sameIDs(t *testing.T, what string, found *relation.Listed, answered bool, want []string) {
	t.Helper()
	if !answered {
		t.Errorf("%s: no walk answers", what)
		return
	}
	if got := found.Sorted(); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestWalkPastOfSchemas asks about a revision from before the schema was another one.
func TestWalkPastOfSchemas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "behalf.db")
	e, stop := startAt(t, path)
	schemas := []string{
		"definition user {}\n\ndefinition doc {\n\trelation reader: user\n\tpermission read = reader\n}",
		"definition user {}\n\ndefinition doc {\n\trelation reader: user\n\tpermission see = reader\n}",
	}
	var revisions []relation.Revision
	for i, text := range schemas {
		if _, err := e.Services().Schema.WriteSchema(e.Context(t.Context()), &v1.WriteSchemaRequest{Schema: text}); err != nil {
			t.Fatal(err)
		}
		revisions = append(revisions, write(t, e, updates(relation.Touch, fmt.Sprintf("doc:%d#reader@user:1", i))))
	}
	write(t, e, updates(relation.Touch, "doc:9#reader@user:9"))
	for range 2 {
		for i, permission := range []string{"read", "see"} {
			ctx, end := context.WithCancel(t.Context())
			ctx, _, err := e.Pin(ctx, relation.At{Exact: revisions[i], Old: true})
			if err != nil {
				t.Fatal(err)
			}
			other := []string{"see", "read"}[i]
			if allowed, answered := e.Walk(ctx).Check(ctx, question("doc:0#"+permission+"@user:1")); !allowed || !answered {
				t.Errorf("%s as of then: %v, walked: %v", permission, allowed, answered)
			}
			if _, answered := e.Walk(ctx).Check(ctx, question("doc:0#"+other+"@user:1")); answered {
				t.Errorf("%s, which there was not, is answered", other)
			}
			end()
		}
		stop()
		e, stop = startAt(t, path)
	}
	stop()
}
