package engine_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// countingStore counts how often its head is asked for, which on Postgres is a question to the
// database.
type countingStore struct {
	*store.Store
	heads atomic.Int64
}

func (s *countingStore) HeadRevision(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	s.heads.Add(1)
	return s.Store.HeadRevision(ctx)
}

// A question asks for the head once, whoever answers it, and the next one asks again.
func TestHeadIsFoundOnce(t *testing.T) {
	data, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "behalf.db")})
	if err != nil {
		t.Fatal(err)
	}
	counted := &countingStore{Store: data}
	e, err := engine.New(engine.Config{Logger: slog.New(slog.DiscardHandler), Datastore: counted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	const schema = `use expiration
definition user {}
caveat open(now int) { now > 9 }
definition paper {
	relation reader: user | user with open
	permission read = reader
}`
	if err := e.EnsureSchema(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	write(t, e, updates(relation.Touch, "paper:1#reader@user:1"))
	ctx := t.Context()
	paper := relation.Object{Type: "paper", ID: "1"}
	asks := func(at relation.At, user int64) map[string]func() (relation.Revision, error) {
		return map[string]func() (relation.Revision, error){
			"check": func() (relation.Revision, error) {
				answers, revision, err := e.Check(ctx, at, relation.Question{Object: paper, Permission: "read", Subject: relation.User(user)})
				if err == nil && (user == 1) != answers[0].Allowed {
					t.Errorf("may user %d read: %v", user, answers[0])
				}
				return revision, err
			},
			"resources": func() (relation.Revision, error) {
				_, revision, err := e.Resources(ctx, at, "paper", "read", relation.User(user))
				return revision, err
			},
			"subjects": func() (relation.Revision, error) {
				_, revision, err := e.Subjects(ctx, at, paper, "read", "user")
				return revision, err
			},
			"pin": func() (relation.Revision, error) {
				_, revision, err := e.Pin(ctx, at)
				return revision, err
			},
		}
	}
	once := func(what string, at relation.At, user int64) {
		t.Helper()
		for name, ask := range asks(at, user) {
			before := counted.heads.Load()
			revision, err := ask()
			if n := counted.heads.Load() - before; err != nil || revision == "" || n != 1 {
				t.Errorf("%s: %s asked for the head %d times, %v", what, name, n, err)
			}
		}
	}
	once("walked", relation.At{}, 1)
	wrote, err := e.Services().Permissions.WriteRelationships(e.Context(ctx), &v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{{
		Operation: v1.RelationshipUpdate_OPERATION_TOUCH,
		Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: paper.Type, ObjectId: paper.ID}, Relation: "reader",
			Subject:        &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: "2"}},
			OptionalCaveat: &v1.ContextualizedCaveat{CaveatName: "open"},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	written := relation.Revision(wrote.GetWrittenAt().GetToken())
	once("left", relation.At{}, 2)
	once("left, with a revision", relation.At{AtLeast: written}, 2)

	// The head that one question found is not the next one's.
	for i := range 5 {
		op, allowed := relation.Touch, true
		if i%2 == 1 {
			op, allowed = relation.Delete, false
		}
		written = write(t, e, updates(op, "paper:1#reader@user:3"))
		for _, at := range []relation.At{{}, {AtLeast: written}} {
			answers, revision, err := e.Check(ctx, at,
				relation.Question{Object: paper, Permission: "read", Subject: relation.User(2)}, // left
				relation.Question{Object: paper, Permission: "read", Subject: relation.User(3)})
			if err != nil || answers[1].Allowed != allowed || revision == "" {
				t.Errorf("write %d: user 3 may read: %v at %q, %v; want %v", i, answers, revision, err, allowed)
			}
		}
	}
}
